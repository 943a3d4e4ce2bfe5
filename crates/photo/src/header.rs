//! Size and orientation of a photo from its first bytes, without a codec and without allocating.

use crate::exif::{Directory, Tag};
use crate::format::detect;
use crate::guard::damaged;
use crate::jpeg_header::{self, JpegHeader};
use crate::orient::Orientation;
use crate::{Error, Format, Limits, exif, tiff};

/// What a photo's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The format, from the content.
    pub format: Format,
    /// Width of the upright photo in pixels.
    pub width: u32,
    /// Height of the upright photo in pixels.
    pub height: u32,
    /// How the stored pixels are turned to stand upright.
    pub orientation: Orientation,
}

/// The header with what the decoders need besides.
pub(crate) struct Stored {
    pub(crate) format: Format,
    /// Size as stored, before it is turned upright.
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) orientation: Orientation,
    pub(crate) jpeg: Option<JpegHeader>,
}

impl Stored {
    pub(crate) fn upright(&self) -> (u32, u32) {
        self.orientation.turned_size((self.width, self.height))
    }
}

/// Reads and checks a header: bytes, format, size, in this order.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Stored, Error> {
    limits.check_bytes(bytes)?;
    let format = detect(bytes)?;
    let mut jpeg = None;
    let upright = Orientation::default();
    let (size, orientation) = match format {
        Format::Jpeg => {
            let header = jpeg_header::read(bytes)?;
            jpeg = Some(header);
            (Some((header.width, header.height)), header.orientation)
        }
        Format::Png => (png_size(bytes), png_orientation(bytes)),
        Format::WebP => (webp_size(bytes), webp_orientation(bytes)),
        Format::Gif => (gif_size(bytes), upright),
        Format::Bmp => (bmp_size(bytes), upright),
        Format::Tiff => tiff_size(bytes)?,
    };
    let (width, height) = size.ok_or(Error::Truncated { format, bytes: bytes.len() })?;
    if width == 0 || height == 0 {
        return Err(Error::ZeroSize { format, width, height });
    }
    limits.check_pixels(width, height)?;
    if format == Format::Tiff {
        tiff::check(bytes, width, height)?;
    }
    Ok(Stored { format, width, height, orientation, jpeg })
}

fn four(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok()
}

fn two(bytes: &[u8], at: usize) -> Option<u32> {
    let two: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(u32::from(u16::from_le_bytes(two)))
}

fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let (width, height) = (four(bytes, 16)?, four(bytes, 20)?);
    Some((u32::from_be_bytes(width), u32::from_be_bytes(height)))
}

/// The EXIF chunk may stand anywhere; without one the picture is upright.
fn png_orientation(bytes: &[u8]) -> Orientation {
    let found = || {
        let mut at = 8;
        loop {
            let length = u32::from_be_bytes(four(bytes, at)?) as usize;
            let content = bytes.get(at + 8..at.checked_add(8)?.checked_add(length)?)?;
            match &four(bytes, at + 4)? {
                b"eXIf" => return Some(exif::orientation(content)),
                b"IEND" => return None,
                _ => at += length + 12,
            }
        }
    };
    found().unwrap_or_default()
}

/// The first chunk decides: a lossy or lossless picture, or the canvas of an extended file.
fn webp_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let content = bytes.get(20..)?;
    match &four(bytes, 12)? {
        b"VP8 " => Some((two(content, 6)? & 0x3fff, two(content, 8)? & 0x3fff)),
        b"VP8L" => {
            let bits = u32::from_le_bytes(four(content, 1)?);
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8X" => {
            let side = |at| Some((u32::from_le_bytes(four(content, at)?) & 0xff_ffff) + 1);
            // The height is the last three bytes of the chunk: read it from one byte earlier.
            Some((side(4)?, (u32::from_le_bytes(four(content, 6)?) >> 8) + 1))
        }
        _ => None,
    }
}

fn webp_orientation(bytes: &[u8]) -> Orientation {
    let found = || {
        let mut at = 12usize;
        loop {
            let length = u32::from_le_bytes(four(bytes, at + 4)?) as usize;
            let content = bytes.get(at + 8..(at + 8).checked_add(length)?)?;
            if &four(bytes, at)? == b"EXIF" {
                return Some(exif::orientation(content));
            }
            at += 8 + length + length % 2;
        }
    };
    found().unwrap_or_default()
}

fn gif_size(bytes: &[u8]) -> Option<(u32, u32)> {
    Some((two(bytes, 6)?, two(bytes, 8)?))
}

/// A negative height only says that the rows run from top to bottom.
fn bmp_size(bytes: &[u8]) -> Option<(u32, u32)> {
    if u32::from_le_bytes(four(bytes, 14)?) == 12 {
        return Some((two(bytes, 18)?, two(bytes, 20)?));
    }
    let side = |at| Some(i32::from_le_bytes(four(bytes, at)?));
    let (width, height) = (side(18)?, side(22)?);
    Some((width.max(0) as u32, height.unsigned_abs()))
}

type TiffSize = (Option<(u32, u32)>, Orientation);

fn tiff_size(bytes: &[u8]) -> Result<TiffSize, Error> {
    let directory =
        Directory::first(bytes).ok_or_else(|| damaged(Format::Tiff, "its directory lies outside the file"))?;
    match (directory.value(tiff::WIDTH), directory.value(tiff::HEIGHT)) {
        (Tag::Value(width), Tag::Value(height)) => Ok((Some((width, height)), directory.orientation())),
        _ => Err(damaged(Format::Tiff, "its directory does not say the size")),
    }
}
