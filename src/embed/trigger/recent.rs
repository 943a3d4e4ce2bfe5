//! What a session remembers between rows: features made in this statement, and what it was told already.

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};

use grnet_features::model_file::ModelId;
use grnet_features::value::{Dtype, ImageDigest};
use pgrx::pg_sys::Oid;

use crate::error::Error;
use crate::pg::process;
use crate::settings;

/// Bytes of features that are remembered. An upsert needs those of one row: its INSERT's are lost where the row is there,
/// and its UPDATE asks for the same again.
const BYTES: usize = 256 << 10;
/// Hints that are remembered; beyond, they are not given.
const TOLD: usize = 1000;

struct Recent {
    statement: i64,
    digest: ImageDigest,
    model: ModelId,
    dtype: Dtype,
    features: Vec<u8>,
}

thread_local! {
    static RECENT: RefCell<VecDeque<Recent>> = const { RefCell::new(VecDeque::new()) };
    static TOLD_ALREADY: RefCell<HashSet<(Oid, String)>> = RefCell::new(HashSet::new());
}

/// The features of an image that this statement embedded before, or else what `make` says.
///
/// # Errors
/// What `make` says.
pub fn or_make(
    digest: ImageDigest,
    model: ModelId,
    make: impl FnOnce() -> Result<Vec<u8>, Error>,
) -> Result<Vec<u8>, Error> {
    let (statement, dtype) = (process::statement(), settings::feature_dtype());
    let known = RECENT.with_borrow_mut(|recent| {
        recent.retain(|one| one.statement == statement);
        let same = |one: &&Recent| one.digest == digest && one.model == model && one.dtype == dtype;
        recent.iter().find(same).map(|one| one.features.clone())
    });
    if let Some(features) = known {
        return Ok(features);
    }
    let features = make()?;
    RECENT.with_borrow_mut(|recent| {
        recent.push_back(Recent { statement, digest, model, dtype, features: features.clone() });
        while recent.len() > 1 && recent.iter().map(|one| one.features.len()).sum::<usize>() > BYTES {
            recent.pop_front();
        }
    });
    Ok(features)
}

/// Whether this session was not told yet, of this trigger, about `what`.
pub fn first_time(trigger: Oid, what: &str) -> bool {
    TOLD_ALREADY.with_borrow_mut(|told| told.len() < TOLD && told.insert((trigger, what.to_owned())))
}
