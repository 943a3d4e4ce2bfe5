//! Where a photo comes from: drawn, read, or made from another.

use crate::failure::Result;
use grnet_image::{Fit, Limits};
use grnet_render::{Catalogue, Difficulty};
use image::RgbImage;
use std::io::Read;
use std::path::PathBuf;

/// Larger files are not even read: no setting of the extension would accept them.
const MAX_FILE: u64 = 256 << 20;

/// A photo that can be had when it is needed.
#[derive(Debug, Clone)]
pub enum Picture {
    /// The shop's photo of a rendered garment.
    Shop { catalogue: Catalogue, item: u64, size: u32 },
    /// A consumer's photo of a rendered garment.
    Consumer { catalogue: Catalogue, item: u64, difficulty: Difficulty, size: u32 },
    /// A file as it is.
    File(PathBuf),
    /// A file, changed as if somebody had taken the photo in passing.
    Snapshot(PathBuf, Change),
}

/// What is done to a photo to make a query of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The middle 60 % of both sides.
    Cropped,
    /// Out of focus.
    Blurred,
    /// Mirrored, and darker.
    Mirrored,
}

impl Change {
    /// Every change, in the order in which they are used.
    pub const ALL: [Self; 3] = [Self::Cropped, Self::Blurred, Self::Mirrored];

    /// The stratum's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cropped => "cropped by us",
            Self::Blurred => "blurred by us",
            Self::Mirrored => "mirrored by us",
        }
    }

    fn apply(self, photo: &RgbImage) -> RgbImage {
        let (width, height) = photo.dimensions();
        match self {
            Self::Cropped => {
                let (w, h) = ((width * 3 / 5).max(1), (height * 3 / 5).max(1));
                image::imageops::crop_imm(photo, (width - w) / 2, (height - h) / 2, w, h).to_image()
            }
            Self::Blurred => image::imageops::blur(photo, width.max(height) as f32 / 90.0),
            Self::Mirrored => {
                let mut mirrored = image::imageops::flip_horizontal(photo);
                for pixel in mirrored.pixels_mut() {
                    pixel.0 = pixel.0.map(|value| (f32::from(value) * 0.72) as u8);
                }
                mirrored
            }
        }
    }
}

impl Picture {
    /// The photo's bytes; the inner error says why a file of the user's gives none, which stops nothing.
    ///
    /// # Errors
    /// A photo of ours cannot be encoded.
    pub fn bytes(&self) -> Result<std::result::Result<Vec<u8>, String>> {
        Ok(match self {
            Self::Shop { catalogue, item, size } => {
                let photo = catalogue.item(*item).shop_photo(0, *size);
                Ok(photo.jpeg(photo.annotation.quality)?)
            }
            Self::Consumer { catalogue, item, difficulty, size } => {
                let photo = catalogue.item(*item).consumer_photo(0, *difficulty, *size);
                Ok(photo.jpeg(photo.annotation.quality)?)
            }
            Self::File(path) => read(path),
            Self::Snapshot(path, change) => match read(path).and_then(|bytes| upright(&bytes)) {
                Ok(photo) => Ok(jpeg(&change.apply(&photo), 80)?),
                Err(reason) => Err(reason),
            },
        })
    }

    /// The file behind it, if there is one.
    pub fn is_file(&self) -> bool {
        matches!(self, Self::File(_) | Self::Snapshot(..))
    }
}

fn read(path: &PathBuf) -> std::result::Result<Vec<u8>, String> {
    let read = || {
        let file = std::fs::File::open(path)?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
        std::io::Result::Ok(bytes)
    };
    match read() {
        Ok(bytes) if bytes.len() as u64 > MAX_FILE => Err(format!("larger than {} MB", MAX_FILE >> 20)),
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(error.to_string()),
    }
}

/// A photo as the model sees it: upright, at most 512 pixels, without the white beside it.
fn upright(bytes: &[u8]) -> std::result::Result<RgbImage, String> {
    reduced(bytes, 512).map_err(|error| error.to_string())
}

/// A photo brought into a square of `size` pixels, and the white that fills the square cut off again.
///
/// # Errors
/// Those of [`grnet_image::prepare`].
pub fn reduced(bytes: &[u8], size: u32) -> std::result::Result<RgbImage, grnet_image::Error> {
    let photo = grnet_image::prepare(bytes, None, Fit::Letterbox, size, &Limits::default())?;
    let longer = f64::from(photo.width.max(photo.height).max(1));
    let side = |length: u32| ((f64::from(length) / longer * f64::from(size)).round() as u32).clamp(1, size);
    let (width, height) = (side(photo.width), side(photo.height));
    let square = RgbImage::from_raw(size, size, photo.pixels).unwrap_or_default();
    let (left, top) = ((size - width) / 2, (size - height) / 2);
    Ok(image::imageops::crop_imm(&square, left, top, width, height).to_image())
}

/// A picture as JPEG.
///
/// # Errors
/// The encoder's own.
pub fn jpeg(picture: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(picture)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_white_of_the_square_is_cut_off() {
        let wide = RgbImage::from_pixel(60, 20, image::Rgb([200, 10, 10]));
        let small = reduced(&jpeg(&wide, 95).unwrap(), 30).unwrap();
        assert_eq!(small.dimensions(), (30, 10));
        assert!(small.pixels().all(|pixel| pixel.0[1] < 60));
    }

    #[test]
    fn changes_of_the_smallest_photo() {
        let dot = RgbImage::from_pixel(1, 1, image::Rgb([100, 100, 100]));
        for change in Change::ALL {
            assert_eq!(change.apply(&dot).dimensions(), (1, 1), "{}", change.name());
        }
    }

    #[test]
    fn a_file_that_is_not_there_has_a_reason() {
        let missing = Picture::File("/no/such/photo.jpg".into());
        assert!(missing.bytes().unwrap().unwrap_err().contains("No such file"));
    }
}
