//! What a TIFF may ask of its decoder, checked from the directory alone.

use crate::exif::{Directory, Tag};
use crate::guard::damaged;
use crate::header::{Alpha, Raster};
use crate::{Error, Format, Limits, MAX_SIDE};

pub(crate) const WIDTH: u16 = 256;
pub(crate) const HEIGHT: u16 = 257;
const BITS: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const STRIP_OFFSETS: u16 = 273;
const SAMPLES: u16 = 277;
const ROWS_PER_STRIP: u16 = 278;
const STRIP_BYTES: u16 = 279;
const PLANAR: u16 = 284;
const PREDICTOR: u16 = 317;
const TILE_WIDTH: u16 = 322;
const TILE_HEIGHT: u16 = 323;
const TILE_OFFSETS: u16 = 324;
const TILE_BYTES: u16 = 325;
const EXTRA_SAMPLES: u16 = 338;
const SAMPLE_FORMAT: u16 = 339;
const SUBSAMPLING: u16 = 530;

/// Most strips or tiles: twice as many as a picture of the longest side has with one row a strip.
/// 32 MB of two-byte offsets could otherwise start a decompressor eight million times.
const MAX_TILES: u64 = 131_072;

/// Most channels: four colours and alpha.
const MAX_SAMPLES: u32 = 5;

/// Pixels that the padded rows of tiles may have whatever the limit is: small pictures have large tiles too.
const FREE_PADDING: u64 = 32_000_000;

/// Bytes of the lists of strips or tiles: a value of 32 bytes for each, and two numbers of 8.
const TILE_ENTRY: u64 = 48;

struct Tags<'a>(Directory<'a>);

impl Tags<'_> {
    fn number(&self, tag: u16) -> Result<Option<u32>, Error> {
        match self.0.value(tag) {
            Tag::Absent => Ok(None),
            Tag::Value(value) => Ok(Some(value)),
            Tag::Odd => Err(damaged(Format::Tiff, &format!("tag {tag} of its directory is not a single number"))),
        }
    }

    /// The first of the numbers of a tag that has one for each channel; the decoder wants them equal.
    fn first_of(&self, tag: u16) -> Result<Option<u32>, Error> {
        match self.0.first_of(tag) {
            Tag::Absent => Ok(None),
            Tag::Value(value) => Ok(Some(value)),
            Tag::Odd => Err(damaged(Format::Tiff, &format!("tag {tag} of its directory has no numbers"))),
        }
    }
}

fn unsupported(feature: String) -> Error {
    Error::UnsupportedFeature { format: Format::Tiff, feature }
}

/// Checks what the decoder would follow blindly, and says what it takes: the picture twice, once as it is stored.
pub(crate) fn raster(bytes: &[u8], width: u32, height: u32, limits: &Limits) -> Result<Raster, Error> {
    let outside = || damaged(Format::Tiff, "its directory lies outside the file");
    let tags = Tags(Directory::first(bytes).ok_or_else(outside)?);
    check_compression(&tags)?;
    check_lists(&tags)?;
    let tiles = check_tiles(&tags, width, height, limits)?;
    let channels = channels(&tags)?;
    let bits = u64::from(tags.first_of(BITS)?.unwrap_or(1));
    let wide = if bits > 8 { 2 } else { 1 };
    let row = (u64::from(width) * bits).div_ceil(8);
    let stored = row * u64::from(height) * channels.stored;
    Ok(Raster {
        raw: u64::from(width) * u64::from(height) * channels.shown * wide,
        codec: stored + tiles * TILE_ENTRY + u64::from(MAX_SIDE) * u64::from(MAX_SAMPLES) * wide,
        alpha: channels.alpha,
    })
}

/// JPEG inside TIFF is refused because its own header can declare any size, past all limits; the
/// fax codings because photos don't use them.
fn check_compression(tags: &Tags) -> Result<(), Error> {
    match tags.number(COMPRESSION)?.unwrap_or(1) {
        // None, LZW, deflate (new and old number), PackBits.
        1 | 5 | 8 | 32946 | 32773 => Ok(()),
        2..=4 => Err(unsupported("fax compression".to_string())),
        6 | 7 => Err(unsupported("JPEG compression".to_string())),
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

/// Channels of a pixel.
struct Channels {
    /// In the file, without those that are dropped.
    stored: u64,
    /// As the decoder delivers them.
    shown: u64,
    alpha: Alpha,
}

/// Refuses channels that the decoder would mistake for others.
fn channels(tags: &Tags) -> Result<Channels, Error> {
    let samples = tags.number(SAMPLES)?.unwrap_or(1);
    if samples == 0 || samples > MAX_SAMPLES {
        return Err(unsupported(format!("{samples} channels")));
    }
    match tags.first_of(SAMPLE_FORMAT)? {
        None | Some(1) => {}
        Some(3) => return Err(unsupported("floating-point samples".to_string())),
        Some(other) => return Err(unsupported(format!("samples of format {other}"))),
    }
    let extra = match (tags.0.count(EXTRA_SAMPLES), tags.number(EXTRA_SAMPLES)) {
        (0, _) => None,
        (1, value) => value?,
        (count, _) => return Err(unsupported(format!("{count} channels besides its colours"))),
    };
    let predictor = tags.number(PREDICTOR)?.unwrap_or(1);
    let planar = tags.number(PLANAR)? == Some(2);
    let of = |stored, shown, alpha| Ok(Channels { stored, shown, alpha });
    match (tags.number(PHOTOMETRIC)?, samples, extra) {
        (Some(0 | 1), 1, None) => of(1, 1, Alpha::Straight),
        (Some(2), 3, None) => of(3, 3, Alpha::Straight),
        // Without a word about the fourth one it is taken as alpha, as other programs do.
        (Some(2), 4, None | Some(2)) => of(4, 4, Alpha::Straight),
        (Some(2), 4, Some(1)) => of(4, 4, Alpha::Multiplied),
        // The decoder drops the fourth channel, and then undoes a predictor as if there still were four.
        (Some(2), 4, Some(0)) if predictor != 1 && !planar => {
            Err(unsupported("a predictor with a channel that is neither colour nor alpha".to_string()))
        }
        (Some(2), 4, Some(0)) => of(3, 3, Alpha::Straight),
        (Some(5), 4, None) => of(4, 3, Alpha::Straight),
        (Some(0..=2 | 5), _, None) => Err(unsupported(format!("{samples} channels"))),
        (Some(0..=2 | 5), _, Some(kind)) => {
            Err(unsupported(format!("{samples} channels, one of them extra (of kind {kind})")))
        }
        // Palettes and other colours: the decoder names what it does not know, before it takes memory.
        _ => of(u64::from(MAX_SAMPLES), u64::from(MAX_SAMPLES), Alpha::Straight),
    }
}
