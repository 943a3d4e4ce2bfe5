//! A BMP's header: size, and what decoding it takes.

use crate::header::{Alpha, Raster, four, two};

/// A negative height only says that the rows run from top to bottom.
pub(crate) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    if u32::from_le_bytes(four(bytes, 14)?) == 12 {
        return Some((two(bytes, 18)?, two(bytes, 20)?));
    }
    let side = |at| Some(i32::from_le_bytes(four(bytes, at)?));
    let (width, height) = (side(18)?, side(22)?);
    Some((width.max(0) as u32, height.unsigned_abs()))
}

/// Three bytes a pixel, four where the header has a mask for alpha; and a row.
pub(crate) fn raster(bytes: &[u8], width: u32, height: u32) -> Raster {
    let number = |at| four(bytes, at).map_or(0, u32::from_le_bytes);
    let masks = number(30) == 3;
    let alpha = masks && matches!(number(14), 56 | 108 | 124) && number(66) != 0;
    let pixel = if alpha { 4 } else { 3 };
    Raster {
        raw: u64::from(width) * u64::from(height) * pixel,
        codec: u64::from(width) * 4,
        // Programs that know no alpha leave it zero.
        alpha: Alpha::NoneIfZero,
    }
}
