//! Images made on the spot: coloured blocks with some noise, from a seed.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// SplitMix64: the same numbers on every platform.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() >> 1).unwrap_or(0) % limit
    }
}

/// A picture of 4 by 4 coloured blocks, the more so different the more the seeds are.
pub fn picture(seed: u64, width: u32, height: u32) -> RgbImage {
    let mut random = Random(seed);
    let colours: Vec<[u8; 3]> =
        (0..16).map(|_| random.number().to_le_bytes()[..3].try_into().unwrap_or([0; 3])).collect();
    RgbImage::from_fn(width, height, |x, y| {
        let block = (y * 4 / height) * 4 + x * 4 / width;
        let shade = ((x ^ y) & 7) as u8;
        Rgb(colours[block as usize].map(|c| c.saturating_add(shade)))
    })
}

/// The picture as a file.
///
/// # Panics
/// The format has no encoder.
pub fn encode(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture.clone()).write_to(&mut bytes, format).expect("an encoder");
    bytes.into_inner()
}

/// A small BMP: the cheapest image to make and to decode.
pub fn bmp(seed: u64) -> Vec<u8> {
    encode(&picture(seed, 24, 32), ImageFormat::Bmp)
}

/// A JPEG of high quality.
///
/// # Panics
/// Never: memory takes what is written.
pub fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(picture).expect("memory takes everything");
    bytes
}

/// The TIFF directory of an EXIF block that holds an orientation and nothing else.
fn exif_block(orientation: u16) -> Vec<u8> {
    let mut block = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    block.extend_from_slice(&orientation.to_le_bytes());
    block.extend_from_slice(&[0; 6]);
    block
}

/// A PNG with an EXIF chunk right behind its header.
pub fn png_with_orientation(stored: &RgbImage, orientation: u16) -> Vec<u8> {
    let plain = encode(stored, ImageFormat::Png);
    let (header, rest) = plain.split_at(33);
    [header, &png_chunk(b"eXIf", &exif_block(orientation)), rest].concat()
}

/// The stored picture that stands as `upright` once it is turned as EXIF orientation 1 to 8 says.
///
/// # Panics
/// There is no such orientation.
pub fn stored_for(upright: &RgbImage, orientation: u16) -> RgbImage {
    use image::imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};
    match orientation {
        1 => upright.clone(),
        2 => flip_horizontal(upright),
        3 => rotate180(upright),
        4 => flip_vertical(upright),
        // Transposed: a mirrored quarter turn is its own inverse.
        5 => flip_horizontal(&rotate90(upright)),
        6 => rotate270(upright),
        7 => flip_horizontal(&rotate270(upright)),
        8 => rotate90(upright),
        other => panic!("there is no orientation {other}"),
    }
}

/// A chunk of a PNG, with a right checksum.
pub fn png_chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut crc = u32::MAX;
    for byte in kind.iter().chain(content) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1));
        }
    }
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], kind, content, &(!crc).to_be_bytes()].concat()
}
