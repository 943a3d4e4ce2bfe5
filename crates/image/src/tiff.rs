//! What a TIFF may ask of its decoder, checked from the directory alone.

use crate::conversion::Space;
use crate::exif::{Directory, Tag};
use crate::guard::damaged;
use crate::header::Raster;
use crate::tiff_kind::{Kind, kind};
use crate::{Error, Format, Limits, MAX_SIDE, tiff_jpeg};

pub(crate) const WIDTH: u16 = 256;
pub(crate) const HEIGHT: u16 = 257;
pub(crate) const BITS: u16 = 258;
const COMPRESSION: u16 = 259;
pub(crate) const PHOTOMETRIC: u16 = 262;
const STRIP_OFFSETS: u16 = 273;
pub(crate) const SAMPLES: u16 = 277;
const ROWS_PER_STRIP: u16 = 278;
const STRIP_BYTES: u16 = 279;
pub(crate) const PLANAR: u16 = 284;
pub(crate) const PREDICTOR: u16 = 317;
pub(crate) const COLOURS: u16 = 320;
const TILE_WIDTH: u16 = 322;
const TILE_HEIGHT: u16 = 323;
const TILE_OFFSETS: u16 = 324;
const TILE_BYTES: u16 = 325;
pub(crate) const EXTRA_SAMPLES: u16 = 338;
pub(crate) const SAMPLE_FORMAT: u16 = 339;
const SUBSAMPLING: u16 = 530;
pub(crate) const XMP: u16 = 700;
pub(crate) const PROFILE: u16 = 34_675;

/// Most strips or tiles: twice as many as a picture of the longest side has with one row a strip.
/// 32 MB of two-byte offsets could otherwise start a decompressor eight million times.
const MAX_TILES: u64 = 131_072;

/// Most channels: four colours and alpha.
pub(crate) const MAX_SAMPLES: u32 = 5;

/// Pixels that the padded rows of tiles may have whatever the limit is: small pictures have large tiles too.
const FREE_PADDING: u64 = 32_000_000;

/// Bytes of the lists of strips or tiles: a value of 32 bytes for each, and two numbers of 8.
const TILE_ENTRY: u64 = 48;

pub(crate) struct Tags<'a>(pub(crate) Directory<'a>);

impl Tags<'_> {
    pub(crate) fn number(&self, tag: u16) -> Result<Option<u32>, Error> {
        match self.0.value(tag) {
            Tag::Absent => Ok(None),
            Tag::Value(value) => Ok(Some(value)),
            Tag::Odd => Err(damaged(Format::Tiff, &format!("tag {tag} of its directory is not a single number"))),
        }
    }

    /// The first of the numbers of a tag that has one for each channel; the decoder wants them equal.
    pub(crate) fn first_of(&self, tag: u16) -> Result<Option<u32>, Error> {
        match self.0.first_of(tag) {
            Tag::Absent => Ok(None),
            Tag::Value(value) => Ok(Some(value)),
            Tag::Odd => Err(damaged(Format::Tiff, &format!("tag {tag} of its directory has no numbers"))),
        }
    }
}

pub(crate) fn unsupported(feature: String) -> Error {
    Error::UnsupportedFeature { format: Format::Tiff, feature }
}

/// Checks what the decoder would follow blindly, and says what it takes: the picture twice, once as it is stored.
pub(crate) fn raster(bytes: &[u8], width: u32, height: u32, limits: &Limits) -> Result<Raster, Error> {
    let outside = || damaged(Format::Tiff, "its directory lies outside the file");
    let tags = Tags(Directory::first(bytes).ok_or_else(outside)?);
    let coded = check_compression(&tags)?;
    check_lists(&tags)?;
    let tiles = check_tiles(&tags, width, height, limits)?;
    let layout = kind(&tags)?;
    let unpacked = if coded { tiff_jpeg::check(bytes, &tags, &layout, &piece(&tags, width, height)?)? } else { 0 };
    let bits = u64::from(layout.bits);
    let wide = if bits > 8 { 2 } else { 1 };
    let row = |channels: u64| (u64::from(width) * bits * channels).div_ceil(8);
    // Channels in planes of their own are put together, which takes them twice.
    let stored = row(1) * u64::from(height) * layout.stored;
    Ok(Raster {
        raw: row(layout.shown) * u64::from(height),
        codec: stored + unpacked + tiles * TILE_ENTRY + u64::from(MAX_SIDE) * u64::from(MAX_SAMPLES) * wide,
        alpha: layout.alpha,
        space: match layout.kind {
            Kind::Grey => Space::Grey,
            Kind::Inks => Space::Inks,
            Kind::Palette | Kind::Rgb | Kind::Luma | Kind::Lab { .. } => Space::Rgb,
        },
    })
}

