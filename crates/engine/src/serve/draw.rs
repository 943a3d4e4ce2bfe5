//! Drawing a match map, by a decoder: its photos are decoded once more, larger than the network wants them.

use grnet_wire::{Drawing, Failure, PhotoRefusal, Side};

use super::batcher::contained;
use super::decode;
use super::job::{Job, Wish};
use super::log::log_event;
use super::work::Decoder;
use crate::matchmap::{self, Photo, SIDE};
use grnet_photo::Picture;

/// Draws the map of a request whose photos have these feature values, and answers it.
pub fn map(decoder: &dyn Decoder, job: &Job, features: &[Vec<u8>; 2]) {
    let Wish::MatchMap(scorer) = &job.order.wish else { return };
    let mut pictures = Vec::with_capacity(2);
    for (index, side) in [Side::Query, Side::Item].into_iter().enumerate() {
        match picture(decoder, job, index) {
            Ok(picture) => pictures.push(picture),
            Err(refusal) => return job.drawn(Drawing::Refused(side, refusal)),
        }
        if !job.is_wanted() {
            return;
        }
    }
    let photo = |index: usize| Photo { picture: &pictures[index], features: &features[index] };
    let fit = job.order.shape.input.fit;
    match contained("drawing a match map", || matchmap::png(scorer, fit, photo(0), photo(1))) {
        Ok(png) => job.drawn(Drawing::Png(png)),
        Err(message) => {
            log_event!("a match map could not be drawn: {message}");
            job.fail(Failure::Engine(message));
        }
    }
}

fn picture(decoder: &dyn Decoder, job: &Job, index: usize) -> Result<Picture, PhotoRefusal> {
    let (bytes, _) = job.photo(index);
    decode::contained(bytes, || decoder.picture(bytes, SIDE, job.order.limits))
}
