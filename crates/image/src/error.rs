//! Everything that can be wrong with an image, a region or a wanted size.

use crate::{Format, Region, Text, format};

/// Why an image could not be prepared. Every variant carries its figures, so that a caller can build
/// a detail line or a hint without reading the message.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is larger than [`crate::Limits::max_bytes`].
    #[error("image has {got} bytes, the limit is {limit}")]
    TooManyBytes {
        /// Bytes given.
        got: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The header declares more than [`crate::Limits::max_pixels`]; nothing was decoded.
    #[error("image has {got} pixels, the limit is {limit}")]
    TooManyPixels {
        /// Width times height as the header declares them.
        got: u64,
        /// Pixels allowed.
        limit: u64,
    },
    /// One side is longer than [`crate::MAX_SIDE`], whatever the other one is.
    #[error("image is {width} x {height} pixels, the limit for a side is {limit}")]
    SideTooLong {
        /// Declared width in pixels.
        width: u32,
        /// Declared height in pixels.
        height: u32,
        /// Longest side allowed, in pixels.
        limit: u32,
    },
    /// A JPEG with so many scans that decoding it would take seconds (each one passes over the whole picture).
    #[error("image has {got} JPEG scans, the limit is {limit}")]
    TooManyScans {
        /// Scans in the file.
        got: u64,
        /// Scans allowed for a picture of this size: 24 to 100.
        limit: u64,
    },
    /// A TIFF cut into so many strips or tiles that starting the decompressor for each would take seconds.
    #[error("image has {got} TIFF strips or tiles, the limit is {limit}")]
    TooManyTiles {
        /// Strips or tiles declared.
        got: u64,
        /// Strips or tiles allowed.
        limit: u64,
    },
    /// A TIFF whose tiles are longer than a picture may be.
    #[error("image has TIFF tiles of {width} x {height} pixels, the limit for a side is {limit}")]
    TileTooLong {
        /// Declared width of a tile in pixels.
        width: u32,
        /// Declared height of a tile in pixels.
        height: u32,
        /// Longest side allowed, in pixels.
        limit: u32,
    },
    /// A TIFF whose tiles reach so far beyond the picture that unpacking them would take minutes.
    #[error("image has {got} pixels with the padding of its TIFF tiles, the limit is {limit}")]
    TooMuchPadding {
        /// Pixels of the rows that are unpacked.
        got: u64,
        /// Pixels allowed: twice what a picture may have, 32 million at least.
        limit: u64,
    },
    /// A small picture that asks its codec for much memory.
    #[error("{format} image needs {got} bytes for its {what}, the limit is {limit}")]
    TooMuchMemory {
        /// The format.
        format: Format,
        /// What would take the memory.
        what: &'static str,
        /// Bytes that it would take.
        got: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// No bytes at all.
    #[error("image has no bytes")]
    Empty,
    /// The first bytes belong to no format that this crate can even name.
    #[error("image is in no known image format, it begins with the bytes {begins}")]
    UnknownFormat {
        /// The first bytes (8 at most) in hexadecimal.
        begins: String,
    },
    /// A format that is recognised, but not decoded here.
    #[error("image is {found}, which is not supported")]
    UnsupportedFormat {
        /// What the bytes are: `HEIC`, `SVG`, `a PDF document` …
        found: &'static str,
    },
    /// A text in place of an image.
    #[error("these bytes are {text}, not an image")]
    NoImage {
        /// Which kind of text.
        text: Text,
    },
    /// A supported format that uses a feature which is not.
    #[error("{format} image uses {feature}, which is not supported")]
    UnsupportedFeature {
        /// The format.
        format: Format,
        /// The feature's name.
        feature: String,
    },
    /// Width or height is zero.
    #[error("{format} image is {width} x {height} pixels: there is nothing in it")]
    ZeroSize {
        /// The format.
        format: Format,
        /// Declared width in pixels.
        width: u32,
        /// Declared height in pixels.
        height: u32,
    },
    /// The bytes end before the picture does.
    #[error("{format} image is cut off: its {bytes} bytes end before the picture does")]
    Truncated {
        /// The format.
        format: Format,
        /// Bytes given.
        bytes: usize,
    },
    /// The codec gave up, or the file contradicts itself.
    #[error("{format} image cannot be decoded: {reason}")]
    Damaged {
        /// The format.
        format: Format,
        /// What the codec says: one line, at most 200 characters.
        reason: String,
    },
    /// A coordinate of the region is infinite or not a number.
    #[error("region {region} is not finite (the image is {width} x {height} pixels)")]
    RegionNotFinite {
        /// The region as given.
        region: Region,
        /// Width of the upright image in pixels.
        width: u32,
        /// Height of the upright image in pixels.
        height: u32,
    },
    /// The region has nothing (less than 1/256 of a pixel in a direction) in common with the image.
    #[error("region {region} has nothing in common with the image of {width} x {height} pixels")]
    RegionOutside {
        /// The region as given.
        region: Region,
        /// Width of the upright image in pixels.
        width: u32,
        /// Height of the upright image in pixels.
        height: u32,
    },
    /// The wanted size is zero or larger than [`crate::MAX_SIZE`].
    #[error("wanted size is {got} pixels, it must be from 1 to {limit}")]
    BadSize {
        /// Size asked for, in pixels.
        got: u32,
        /// Largest size allowed, in pixels.
        limit: u32,
    },
}

/// The kinds of [`Error`]: one for each SQLSTATE that a caller reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A limit was exceeded: bytes, pixels, a side, scans, tiles or a codec's memory (SQLSTATE 54000).
    TooLarge,
    /// The bytes are no image that can be decoded (SQLSTATE 22000).
    BadImage,
    /// The region or the size asked for cannot be had, the image itself is fine (SQLSTATE 22000).
    BadRegion,
}

