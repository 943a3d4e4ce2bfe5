//! `grnet_match_map`: why two images match, as a picture that the engine draws.

use grnet_wire::{Drawing, MAX_REQUEST, Side};

use crate::embed::check_size;
use crate::engine::client;
use crate::error::{Error, Which};
use crate::pg::call::{Call, Value};
use crate::pg::datum;
use crate::{model, sql_functions};

sql_functions! {
    /// `grnet_match_map(query_image bytea, item_image bytea [, model text]) → bytea`: a PNG.
    grnet_match_map, pg_finfo_grnet_match_map => match_map;
}

/// Bytes that a request takes beside its images, and some more.
const HEAD: usize = 256;

fn match_map(call: &mut Call<'_>) -> Result<Value, Error> {
    let (Some(query), Some(item)) = (call.datum(0), call.datum(1)) else {
        return Ok(None);
    };
    let id = model::resolve(call.text(2).as_deref())?;
    // Both before either is fetched.
    let sizes = [(query, Side::Query), (item, Side::Item)].map(|(image, side)| (datum::size_of(image), side));
    for (size, side) in sizes {
        check_size(size, Which::Side(side))?;
    }
    let (got, limit) = (sizes.iter().map(|(size, _)| size).sum(), MAX_REQUEST - HEAD);
    if got > limit {
        return Err(Error::PairBytes { got, limit });
    }
    let (Some(query), Some(item)) = (call.varlena(0), call.varlena(1)) else {
        return Ok(None);
    };
    match client::match_map(id, &query, &item, || model::file(id))? {
        Drawing::Png(png) => Ok(datum::varlena(&png)),
        Drawing::Refused(side, refusal) => Err(Error::Image { refusal, which: Which::Side(side) }),
    }
}
