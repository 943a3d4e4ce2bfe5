//! Image bytes to upright RGB pixels of a model's size: header, limits, decoding, crop, resize.
//!
//! Everything that is given is taken as hostile: the header is read first and checked against
//! [`Limits`] before memory in proportion to it is taken, codecs run where their panics end, and
//! equal bytes give equal pixels or equal errors.
//!
//! What is decided here, for all callers:
//! - The content decides the format. JPEG, PNG, WebP, GIF, BMP and TIFF are decoded; HEIC, AVIF, SVG,
//!   PDF, HTML and others are refused by name.
//! - Pixels are taken as sRGB: embedded colour profiles and gamma are ignored, CMYK is converted by
//!   the plain formula. Transparent parts are composed on white; 16 bits are rounded to 8.
//! - EXIF orientation is applied for JPEG, PNG, WebP and TIFF; one that does not exist is 1.
//! - Of an animation the first frame counts, of a TIFF the first page.
//! - A file that ends early is refused. Damage inside a JPEG that its coding does not notice is not
//!   noticed here either: the format has no checksum.
//! - A JPEG much larger than needed is decoded at 1/2, 1/4 or 1/8, as long as the region keeps twice
//!   the wanted size in both directions.

#![forbid(unsafe_code)]

mod colour;
mod crop;
mod error;
mod exif;
mod fit;
mod format;
mod guard;
mod header;
mod jpeg;
mod jpeg_header;
mod limits;
mod orient;
mod raster;
mod tiff;

pub use crop::Region;
pub use error::{Error, ErrorKind};
pub use fit::Fit;
pub use format::Format;
pub use header::Header;
pub use limits::{Limits, MAX_SIDE, MAX_SIZE};
pub use orient::Orientation;

use crop::Window;

/// A photo brought to a model's input size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// Size x size x 3 bytes: RGB, row by row from the top.
    pub pixels: Vec<u8>,
    /// Width of the upright full-size photo in pixels, before any crop.
    pub width: u32,
    /// Height of the upright full-size photo in pixels, before any crop.
    pub height: u32,
    /// The format that the bytes were in.
    pub format: Format,
}

/// Reads a photo's header: what it is, and how large. Nothing is decoded or allocated.
///
/// A photo that passes may still be refused by [`prepare`], where its pixels are damaged.
///
/// # Errors
/// Any [`Error`] of the kinds [`ErrorKind::TooLarge`] and [`ErrorKind::BadImage`].
pub fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, Error> {
    let stored = header::read(bytes, limits)?;
    let (width, height) = stored.upright();
    Ok(Header { format: stored.format, width, height, orientation: stored.orientation })
}

/// Decodes a photo, turns it upright, crops it to `region` (the whole photo without one) and brings
/// that to `size` x `size` pixels.
///
/// # Errors
/// Any [`Error`]. Limits and header come first, then size and region, then the pixels.
pub fn prepare(bytes: &[u8], region: Option<&Region>, fit: Fit, size: u32, limits: &Limits) -> Result<Prepared, Error> {
    prepare_at(bytes, region, fit, size, limits, Scale::Reduced)
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
) -> Result<Prepared, Error> {
    prepare_at(bytes, region, fit, size, limits, Scale::Full)
}

enum Scale {
    Full,
    Reduced,
}

fn prepare_at(
    bytes: &[u8],
    region: Option<&Region>,
    fit: Fit,
    size: u32,
    limits: &Limits,
    scale: Scale,
) -> Result<Prepared, Error> {
    let stored = header::read(bytes, limits)?;
    limits::check_size(size)?;
    let (format, orientation) = (stored.format, stored.orientation);
    let (width, height) = stored.upright();
    let window = match region {
        Some(region) => Window::clipped(region, width, height)?,
        None => Window::whole(width, height),
    };
    let target = fit.target(window.width(), window.height(), size);
    let (stored_width, stored_height) = (f64::from(stored.width), f64::from(stored.height));
    let inside = orientation.window_to_stored(window, stored_width, stored_height);
    let (pixels, inside) = match &stored.jpeg {
        Some(jpeg_header) => {
            jpeg::check_scans(bytes, jpeg_header)?;
            let eighths = match scale {
                Scale::Full => 8,
                Scale::Reduced => jpeg::scale_for(&inside, orientation.turned_size(target)),
            };
            jpeg::decode(bytes, jpeg_header, inside, eighths)?
        }
        None => {
            let rect = inside.touched(stored.width, stored.height);
            (raster::decode(bytes, &stored, rect)?, inside.within(rect))
        }
    };
    // Turned upright before the resize, so that equal pixels in another orientation stay equal
    // through the filter's rounding.
    let inside = orientation.window_to_upright(inside, f64::from(pixels.width), f64::from(pixels.height));
    let pixels = orientation.apply(pixels);
    Ok(Prepared { pixels: fit::resize(&pixels, inside, target, size, format)?, width, height, format })
}
