//! A PNG's structure, read without its pixels: size, orientation, profile and what decoding it takes.

use crate::conversion::Space;
use crate::header::{Alpha, Raster, four};
use crate::pieces::Pieces;
use crate::{Error, Format, exif, png_text, raster};
use std::borrow::Cow;
use std::io::Read;

/// Bytes that one byte of deflate can become at most: a copy of 258 bytes takes two bits.
pub(crate) const INFLATION: u64 = 1032;

/// Width and height, from the header that must come first.
///
/// # Errors
/// Apple's variant by its name: a chunk ahead of the header, and pixels that no other decoder reads.
pub(crate) fn size(bytes: &[u8]) -> Result<Option<(u32, u32)>, Error> {
    if chunks(bytes).next().is_some_and(|(kind, _)| &kind == b"CgBI") {
        let feature = "Apple's CgBI variant of PNG (convert it back with pngcrush -revert-iphone-optimizations)".into();
        return Err(Error::UnsupportedFeature { format: Format::Png, feature });
    }
    Ok(four(bytes, 16).zip(four(bytes, 20)).map(|(w, h)| (u32::from_be_bytes(w), u32::from_be_bytes(h))))
}

/// The chunks behind the signature that are whole.
struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = ([u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (length, kind) = (u32::from_be_bytes(four(self.0, 0)?) as usize, four(self.0, 4)?);
        let content = self.0.get(8..length.checked_add(8)?)?;
        self.0 = self.0.get(length + 12..).unwrap_or_default();
        Some((kind, content))
    }
}

pub(crate) fn chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    Chunks(bytes.get(8..).unwrap_or_default()).take_while(|(kind, _)| kind != b"IEND")
}

/// The chunk that ends a file, with its checksum.
const END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";

/// The file with its end, where nothing but that is missing. Where pixels are, the decoder notices.
pub(crate) fn pieces(bytes: &[u8]) -> Pieces<'_> {
    let mut at = 8;
    while let (Some(length), Some(kind)) = (four(bytes, at), four(bytes, at + 4)) {
        let length = u32::from_be_bytes(length) as usize;
        match at.checked_add(length + 12).filter(|&end| end <= bytes.len()) {
            Some(_) if &kind == b"IEND" => return Pieces::whole(bytes),
            Some(end) => at = end,
            None if &kind == b"IDAT" => return Pieces::whole(bytes),
            None => break,
        }
    }
    let whole = &bytes[..at.min(bytes.len())];
    Pieces::new([Cow::Borrowed(whole), Cow::Borrowed(END), Cow::Borrowed(&[])])
}

/// The EXIF chunk may stand anywhere. Without one EXIF may be in a text; and without its word for the orientation XMP,
/// which is a text always, may have it.
pub(crate) fn orientation(bytes: &[u8]) -> Option<u32> {
    let found = chunks(bytes).find(|(kind, _)| kind == b"eXIf");
    let in_exif = match found {
        Some((_, content)) => exif::orientation(content),
        None => png_text::in_raw_exif(bytes),
    };
    in_exif.or_else(|| png_text::in_xmp(bytes))
}

/// The colour profile as it is packed.
pub(crate) fn profile(bytes: &[u8]) -> Option<&[u8]> {
    let mut ahead = chunks(bytes).take_while(|(kind, _)| kind != b"IDAT");
    let (_, content) = ahead.find(|(kind, _)| kind == b"iCCP")?;
    // A name, its end, and the number of the only way to pack it.
    let end = content.iter().take(80).position(|&byte| byte == 0)?;
    content.get(end + 1..)?.strip_prefix(b"\0")
}

/// What zlib made of `packed`; `None` where it is damaged or longer than `limit`.
pub(crate) fn inflated(packed: &[u8], limit: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    flate2::read::ZlibDecoder::new(packed).take(limit + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= limit).then_some(bytes)
}

/// What its pixels take, from the kind of pixels in the header and from the chunks beside them.
///
/// The codec keeps texts (as long as they are, or twice that in UTF-8) and the colour profile, inflated, until the
/// picture is decoded; it stops at [`raster::WORKING_MEMORY`], and counts a text once. Of the pixels it holds some rows.
pub(crate) fn raster(bytes: &[u8], width: u32, height: u32) -> Raster {
    let (depth, kind) = (bytes.get(24).copied().unwrap_or(16), bytes.get(25).copied().unwrap_or(6));
    let transparent = chunks(bytes).any(|(kind, _)| &kind == b"tRNS");
    let channels = match kind {
        0 => 1 + u64::from(transparent),
        2 | 3 => 3 + u64::from(transparent),
        4 => 2,
        _ => 4,
    };
    let pixel = channels * if depth == 16 { 2 } else { 1 };
    let beside = chunks(bytes).map(|(kind, content)| match (&kind, content.len() as u64) {
        (b"IDAT" | b"fdAT", _) => 0,
        (b"iCCP", length) => (length * INFLATION).min(raster::WORKING_MEMORY) + length * 2,
        (_, length) => length * 3,
    });
    let beside = beside.sum::<u64>().min(2 * raster::WORKING_MEMORY);
    Raster {
        raw: u64::from(width) * u64::from(height) * pixel,
        codec: beside + u64::from(width) * pixel * 16,
        alpha: Alpha::Straight,
        space: if matches!(kind, 0 | 4) { Space::Grey } else { Space::Rgb },
    }
}
