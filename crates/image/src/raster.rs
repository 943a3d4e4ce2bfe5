//! PNG, WebP, GIF and BMP pixels by the `image` crate.

use crate::colour::{is_known, to_rgb};
use crate::crop::{Pixels, Rect};
use crate::guard::{damaged, guarded};
use crate::header::{Raster, Stored};
use crate::{Error, Format, bmp_header, gif_header, png_header, tiff_pixels, webp_header};
use image::codecs::{bmp, gif, png, webp};
use image::error::UnsupportedErrorKind;
use image::{ImageDecoder, ImageError};
use std::io::ErrorKind;

/// What a decoder may take for what stands beside the pixels: tables, metadata.
pub(crate) const WORKING_MEMORY: u64 = 64 << 20;

/// Decodes and keeps the pixels inside `rect` (in stored pixels), on white.
pub(crate) fn decode(bytes: &[u8], stored: &Stored, raster: &Raster, rect: Rect) -> Result<Pixels, Error> {
    let format = stored.format;
    let fail = |e| from_codec(format, bytes.len(), e);
    let finish = Finish { bytes: bytes.len(), stored, raster, rect };
    guarded(format, || {
        match format {
            // This decoder's limit does not count the pixels, which the caller holds.
            Format::Png => {
                let decoder =
                    png::PngDecoder::with_limits(png_header::pieces(bytes), allowance(stored, WORKING_MEMORY));
                finish.pixels(decoder.map_err(fail)?)
            }
            Format::WebP => {
                let mut decoder = webp::WebPDecoder::new(webp_header::pieces(bytes)).map_err(fail)?;
                // Where the first frame leaves some of the canvas uncovered. With an alpha channel it is transparent
                // there, without one it would be black.
                if decoder.has_animation() && !decoder.color_type().has_alpha() {
                    decoder.set_background_color(image::Rgba([255; 4])).map_err(fail)?;
                }
                finish.pixels(decoder)
            }
            Format::Gif => finish.pixels(gif::GifDecoder::new(gif_header::pieces(bytes)).map_err(fail)?),
            Format::Bmp => finish.pixels(bmp::BmpDecoder::new(bmp_header::pieces(bytes)).map_err(fail)?),
            Format::Tiff => tiff_pixels::decode(bytes, stored, raster, rect),
            Format::Jpeg => Err(damaged(format, "it has a decoder of its own")),
        }
    })
}

fn allowance(stored: &Stored, bytes: u64) -> image::Limits {
    let mut limits = image::Limits::no_limits();
    limits.max_image_width = Some(stored.width);
    limits.max_image_height = Some(stored.height);
    limits.max_alloc = Some(bytes);
    limits
}

/// From a codec that has read its header to pixels.
struct Finish<'a> {
    bytes: usize,
    stored: &'a Stored,
    raster: &'a Raster,
    rect: Rect,
}

impl Finish<'_> {
    fn pixels(&self, mut decoder: impl ImageDecoder) -> Result<Pixels, Error> {
        let Finish { stored, raster, rect, .. } = *self;
        let format = stored.format;
        let fail = |e| from_codec(format, self.bytes, e);
        // The limits were checked on our reading of the header: the codec must have read the same.
        if decoder.dimensions() != (stored.width, stored.height) {
            return Err(damaged(format, "its headers name different sizes"));
        }
        let color = decoder.color_type();
        let unknown = || Error::UnsupportedFeature { format, feature: format!("{color:?} pixels") };
        if !is_known(color) {
            return Err(unknown());
        }
        let length = decoder.total_bytes();
        if length > raster.raw {
            let words = format!("its header says {} bytes of pixels, its decoder {length}", raster.raw);
            return Err(damaged(format, &words));
        }
        // A last line of defence only: what the codec takes was added up from the header.
        let most = 2 * (raster.raw + raster.codec) + WORKING_MEMORY;
        decoder.set_limits(allowance(stored, most)).map_err(fail)?;
        let length = usize::try_from(length).map_err(|_| damaged(format, "it does not fit into memory"))?;
        let mut raw = vec![0u8; length];
        decoder.read_image(&mut raw).map_err(fail)?;
        let rgb = to_rgb(raw, color, raster.alpha, stored.width, rect).ok_or_else(unknown)?;
        Ok(Pixels { rgb, width: rect.width, height: rect.height })
    }
}

fn from_codec(format: Format, bytes: usize, error: ImageError) -> Error {
    match error {
        ImageError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => Error::Truncated { format, bytes },
        ImageError::Unsupported(e) => Error::UnsupportedFeature {
            format,
            feature: match e.kind() {
                UnsupportedErrorKind::GenericFeature(feature) => feature,
                UnsupportedErrorKind::Color(color) => format!("{color:?} pixels"),
                _ => "an unknown feature".to_string(),
            },
        },
        ImageError::Limits(_) => {
            let words = format!("what stands beside its pixels needs more than {} MiB", WORKING_MEMORY >> 20);
            damaged(format, &words)
        }
        other => {
            // The innermost cause says most; the outer ones repeat the format's name.
            let mut cause: &dyn std::error::Error = &other;
            while let Some(inner) = cause.source() {
                cause = inner;
            }
            damaged(format, &cause.to_string())
        }
    }
}
