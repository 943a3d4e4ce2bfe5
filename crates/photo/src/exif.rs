//! TIFF directories: the orientation inside EXIF data, and the few tags that a TIFF file is checked by.

use crate::orient::Orientation;

/// The tag that says how the stored picture is to be turned.
pub(crate) const ORIENTATION: u16 = 0x0112;

/// The first directory of TIFF-structured bytes. Every read is checked against the length.
pub(crate) struct Directory<'a> {
    bytes: &'a [u8],
    little_endian: bool,
    entries: &'a [u8],
}

/// What [`Directory::value`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    /// The tag isn't there.
    Absent,
    /// One unsigned number.
    Value(u32),
    /// There, but not one unsigned number, or there twice.
    Odd,
}

impl<'a> Directory<'a> {
    /// Reads the header and finds the first directory; `None` where there is none within the bytes.
    pub(crate) fn first(bytes: &'a [u8]) -> Option<Self> {
        let little_endian = match bytes.get(..4)? {
            b"II*\0" => true,
            b"MM\0*" => false,
            _ => return None,
        };
        let mut directory = Directory { bytes, little_endian, entries: &[] };
        let offset = directory.u32_at(4)? as usize;
        let count = usize::from(directory.u16_at(offset)?);
        let start = offset.checked_add(2)?;
        directory.entries = bytes.get(start..start.checked_add(count * 12)?)?;
        Some(directory)
    }

    fn u16_at(&self, at: usize) -> Option<u16> {
        let two: [u8; 2] = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(match self.little_endian {
            true => u16::from_le_bytes(two),
            false => u16::from_be_bytes(two),
        })
    }

    fn u32_at(&self, at: usize) -> Option<u32> {
        let four: [u8; 4] = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(match self.little_endian {
            true => u32::from_le_bytes(four),
            false => u32::from_be_bytes(four),
        })
    }

    /// The value of a tag that holds one unsigned number.
    pub(crate) fn value(&self, tag: u16) -> Tag {
        let mut found = Tag::Absent;
        for entry in self.entries(tag) {
            if found != Tag::Absent {
                return Tag::Odd;
            }
            found = match (entry.u16_at(2), entry.u32_at(4)) {
                (Some(1), Some(1)) => entry.bytes.get(8).map(|&b| u32::from(b)),
                (Some(3), Some(1)) => entry.u16_at(8).map(u32::from),
                (Some(4), Some(1)) => entry.u32_at(8),
                _ => None,
            }
            .map_or(Tag::Odd, Tag::Value);
        }
        found
    }

    /// The entries of a tag.
    fn entries(&self, tag: u16) -> impl Iterator<Item = Directory<'a>> {
        let little_endian = self.little_endian;
        let entries = self.entries.chunks_exact(12).map(move |bytes| Directory { bytes, little_endian, entries: &[] });
        entries.filter(move |entry| entry.u16_at(0) == Some(tag))
    }

    /// How many numbers a tag has; 0 where it isn't there.
    pub(crate) fn count(&self, tag: u16) -> u32 {
        self.entries(tag).filter_map(|entry| entry.u32_at(4)).max().unwrap_or(0)
    }

    /// The first of the numbers of a tag.
    pub(crate) fn first_of(&self, tag: u16) -> Tag {
        let mut entries = self.entries(tag);
        match (entries.next(), entries.next()) {
            (None, _) => Tag::Absent,
            (Some(entry), None) => self.first_in(&entry).map_or(Tag::Odd, Tag::Value),
            _ => Tag::Odd,
        }
    }

    fn first_in(&self, entry: &Directory) -> Option<u32> {
        let (kind, count) = (entry.u16_at(2)?, entry.u32_at(4)?);
        let size = [0, 1, 0, 2, 4].get(usize::from(kind)).filter(|&&size| size > 0)?;
        // What fits into four bytes stands in the entry itself, all else where it points.
        let (bytes, at) = match count.checked_mul(*size)? {
            0 => return None,
            1..=4 => (entry, 8),
            _ => (self, entry.u32_at(8)? as usize),
        };
        match kind {
            1 => bytes.bytes.get(at).map(|&b| u32::from(b)),
            3 => bytes.u16_at(at).map(u32::from),
            _ => bytes.u32_at(at),
        }
    }

    /// The orientation; upright where the tag is missing or makes no sense.
    pub(crate) fn orientation(&self) -> Orientation {
        match self.value(ORIENTATION) {
            Tag::Value(value) => Orientation::from_exif(value),
            Tag::Absent | Tag::Odd => Orientation::default(),
        }
    }
}

/// The orientation inside an EXIF block, with or without its `Exif` prefix.
pub(crate) fn orientation(block: &[u8]) -> Orientation {
    let tiff = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    Directory::first(tiff).map_or(Orientation::default(), |d| d.orientation())
}
