//! The decoders: threads that turn waiting photos into the network's input.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use grnet_core::features::ImageDigest;
use grnet_wire::{Outcome, PhotoFault, PhotoRefusal};

use super::Shared;
use super::inbox::Decoded;
use super::job::Job;
use super::log::log_event;
use super::work::Decoder;

/// Decodes photos until the server stops.
pub fn run(shared: &Shared, decoder: &dyn Decoder) {
    while let Some((job, index)) = shared.queue.take() {
        if !job.is_wanted() {
            continue;
        }
        let start = Instant::now();
        let pixels = prepare(&job, index, decoder);
        shared.counters.decoded(start.elapsed(), pixels.is_err());
        match pixels {
            Ok(pixels) => {
                let (bytes, region) = job.photo(index);
                let digest = ImageDigest::of(bytes, region.map(|r| [r.left, r.top, r.width, r.height]));
                shared.inbox.push(Decoded { job, index, pixels, digest, at: Instant::now() });
            }
            Err(refusal) => job.resolve(index, Outcome::Refused(refusal)),
        }
    }
}

/// A decoder's panic is the photo's fault: the worker lives on, and so do the photos beside it.
fn prepare(job: &Job, index: usize, decoder: &dyn Decoder) -> Result<Vec<u8>, PhotoRefusal> {
    let (bytes, region) = job.photo(index);
    let input = &job.order.shape.input;
    let bad = |message: String| PhotoRefusal { fault: PhotoFault::BadImage, message };
    match catch_unwind(AssertUnwindSafe(|| decoder.prepare(bytes, region, input, job.order.limits))) {
        Ok(Ok(pixels)) if pixels.len() != job.order.shape.pixel_bytes() => {
            let (got, expected) = (pixels.len(), job.order.shape.pixel_bytes());
            Err(bad(format!("the photo was decoded to {got} bytes, the model's input has {expected}")))
        }
        Ok(result) => result,
        Err(_) => {
            log_event!("a decoder panicked over a photo of {} bytes; it counts as a bad image", bytes.len());
            Err(bad("the photo's decoder failed".to_owned()))
        }
    }
}
