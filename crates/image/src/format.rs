//! Which format the bytes are in. Content decides: names and declared types lie.

use crate::{Error, text};
use std::fmt;

/// An image format that this crate decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG: baseline or progressive, grey, colour or CMYK.
    Jpeg,
    /// PNG, every colour type and depth; of an animated one the default picture.
    Png,
    /// WebP, lossy or lossless; of an animated one the first frame.
    WebP,
    /// GIF: the first frame.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// TIFF: the first page.
    Tiff,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Jpeg => "JPEG",
            Format::Png => "PNG",
            Format::WebP => "WebP",
            Format::Gif => "GIF",
            Format::Bmp => "BMP",
            Format::Tiff => "TIFF",
        })
    }
}

/// What is read, for whoever sends something else.
pub(crate) const READ: &str = "JPEG, PNG, WebP, GIF, BMP and TIFF are read.";

/// Signatures of formats that people do send and that are refused by name.
const REFUSED: &[(&[u8], &str)] = &[
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"8BPS", "a Photoshop document (PSD)"),
    (b"%!PS", "PostScript"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"II\xbc", "JPEG XR"),
    (b"II+\0", "BigTIFF"),
    (b"MM\0+", "BigTIFF"),
    (b"\0\0\x01\0", "a Windows icon (ICO)"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"DDS ", "DDS"),
    (b"qoif", "QOI"),
    (b"\x1aE\xdf\xa3", "Matroska or WebM video"),
    (b"OggS", "Ogg media"),
    (b"BZh", "bzip2-compressed data"),
    (b"\xfd7zXZ", "xz-compressed data"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x7fELF", "a program (ELF)"),
];

/// Names the format of `bytes`, or says why there is none.
///
/// # Errors
/// [`Error::UnsupportedFormat`] for what is known but not decoded, [`Error::NoImage`] for text, [`Error::UnknownFormat`]
/// else.
pub(crate) fn detect(bytes: &[u8]) -> Result<Format, Error> {
    let starts = |signature: &[u8]| bytes.starts_with(signature);
    if starts(b"\xff\xd8") {
        Ok(Format::Jpeg)
    } else if starts(b"\x89PNG\r\n\x1a\n") {
        Ok(Format::Png)
    } else if starts(b"GIF87a") || starts(b"GIF89a") {
        Ok(Format::Gif)
    } else if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Ok(Format::WebP)
    } else if starts(b"II*\0") || starts(b"MM\0*") {
        Ok(Format::Tiff)
    } else if starts(b"BM") && !looks_like_text(bytes) {
        Ok(Format::Bmp)
    } else if let Some(found) = refused(bytes) {
        Err(Error::UnsupportedFormat { found })
    } else if let Some(text) = text::kind(bytes, looks_like_text(bytes)) {
        Err(Error::NoImage { text })
    } else {
        let begins: Vec<String> = bytes.iter().take(8).map(|b| format!("{b:02x}")).collect();
        Err(Error::UnknownFormat { begins: begins.join(" ") })
    }
}

fn refused(bytes: &[u8]) -> Option<&'static str> {
    if bytes.get(4..8) == Some(b"ftyp") {
        return Some(match bytes.get(8..12) {
            Some(b"avif" | b"avis") => "AVIF",
            Some(b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx") => "HEIC",
            Some(b"mif1" | b"msf1") => heif_brand(bytes),
            _ => "MP4 or QuickTime video",
        });
    }
    if bytes.starts_with(b"RIFF") {
        return Some("a RIFF file other than WebP");
    }
    if let Some((_, name)) = REFUSED.iter().find(|(sign, _)| bytes.starts_with(sign)) {
        return Some(name);
    }
    if !looks_like_text(bytes) {
        return None;
    }
    let head: String = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_lowercase();
    let head = head.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if head.starts_with("<!doctype html") || head.contains("<html") {
        Some("HTML (an error page saved as a picture?)")
    } else if head.starts_with("<svg") || head.contains("<svg") {
        Some("SVG")
    } else if head.starts_with("<?xml") {
        Some("XML")
    } else {
        None
    }
}

/// Files of the common HEIF brand name the coding among their further brands.
fn heif_brand(bytes: &[u8]) -> &'static str {
    let brands = bytes.get(16..bytes.len().min(64)).unwrap_or_default();
    if brands.chunks_exact(4).any(|b| b == b"avif") { "AVIF" } else { "HEIC" }
}

/// Whether the first 512 bytes could be text: valid UTF-8 up to a cut character, no control characters but white space.
fn looks_like_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(512)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(e) if e.error_len().is_none() => std::str::from_utf8(&head[..e.valid_up_to()]).unwrap_or_default(),
        Err(_) => return false,
    };
    !text.is_empty() && text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace())
}
