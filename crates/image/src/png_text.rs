//! Orientations in a PNG's texts: EXIF in hexadecimal, as ImageMagick writes it, and XMP.

use crate::png_header::{chunks, inflated};
use crate::{exif, xmp};
use std::borrow::Cow;

/// Longest text that is unpacked: an EXIF block has 64 KB at most, which are 128 KB of hexadecimal.
const LONGEST: u64 = 256 << 10;

/// The names under which EXIF is found in a text.
const RAW_EXIF: [&[u8]; 2] = [b"Raw profile type exif", b"Raw profile type APP1"];

/// The orientation in EXIF that a text has.
pub(crate) fn in_raw_exif(bytes: &[u8]) -> Option<u32> {
    texts(bytes, &RAW_EXIF).find_map(|text| exif::orientation(&raw(&text)?))
}

/// The orientation in XMP, which is a text of its own name, or a raw one.
pub(crate) fn in_xmp(bytes: &[u8]) -> Option<u32> {
    let plain = texts(bytes, &[b"XML:com.adobe.xmp"]).find_map(|text| xmp::orientation(&text));
    plain.or_else(|| texts(bytes, &[b"Raw profile type xmp"]).find_map(|text| xmp::orientation(&raw(&text)?)))
}

/// Most texts of a name that are unpacked: a file could have a hundred thousand.
const MOST: usize = 3;

/// The first texts of these names, unpacked.
fn texts<'a>(bytes: &'a [u8], names: &'a [&'a [u8]]) -> impl Iterator<Item = Cow<'a, [u8]>> {
    let named = chunks(bytes).filter_map(|(kind, content)| {
        let (name, rest) = split(content).filter(|_| matches!(&kind, b"tEXt" | b"zTXt" | b"iTXt"))?;
        names.contains(&name).then_some((kind, rest))
    });
    named.take(MOST).filter_map(|(kind, rest)| match &kind {
        b"tEXt" => Some(Cow::Borrowed(rest)),
        b"zTXt" => Some(Cow::Owned(inflated(rest.strip_prefix(b"\0")?, LONGEST)?)),
        _ => {
            // Whether it is packed, and how; its language; its name in that language.
            let (&[packed, method], rest) = rest.split_first_chunk()?;
            let (_, text) = split(split(rest)?.1)?;
            match (packed, method) {
                (0, _) => Some(Cow::Borrowed(text)),
                (_, 0) => Some(Cow::Owned(inflated(text, LONGEST)?)),
                _ => None,
            }
        }
    })
}

/// What is ahead of the first zero, and what is behind it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// A raw profile's bytes: a line's end, the kind, the length, and then hexadecimal in lines.
fn raw(text: &[u8]) -> Option<Vec<u8>> {
    let mut lines = text.splitn(4, |&byte| byte == b'\n');
    let digits = lines.nth(3)?;
    let digits = &digits[..digits.len().min(LONGEST as usize)];
    let mut values = digits.iter().filter_map(|&digit| char::from(digit).to_digit(16).map(|value| value as u8));
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    while let (Some(high), Some(low)) = (values.next(), values.next()) {
        bytes.push(high << 4 | low);
    }
    Some(bytes)
}
