//! JPEGs inside a TIFF, checked before they are decoded: each says its own size, past the directory's.

use crate::guard::damaged;
use crate::jpeg_header::{self, Markers, SOS};
use crate::tiff::{Pieces, Tags, unsupported};
use crate::tiff_kind::Layout;
use crate::{Error, Format};

/// The most bytes that decoding one of the pieces takes.
///
/// # Errors
/// [`Error::Damaged`] where a piece is no JPEG of the size and the channels that the directory says.
pub(crate) fn check(bytes: &[u8], tags: &Tags, layout: &Layout, pieces: &Pieces) -> Result<u64, Error> {
    if layout.bits != 8 {
        return Err(unsupported(format!("JPEG compression of {} bits a sample", layout.bits)));
    }
    let channels = if layout.planar { 1 } else { layout.stored };
    // Pieces that lie over one another would be read as often as there are of them.
    let together: u64 = pieces.places.iter().map(|&(_, length)| u64::from(length)).sum();
    if together > 2 * bytes.len() as u64 {
        return Err(damaged(Format::Tiff, "its JPEG pieces lie over one another"));
    }
    let mut longest = 0;
    for &(at, length) in &pieces.places {
        let (start, end) = (at as usize, at as usize + length as usize);
        let piece = bytes.get(start..end).ok_or_else(|| Error::truncated(Format::Tiff, bytes))?;
        check_one(piece, channels, pieces)?;
        longest = longest.max(u64::from(length));
    }
    let tables = tags.0.numbers(TABLES).len() as u64;
    // The samples, whole blocks of them, and the file's part twice while its tables are put ahead of it.
    let side = |side: u32| u64::from(side.next_multiple_of(16));
    let samples = side(pieces.width) * side(pieces.height) * channels;
    Ok(samples * 2 + (longest + tables) * 2 + side(pieces.width) * 256)
}

/// Tables that all pieces share.
const TABLES: u16 = 347;

fn check_one(piece: &[u8], channels: u64, pieces: &Pieces) -> Result<(), Error> {
    let odd = |words: &str| damaged(Format::Tiff, words);
    if !piece.starts_with(b"\xff\xd8") {
        return Err(odd("one of its JPEG pieces does not begin as one"));
    }
    let mut markers = Markers { bytes: piece, at: 2 };
    let mut frames = 0;
    while let Some((code, _)) = markers.next() {
        match code {
            SOS => break,
            0xc0..=0xcf if !matches!(code, 0xc4 | 0xc8 | 0xcc) => {
                let content = markers.segment()?;
                if code > 0xc1 {
                    return Err(unsupported("JPEG compression other than baseline".to_string()));
                }
                let frame = jpeg_header::read_frame(code, content)?;
                // The last strip may be lower than the others.
                if frame.width != pieces.width || frame.height > pieces.height.next_multiple_of(16) {
                    let (w, h) = (frame.width, frame.height);
                    let words = format!(
                        "a JPEG in it is {w} x {h} pixels, its pieces are {} x {}",
                        pieces.width, pieces.height
                    );
                    return Err(odd(&words));
                }
                if frame.channels() as u64 != channels {
                    return Err(odd(&format!("a JPEG in it has {} channels, it has {channels}", frame.channels())));
                }
                frames += 1;
            }
            _ => {
                markers.segment()?;
            }
        }
    }
    if frames != 1 {
        return Err(odd(&format!("a JPEG in it has {frames} frame headers")));
    }
    Ok(())
}
