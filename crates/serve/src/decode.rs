//! The decoders: threads that turn waiting images into the network's input, and draw maps.

use std::sync::Arc;
use std::time::Instant;

use grnet_features::value::ImageDigest;
use grnet_wire::{ImageRefusal, Outcome};

use crate::draw;
use crate::guarded::{bad_image, decoded};
use crate::inbox::Decoded;
use crate::pending::{Next, Pending};
use crate::ports::Decoder;
use crate::queue::{Slot, Task};
use crate::shared::Shared;

/// Decodes images and draws maps until the server stops.
pub fn run(shared: &Shared, decoder: &dyn Decoder) {
    while let Some(task) = shared.queue.take() {
        match task {
            Task::Image(pending, index, slot) if pending.is_wanted() => image(shared, decoder, pending, index, slot),
            Task::Draw(pending, features) if pending.is_wanted() => draw::map(decoder, &pending, &features),
            Task::Image(..) | Task::Draw(..) => {}
        }
    }
}

fn image(shared: &Shared, decoder: &dyn Decoder, pending: Arc<Pending>, index: usize, slot: Slot) {
    let start = Instant::now();
    let pixels = prepare(&pending, index, decoder);
    shared.counters.decoded(start.elapsed(), pixels.is_err());
    match pixels {
        Ok(pixels) => {
            let (bytes, region) = pending.image(index);
            let digest = ImageDigest::of(bytes, region.map(|r| [r.left, r.top, r.width, r.height]));
            shared.inbox.push(Decoded { pending, index, pixels, digest, at: Instant::now(), slot: Some(slot) });
        }
        Err(refusal) => resolve(shared, &pending, index, Outcome::Refused(refusal)),
    }
}

/// Puts down what became of an image, and goes on with its request where there is more to do.
pub fn resolve(shared: &Shared, pending: &Arc<Pending>, index: usize, outcome: Outcome) {
    match pending.resolve(index, outcome) {
        Next::Nothing => {}
        Next::Draw(features) => shared.queue.push_map(Arc::clone(pending), features),
    }
}

fn prepare(pending: &Pending, index: usize, decoder: &dyn Decoder) -> Result<Vec<u8>, ImageRefusal> {
    let (bytes, region) = pending.image(index);
    let (shape, limits) = (&pending.request.shape, pending.request.limits);
    let pixels = decoded(bytes, || decoder.prepare(bytes, region, &shape.input, limits))?;
    if pixels.len() != shape.pixel_bytes() {
        let (got, expected) = (pixels.len(), shape.pixel_bytes());
        return Err(bad_image(format!("the image was decoded to {got} bytes, the model's input has {expected}")));
    }
    Ok(pixels)
}
