//! An image whose header was read, and what will be made of it.

use crate::conversion::{Conversion, Space};
use crate::crop::{Rect, Window};
use crate::header::{Coding, Header, Stored};
use crate::memory::Steps;
use crate::{Error, Fit, Limits, PreparedImage, Region, fit, header, jpeg, limits, raster};

/// What [`crate::prepare`] is going to do with an image: everything is checked that can be checked without its pixels,
/// and nothing in proportion to them is allocated.
pub struct Plan<'a> {
    bytes: &'a [u8],
    stored: Stored,
    size: u32,
    /// Size of the wanted part within the square, upright.
    target: (u32, u32),
    /// The wanted part, in pixels of the stored picture.
    inside: Window,
    /// The scale at which a JPEG is decoded.
    eighths: u8,
}

/// Whether a codec may reduce an image while it decodes it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    Full,
    Reduced,
}

pub(crate) fn plan<'a>(
    bytes: &'a [u8],
    region: Option<&Region>,
    fit: Fit,
    size: u32,
    limits: &Limits,
    scale: Scale,
) -> Result<Plan<'a>, Error> {
    let stored = header::read(bytes, limits)?;
    limits::check_size(size)?;
    let orientation = stored.orientation;
    let (width, height) = stored.upright();
    let window = match region {
        Some(region) => Window::clipped(region, width, height)?,
        None => Window::whole(width, height),
    };
    let target = fit.target(window.width(), window.height(), size);
    let inside = orientation.window_to_stored(window, f64::from(stored.width), f64::from(stored.height));
    let mut eighths = 8;
    if let Coding::Jpeg(header) = &stored.coding {
        jpeg::check_scans(bytes, header)?;
        if scale == Scale::Reduced {
            eighths = jpeg::scale_for(&inside, orientation.turned_size(target));
        }
    }
    Ok(Plan { bytes, stored, size, target, inside, eighths })
}

impl Plan<'_> {
    /// What the image's header says.
    pub fn header(&self) -> Header {
        self.stored.header()
    }

    /// The most bytes that [`Plan::run`] takes at one time, besides the file and with the result.
    ///
    /// It is an upper bound: what is promised is kept for every file, whatever is in it.
    pub fn memory(&self) -> u64 {
        let Plan { stored, target, size, .. } = self;
        let (decode, kept) = match &stored.coding {
            Coding::Jpeg(header) => {
                let kept = jpeg::kept(header, &self.inside, self.eighths).1;
                (jpeg::codec_bytes(header) + pixels(kept) * 3, kept)
            }
            Coding::Raster(raster) => {
                let kept = self.inside.touched(stored.width, stored.height);
                // Pixels of less than three bytes are copied when they become RGB.
                let small = raster.raw < u64::from(stored.width) * u64::from(stored.height) * 3;
                let rgb = if small { pixels(kept) * 3 } else { 0 };
                (raster.raw + raster.codec.max(rgb), kept)
            }
        };
        // Inks are converted while they are decoded.
        let (early, conversion) = match self.space() {
            Space::Inks => (stored.conversion, 0),
            Space::Grey | Space::Rgb => (0, stored.conversion),
        };
        let decode = decode + early;
        let turned = stored.orientation.exif() != 1;
        let kept = stored.orientation.turned_size((kept.width, kept.height));
        Steps { decode, kept, turned, target: *target, size: *size, conversion }.peak()
    }

    /// Decodes the image, turns it upright and brings it to its size.
    ///
    /// # Errors
    /// Those of the pixels: [`Error`]s of the kind [`crate::ErrorKind::BadImage`].
    pub fn run(self) -> Result<PreparedImage, Error> {
        let (size, target, format) = (self.size, self.target, self.stored.format);
        let (width, height) = self.stored.upright();
        let resized = self.resized()?;
        Ok(PreparedImage { pixels: fit::letterbox(resized, target, size), width, height, format })
    }

    /// What the stored numbers are.
    fn space(&self) -> Space {
        match &self.stored.coding {
            Coding::Jpeg(header) => header.space(),
            Coding::Raster(raster) => raster.space,
        }
    }

    /// The wanted part's size within the square.
    pub(crate) fn target(&self) -> (u32, u32) {
        self.target
    }

    /// The wanted part at its size within the square, without what is around it.
    pub(crate) fn resized(self) -> Result<Vec<u8>, Error> {
        let space = self.space();
        let Plan { bytes, stored, target, inside, eighths, .. } = self;
        let (format, orientation) = (stored.format, stored.orientation);
        let (pixels, inside) = match &stored.coding {
            Coding::Jpeg(header) => jpeg::decode(bytes, header, inside, eighths)?,
            Coding::Raster(raster) => {
                let rect = inside.touched(stored.width, stored.height);
                (raster::decode(bytes, &stored, raster, rect)?, inside.within(rect))
            }
        };
        // Turned upright before the resize, so that equal pixels in another orientation stay equal
        // through the filter's rounding.
        let inside = orientation.window_to_upright(inside, f64::from(pixels.width), f64::from(pixels.height));
        let pixels = orientation.apply(pixels);
        let mut resized = fit::resize(&pixels, inside, target, format)?;
        drop(pixels);
        // Inks became RGB while they were decoded.
        if stored.conversion > 0
            && space != Space::Inks
            && let Some(conversion) = Conversion::of(format, bytes, space)
        {
            conversion.apply(&mut resized);
        }
        Ok(resized)
    }
}

fn pixels(rect: Rect) -> u64 {
    u64::from(rect.width) * u64::from(rect.height)
}
