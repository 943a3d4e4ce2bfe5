//! Real photos, decoded by `grnet-photo`.

use grnet_core::config::{self, Input};
use grnet_photo::{ErrorKind, Fit, Limits};
use grnet_wire::{PhotoFault, PhotoRefusal, Region};

use super::work::{Decoder, PhotoLimits};

/// The decoder of real photos.
#[derive(Debug, Clone, Copy, Default)]
pub struct PhotoDecoder;

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
        let prepared = grnet_photo::prepare(bytes, region.as_ref(), fit, input.size, &limits);
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
