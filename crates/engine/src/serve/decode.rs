//! The decoders: threads that turn waiting photos into the network's input, and draw maps.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use grnet_core::features::ImageDigest;
use grnet_wire::{Outcome, PhotoFault, PhotoRefusal};

use super::inbox::Decoded;
use super::job::{Job, Next};
use super::log::log_event;
use super::queue::{Place, Task};
use super::work::Decoder;
use super::{Shared, draw};

/// Decodes photos and draws maps until the server stops.
pub fn run(shared: &Shared, decoder: &dyn Decoder) {
    while let Some(task) = shared.queue.take() {
        match task {
            Task::Photo(job, index, place) if job.is_wanted() => photo(shared, decoder, job, index, place),
            Task::Draw(job, features) if job.is_wanted() => draw::map(decoder, &job, &features),
            Task::Photo(..) | Task::Draw(..) => {}
        }
    }
}

fn photo(shared: &Shared, decoder: &dyn Decoder, job: Arc<Job>, index: usize, place: Place) {
    let start = Instant::now();
    let pixels = prepare(&job, index, decoder);
    shared.counters.decoded(start.elapsed(), pixels.is_err());
    match pixels {
        Ok(pixels) => {
            let (bytes, region) = job.photo(index);
            let digest = ImageDigest::of(bytes, region.map(|r| [r.left, r.top, r.width, r.height]));
            shared.inbox.push(Decoded { job, index, pixels, digest, at: Instant::now(), place: Some(place) });
        }
        Err(refusal) => resolve(shared, &job, index, Outcome::Refused(refusal)),
    }
}

/// Puts down what became of a photo, and goes on with its request where there is more to do.
pub fn resolve(shared: &Shared, job: &Arc<Job>, index: usize, outcome: Outcome) {
    match job.resolve(index, outcome) {
        Next::Nothing => {}
        Next::Draw(features) => shared.queue.push_map(Arc::clone(job), features),
    }
}

fn prepare(job: &Job, index: usize, decoder: &dyn Decoder) -> Result<Vec<u8>, PhotoRefusal> {
    let (bytes, region) = job.photo(index);
    let (shape, limits) = (&job.order.shape, job.order.limits);
    let pixels = contained(bytes, || decoder.prepare(bytes, region, &shape.input, limits))?;
    if pixels.len() != shape.pixel_bytes() {
        let (got, expected) = (pixels.len(), shape.pixel_bytes());
        return Err(bad(format!("the photo was decoded to {got} bytes, the model's input has {expected}")));
    }
    Ok(pixels)
}

fn bad(message: String) -> PhotoRefusal {
    PhotoRefusal { fault: PhotoFault::BadImage, message, hint: None }
}

/// A decoder's panic is the photo's fault: the worker lives on, and so do the photos beside it.
pub fn contained<T>(bytes: &[u8], decode: impl FnOnce() -> Result<T, PhotoRefusal>) -> Result<T, PhotoRefusal> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        log_event!("a decoder panicked over a photo of {} bytes; it counts as a bad image", bytes.len());
        Err(bad("the photo's decoder failed".to_owned()))
    })
}
