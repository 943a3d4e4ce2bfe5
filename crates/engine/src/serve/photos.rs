//! Real photos, decoded by `grnet-photo`.

use grnet_core::config::Input;
use grnet_photo::{Error, ErrorKind, Fit, Limits, Picture, Plan};
use grnet_wire::{PhotoFault, PhotoRefusal, Region};

use super::room::Room;
use super::work::{Decoder, PhotoLimits};
use crate::network::fit;

/// Bytes in which photos are decoded at one time, all threads together: one of the 64 million pixels that the default
/// limit allows in the costliest coding (a TIFF of 16-bit RGBA, 16 bytes a pixel), two of them as a PNG, 14 progressive
/// JPEGs of 12 million, 300 with one scan.
const DECODING: u64 = 1 << 30;
/// Bytes beside those for photos that take little: an ordinary photo does not wait while giants of another session are
/// decoded one after another.
const ORDINARY: u64 = 128 << 20;
/// Little: a photo of 12 million pixels, in most codings.
const LITTLE: u64 = 64 << 20;

/// The decoder of real photos.
#[derive(Debug)]
pub struct PhotoDecoder {
    room: Room,
    ordinary: Room,
}

impl Default for PhotoDecoder {
    fn default() -> Self {
        Self { room: Room::new(DECODING), ordinary: Room::new(ORDINARY) }
    }
}

impl PhotoDecoder {
    /// Runs a plan when there is room for what it takes.
    fn run<T>(
        &self,
        plan: Result<Plan<'_>, Error>,
        run: impl FnOnce(Plan<'_>) -> Result<T, Error>,
    ) -> Result<T, PhotoRefusal> {
        let done = plan.and_then(|plan| {
            let bytes = plan.memory();
            let _place = if bytes <= LITTLE { self.ordinary.enter(bytes) } else { self.room.enter(bytes) };
            run(plan)
        });
        done.map_err(|error| PhotoRefusal {
            fault: match error.kind() {
                ErrorKind::TooLarge => PhotoFault::TooLarge,
                ErrorKind::BadImage => PhotoFault::BadImage,
                ErrorKind::BadRegion => PhotoFault::BadRegion,
            },
            message: error.to_string(),
            hint: error.hint().map(str::to_owned),
        })
    }
}

fn bounds(limits: PhotoLimits) -> Limits {
    Limits { max_bytes: limits.max_bytes, max_pixels: limits.max_pixels }
}

impl Decoder for PhotoDecoder {
    fn prepare(
        &self,
        bytes: &[u8],
        region: Option<Region>,
        input: &Input,
        limits: PhotoLimits,
    ) -> Result<Vec<u8>, PhotoRefusal> {
        let region = region.map(|Region { left, top, width, height }| grnet_photo::Region { left, top, width, height });
        let plan = grnet_photo::plan(bytes, region.as_ref(), fit(input.fit), input.size, &bounds(limits));
        self.run(plan, |plan| Ok(plan.run()?.pixels))
    }

    fn picture(&self, bytes: &[u8], longest: u32, limits: PhotoLimits) -> Result<Picture, PhotoRefusal> {
        self.run(grnet_photo::plan(bytes, None, Fit::Letterbox, longest, &bounds(limits)), |plan| plan.picture())
    }
}
