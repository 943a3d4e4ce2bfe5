//! What `grnet_verify` compares with, and what an image in the place of features is told.

use grnet_features::value::Features;

use crate::error::Error;
use crate::pg::call::{Call, Value};
use crate::pg::datum;
use crate::sql_functions;

sql_functions! {
    /// `grnet.least_similarity(grnet_features, grnet_features) → real`: the least cosine of two values' regions.
    grnet_least_similarity, pg_finfo_grnet_least_similarity => least_similarity;
    /// `grnet.not_embedded(grnet_features, bytea) → double precision`: refuses an image where features are wanted.
    grnet_not_embedded, pg_finfo_grnet_not_embedded => not_embedded;
}

/// NULL where the values have no regions in common.
fn least_similarity(call: &mut Call<'_>) -> Result<Value, Error> {
    let (Some(left), Some(right)) = (call.varlena(0), call.varlena(1)) else {
        return Ok(None);
    };
    let (left, right) = (Features::parse(&left)?, Features::parse(&right)?);
    if left.grids() != right.grids() || left.channels() != right.channels() {
        return Ok(None);
    }
    let (mut x, mut y) = (vec![0.0f32; left.channels()], vec![0.0f32; left.channels()]);
    let mut least = f64::INFINITY;
    for region in 0..left.regions() {
        left.read_region(region, &mut x);
        right.read_region(region, &mut y);
        least = least.min(cosine(&x, &y));
    }
    Ok(datum::real(least as f32))
}

/// 1 where both are zero, 0 where one is.
fn cosine(x: &[f32], y: &[f32]) -> f64 {
    let dot = |x: &[f32], y: &[f32]| -> f64 { x.iter().zip(y).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    let (xx, yy) = (dot(x, x), dot(y, y));
    match (xx > 0.0, yy > 0.0) {
        (true, true) => dot(x, y) / (xx.sqrt() * yy.sqrt()),
        (false, false) => 1.0,
        _ => 0.0,
    }
}

fn not_embedded(_: &mut Call<'_>) -> Result<Value, Error> {
    Err(Error::NotEmbedded)
}
