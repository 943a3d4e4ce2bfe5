//! Size and orientation of an image, and what its decoder will take, from its bytes without a codec.

use crate::conversion::{self, Space};
use crate::exif::{Directory, Tag};
use crate::format::detect;
use crate::guard::damaged;
use crate::jpeg_header::{self, JpegHeader};
use crate::orient::Orientation;
use crate::{Error, Format, Limits, bmp_header, gif_header, png_header, tiff, webp_header, xmp};

/// What an image's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The format, from the content.
    pub format: Format,
    /// Width of the upright image in pixels.
    pub width: u32,
    /// Height of the upright image in pixels.
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
    pub(crate) coding: Coding,
    /// The most bytes that converting its colours takes; 0 where no profile asks for it.
    pub(crate) conversion: u64,
}

/// By which codec the pixels are read.
pub(crate) enum Coding {
    Jpeg(JpegHeader),
    Raster(Raster),
}

/// What is known ahead of pixels that the `image` crate decodes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raster {
    /// Bytes of the whole picture as the codec delivers it.
    pub(crate) raw: u64,
    /// Bytes that the codec may take besides.
    pub(crate) codec: u64,
    pub(crate) alpha: Alpha,
    /// What its numbers are, where a colour profile says how to show them.
    pub(crate) space: Space,
}

/// How colours and alpha belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alpha {
    /// Colours are stored as they are.
    Straight,
    /// Colours are stored multiplied by alpha.
    Multiplied,
    /// Straight; but where alpha is zero everywhere there is none.
    NoneIfZero,
}

impl Stored {
    pub(crate) fn upright(&self) -> (u32, u32) {
        self.orientation.turned_size((self.width, self.height))
    }

    pub(crate) fn header(&self) -> Header {
        let (width, height) = self.upright();
        Header { format: self.format, width, height, orientation: self.orientation }
    }
}

/// Reads and checks a header: bytes, format, size and what the format's decoder would be asked for, in this order.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Stored, Error> {
    limits.check_bytes(bytes)?;
    let format = detect(bytes)?;
    let mut jpeg = None;
    let stored = |found: Option<u32>| found.map(Orientation::from_exif).unwrap_or_default();
    let (size, orientation) = match format {
        Format::Jpeg => {
            let header = jpeg.insert(jpeg_header::read(bytes)?);
            (Some((header.width, header.height)), header.orientation)
        }
        Format::Png => (png_header::size(bytes)?, stored(png_header::orientation(bytes))),
        Format::WebP => (webp_header::size(bytes), stored(webp_header::orientation(bytes))),
        Format::Gif => (gif_header::size(bytes), Orientation::default()),
        Format::Bmp => (bmp_header::size(bytes), Orientation::default()),
        Format::Tiff => {
            let (size, found) = tiff_size(bytes)?;
            (Some(size), stored(found))
        }
    };
    let (width, height) = size.ok_or_else(|| Error::truncated(format, bytes))?;
    if width == 0 || height == 0 {
        return Err(Error::ZeroSize { format, width, height });
    }
    limits.check_pixels(width, height)?;
    let coding = match (format, jpeg) {
        (Format::Jpeg, Some(header)) => Coding::Jpeg(header),
        (Format::Jpeg, None) => return Err(Error::truncated(format, bytes)),
        (Format::Png, _) => Coding::Raster(png_header::raster(bytes, width, height)),
        (Format::WebP, _) => Coding::Raster(webp_header::raster(bytes, width, height)?),
        (Format::Gif, _) => Coding::Raster(gif_header::raster(bytes, width, height, limits)?),
        (Format::Bmp, _) => Coding::Raster(bmp_header::raster(bytes, width, height)?),
        (Format::Tiff, _) => Coding::Raster(tiff::raster(bytes, width, height, limits)?),
    };
    let conversion = conversion::memory(format, bytes);
    Ok(Stored { format, width, height, orientation, coding, conversion })
}

pub(crate) fn four(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok()
}

pub(crate) fn two(bytes: &[u8], at: usize) -> Option<u32> {
    let two: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(u32::from(u16::from_le_bytes(two)))
}

/// Size and orientation.
type TiffSize = ((u32, u32), Option<u32>);

fn tiff_size(bytes: &[u8]) -> Result<TiffSize, Error> {
    let directory =
        Directory::first(bytes).ok_or_else(|| damaged(Format::Tiff, "its directory lies outside the file"))?;
    let orientation = || {
        let in_xmp = || directory.bytes_of(tiff::XMP).and_then(xmp::orientation);
        directory.orientation().or_else(in_xmp)
    };
    match (directory.value(tiff::WIDTH), directory.value(tiff::HEIGHT)) {
        (Tag::Value(width), Tag::Value(height)) => Ok(((width, height), orientation())),
        _ => Err(damaged(Format::Tiff, "its directory does not say the size")),
    }
}
