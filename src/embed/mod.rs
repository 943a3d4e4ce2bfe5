//! `grnet_embed`: images to features, through the engine.

pub mod image_cache;
mod match_map;
mod trigger;
mod verify;

use std::cell::RefCell;

use grnet_features::model_file::ModelId;
use grnet_features::value::{Dtype, Features, ImageDigest};
use grnet_wire::{Image, MAX_IMAGES, Outcome, Region};

use crate::embed::image_cache::Known;
use crate::engine::client;
use crate::error::{Error, Which};
use crate::pg::call::{Call, Value};
use crate::pg::{datum, process};
use crate::{features, model, settings, sql_functions};

sql_functions! {
    /// `grnet_embed(image bytea [, region box [, model text]]) → grnet_features`.
    grnet_embed, pg_finfo_grnet_embed => embed;
    /// `grnet_embed(image bytea, model text) → grnet_features`.
    grnet_embed_by, pg_finfo_grnet_embed_by => embed_by;
    /// `grnet_embed_images(images bytea[] [, model text]) → grnet_features[]`.
    grnet_embed_images, pg_finfo_grnet_embed_images => embed_images;
}

/// Bytes of images that go into one request, and how many: a large call is asked for slice by slice, so that neither the
/// message here nor the engine's memory grows with it. A slice keeps the network busy for seconds; the gap between two, where
/// it has no batch of this session ahead, is milliseconds.
const REQUEST_BYTES: usize = 64 << 20;
const REQUEST_IMAGES: usize = 256;

/// What a call site remembers: the last image and its features. PostgreSQL evaluates a STABLE sort key once
/// a row: without this, `ORDER BY features <-> grnet_embed($1)` over 10,000 rows would ask the engine 10,000 times.
#[derive(Default)]
struct CallSiteCache {
    image: Option<Known>,
    region: Option<[f64; 4]>,
    model: Option<ModelId>,
    dtype: Option<Dtype>,
    features: Vec<u8>,
}

/// What a statement remembers beyond a call site: a shortlist's index, its node and the select list each ask for the same
/// query's features at a call site of its own.
struct StatementCache {
    /// When the statement began, as the server counts it.
    statement: i64,
    /// Of image and box.
    digest: ImageDigest,
    model: ModelId,
    dtype: Dtype,
    features: Vec<u8>,
}

thread_local! {
    static STATEMENT_CACHE: RefCell<Option<StatementCache>> = const { RefCell::new(None) };
}

/// The features of one image, from the engine or from another call site of the same statement.
fn once(image: &[u8], region: Option<[f64; 4]>, model: ModelId, dtype: Dtype) -> Result<Vec<u8>, Error> {
    let (statement, digest) = (process::statement(), ImageDigest::of(image, region));
    let known = |cached: &&StatementCache| {
        cached.statement == statement && cached.digest == digest && cached.model == model && cached.dtype == dtype
    };
    if let Some(features) =
        STATEMENT_CACHE.with_borrow(|cached| cached.as_ref().filter(known).map(|cached| cached.features.clone()))
    {
        return Ok(features);
    }
    let features = one(image, region, model)?;
    STATEMENT_CACHE.set(Some(StatementCache { statement, digest, model, dtype, features: features.clone() }));
    Ok(features)
}

fn embed(call: &mut Call<'_>) -> Result<Value, Error> {
    let (region, model) = (call.rectangle(1), call.text(2));
    part(call, region, model)
}

fn embed_by(call: &mut Call<'_>) -> Result<Value, Error> {
    let model = call.text(1);
    part(call, None, model)
}

/// A missing or NULL region is the whole image, a missing or NULL model the setting's.
fn part(call: &mut Call<'_>, region: Option<[f64; 4]>, model: Option<String>) -> Result<Value, Error> {
    let Some(image) = call.datum(0) else {
        return Ok(None);
    };
    let id = model::resolve(model.as_deref())?;
    check_size(datum::size_of(image), Which::Only)?;
    let dtype = settings::feature_dtype();
    let cache = call.call_site_cache::<CallSiteCache>();
    let Some(image) = call.varlena(0) else {
        return Ok(None);
    };
    if cache.model != Some(id)
        || cache.dtype != Some(dtype)
        || cache.region != region
        || !cache.image.as_ref().is_some_and(|known| known.is(&image))
    {
        let features = once(&image, region, id, dtype)?;
        *cache =
            CallSiteCache { image: Some(Known::of(&image)?), region, model: Some(id), dtype: Some(dtype), features };
    }
    Ok(datum::varlena(&cache.features))
}

