//! A WebP's structure, read without its pixels: size, the picture that will be decoded, and what that takes.
//!
//! The canvas of an extended file is only a claim: its picture has a size of its own, which the codec
//! follows. A canvas of 1 x 1 could hide a picture of 16,383 x 16,383 pixels.

use crate::conversion::Space;
use crate::guard::damaged;
use crate::header::{Alpha, Raster, four, two};
use crate::pieces::Pieces;
use crate::{Error, Format, exif, vp8l, xmp};

/// Most bytes of Huffman tables for one lossless picture. libwebp writes at most 2,600 groups of codes, which is 50 KB
/// for each; 12 million pixels of many images took 3.5 MB.
const MAX_TABLES: u64 = 128 << 20;

/// Flags of an extended file.
const ANIMATED: u8 = 0b10;
const ALPHA: u8 = 0b1_0000;

/// Of the flags, those for a colour profile, EXIF and XMP: the codec needs none of them, and refuses a file that has one
/// of them and not the chunk, as many on the web are.
const BESIDE: u8 = 0b10_1100;

/// The file with no more flags than the chunks that there are.
pub(crate) fn pieces(bytes: &[u8]) -> Pieces<'_> {
    match (four(bytes, 12), bytes.get(20)) {
        (Some(kind), Some(&flags)) if &kind == b"VP8X" => {
            let flags = flags & !BESIDE;
            let flags = if is_animated(bytes, flags) { flags } else { flags & !ANIMATED };
            Pieces::patched(bytes, 20, vec![flags])
        }
        _ => Pieces::whole(bytes),
    }
}

/// Whether it is announced as an animation and has a frame.
fn is_animated(bytes: &[u8], flags: u8) -> bool {
    flags & ANIMATED != 0 && further(bytes).any(|(kind, _)| &kind == b"ANMF")
}

/// The orientation in its EXIF, or else in its XMP.
pub(crate) fn orientation(bytes: &[u8]) -> Option<u32> {
    let in_exif = beside(bytes, b"EXIF").and_then(exif::orientation);
    in_exif.or_else(|| beside(bytes, b"XMP ").and_then(xmp::orientation))
}

/// The colour profile.
pub(crate) fn profile(bytes: &[u8]) -> Option<&[u8]> {
    beside(bytes, b"ICCP")
}

/// The first chunk of a kind that is not the picture.
fn beside<'a>(bytes: &'a [u8], wanted: &[u8; 4]) -> Option<&'a [u8]> {
    let mut chunks = Chunks(bytes.get(12..).unwrap_or_default());
    chunks.find(|(kind, _)| kind == wanted).map(|(_, content)| content)
}

/// The first chunk decides: a lossy or lossless picture, or the canvas of an extended file.
pub(crate) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let content = bytes.get(20..)?;
    match &four(bytes, 12)? {
        b"VP8 " => lossy_size(content),
        b"VP8L" => lossless_size(content),
        b"VP8X" => {
            // The height is the last three bytes of the chunk: read it from one byte earlier.
            Some((three(content, 4)? + 1, (u32::from_le_bytes(four(content, 6)?) >> 8) + 1))
        }
        _ => None,
    }
}

fn lossy_size(content: &[u8]) -> Option<(u32, u32)> {
    Some((two(content, 6)? & 0x3fff, two(content, 8)? & 0x3fff))
}

fn lossless_size(content: &[u8]) -> Option<(u32, u32)> {
    let bits = u32::from_le_bytes(four(content, 1)?);
    Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
}

fn three(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(four(bytes, at)?) & 0xff_ffff)
}

/// The chunks of a file or of an animation's frame. One that is cut off has the bytes that are there.
pub(crate) struct Chunks<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = ([u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, length) = (four(self.0, 0)?, u32::from_le_bytes(four(self.0, 4)?) as usize);
        let content = &self.0[8..];
        let (content, rest) = content.split_at(length.min(content.len()));
        self.0 = rest.get(length % 2..).unwrap_or_default();
        Some((kind, content))
    }
}

