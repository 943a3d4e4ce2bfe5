//! Real photos, decoded by `grnet-photo`.

use grnet_core::config::{self, Input};
use grnet_photo::{ErrorKind, Fit, Limits};
use grnet_wire::{PhotoFault, PhotoRefusal, Region};

use super::room::Room;
use super::work::{Decoder, PhotoLimits};

/// Bytes in which photos are decoded at one time, all threads together: two of the 64 million pixels that the default
/// limit allows, or ten of a telephone's 12 million.
const DECODING: u64 = 1 << 30;
/// What a pixel may take while it is decoded (see [`Limits`]).
const PIXEL: u64 = 8;

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
        let fit = match input.fit {
            config::Fit::Letterbox => Fit::Letterbox,
            config::Fit::Stretch => Fit::Stretch,
        };
        let limits = Limits { max_bytes: limits.max_bytes, max_pixels: limits.max_pixels };
        let prepared = grnet_photo::probe(bytes, &limits).and_then(|header| {
            let _place = self.room.enter(u64::from(header.width) * u64::from(header.height) * PIXEL);
            grnet_photo::prepare(bytes, region.as_ref(), fit, input.size, &limits)
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
