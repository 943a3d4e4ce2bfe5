//! Pictures and files that the tests make for themselves.
#![allow(dead_code, missing_docs)]

pub mod bombs;

use grnet_image::{Error, Fit, Limits, PreparedImage, prepare};
use image::{DynamicImage, ImageFormat, RgbImage};
use mozjpeg::{ColorSpace, Compress};
use std::io::Cursor;

/// A picture without any symmetry: two gradients and a dark block near one corner.
pub fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (fx, fy) = (x as f32 / width as f32, y as f32 / height as f32);
        if fx > 0.1 && fx < 0.3 && fy > 0.05 && fy < 0.4 {
            return image::Rgb([20, 30, 90]);
        }
        let (r, g) = (60.0 + 180.0 * fx, 50.0 + 190.0 * fy);
        image::Rgb([r as u8, g as u8, (250.0 - 150.0 * fx * fy) as u8])
    })
}

pub fn encode(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

pub fn png(picture: &RgbImage) -> Vec<u8> {
    encode(picture.clone(), ImageFormat::Png)
}

/// Channels of `input` to a JPEG: quality 95 and no chroma subsampling, so that little is lost.
pub fn jpeg_of(data: &[u8], input: ColorSpace, width: u32, height: u32, progressive: bool) -> Vec<u8> {
    let mut codec = Compress::new(input);
    codec.set_size(width as usize, height as usize);
    codec.set_fastest_defaults();
    codec.set_quality(95.0);
    if input == ColorSpace::JCS_RGB {
        codec.set_chroma_sampling_pixel_sizes((1, 1), (1, 1));
    }
    if progressive {
        codec.set_progressive_mode();
    }
    let mut codec = codec.start_compress(Vec::new()).unwrap();
    codec.write_scanlines(data).unwrap();
    codec.finish().unwrap()
}

pub fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let (w, h) = picture.dimensions();
    jpeg_of(picture, ColorSpace::JCS_RGB, w, h, false)
}

pub fn progressive_jpeg(picture: &RgbImage) -> Vec<u8> {
    let (w, h) = picture.dimensions();
    jpeg_of(picture, ColorSpace::JCS_RGB, w, h, true)
}

/// An EXIF block with one entry, the orientation, in either byte order.
pub fn exif(orientation: u16, little_endian: bool) -> Vec<u8> {
    let short = |v: u16| match little_endian {
        true => v.to_le_bytes(),
        false => v.to_be_bytes(),
    };
    let long = |v: u32| match little_endian {
        true => v.to_le_bytes(),
        false => v.to_be_bytes(),
    };
    let mut block = if little_endian { b"II".to_vec() } else { b"MM".to_vec() };
    block.extend(short(42));
    block.extend(long(8));
    block.extend(short(1));
    block.extend(short(0x0112));
    block.extend(short(3));
    block.extend(long(1));
    block.extend(short(orientation));
    block.extend([0; 6]);
    block
}

/// Puts an EXIF segment right after the start marker.
pub fn with_exif(jpeg: &[u8], orientation: u16, little_endian: bool) -> Vec<u8> {
    let block = exif(orientation, little_endian);
    let mut file = jpeg[..2].to_vec();
    file.extend([0xff, 0xe1]);
    file.extend((block.len() as u16 + 8).to_be_bytes());
    file.extend(b"Exif\0\0");
    file.extend(block);
    file.extend(&jpeg[2..]);
    file
}

/// What is stored so that orientation `exif` turns it into `upright`.
pub fn stored_for(upright: &RgbImage, exif: u16) -> RgbImage {
    use image::imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};
    match exif {
        2 => flip_horizontal(upright),
        3 => rotate180(upright),
        4 => flip_vertical(upright),
        5 => flip_horizontal(&rotate90(upright)),
        6 => rotate270(upright),
        7 => flip_horizontal(&rotate270(upright)),
        8 => rotate90(upright),
        _ => upright.clone(),
    }
}

pub fn to(bytes: &[u8], size: u32) -> Result<PreparedImage, Error> {
    prepare(bytes, None, Fit::Letterbox, size, &Limits::default())
}

/// Largest and mean absolute difference.
pub fn difference(a: &[u8], b: &[u8]) -> (u8, f64) {
    assert_eq!(a.len(), b.len());
    let each = a.iter().zip(b).map(|(&x, &y)| x.abs_diff(y));
    let sum: f64 = each.clone().map(f64::from).sum();
    (each.max().unwrap_or(0), sum / a.len() as f64)
}

/// A PNG chunk with its checksum.
pub fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut bytes = (content.len() as u32).to_be_bytes().to_vec();
    bytes.extend(kind);
    bytes.extend(content);
    let crc = bytes[4..].iter().fold(!0u32, |crc, &b| {
        (0..8).fold(crc ^ u32::from(b), |c, _| (c >> 1) ^ (0xedb8_8320 & (0u32.wrapping_sub(c & 1))))
    });
    bytes.extend((!crc).to_be_bytes());
    bytes
}

/// The file with a new frame size.
pub fn resized_jpeg(file: &[u8], width: u16, height: u16) -> Vec<u8> {
    let mut file = file.to_vec();
    let at = file.windows(2).position(|w| matches!(w, [0xff, 0xc0..=0xc2])).unwrap();
    file[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
    file[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
    file
}
