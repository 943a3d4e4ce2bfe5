//! A GIF's structure up to its first frame: size, and what decoding that takes.

use crate::header::{Alpha, Raster, two};
use crate::{Error, Limits};

pub(crate) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    Some((two(bytes, 6)?, two(bytes, 8)?))
}

/// The first frame, which need not be as large as the screen.
struct Frame {
    width: u32,
    height: u32,
    /// It can be decoded straight into the picture: it has the screen's width and ends within its height.
    fits: bool,
    /// Bytes of the blocks ahead of it.
    beside: u64,
}

fn first_frame(bytes: &[u8], screen: (u32, u32)) -> Option<Frame> {
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
    let (left, top) = (two(bytes, at + 1)?, two(bytes, at + 3)?);
    let (width, height) = (two(bytes, at + 5)?, two(bytes, at + 7)?);
    let fits = left == 0 && width == screen.0 && top + height <= screen.1;
    Some(Frame { width, height, fits, beside: (at - start) as u64 })
}

/// Four bytes for each pixel of the screen, one for each of the frame, and four more where it has to be put in place.
/// A frame is held to the limits as the screen is: it may be larger.
pub(crate) fn raster(bytes: &[u8], width: u32, height: u32, limits: &Limits) -> Result<Raster, Error> {
    // Without a frame there will be nothing to decode.
    let frame = first_frame(bytes, (width, height)).unwrap_or(Frame { width, height, fits: true, beside: 0 });
    limits.check_pixels(frame.width, frame.height)?;
    let pixel = if frame.fits { 1 } else { 5 };
    Ok(Raster {
        raw: u64::from(width) * u64::from(height) * 4,
        codec: u64::from(frame.width) * u64::from(frame.height) * pixel + frame.beside * 2,
        alpha: Alpha::Straight,
    })
}
