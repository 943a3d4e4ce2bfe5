//! What a TIFF may ask of its decoder, checked from the directory alone.

use crate::exif::{Directory, Tag};
use crate::guard::damaged;
use crate::{Error, Format};

pub(crate) const WIDTH: u16 = 256;
pub(crate) const HEIGHT: u16 = 257;
const COMPRESSION: u16 = 259;
const SAMPLES: u16 = 277;
const ROWS_PER_STRIP: u16 = 278;
const PLANAR: u16 = 284;
const TILE_WIDTH: u16 = 322;
const TILE_HEIGHT: u16 = 323;

/// Most strips or tiles: twice as many as a picture of the longest side has with one row a strip.
/// 32 MB of two-byte offsets could otherwise start a decompressor eight million times.
const MAX_TILES: u64 = 131_072;

/// Checks compression and the number of strips or tiles.
///
/// JPEG inside TIFF is refused because its own header can declare any size, past all limits; the
/// fax codings because photos don't use them.
pub(crate) fn check(bytes: &[u8], width: u32, height: u32) -> Result<(), Error> {
    let odd = || damaged(Format::Tiff, "a tag of its directory is not a single number");
    let directory = Directory::first(bytes).ok_or_else(odd)?;
    let value = |tag| match directory.value(tag) {
        Tag::Absent => Ok(None),
        Tag::Value(value) => Ok(Some(value)),
        Tag::Odd => Err(odd()),
    };
    let compression = value(COMPRESSION)?.unwrap_or(1);
    let name = match compression {
        // None, LZW, deflate (new and old number), PackBits.
        1 | 5 | 8 | 32946 | 32773 => None,
        2..=4 => Some("fax compression".to_string()),
        6 | 7 => Some("JPEG compression".to_string()),
        other => Some(format!("compression {other}")),
    };
    if let Some(feature) = name {
        return Err(Error::UnsupportedFeature { format: Format::Tiff, feature });
    }
    let zero = || damaged(Format::Tiff, "its strips or tiles are empty");
    let pieces = |length: u32, piece: Option<u32>| match piece {
        Some(0) => Err(zero()),
        Some(piece) => Ok(u64::from(length.div_ceil(piece))),
        None => Ok(1),
    };
    let (tile_width, tile_height) = (value(TILE_WIDTH)?, value(TILE_HEIGHT)?);
    let strips = pieces(height, value(ROWS_PER_STRIP)?)?;
    let tiles = pieces(width, tile_width)? * pieces(height, tile_height)?;
    let planes = match value(PLANAR)? {
        Some(2) => u64::from(value(SAMPLES)?.unwrap_or(1)),
        _ => 1,
    };
    // A file with both kinds of tags contradicts itself; whichever the decoder follows is within the limit.
    let got = strips.max(tiles).saturating_mul(planes);
    if got > MAX_TILES {
        return Err(Error::TooManyTiles { got, limit: MAX_TILES });
    }
    Ok(())
}