/// What the picture within `width` x `height` pixels takes; refused where it is not the picture that it says it is.
pub(crate) fn raster(bytes: &[u8], width: u32, height: u32) -> Result<Raster, Error> {
    let canvas = Sides { width, height };
    let (first, content) =
        Chunks(bytes.get(12..).unwrap_or_default()).next().ok_or_else(|| Error::truncated(Format::WebP, bytes))?;
    let cost =
        |raw: u64, codec| Raster { raw: canvas.pixels() * raw, codec, alpha: Alpha::Straight, space: Space::Rgb };
    match &first {
        b"VP8 " => Ok(cost(3, lossy(content, canvas)?)),
        b"VP8L" => {
            let (codec, alpha) = (lossless(content, canvas)?, content.get(4).is_some_and(|b| b & 0b1_0000 != 0));
            Ok(if alpha { cost(4, codec) } else { cost(3, codec + canvas.pixels() * 4) })
        }
        _ => {
            let flags = content.first().copied().unwrap_or(0);
            let raw = if flags & ALPHA != 0 { 4 } else { 3 };
            let codec = match is_animated(bytes, flags) {
                false => still(bytes, canvas, raw == 4)?,
                true => animated(bytes, canvas)?,
            };
            Ok(cost(raw, codec))
        }
    }
}

/// The chunks behind the first one, up to where the file says it ends.
fn further(bytes: &[u8]) -> Chunks<'_> {
    let riff = u64::from(four(bytes, 4).map_or(0, u32::from_le_bytes));
    let first = u64::from(four(bytes, 16).map_or(0, u32::from_le_bytes));
    let start = 20 + first + first % 2;
    // The codec takes the end of the file from where the second chunk begins.
    let end = (start + riff.saturating_sub(12)).min(bytes.len() as u64);
    Chunks(bytes.get(start as usize..end as usize).unwrap_or_default())
}

/// The codec's share of an extended file without an animation. Of two chunks of a kind the first one counts.
fn still(bytes: &[u8], canvas: Sides, alpha: bool) -> Result<u64, Error> {
    let find = |wanted: &[u8; 4]| further(bytes).find(|(kind, _)| kind == wanted).map(|(_, content)| content);
    if find(b"ANMF").is_some() {
        return Err(odd("it has frames of an animation that its header does not announce"));
    }
    match (find(b"VP8 "), find(b"VP8L")) {
        (Some(content), None) => {
            let picture = lossy(content, canvas)?;
            Ok(match find(b"ALPH") {
                Some(content) if alpha => picture + alphas(content, canvas)?,
                _ => picture,
            })
        }
        (None, Some(content)) if alpha => lossless(content, canvas),
        (None, Some(content)) => Ok(lossless(content, canvas)? + canvas.pixels() * 4),
        (Some(_), Some(_)) => Err(odd("it has two pictures in it")),
        (None, None) => Err(Error::truncated(Format::WebP, bytes)),
    }
}

