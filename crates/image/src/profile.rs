//! Where a file keeps its colour profile (ICC).

use crate::exif::Directory;
use crate::{Format, jpeg_header, png_header, tiff, webp_header};

/// Longest profile that is read. Those of cameras have 500 bytes, those of scanners and presses up to 3 MB.
const LONGEST: u64 = 4 << 20;

/// The most bytes that [`read`] gives for a file; 0 where it has no profile. Nothing is unpacked for it.
pub(crate) fn bound(format: Format, bytes: &[u8]) -> u64 {
    let length = match format {
        Format::Jpeg => jpeg_header::profile(bytes).iter().map(|piece| piece.len() as u64).sum(),
        Format::Png => png_header::profile(bytes).map_or(0, |packed| packed.len() as u64 * png_header::INFLATION),
        Format::WebP => webp_header::profile(bytes).map_or(0, |content| content.len() as u64),
        Format::Tiff => in_tiff(bytes).map_or(0, |content| content.len() as u64),
        Format::Gif | Format::Bmp => 0,
    };
    match format {
        // What turns out to be longer is let go, but not before that much of it was unpacked.
        Format::Png => length.min(LONGEST),
        _ if length > LONGEST => 0,
        _ => length,
    }
}

/// The profile; `None` where there is none, or it is longer than any that makes sense.
pub(crate) fn read(format: Format, bytes: &[u8]) -> Option<Vec<u8>> {
    if bound(format, bytes) == 0 {
        return None;
    }
    Some(match format {
        Format::Jpeg => jpeg_header::profile(bytes).concat(),
        Format::Png => png_header::inflated(png_header::profile(bytes)?, LONGEST)?,
        Format::WebP => webp_header::profile(bytes)?.to_vec(),
        Format::Tiff => in_tiff(bytes)?.to_vec(),
        Format::Gif | Format::Bmp => return None,
    })
}

fn in_tiff(bytes: &[u8]) -> Option<&[u8]> {
    Directory::first(bytes)?.bytes_of(tiff::PROFILE)
}
