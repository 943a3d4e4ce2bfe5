//! Real photos, decoded by `grnet-photo`.

use grnet_core::config::Input;
use grnet_photo::{ErrorKind, Limits};
use grnet_wire::{PhotoFault, PhotoRefusal, Region};

use super::room::Room;
use super::work::{Decoder, PhotoLimits};
use crate::network::fit;

/// Bytes in which photos are decoded at one time, all threads together: one of the 64 million pixels that the default
/// limit allows in the costliest coding (a TIFF of 16-bit RGBA, 16 bytes a pixel), two of them as a PNG, 14 progressive
/// JPEGs of 12 million, 300 with one scan.
const DECODING: u64 = 1 << 30;

/// The decoder of real photos.
#[derive(Debug)]
pub struct PhotoDecoder {
    room: Room,
}

impl Default for PhotoDecoder {
    fn default() -> Self {
        Self { room: Room::new(DECODING) }
    }
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
        let limits = Limits { max_bytes: limits.max_bytes, max_pixels: limits.max_pixels };
        let prepared =
            grnet_photo::plan(bytes, region.as_ref(), fit(input.fit), input.size, &limits).and_then(|plan| {
                let _place = self.room.enter(plan.memory());
                plan.run()
            });
        prepared.map(|photo| photo.pixels).map_err(|error| PhotoRefusal {
            fault: match error.kind() {
                ErrorKind::TooLarge => PhotoFault::TooLarge,
                ErrorKind::BadImage => PhotoFault::BadImage,
                ErrorKind::BadRegion => PhotoFault::BadRegion,
            },
            message: error.to_string(),
        })
    }
}
