//! A GIF's structure up to its first frame: size, and what decoding that takes.

use crate::conversion::Space;
use crate::header::{Alpha, Raster, two};
use crate::pieces::Pieces;
use crate::{Error, Limits};

/// Width and height of the picture: the screen's, or as much more as the first frame needs.
///
/// Many files have a screen that is too small, or none: browsers and Pillow enlarge it, so the picture is not cut.
pub(crate) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let (width, height) = screen(bytes)?;
    Some(match first_frame(bytes) {
        Some(frame) => (width.max(frame.left + frame.width), height.max(frame.top + frame.height)),
        None => (width, height),
    })
}

fn screen(bytes: &[u8]) -> Option<(u32, u32)> {
    Some((two(bytes, 6)?, two(bytes, 8)?))
}

/// The file with a screen of its picture's size.
pub(crate) fn pieces(bytes: &[u8]) -> Pieces<'_> {
    match (screen(bytes), size(bytes)) {
        (Some(screen), Some((width, height))) if screen != (width, height) => {
            let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX).to_le_bytes();
            Pieces::patched(bytes, 6, [side(width), side(height)].concat())
        }
        _ => Pieces::whole(bytes),
    }
}

/// The first frame, which need not be as large as the screen.
struct Frame {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    /// Bytes of the blocks ahead of it.
    beside: u64,
}

fn first_frame(bytes: &[u8]) -> Option<Frame> {
    let table = |flags: u8| if flags & 0x80 != 0 { 6usize << (flags & 7) } else { 0 };
    let start = 13 + table(*bytes.get(10)?);
    let mut at = start;
    while *bytes.get(at)? == 0x21 {
        // An extension: its kind, then blocks with their lengths up to an empty one.
        at += 2;
        loop {
            let length = usize::from(*bytes.get(at)?);
            at += length + 1;
            if length == 0 {
                break;
            }
        }
    }
    if bytes[at] != 0x2c {
        return None;
    }
    let side = |behind: usize| two(bytes, at + behind);
    let (left, top, width, height) = (side(1)?, side(3)?, side(5)?, side(7)?);
    Some(Frame { left, top, width, height, beside: (at - start) as u64 })
}

/// Four bytes for each pixel of the picture, one for each of the frame, and four more where it has to be put in place.
pub(crate) fn raster(bytes: &[u8], width: u32, height: u32, limits: &Limits) -> Result<Raster, Error> {
    // Without a frame there will be nothing to decode.
    let frame = first_frame(bytes).unwrap_or(Frame { left: 0, top: 0, width, height, beside: 0 });
    limits.check_pixels(frame.width, frame.height)?;
    // It can be decoded straight into the picture where it has its width.
    let pixel = if frame.left == 0 && frame.width == width { 1 } else { 5 };
    Ok(Raster {
        raw: u64::from(width) * u64::from(height) * 4,
        codec: u64::from(frame.width) * u64::from(frame.height) * pixel + frame.beside * 2,
        alpha: Alpha::Straight,
        space: Space::Rgb,
    })
}
