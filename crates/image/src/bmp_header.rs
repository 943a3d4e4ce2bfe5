//! A BMP's header: size, what decoding it takes, and how the decoder is shown the odd ones.

use crate::conversion::Space;
use crate::header::{Alpha, Raster, four, two};
use crate::pieces::Pieces;
use crate::{Error, Format};
use std::borrow::Cow;

/// The file's own header, ahead of the picture's.
const FILE: usize = 14;

/// What the header's fields say; those that an old, short header lacks are zero.
struct Fields<'a> {
    bytes: &'a [u8],
    /// The header's length, by which its kind is known.
    length: u32,
}

impl<'a> Fields<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        Some(Fields { bytes, length: u32::from_le_bytes(four(bytes, FILE)?) })
    }

    /// The number at a place of the picture's header.
    fn number(&self, at: usize) -> u32 {
        let inside = at + 4 <= self.length as usize;
        four(self.bytes, FILE + at).filter(|_| inside).map_or(0, u32::from_le_bytes)
    }

    fn bits(&self) -> u32 {
        self.number(12) >> 16
    }

    fn compression(&self) -> u32 {
        self.number(16)
    }

    fn colours(&self) -> u32 {
        self.number(32)
    }

    /// OS/2's second header, which may be cut off behind any of its fields.
    fn is_os2(&self) -> bool {
        (16..=64).contains(&self.length) && !matches!(self.length, 40 | 52 | 56)
    }

    /// The mask for alpha, which headers from the third on have.
    fn alpha(&self) -> u32 {
        if matches!(self.length, 56 | 108 | 124) { self.number(52) } else { 0 }
    }

    /// 32 bits without masks: those that there are then say nothing, but that there is one for alpha.
    fn has_unannounced_alpha(&self) -> bool {
        self.compression() == 0 && self.bits() == 32 && self.alpha() == 0xff00_0000
    }
}

/// A negative height only says that the rows run from top to bottom.
pub(crate) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    if u32::from_le_bytes(four(bytes, FILE)?) == 12 {
        return Some((two(bytes, 18)?, two(bytes, 20)?));
    }
    let side = |at| Some(i32::from_le_bytes(four(bytes, at)?));
    let (width, height) = (side(18)?, side(22)?);
    Some((width.max(0) as u32, height.unsigned_abs()))
}

/// Three bytes a pixel, four where the header has a mask for alpha; and a row.
///
/// # Errors
/// The two codings that OS/2 has for itself, by name: their numbers mean others elsewhere.
pub(crate) fn raster(bytes: &[u8], width: u32, height: u32) -> Result<Raster, Error> {
    let fields = Fields::of(bytes).ok_or_else(|| Error::truncated(Format::Bmp, bytes))?;
    if fields.is_os2() && fields.compression() > 2 {
        let feature = format!("compression {} of OS/2", fields.compression());
        return Err(Error::UnsupportedFeature { format: Format::Bmp, feature });
    }
    let announced = fields.compression() == 3 && fields.alpha() != 0;
    let pixel = if announced || fields.has_unannounced_alpha() { 4 } else { 3 };
    Ok(Raster {
        raw: u64::from(width) * u64::from(height) * pixel,
        codec: u64::from(width) * 4,
        // Programs that know no alpha leave it zero.
        alpha: Alpha::NoneIfZero,
        space: Space::Rgb,
    })
}

/// The file as its decoder understands it.
pub(crate) fn pieces(bytes: &[u8]) -> Pieces<'_> {
    let Some(fields) = Fields::of(bytes) else { return Pieces::whole(bytes) };
    // How many colours pixels of that many bits can name.
    let named = if (1..=8).contains(&fields.bits()) { 1 << fields.bits() } else { 0 };
    if fields.is_os2() {
        return as_windows(&fields, named).unwrap_or_else(|| Pieces::whole(bytes));
    }
    if fields.has_unannounced_alpha() {
        let mut header = bytes[FILE..FILE + 56].to_vec();
        header[16..20].copy_from_slice(&3u32.to_le_bytes());
        let masks = [0xff_0000u32, 0xff00, 0xff, 0xff00_0000].map(u32::to_le_bytes).concat();
        header[40..56].copy_from_slice(&masks);
        return Pieces::patched(bytes, FILE, header);
    }
    // A palette of more colours than pixels can name: the first ones count. Where pixels begin stands elsewhere.
    if named > 0 && fields.length >= 40 && fields.colours() > named {
        return Pieces::patched(bytes, FILE + 32, named.to_le_bytes().to_vec());
    }
    Pieces::whole(bytes)
}

/// An OS/2 header with its palette as Windows has it: 40 bytes, then four for each colour, then the pixels.
fn as_windows<'a>(fields: &Fields<'a>, named: u32) -> Option<Pieces<'a>> {
    let (bytes, length) = (fields.bytes, fields.length as usize);
    let pixels = u32::from_le_bytes(four(bytes, 10)?) as usize;
    let colours = match fields.colours() {
        0 => named,
        colours => colours.min(named),
    };
    let palette = bytes.get(FILE + length..)?.get(..colours as usize * 4)?;
    let mut head = bytes.get(..FILE + length.min(40))?.to_vec();
    head.resize(FILE + 40, 0);
    head[10..14].copy_from_slice(&((FILE + 40 + palette.len()) as u32).to_le_bytes());
    head[14..18].copy_from_slice(&40u32.to_le_bytes());
    head[46..50].copy_from_slice(&colours.to_le_bytes());
    let pixels = bytes.get(pixels..)?;
    Some(Pieces::new([Cow::Owned(head), Cow::Borrowed(palette), Cow::Borrowed(pixels)]))
}
