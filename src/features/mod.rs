//! The type `grnet_features`: its text and binary forms, equality, and what can be read out of a value.

use std::hash::Hasher;

use grnet_features::pyramid;
use grnet_features::value::{Dtype, Features, ImageDigest, encode, from_text, to_text};
use serde_json::json;

use crate::error::Error;
use crate::pg::call::{Call, Value};
use crate::pg::datum;
use crate::{model, settings, sql_functions};

sql_functions! {
    /// The type's input function.
    grnet_features_in, pg_finfo_grnet_features_in => input;
    /// The type's output function.
    grnet_features_out, pg_finfo_grnet_features_out => output;
    /// The type's receive function.
    grnet_features_recv, pg_finfo_grnet_features_recv => receive;
    /// The type's send function.
    grnet_features_send, pg_finfo_grnet_features_send => send;
    /// `grnet_features(bytea) → grnet_features`: from what the send function gave.
    grnet_features_from_bytea, pg_finfo_grnet_features_from_bytea => from_bytea;
    /// `=`: the same bytes.
    grnet_features_eq, pg_finfo_grnet_features_eq => equal;
    /// `<>`.
    grnet_features_ne, pg_finfo_grnet_features_ne => unequal;
    /// Hash for DISTINCT, GROUP BY and hash joins.
    grnet_features_hash, pg_finfo_grnet_features_hash => hash;
    /// The same with a seed, for hash partitions.
    grnet_features_hash_extended, pg_finfo_grnet_features_hash_extended => hash_extended;
    /// `grnet_info(grnet_features) → jsonb`.
    grnet_info, pg_finfo_grnet_info => info;
    /// `grnet_global(grnet_features) → real[]`: the L2-normalised vector of the whole image.
    grnet_global, pg_finfo_grnet_global => global;
    /// `grnet_region(grnet_features, scale, row, col) → real[]`: one region as stored; all counted from 0.
    grnet_region, pg_finfo_grnet_region => region;
    /// `grnet_regions(grnet_features) → setof (scale, row, col, value)`.
    grnet_regions, pg_finfo_grnet_regions => regions;
    /// `grnet_quantize(grnet_features) → grnet_features`: numbers of one byte.
    grnet_quantize, pg_finfo_grnet_quantize => quantize;
    /// `grnet_make_features(real[], model text) → grnet_features`.
    grnet_make_features, pg_finfo_grnet_make_features => make;
}

fn input(call: &mut Call<'_>) -> Result<Value, Error> {
    let Some(text) = call.cstring(0) else {
        return Ok(None);
    };
    let bytes = from_text(&text).map_err(Error::FeatureText)?;
    Ok(datum::varlena(&bytes))
}

fn output(call: &mut Call<'_>) -> Result<Value, Error> {
    Ok(call.varlena(0).and_then(|value| datum::cstring(&to_text(&value))))
}

fn receive(call: &mut Call<'_>) -> Result<Value, Error> {
    let Some(bytes) = call.message() else {
        return Ok(None);
    };
    Features::parse_untrusted(&bytes)?;
    Ok(datum::varlena(&bytes))
}

fn from_bytea(call: &mut Call<'_>) -> Result<Value, Error> {
    let Some(bytes) = call.varlena(0) else {
        return Ok(None);
    };
    Features::parse_untrusted(&bytes)?;
    Ok(datum::varlena(&bytes))
}

fn send(call: &mut Call<'_>) -> Result<Value, Error> {
    Ok(call.varlena(0).and_then(|value| datum::varlena(&value)))
}

fn both_equal(call: &Call<'_>) -> Option<bool> {
    let (left, right) = (call.varlena(0)?, call.varlena(1)?);
    Some(*left == *right)
}

fn equal(call: &mut Call<'_>) -> Result<Value, Error> {
    Ok(both_equal(call).and_then(datum::boolean))
}

fn unequal(call: &mut Call<'_>) -> Result<Value, Error> {
    Ok(both_equal(call).and_then(|same| datum::boolean(!same)))
}

/// FNV-1a: stable over releases, as hash partitions need, and mixed from the whole value.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

fn hash_of(bytes: &[u8], seed: u64) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325 ^ seed);
    hasher.write(bytes);
    hasher.finish()
}

