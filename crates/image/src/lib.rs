//! Image bytes to upright RGB pixels of a model's size: header, limits, decoding, crop, resize.
//!
//! Everything that is given is taken as hostile: the header is read first and checked against
//! [`Limits`] before memory in proportion to it is taken, what will be taken is known ahead ([`Plan`]),
//! codecs run where their panics end, and equal bytes give equal pixels or equal errors.
//!
//! What is decided here, for all callers:
//! - The content decides the format. JPEG, PNG, WebP, GIF, BMP and TIFF are decoded; HEIC, AVIF, SVG,
//!   PDF, HTML and others are refused by name, and text with what to send in its place.
//! - Pixels become sRGB. An embedded ICC profile is applied to the pixels of the result, after the
//!   resize (`conversion` says why that is near enough); inks are converted by theirs, or by the plain
//!   formula. A profile that is broken, larger than 4 MB or made for other pixels is ignored, as are
//!   PNG's gAMA, cHRM and cICP, and EXIF's colour space: Pillow ignores them too. Transparent parts are
//!   composed on white (a TIFF says whether its colours were multiplied by alpha; a BMP whose alpha is
//!   zero everywhere has none); 16 bits are rounded to 8.
//! - The orientation in EXIF is applied for JPEG, PNG, WebP and TIFF, or that in XMP where EXIF has no
//!   word about it; one that does not exist is 1.
//! - Headers that contradict what is there (a GIF's screen smaller than its frame, a WebP's flags
//!   without their chunks, a BMP's palette longer than its pixels can name) give way to it.
//! - Of an animation the first frame counts, of a TIFF the first page.
//! - A file that ends early is refused, a JPEG by libjpeg's own warning; one that lacks nothing but
//!   its end marker is read, and what is behind the picture is ignored. Of a JPEG with one scan nothing
//!   below a region is looked at. Damage inside a JPEG that its coding does not notice is not noticed
//!   here either: the format has no checksum.
//! - A JPEG much larger than needed is decoded at 1/2, 1/4 or 1/8, as long as the region keeps twice
//!   the wanted size in both directions.

mod bmp_header;
mod colour;
mod conversion;
mod crop;
mod curve;
mod error;
mod exif;
mod fit;
mod format;
mod gif_header;
mod guard;
mod header;
mod jpeg;
mod jpeg_header;
mod jpeg_scans;
mod lab;
mod limits;
mod memory;
mod orient;
mod picture;
mod pieces;
mod plan;
mod png_header;
mod png_text;
mod profile;
mod raster;
mod text;
mod tiff;
mod tiff_jpeg;
mod tiff_kind;
mod tiff_pixels;
mod vp8l;
mod warnings;
mod webp_header;
mod xmp;

pub use crop::Region;
pub use error::{Error, ErrorKind};
pub use fit::Fit;
pub use format::Format;
pub use header::Header;
pub use limits::{Limits, MAX_SIDE, MAX_SIZE};
pub use orient::Orientation;
pub use picture::{Picture, picture};
pub use plan::Plan;
pub use text::Text;

use plan::Scale;

/// An image brought to a model's input size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedImage {
    /// Size x size x 3 bytes: RGB, row by row from the top.
    pub pixels: Vec<u8>,
    /// Width of the upright full-size image in pixels, before any crop.
    pub width: u32,
    /// Height of the upright full-size image in pixels, before any crop.
    pub height: u32,
    /// The format that the bytes were in.
    pub format: Format,
}

/// Reads an image's header: what it is, and how large. Nothing is decoded or allocated.
///
/// An image that passes may still be refused by [`prepare`], where its pixels are damaged.
///
/// # Errors
/// Any [`Error`] of the kinds [`ErrorKind::TooLarge`] and [`ErrorKind::BadImage`].
pub fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, Error> {
    Ok(header::read(bytes, limits)?.header())
}

/// Checks all that [`prepare`] would check ahead of the pixels, and says what it would take: see [`Plan::memory`].
///
/// # Errors
/// Any [`Error`]. Limits and header come first, then size and region.
pub fn plan<'a>(
    bytes: &'a [u8],
    region: Option<&Region>,
    fit: Fit,
    size: u32,
    limits: &Limits,
) -> Result<Plan<'a>, Error> {
    plan::plan(bytes, region, fit, size, limits, Scale::Reduced)
}

/// Decodes an image, turns it upright, crops it to `region` (the whole image without one) and brings
/// that to `size` x `size` pixels.
///
/// # Errors
/// Any [`Error`]. Limits and header come first, then size and region, then the pixels.
pub fn prepare(
    bytes: &[u8],
    region: Option<&Region>,
    fit: Fit,
    size: u32,
    limits: &Limits,
) -> Result<PreparedImage, Error> {
    plan(bytes, region, fit, size, limits)?.run()
}

/// [`prepare`] without the codec's reduced scale: slower, to measure by what the reduction changes.
///
/// # Errors
/// As [`prepare`].
#[doc(hidden)]
pub fn prepare_full_scale(
    bytes: &[u8],
    region: Option<&Region>,
    fit: Fit,
    size: u32,
    limits: &Limits,
) -> Result<PreparedImage, Error> {
    plan::plan(bytes, region, fit, size, limits, Scale::Full)?.run()
}
