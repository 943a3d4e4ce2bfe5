//! Which photos there are, whose garment each one shows, and what is known about it.
//!
//! A place holds a dataset of one [`Kind`]: `folders`, `annotated` (a table) and `deepfashion` read one each, and what
//! they find is checked here before anybody works for an hour on it.

mod annotated;
mod check;
mod deepfashion;
mod folders;
mod found;
mod photo;
mod place;
mod role;
mod search;
mod seen;
mod strata;
mod table;
mod words;

use std::path::PathBuf;

use found::Found;
use place::{Kind, Place};

use crate::network::EngineError;
use crate::print::say;
pub use photo::{Photo, Snapshot, Split};
pub use role::{Role, roles};
pub use search::Search;
pub use strata::{Difficulty, Level, Strata, View};
pub use table::{Row, table};

/// Photos of a training.
#[derive(Debug)]
pub struct Dataset {
    /// Those whose header can be read. Whether their pixels can only decoding tells.
    pub photos: Vec<Photo>,
    /// How many others there are.
    pub unreadable: usize,
}

/// Reads all places for a training: folders and tables, each with its kind before it (`table:photos.csv`) or as what is
/// found there. Photos of the split `test` are none of them. Items are numbered in order of appearance. Photos
/// that are missing, or none by their headers, are left out. What is left out is counted on the standard error stream.
///
/// # Errors
/// A place or table cannot be read or contradicts itself, holds no photo or none to learn from, or more than one photo
/// in ten is missing or none.
pub fn read(places: &[PathBuf]) -> Result<Dataset, EngineError> {
    let mut photos: Vec<Photo> = Vec::new();
    for (source, given) in places.iter().enumerate() {
        let first = photos.iter().map(|photo| photo.item + 1).max().unwrap_or(0);
        let Place { kind, path } = Place::of(given)?;
        let found = match kind {
            Kind::Table => annotated::read(&path, first)?,
            Kind::DeepFashion => deepfashion::read(&path, first)?,
            Kind::Folders => Found { photos: folders::read(&path, first)?, warnings: Vec::new() },
        };
        if found.photos.is_empty() {
            return Err(EngineError::Dataset { path, reason: "there is no photo in it".to_owned() });
        }
        found.warnings.iter().for_each(|warning| say(&format!("{}: {warning}", path.display())));
        photos.extend(found.photos.into_iter().map(|photo| Photo { source, ..photo }));
    }
    learnable(places, &photos)?;
    photos.retain(|photo| photo.split != Some(Split::Test));
    let bad = check::files(&photos)?;
    if let Some(warning) = bad.warning {
        say(&warning);
    }
    let all = photos.len();
    photos.retain(|photo| !bad.files.contains(&photo.path));
    Ok(Dataset { unreadable: all - photos.len(), photos })
}

/// Refuses data whose splits leave nothing to learn from.
fn learnable(places: &[PathBuf], photos: &[Photo]) -> Result<(), EngineError> {
    if photos.iter().any(|photo| matches!(photo.split, None | Some(Split::Train))) {
        return Ok(());
    }
    let count = |split| photos.iter().filter(|photo| photo.split == Some(split)).count();
    let reason = format!(
        "{} photos are of the split val and {} of test, none is of train: there is nothing to learn from",
        count(Split::Val),
        count(Split::Test)
    );
    Err(EngineError::Dataset { path: places.first().cloned().unwrap_or_default(), reason })
}