fn hash(call: &mut Call<'_>) -> Result<Value, Error> {
    Ok(call.varlena(0).and_then(|value| datum::int(hash_of(&value, 0) as i32)))
}

fn hash_extended(call: &mut Call<'_>) -> Result<Value, Error> {
    let Some(seed) = call.datum(1) else {
        return Ok(None);
    };
    Ok(call.varlena(0).and_then(|value| datum::bigint(hash_of(&value, seed.value() as u64) as i64)))
}

fn info(call: &mut Call<'_>) -> Result<Value, Error> {
    let Some(value) = call.varlena(0) else {
        return Ok(None);
    };
    let features = Features::parse(&value)?;
    let digest: String = features.digest().0.iter().map(|b| format!("{b:02x}")).collect();
    Ok(datum::jsonb(&json!({
        "version": 1,
        "model": features.model().to_string(),
        "dtype": features.dtype().name(),
        "grids": features.grids(),
        "channels": features.channels(),
        "regions": features.regions(),
        "bytes": value.len(),
        "digest": digest,
    })))
}

fn global(call: &mut Call<'_>) -> Result<Value, Error> {
    let Some(value) = call.varlena(0) else {
        return Ok(None);
    };
    Ok(datum::real_array(Features::parse(&value)?.global()))
}

fn region(call: &mut Call<'_>) -> Result<Value, Error> {
    let (Some(value), Some(scale), Some(row), Some(col)) = (call.varlena(0), call.int(1), call.int(2), call.int(3))
    else {
        return Ok(None);
    };
    let features = Features::parse(&value)?;
    let place = |v: i32| usize::try_from(v).ok();
    let number = match (place(scale), place(row), place(col)) {
        (Some(s), Some(r), Some(c)) => pyramid::region(features.grids(), s, r, c),
        _ => None,
    };
    let Some(number) = number else {
        return Err(Error::Argument(format!(
            "no region at scale {scale}, row {row}, column {col}: the grids are {:?}, all counted from 0",
            features.grids()
        )));
    };
    let mut out = vec![0.0; features.channels()];
    features.read_region(number, &mut out);
    Ok(datum::real_array(out))
}

fn regions(call: &mut Call<'_>) -> Result<Value, Error> {
    let Some(value) = call.varlena(0).map(|v| v.to_vec()) else {
        return Ok(None);
    };
    let features = Features::parse(&value)?;
    let mut rows = Vec::with_capacity(features.regions());
    for (scale, grid) in features.grids().iter().enumerate() {
        let grid = usize::from(*grid);
        for (index, number) in pyramid::scale(features.grids(), scale).enumerate() {
            let mut out = vec![0.0; features.channels()];
            features.read_region(number, &mut out);
            let place = |v: usize| datum::int(v as i32);
            rows.push(vec![place(scale), place(index / grid), place(index % grid), datum::real_array(out)]);
        }
    }
    call.return_rows(rows)
}

fn quantize(call: &mut Call<'_>) -> Result<Value, Error> {
    let Some(value) = call.varlena(0) else {
        return Ok(None);
    };
    Ok(datum::varlena(&Features::parse(&value)?.stored_as(Dtype::I8)?))
}

fn make(call: &mut Call<'_>) -> Result<Value, Error> {
    let (Some(values), Some(name)) = (call.real_array(0), call.text(1)) else {
        return Ok(None);
    };
    let Some(values) = values.into_iter().collect::<Option<Vec<f32>>>() else {
        return Err(Error::Argument("regions must not hold NULL".into()));
    };
    let id = model::resolve(Some(&name))?;
    let scorer = model::scorer(id)?;
    let head = scorer.head();
    // Computed elsewhere: the digest is of the values, so that equal values are the same 'image'.
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let digest = ImageDigest::of(&bytes, None);
    let value = stored(encode(id, digest, &head.grids, head.channels, Dtype::F16, &values)?)?;
    Ok(datum::varlena(&value))
}

/// A new value with its numbers as `grnet.feature_dtype` says. Always by way of halves, so that it is the value that
/// `grnet_quantize` makes of the one that is stored otherwise.
///
/// # Errors
/// It is no feature value.
pub fn stored(halves: Vec<u8>) -> Result<Vec<u8>, Error> {
    match settings::feature_dtype() {
        Dtype::F16 => Ok(halves),
        dtype => Ok(Features::parse(&halves)?.stored_as(dtype)?),
    }
}