impl Error {
    pub(crate) fn truncated(format: Format, bytes: &[u8]) -> Self {
        Error::Truncated { format, bytes: bytes.len() }
    }

    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::TooManyBytes { .. }
            | Error::TooManyPixels { .. }
            | Error::SideTooLong { .. }
            | Error::TooManyScans { .. }
            | Error::TooManyTiles { .. }
            | Error::TileTooLong { .. }
            | Error::TooMuchPadding { .. }
            | Error::TooMuchMemory { .. } => ErrorKind::TooLarge,
            Error::Empty
            | Error::UnknownFormat { .. }
            | Error::UnsupportedFormat { .. }
            | Error::NoImage { .. }
            | Error::UnsupportedFeature { .. }
            | Error::ZeroSize { .. }
            | Error::Truncated { .. }
            | Error::Damaged { .. } => ErrorKind::BadImage,
            Error::RegionNotFinite { .. } | Error::RegionOutside { .. } | Error::BadSize { .. } => ErrorKind::BadRegion,
        }
    }

    /// What whoever sent the image can do about it: a sentence or two; `None` where the message says it all, or where it
    /// depends on who asked.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::NoImage { text } => Some(text.hint()),
            Error::UnknownFormat { .. } | Error::UnsupportedFormat { .. } => Some(format::READ),
            Error::Empty => Some("Where there is no image, NULL says so."),
            Error::Truncated { .. } => Some("Send the whole file: an upload or a copy of it ended early."),
            Error::Damaged { .. } => Some("If another program shows the image, save it anew with that one."),
            Error::UnsupportedFeature { .. } => Some("Save the image anew, as JPEG or PNG."),
            Error::RegionNotFinite { .. } | Error::RegionOutside { .. } => {
                Some("A region is given in pixels of the upright image.")
            }
            Error::ZeroSize { .. } => Some("Its header is damaged: open it in another program and save it anew."),
            Error::BadSize { .. }
            | Error::TooManyBytes { .. }
            | Error::TooManyPixels { .. }
            | Error::SideTooLong { .. }
            | Error::TooManyScans { .. }
            | Error::TooManyTiles { .. }
            | Error::TileTooLong { .. }
            | Error::TooMuchPadding { .. }
            | Error::TooMuchMemory { .. } => None,
        }
    }
}