/// The codec's share of an animation: its first frame, which is then put on a canvas of four bytes a pixel.
fn animated(bytes: &[u8], canvas: Sides) -> Result<u64, Error> {
    let cut = || Error::truncated(Format::WebP, bytes);
    let (_, content) = further(bytes).find(|(kind, _)| kind == b"ANMF").ok_or_else(cut)?;
    let number = |at| three(content, at).ok_or_else(cut);
    let (left, top) = (number(0)? * 2, number(3)? * 2);
    let frame = Sides { width: number(6)? + 1, height: number(9)? + 1 };
    let (right, bottom) = (left + frame.width, top + frame.height);
    if right > canvas.width || bottom > canvas.height {
        let Sides { width, height } = canvas;
        let words = format!("its first frame reaches to {right} x {bottom} pixels, its canvas to {width} x {height}");
        return Err(odd(&words));
    }
    let mut chunks = Chunks(content.get(16..).unwrap_or_default());
    let (kind, content) = chunks.next().ok_or_else(cut)?;
    // The frame with all that it was made from, and the canvas. What the codec has freed by then counts: a picture of
    // a million pixels kept it on the heap, and took 14 bytes a pixel and not 12.
    let composed = |decoding: u64, pixel: u64| decoding + frame.pixels() * pixel + canvas.pixels() * 4;
    match &kind {
        b"VP8 " => Ok(composed(lossy(content, frame)?, 3)),
        b"VP8L" => Ok(composed(lossless(content, frame)?, 4)),
        b"ALPH" => {
            let (kind, picture) = chunks.next().ok_or_else(cut)?;
            if &kind != b"VP8 " {
                return Err(odd("the alpha channel of its first frame has no picture"));
            }
            Ok(alphas(content, frame)?.max(composed(lossy(picture, frame)?, 5)))
        }
        _ => Err(odd("its first frame has no picture")),
    }
}

#[derive(Clone, Copy, PartialEq)]
struct Sides {
    width: u32,
    height: u32,
}

impl Sides {
    fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Refuses a picture of other sides than these.
    fn check(self, got: Option<(u32, u32)>) -> Result<(), Error> {
        match got {
            Some((width, height)) if (Sides { width, height }) == self => Ok(()),
            Some((width, height)) => {
                let Sides { width: w, height: h } = self;
                Err(odd(&format!("its picture is {width} x {height} pixels, its header says {w} x {h}")))
            }
            None => Err(odd("its picture is cut off")),
        }
    }
}

fn odd(words: &str) -> Error {
    damaged(Format::WebP, words)
}

/// What a lossy picture takes: three planes in blocks of 16 x 16 (the colours at half the sides), two times 30 bytes
/// for each block, rows, and its own bytes three times while they are copied.
fn lossy(content: &[u8], sides: Sides) -> Result<u64, Error> {
    let start = content.get(..6).ok_or_else(|| odd("its picture is cut off"))?;
    if start[0] & 1 != 0 || start[3..] != [0x9d, 0x01, 0x2a] {
        return Err(odd("its picture does not begin as one"));
    }
    sides.check(lossy_size(content))?;
    let blocks = u64::from(sides.width.div_ceil(16)) * u64::from(sides.height.div_ceil(16));
    Ok(blocks * (384 + 60) + u64::from(sides.width) * 16 + content.len() as u64 * 3)
}

fn lossless(content: &[u8], sides: Sides) -> Result<u64, Error> {
    if content.first() != Some(&0x2f) {
        return Err(odd("its picture does not begin as one"));
    }
    sides.check(lossless_size(content))?;
    lossless_bits(content.get(5..).unwrap_or_default(), sides)
}

/// What a lossless picture takes besides four bytes a pixel: its tables, and pictures of one pixel for each block of
/// 4 x 4 or more: the predictors, the colour transform and the group numbers, which are together less than a byte a pixel.
fn lossless_bits(bits: &[u8], sides: Sides) -> Result<u64, Error> {
    let tables =
        vp8l::table_bytes(bits, sides.width, sides.height).ok_or_else(|| odd("its Huffman codes are damaged"))?;
    if tables > MAX_TABLES {
        return Err(Error::TooMuchMemory {
            format: Format::WebP,
            what: "Huffman tables",
            got: tables,
            limit: MAX_TABLES,
        });
    }
    Ok(tables + sides.pixels() + u64::from(sides.width + sides.height) * 4)
}

/// What an alpha channel takes: one byte a pixel, and a lossless picture first where it is coded as one.
fn alphas(content: &[u8], sides: Sides) -> Result<u64, Error> {
    match content.first() {
        Some(coding) if coding & 0b11 == 1 => Ok(lossless_bits(&content[1..], sides)? + sides.pixels() * 5),
        _ => Ok(sides.pixels()),
    }
}
