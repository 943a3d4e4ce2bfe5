//! Drawing a match map, by a decoder: its images are decoded once more, larger than the network wants them.

use grnet_image::Picture;
use grnet_wire::{Drawing, Failure, ImageRefusal, Side};

use crate::guarded::{contained, decoded};
use crate::log::log_event;
use crate::match_map as matchmap;
use crate::match_map::{Image, SIDE};
use crate::pending::{Pending, RequestKind};
use crate::ports::Decoder;

/// Draws the map of a request whose images have these feature values, and answers it.
pub fn map(decoder: &dyn Decoder, pending: &Pending, features: &[Vec<u8>; 2]) {
    let RequestKind::MatchMap(scorer) = &pending.request.kind else { return };
    let mut pictures = Vec::with_capacity(2);
    for (index, side) in [Side::Query, Side::Item].into_iter().enumerate() {
        match picture(decoder, pending, index) {
            Ok(picture) => pictures.push(picture),
            Err(refusal) => return pending.drawn(Drawing::Refused(side, refusal)),
        }
        if !pending.is_wanted() {
            return;
        }
    }
    let image = |index: usize| Image { picture: &pictures[index], features: &features[index] };
    let fit = pending.request.shape.input.fit;
    match contained("drawing a match map", || matchmap::png(scorer, fit, image(0), image(1))) {
        Ok(png) => pending.drawn(Drawing::Png(png)),
        Err(message) => {
            log_event!("a match map could not be drawn: {message}");
            pending.fail(Failure::Engine(message));
        }
    }
}

fn picture(decoder: &dyn Decoder, pending: &Pending, index: usize) -> Result<Picture, ImageRefusal> {
    let (bytes, _) = pending.image(index);
    decoded(bytes, || decoder.picture(bytes, SIDE, pending.request.limits))
}
