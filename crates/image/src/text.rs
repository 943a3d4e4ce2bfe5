//! Text where an image should be: what people send by mistake, so that the answer can say what to send.

use crate::format;
use std::fmt;

/// What a text is instead of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Text {
    /// The name of a file.
    Path,
    /// An address.
    Url,
    /// `data:image/…`, with an image in base64 behind its comma.
    DataUrl,
    /// An image in base64, in lines or not.
    Base64,
    /// An image in hexadecimal, with `\x` ahead of it or not.
    Hex,
    /// An image in PostgreSQL's old form of bytes, `\377\330…`.
    Escaped,
    /// An image whose bytes went through a conversion to UTF-8.
    Utf8,
    /// Any other text.
    Plain,
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Text::Path => "a path",
            Text::Url => "a URL",
            Text::DataUrl => "a data URL",
            Text::Base64 => "base64 text",
            Text::Hex => "hexadecimal text",
            Text::Escaped => "bytes in the form of escaped text",
            Text::Utf8 => "an image that was converted to UTF-8 as if it were text",
            Text::Plain => "text",
        })
    }
}

impl Text {
    /// What to do about it.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Text::Path => {
                "Send the file's content: pg_read_binary_file(path) has that of a file of the server's; for one of the client's, in psql: \\set image `base64 FILE`, and decode(:'image', 'base64')."
            }
            Text::Url => "Nothing is fetched here: fetch the image, and send its bytes.",
            Text::DataUrl => "Send what is behind the comma, through decode(..., 'base64').",
            Text::Base64 => "Decode it: decode(convert_from(image, 'SQL_ASCII'), 'base64').",
            Text::Hex | Text::Escaped => {
                "Decode it: convert_from(image, 'SQL_ASCII')::bytea where it begins with a backslash, decode(convert_from(image, 'SQL_ASCII'), 'hex') where it does not."
            }
            Text::Utf8 => "Read the file as bytes and not as text, and send them as bytea.",
            Text::Plain => format::READ,
        }
    }
}

/// How an image begins after each of its bytes became a character: JPEG and PNG in UTF-8, and with what cannot be one replaced.
const CONVERTED: [&[u8]; 4] = [
    b"\xc3\xbf\xc3\x98\xc3\xbf",
    b"\xc2\x89PNG\r\n",
    b"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
    b"\xef\xbf\xbdPNG",
];

/// Endings of names of files with pictures.
const ENDINGS: [&str; 13] =
    [".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".svg"];

/// Longest path or address that is taken for one: more is somebody's text.
const LONGEST: usize = 4096;

/// How many bytes behind a base64 or hexadecimal text tell what they are.
const BEGINNING: usize = 16;

/// What kind of text these bytes are, where they are one. `is_text` says whether their beginning reads as text.
pub(crate) fn kind(bytes: &[u8], is_text: bool) -> Option<Text> {
    if CONVERTED.iter().any(|beginning| bytes.starts_with(beginning)) {
        return Some(Text::Utf8);
    }
    if !is_text {
        return None;
    }
    let head = &bytes[..bytes.len().min(LONGEST + 64)];
    let text = String::from_utf8_lossy(head);
    // With quotes around it, it was written for a program.
    let text = text.trim_start_matches('\u{feff}').trim().trim_matches(['"', '\'']).trim();
    let lower = text.to_ascii_lowercase();
    Some(if lower.starts_with("data:image/") {
        Text::DataUrl
    } else if text.starts_with("\\377\\330") || text.starts_with("\\211PNG") {
        Text::Escaped
    } else if is_hex(text) {
        Text::Hex
    } else if base64(text).is_some_and(|bytes| is_known(&bytes)) {
        Text::Base64
    } else if bytes.len() > LONGEST || text.contains('\n') {
        Text::Plain
    } else if lower.starts_with("file:") {
        Text::Path
    } else if has_scheme(text) || lower.starts_with("www.") {
        Text::Url
    } else if is_path(text, &lower) {
        Text::Path
    } else {
        Text::Plain
    })
}

/// `http://`, `s3://` and the like.
fn has_scheme(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        (1..=20).contains(&scheme.len()) && scheme.chars().all(allowed)
    })
}

fn is_path(text: &str, lower: &str) -> bool {
    let drive = matches!(text.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic());
    let begins = ["/", "./", "../", "~/", "\\\\", ".\\", "..\\"].iter().any(|start| text.starts_with(start));
    let ends = ENDINGS.iter().any(|ending| lower.len() > ending.len() && lower.ends_with(ending));
    drive || begins || ends
}

/// An image's bytes in hexadecimal; with `\x` ahead any bytes.
fn is_hex(text: &str) -> bool {
    let (marked, digits) = match text.strip_prefix("\\x").or_else(|| text.strip_prefix("\\\\x")) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix("0x").unwrap_or(text)),
    };
    let mut values = digits.chars().filter(|c| !c.is_ascii_whitespace()).map(|digit| digit.to_digit(16));
    let mut bytes = Vec::new();
    while bytes.len() < BEGINNING {
        match (values.next(), values.next()) {
            (Some(Some(high)), Some(Some(low))) => bytes.push((high << 4 | low) as u8),
            (None, None) => break,
            _ => return false,
        }
    }
    is_known(&bytes) || marked && !bytes.is_empty()
}

/// The first bytes of a base64 text, in either alphabet; `None` where it is none.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
        if bytes.len() == BEGINNING {
            break;
        }
    }
    Some(bytes)
}

/// Whether bytes begin as a picture does, of a format that is read or one of those that phones make.
fn is_known(bytes: &[u8]) -> bool {
    let starts = |beginning: &[u8]| bytes.starts_with(beginning);
    // Of JPEG and BMP more than two bytes: base64 or hexadecimal words begin so by chance.
    starts(b"\xff\xd8\xff")
        || starts(b"\x89PNG")
        || starts(b"GIF8")
        || starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP")
        || starts(b"II*\0")
        || starts(b"MM\0*")
        || bytes.get(4..8) == Some(b"ftyp")
        || starts(b"BM") && bytes.get(6..10) == Some(&[0; 4])
}
