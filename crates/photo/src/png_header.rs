//! A PNG's structure, read without its pixels: size, orientation and what decoding it takes.

use crate::header::{Alpha, Raster, four};
use crate::orient::Orientation;
use crate::{exif, raster};

/// Bytes that one byte of deflate can become at most: a copy of 258 bytes takes two bits.
const INFLATION: u64 = 1032;

pub(crate) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let (width, height) = (four(bytes, 16)?, four(bytes, 20)?);
    Some((u32::from_be_bytes(width), u32::from_be_bytes(height)))
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

fn chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    Chunks(bytes.get(8..).unwrap_or_default()).take_while(|(kind, _)| kind != b"IEND")
}

/// The EXIF chunk may stand anywhere; without one the picture is upright.
pub(crate) fn orientation(bytes: &[u8]) -> Orientation {
    let found = chunks(bytes).find(|(kind, _)| kind == b"eXIf");
    found.map(|(_, content)| exif::orientation(content)).unwrap_or_default()
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
    }
}
