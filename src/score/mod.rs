//! Scores: the matching probability, `<->` for ORDER BY, and the baseline beside them.

mod explain;

use std::rc::Rc;

use grnet_features::value::Features;
use grnet_score::probability::{distance, probability};
use grnet_score::scorer::{Precision, PreparedFeatures, Scorer, Workspace, cosine};

use crate::error::Error;
use crate::pg::call::{Call, Value};
use crate::pg::datum;
use crate::pg::extension_tables;
use crate::{model, sql_functions};

sql_functions! {
    /// `grnet_score(grnet_features, grnet_features) → double precision`: σ(logit).
    grnet_score, pg_finfo_grnet_score => score;
    /// `<->`: −ln σ(logit), for ORDER BY.
    grnet_distance, pg_finfo_grnet_distance => order;
    /// `grnet_score_support(internal) → internal`: the planner's question about a score. That it is asked loads the
    /// library, and with it the node that scores in batches, before the first query is planned; it has no answer.
    grnet_score_support, pg_finfo_grnet_score_support => no_answer;
    /// `grnet_global_similarity(grnet_features, grnet_features) → real`: cosine of the global vectors.
    grnet_global_similarity, pg_finfo_grnet_global_similarity => global_similarity;
}

/// One side of a pair, ready to be scored.
struct Side {
    bytes: Vec<u8>,
    scorer: Rc<Scorer>,
    prepared: PreparedFeatures,
}

/// What a call site remembers: both sides of the last pair. In a ranking one of them is the same for every
/// row, and so is prepared once. Values are recognised by their bytes (7 KB: 0.1 µs), not by their address, which the
/// server reuses.
#[derive(Default)]
struct CallSiteCache {
    left: Option<Side>,
    right: Option<Side>,
    workspace: Workspace,
    /// [`extension_tables::changes`] when they were prepared: a model may be dropped before the next call.
    seen: u64,
}

fn remember(cached: &mut Option<Side>, bytes: &[u8]) -> Result<(), Error> {
    if cached.as_ref().is_some_and(|side| side.bytes == bytes) {
        return Ok(());
    }
    let features = Features::parse(bytes)?;
    let (scorer, prepared) = match cached.take() {
        // The next row has the same model as the last one: no look-up.
        Some(last) if last.scorer.head().id == features.model() => {
            let prepared = last.scorer.prepare(&features)?;
            (last.scorer, prepared)
        }
        _ => model::prepare(&features)?,
    };
    *cached = Some(Side { bytes: bytes.to_vec(), scorer, prepared });
    Ok(())
}

fn logit(call: &mut Call<'_>) -> Result<Option<f64>, Error> {
    let cache = call.call_site_cache::<CallSiteCache>();
    // Before any look-up: a change that one of them hears of is seen at the next call.
    let seen = extension_tables::changes();
    if cache.seen != seen {
        *cache = CallSiteCache { seen, ..CallSiteCache::default() };
    }
    let (Some(left), Some(right)) = (call.varlena(0), call.varlena(1)) else {
        return Ok(None);
    };
    let (left_model, right_model) = (Features::parse(&left)?.model(), Features::parse(&right)?.model());
    if left_model != right_model {
        return Err(Error::DifferentModels(left_model, right_model));
    }
    remember(&mut cache.left, &left)?;
    remember(&mut cache.right, &right)?;
    let (Some(left), Some(right)) = (&cache.left, &cache.right) else {
        return Ok(None);
    };
    // Whatever grnet.score_precision says: an IMMUTABLE function's value may stand in an index, or in a plan.
    Ok(Some(left.scorer.logit_in(Precision::F32, &left.prepared, &right.prepared, &mut cache.workspace)))
}

fn score(call: &mut Call<'_>) -> Result<Value, Error> {
    Ok(logit(call)?.and_then(|logit| datum::double(probability(logit))))
}

fn order(call: &mut Call<'_>) -> Result<Value, Error> {
    Ok(logit(call)?.and_then(|logit| datum::double(distance(logit))))
}

fn no_answer(_call: &mut Call<'_>) -> Result<Value, Error> {
    // What it returns is a pointer, of which NULL says so; an SQL NULL would be an error.
    Ok(Some(pgrx::pg_sys::Datum::null()))
}

fn global_similarity(call: &mut Call<'_>) -> Result<Value, Error> {
    let (Some(left), Some(right)) = (call.varlena(0), call.varlena(1)) else {
        return Ok(None);
    };
    let (left, right) = (Features::parse(&left)?, Features::parse(&right)?);
    if left.model() != right.model() {
        return Err(Error::DifferentModels(left.model(), right.model()));
    }
    let (left, right) = (left.global(), right.global());
    Ok(datum::real(cosine(&left, &right) as f32))
}
