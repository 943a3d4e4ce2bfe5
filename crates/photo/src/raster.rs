//! PNG, WebP, GIF, BMP and TIFF pixels by the `image` crate.

use crate::colour::to_rgb;
use crate::crop::{Pixels, Rect};
use crate::guard::{damaged, guarded};
use crate::header::Stored;
use crate::{Error, Format};
use image::codecs::{bmp, gif, png, tiff, webp};
use image::error::UnsupportedErrorKind;
use image::{ImageDecoder, ImageError};
use std::io::{Cursor, ErrorKind};

/// What a decoder may take for itself, besides its output twice: tables, a row or strip, metadata.
const WORKING_MEMORY: u64 = 64 << 20;

/// Decodes and keeps the pixels inside `rect` (in stored pixels), on white.
pub(crate) fn decode(bytes: &[u8], stored: &Stored, rect: Rect) -> Result<Pixels, Error> {
    let format = stored.format;
    let fail = |e| from_codec(format, bytes.len(), e);
    guarded(format, || {
        let input = Cursor::new(bytes);
        match format {
            Format::Png => {
                let decoder = png::PngDecoder::with_limits(input, allowance(stored, 8));
                finish(decoder.map_err(fail)?, bytes, stored, rect)
            }
            Format::WebP => {
                let decoder = webp::WebPDecoder::new(input).map_err(fail)?;
                finish(decoder, bytes, stored, rect)
            }
            Format::Gif => {
                let decoder = gif::GifDecoder::new(input).map_err(fail)?;
                finish(decoder, bytes, stored, rect)
            }
            Format::Bmp => {
                let decoder = bmp::BmpDecoder::new(input).map_err(fail)?;
                finish(decoder, bytes, stored, rect)
            }
            Format::Tiff => {
                let decoder = tiff::TiffDecoder::new(input).map_err(fail)?;
                finish(decoder, bytes, stored, rect)
            }
            Format::Jpeg => Err(damaged(format, "it has a decoder of its own")),
        }
    })
}

/// Twice the output of `pixel_bytes` each, and the working memory.
fn allowance(stored: &Stored, pixel_bytes: u64) -> image::Limits {
    let pixels = u64::from(stored.width) * u64::from(stored.height);
    let mut limits = image::Limits::no_limits();
    limits.max_image_width = Some(stored.width);
    limits.max_image_height = Some(stored.height);
    limits.max_alloc = Some(pixels * pixel_bytes * 2 + WORKING_MEMORY);
    limits
}

fn finish(mut decoder: impl ImageDecoder, bytes: &[u8], stored: &Stored, rect: Rect) -> Result<Pixels, Error> {
    let format = stored.format;
    let fail = |e| from_codec(format, bytes.len(), e);
    // The limits were checked on our reading of the header: the codec must have read the same.
    if decoder.dimensions() != (stored.width, stored.height) {
        return Err(damaged(format, "its headers name different sizes"));
    }
    let color = decoder.color_type();
    let pixel_bytes = u64::from(color.bytes_per_pixel());
    decoder.set_limits(allowance(stored, pixel_bytes)).map_err(fail)?;
    let length = usize::try_from(decoder.total_bytes()).map_err(|_| damaged(format, "it does not fit into memory"))?;
    let mut raw = vec![0u8; length];
    decoder.read_image(&mut raw).map_err(fail)?;
    let rgb = to_rgb(raw, color, stored.width, rect)
        .ok_or_else(|| Error::UnsupportedFeature { format, feature: format!("{color:?} pixels") })?;
    Ok(Pixels { rgb, width: rect.width, height: rect.height })
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
        ImageError::Limits(_) => damaged(format, "it needs more memory than a photo of its size"),
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
