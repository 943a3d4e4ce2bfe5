//! Photos: pixels together with what is known about them.

use crate::annotation::Annotation;
use image::RgbImage;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// Writing a photo failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot encode the photo: {0}")]
pub struct EncodeError(#[from] jpeg_encoder::EncodingError);

/// A rendered photo.
#[derive(Clone, Debug)]
pub struct Photo {
    /// The pixels.
    pub rgb: RgbImage,
    /// What is known about them.
    pub annotation: Annotation,
}

impl Photo {
    /// The photo as JPEG; `quality` runs from 1 to 100 (see [`Annotation::quality`]).
    ///
    /// # Errors
    ///
    /// When the photo's sides exceed what JPEG can hold (65535).
    pub fn jpeg(&self, quality: u8) -> Result<Vec<u8>, EncodeError> {
        let (width, height) = self.rgb.dimensions();
        let mut bytes = Vec::with_capacity(self.rgb.as_raw().len() / 8);
        let mut encoder = Encoder::new(&mut bytes, quality.clamp(1, 100));
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        let side = |length: u32| u16::try_from(length).unwrap_or(u16::MAX);
        encoder.encode(self.rgb.as_raw(), side(width), side(height), ColorType::Rgb)?;
        Ok(bytes)
    }
}
