//! JPEG pixels by mozjpeg, at full or reduced scale.

use crate::conversion::{Conversion, Space};
use crate::crop::{Pixels, Rect, Window};
use crate::guard::{damaged, guarded};
use crate::jpeg_header::{EOI, JpegHeader, Markers};
use crate::{Error, Format, jpeg_scans, warnings};
use mozjpeg::{ColorSpace, Decompress};

/// Most scans that a JPEG may have, however small it is. Encoders write 1 to 20; every scan of a
/// progressive JPEG passes over all blocks of the picture even if it changes none, so a file of 1 MB
/// could ask for hours.
const MAX_SCANS: u64 = 100;

/// Scans that a JPEG of any size may have.
const FREE_SCANS: u64 = 24;

/// Pixels that all scans together may pass over. A scan of 64 million pixels takes 0.09 s: with 100
/// of them a file of 760 KB took 9.2 s, with 24 it takes about 3 s (1 s with the encoder's own 10).
const SCANNED_PIXELS: u64 = 1_500_000_000;

/// Checks what is only known after all scans were walked through.
pub(crate) fn check_scans(bytes: &[u8], header: &JpegHeader) -> Result<(), Error> {
    // One scan is all that the codec reads: whatever is behind it is not looked at, nor is a missing end marker missed.
    if !header.several_scans {
        return Ok(());
    }
    let got = jpeg_scans::count(header, bytes)?;
    let pixels = u64::from(header.width) * u64::from(header.height);
    let limit = (SCANNED_PIXELS / pixels.max(1)).clamp(FREE_SCANS, MAX_SCANS);
    if got > limit {
        return Err(Error::TooManyScans { got, limit });
    }
    Ok(())
}

/// The smallest scale, in eighths, at which `window` still has twice the target's pixels in both
/// directions: what the codec averages away is then less than what the filter averages anyway.
pub(crate) fn scale_for(window: &Window, target: (u32, u32)) -> u8 {
    let enough = |eighths: u8| {
        let factor = f64::from(eighths) / 8.0;
        window.width() * factor >= 2.0 * f64::from(target.0) && window.height() * factor >= 2.0 * f64::from(target.1)
    };
    [1, 2, 4].into_iter().find(|&n| enough(n)).unwrap_or(8)
}

/// What the codec takes besides the pixels that are kept.
///
/// With one scan these are rows: of each channel two rows of blocks at most, and what they are upsampled to. With
/// several it is every coefficient, of two bytes, in blocks of 8 x 8, whatever the scale: 3 bytes a pixel with the usual
/// half sampling of colours, 8 for four full channels.
pub(crate) fn codec_bytes(header: &JpegHeader) -> u64 {
    let sampling = &header.frame.sampling;
    let most = sampling.iter().fold((1, 1), |most: (u32, u32), s| (most.0.max(s.0), most.1.max(s.1)));
    let blocks = |side: u32, own: u32, most: u32| match own {
        0 => 0,
        _ => u64::from((side * own).div_ceil(8 * most).next_multiple_of(own)),
    };
    let (mut rows, mut coefficients) = (0, 0);
    for &(across, down) in sampling {
        let across = blocks(header.width, across, most.0);
        rows += across * 8 * 16 * u64::from(down) + u64::from(header.width * most.1);
        coefficients += across * blocks(header.height, down, most.1) * 128;
    }
    rows + if header.several_scans { coefficients } else { 0 }
}

/// The window in pixels of the picture at `eighths` of its size, and the whole pixels there that it touches.
pub(crate) fn kept(header: &JpegHeader, window: &Window, eighths: u8) -> (Window, Rect) {
    let side = |side: u32| (side * u32::from(eighths)).div_ceil(8);
    let window = window.scaled(f64::from(eighths) / 8.0);
    (window, window.touched(side(header.width), side(header.height)))
}

/// Decodes at `eighths` of the full size and keeps the pixels that `window` touches.
///
/// `window` is in pixels of the stored full-size picture; the one returned is the same place in the
/// returned pixels. It has fractions where the scale does not divide the window's edges.
pub(crate) fn decode(
    bytes: &[u8],
    header: &JpegHeader,
    window: Window,
    eighths: u8,
) -> Result<(Pixels, Window), Error> {
    guarded(Format::Jpeg, || {
        let fail = |e: std::io::Error| damaged(Format::Jpeg, &e.to_string());
        let mut codec = Decompress::with_err(warnings::reporting()).from_mem(bytes).map_err(fail)?;
        // The limits were checked on our reading of the header: the codec must have read the same.
        if codec.size() != (header.width as usize, header.height as usize) {
            return Err(damaged(Format::Jpeg, "two frame headers"));
        }
        codec.scale(eighths);
        let inks = matches!(codec.color_space(), ColorSpace::JCS_CMYK | ColorSpace::JCS_YCCK);
        let mut codec = match inks {
            true => codec.to_colorspace(ColorSpace::JCS_CMYK).map_err(fail)?,
            false => codec.rgb().map_err(fail)?,
        };
        let channels = if inks { 4 } else { 3 };
        let (window, rect) = kept(header, &window, eighths);
        let (right, bottom) = ((rect.x + rect.width) as usize, (rect.y + rect.height) as usize);
        if right > codec.width() || bottom > codec.height() {
            return Err(damaged(Format::Jpeg, "its reduced size is another one"));
        }
        let Rect { x, width, height, .. } = rect;
        let conversion = inks.then(|| Conversion::of(Format::Jpeg, bytes, Space::Inks)).flatten();
        let mut line = vec![0u8; codec.width() * channels];
        let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
        for row in 0..rect.y + height {
            codec.read_scanlines_into(&mut line).map_err(fail)?;
            if row < rect.y {
                continue;
            }
            let from = x as usize * channels;
            let part = &mut line[from..from + width as usize * channels];
            match &conversion {
                _ if !inks => rgb.extend_from_slice(part),
                Some(conversion) => {
                    if header.adobe {
                        part.iter_mut().for_each(|ink| *ink = 255 - *ink);
                    }
                    rgb.extend(conversion.shown(part));
                }
                None => rgb.extend(part.chunks_exact(4).flat_map(|p| from_inks(p, header.adobe))),
            }
        }
        if warnings::ended_early() {
            return Err(ended_early(bytes, header));
        }
        // Rows below the window are never asked for; dropping the codec frees what it holds.
        Ok((Pixels { rgb, width, height }, window.within(rect)))
    })
}

/// Half a picture with a grey rest would be stored as if it were the image, so it is refused, as a PNG in this state is.
fn ended_early(bytes: &[u8], header: &JpegHeader) -> Error {
    let mut markers = Markers { bytes, at: header.first_scan };
    while let Some((code, _)) = markers.next() {
        if code == EOI {
            return damaged(Format::Jpeg, "its data end before the picture does");
        }
    }
    Error::truncated(Format::Jpeg, bytes)
}

/// CMYK as it is commonly shown without a colour profile: each colour is what its ink and black let through.
/// Adobe's programs store the light that passes, others (without the Adobe marker) the amount of ink.
fn from_inks(cmyk: &[u8], inverted: bool) -> [u8; 3] {
    let light = |v: u8| u32::from(if inverted { v } else { 255 - v });
    let black = light(cmyk[3]);
    [cmyk[0], cmyk[1], cmyk[2]].map(|v| ((light(v) * black + 127) / 255) as u8)
}