/// The features of one image.
///
/// # Errors
/// The image was refused, or the engine could not be asked.
pub fn one(image: &[u8], region: Option<[f64; 4]>, id: ModelId) -> Result<Vec<u8>, Error> {
    if let Some(area) = region.filter(is_relative) {
        return Err(Error::RelativeBox { area, which: Which::Only });
    }
    let region = region.map(|[left, top, width, height]| Region { left, top, width, height });
    let outcomes = client::embed(id, vec![Image { bytes: image, region }], || model::file(id))?;
    match outcomes.into_iter().next() {
        Some(outcome) => accept(outcome, id, Which::Only),
        None => Err(Error::Protocol("The engine answered no image.".into())),
    }
}

/// Whether a box is within the first pixel and has its corners elsewhere than at the pixel's: shares of an image, not pixels.
fn is_relative([left, top, width, height]: &[f64; 4]) -> bool {
    let corners = [*left, *top, left + width, top + height];
    corners.iter().all(|at| (0.0..=1.0).contains(at)) && corners.iter().any(|at| *at > 0.0 && *at < 1.0)
}

/// Refuses an image by its size before it is fetched or sent.
///
/// # Errors
/// It has more bytes than `grnet.max_image_bytes`.
pub fn check_size(got: usize, which: Which) -> Result<(), Error> {
    let limit = settings::max_image_bytes();
    if got > limit { Err(Error::ImageBytes { got, limit, which }) } else { Ok(()) }
}

fn embed_images(call: &mut Call<'_>) -> Result<Value, Error> {
    let Some(images) = call.varlena_array(0) else {
        return Ok(None);
    };
    let id = model::resolve(call.text(1).as_deref())?;
    if images.len() > MAX_IMAGES {
        return Err(Error::TooManyImages { got: images.len(), limit: MAX_IMAGES });
    }
    let mut features: Vec<Option<Vec<u8>>> = vec![None; images.len()];
    let mut batch: Vec<(usize, &[u8])> = Vec::new();
    let mut bytes = 0;
    for (index, image) in images.iter().enumerate() {
        let Some(image) = image else { continue };
        check_size(image.len(), Which::Of(index + 1))?;
        if bytes + image.len() > REQUEST_BYTES || batch.len() == REQUEST_IMAGES {
            several(&batch, id, &mut features)?;
            batch.clear();
            bytes = 0;
        }
        bytes += image.len();
        batch.push((index, image));
    }
    several(&batch, id, &mut features)?;
    Ok(datum::varlena_array(&features, call.features_type()))
}

fn several(batch: &[(usize, &[u8])], id: ModelId, features: &mut [Option<Vec<u8>>]) -> Result<(), Error> {
    if batch.is_empty() {
        return Ok(());
    }
    let images = batch.iter().map(|(_, bytes)| Image { bytes, region: None }).collect();
    let outcomes = client::embed(id, images, || model::file(id))?;
    for ((index, _), outcome) in batch.iter().zip(outcomes) {
        features[*index] = Some(accept(outcome, id, Which::Of(index + 1))?);
    }
    Ok(())
}

/// Takes the engine's answer for one image, trusting it no further than any other bytes from outside.
fn accept(outcome: Outcome, id: ModelId, which: Which) -> Result<Vec<u8>, Error> {
    match outcome {
        Outcome::Refused(refusal) => Err(Error::Image { refusal, which }),
        Outcome::Features(bytes) => {
            let other = Features::parse_untrusted(&bytes)?.model();
            if other != id {
                return Err(Error::Protocol(format!("The engine answered with model {other} instead of {id}.")));
            }
            features::stored(bytes)
        }
    }
}
