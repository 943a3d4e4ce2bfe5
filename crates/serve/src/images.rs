//! Real images, decoded by `grnet-image`.

use grnet_data::decode::decoder::ImageDecoder;
use grnet_features::config::Input;
use grnet_image::{Error, ErrorKind, Limits, Picture};
use grnet_wire::{ImageFault, ImageRefusal, Region};

use crate::ports::Decoder;

impl Decoder for ImageDecoder {
    fn prepare(
        &self,
        bytes: &[u8],
        region: Option<Region>,
        input: &Input,
        limits: Limits,
    ) -> Result<Vec<u8>, ImageRefusal> {
        let region = region.map(|Region { left, top, width, height }| grnet_image::Region { left, top, width, height });
        ImageDecoder::prepare(self, bytes, region.as_ref(), input, &limits).map_err(refusal)
    }

    fn picture(&self, bytes: &[u8], longest: u32, limits: Limits) -> Result<Picture, ImageRefusal> {
        ImageDecoder::picture(self, bytes, longest, &limits).map_err(refusal)
    }
}

fn refusal(error: Error) -> ImageRefusal {
    ImageRefusal {
        fault: match error.kind() {
            ErrorKind::TooLarge => ImageFault::TooLarge,
            ErrorKind::BadImage => ImageFault::BadImage,
            ErrorKind::BadRegion => ImageFault::BadRegion,
        },
        message: error.to_string(),
        hint: error.hint().map(str::to_owned),
    }
}