/// A strip or tile: where it lies in the file, and how large it is in pixels.
pub(crate) struct Pieces {
    pub(crate) places: Vec<(u32, u32)>,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

fn piece(tags: &Tags, width: u32, height: u32) -> Result<Pieces, Error> {
    let of = |offsets, lengths| tags.0.numbers(offsets).into_iter().zip(tags.0.numbers(lengths)).collect();
    Ok(match (tags.number(TILE_WIDTH)?, tags.number(TILE_HEIGHT)?) {
        (Some(width), Some(height)) => Pieces { places: of(TILE_OFFSETS, TILE_BYTES), width, height },
        _ => {
            let rows = tags.number(ROWS_PER_STRIP)?.unwrap_or(height).min(height);
            Pieces { places: of(STRIP_OFFSETS, STRIP_BYTES), width, height: rows }
        }
    })
}

/// Whether the pieces are JPEGs. The fax codings are refused because images don't use them, the old way to have JPEG in a
/// TIFF because hardly two programs agreed on it.
fn check_compression(tags: &Tags) -> Result<bool, Error> {
    match tags.number(COMPRESSION)?.unwrap_or(1) {
        // None, LZW, deflate (new and old number), PackBits.
        1 | 5 | 8 | 32946 | 32773 => Ok(false),
        7 => Ok(true),
        2..=4 => Err(unsupported("fax compression".to_string())),
        6 => Err(unsupported("the old kind of JPEG compression".to_string())),
        other => Err(unsupported(format!("compression {other}"))),
    }
}

/// The decoder reads a whole list before it looks at its length, at 32 bytes for each value: 8 million one-byte
/// offsets took 380 MB.
fn check_lists(tags: &Tags) -> Result<(), Error> {
    for tag in [STRIP_OFFSETS, STRIP_BYTES, TILE_OFFSETS, TILE_BYTES] {
        let got = u64::from(tags.0.count(tag));
        if got > MAX_TILES {
            return Err(Error::TooManyTiles { got, limit: MAX_TILES });
        }
    }
    for tag in [BITS, EXTRA_SAMPLES, SAMPLE_FORMAT, SUBSAMPLING] {
        let got = tags.0.count(tag);
        if got > MAX_SAMPLES {
            let words = format!("tag {tag} of its directory has {got} values, {MAX_SAMPLES} at most make sense");
            return Err(damaged(Format::Tiff, &words));
        }
    }
    Ok(())
}

/// Checks and returns the number of strips or tiles.
fn check_tiles(tags: &Tags, width: u32, height: u32, limits: &Limits) -> Result<u64, Error> {
    let pieces = |length: u32, piece: Option<u32>| match piece {
        Some(0) => Err(damaged(Format::Tiff, "its strips or tiles are empty")),
        Some(piece) => Ok(u64::from(length.div_ceil(piece))),
        None => Ok(1),
    };
    let (tile_width, tile_height) = (tags.number(TILE_WIDTH)?, tags.number(TILE_HEIGHT)?);
    let strips = pieces(height, tags.number(ROWS_PER_STRIP)?)?;
    let across = pieces(width, tile_width)?;
    let tiles = across * pieces(height, tile_height)?;
    let planes = match tags.number(PLANAR)? {
        Some(2) => u64::from(tags.number(SAMPLES)?.unwrap_or(1)),
        _ => 1,
    };
    // A file with both kinds of tags contradicts itself; whichever the decoder follows is within the limit.
    let got = strips.max(tiles).saturating_mul(planes);
    if got > MAX_TILES {
        return Err(Error::TooManyTiles { got, limit: MAX_TILES });
    }
    // A row of a tile is unpacked as a whole, and kept as a whole where a channel of it is not: a picture of 4 x 4
    // pixels in a tile of 4 thousand million took 34 GB.
    let (tile_width, tile_height) = (tile_width.unwrap_or(width), tile_height.unwrap_or(height));
    if tile_width.max(tile_height) > MAX_SIDE {
        return Err(Error::TileTooLong { width: tile_width, height: tile_height, limit: MAX_SIDE });
    }
    let got = across * u64::from(tile_width) * u64::from(height);
    let limit = limits.max_pixels.saturating_mul(2).max(FREE_PADDING);
    if got > limit {
        return Err(Error::TooMuchPadding { got, limit });
    }
    Ok(strips.max(tiles) * planes)
}
