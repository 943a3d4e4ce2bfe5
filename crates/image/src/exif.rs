//! TIFF directories: the orientation inside EXIF data, and the few tags that a TIFF file is checked by.

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
    /// Reads the header and finds the first directory; `None` where it does not begin within the bytes. Of one that
    /// promises more entries than there are bytes it has those that are there.
    pub(crate) fn first(bytes: &'a [u8]) -> Option<Self> {
        let little_endian = match bytes.get(..4)? {
            // Some cameras have the two bytes behind the order's letters in the other order.
            b"II*\0" | b"II\0*" => true,
            b"MM\0*" | b"MM*\0" => false,
            _ => return None,
        };
        let mut directory = Directory { bytes, little_endian, entries: &[] };
        let offset = directory.u32_at(4)? as usize;
        let count = usize::from(directory.u16_at(offset)?);
        let rest = bytes.get(offset.checked_add(2)?..)?;
        directory.entries = &rest[..(count * 12).min(rest.len())];
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

    /// The numbers of a tag, of its first entry; none where they do not lie within the bytes.
    pub(crate) fn numbers(&self, tag: u16) -> Vec<u32> {
        let kind = self.entries(tag).next().and_then(|entry| entry.u16_at(2));
        let Some(bytes) = self.bytes_of(tag) else { return Vec::new() };
        let of = Directory { bytes, little_endian: self.little_endian, entries: &[] };
        let number = |at: usize| match kind {
            Some(1) => of.bytes.get(at).map(|&byte| u32::from(byte)),
            Some(3) => of.u16_at(at * 2).map(u32::from),
            Some(4) => of.u32_at(at * 4),
            _ => None,
        };
        (0..bytes.len()).map_while(number).collect()
    }

    /// Where the first entry of a tag begins in the bytes.
    pub(crate) fn place(&self, tag: u16) -> Option<usize> {
        let index = self.entries.chunks_exact(12).position(|bytes| {
            Directory { bytes, little_endian: self.little_endian, entries: &[] }.u16_at(0) == Some(tag)
        })?;
        let start = self.u32_at(4)? as usize + 2;
        Some(start + index * 12)
    }

    /// An entry of one short number, in the order of this file's bytes.
    pub(crate) fn short_entry(&self, tag: u16, value: u16) -> Vec<u8> {
        let short = |value: u16| if self.little_endian { value.to_le_bytes() } else { value.to_be_bytes() };
        let count = if self.little_endian { 1u32.to_le_bytes() } else { 1u32.to_be_bytes() };
        [&short(tag)[..], &short(3), &count, &short(value), &[0; 2]].concat()
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

    /// The orientation, of the tag's first entry that has a type; `None` where there is none. A value that is not one
    /// whole number is 0, which is no orientation.
    ///
    /// Programs write it in every type there is. That is no reason to show an image lying on its side, where other
    /// programs (Pillow is followed) show it upright.
    pub(crate) fn orientation(&self) -> Option<u32> {
        let known = |entry: &Directory| entry.u16_at(2).is_some_and(|kind| (1..=13).contains(&kind));
        let entry = self.entries(ORIENTATION).find(known)?;
        if entry.u32_at(4) != Some(1) {
            return Some(0);
        }
        let elsewhere = |at: u32| self.u32_at((entry.u32_at(8)? as usize).checked_add(at as usize)?);
        let whole = |value: f64| if value.fract() == 0.0 && (1.0..=8.0).contains(&value) { value as u32 } else { 0 };
        Some(match entry.u16_at(2) {
            Some(6) => u32::from(*entry.bytes.get(8)?),
            Some(3 | 8) => u32::from(entry.u16_at(8)?),
            Some(4 | 9 | 13) => entry.u32_at(8)?,
            Some(5 | 10) => whole(f64::from(elsewhere(0)?) / f64::from(elsewhere(4)?)),
            Some(11) => whole(f64::from(f32::from_bits(entry.u32_at(8)?))),
            // A byte, like a text, is not a number.
            _ => 0,
        })
    }

    /// The bytes that a tag points to, or has; `None` where they are not there.
    pub(crate) fn bytes_of(&self, tag: u16) -> Option<&'a [u8]> {
        let entry = self.entries(tag).next()?;
        let size = *[0, 1, 1, 2, 4, 8, 1, 1, 2, 4].get(usize::from(entry.u16_at(2)?))?;
        let length = (entry.u32_at(4)? as usize).checked_mul(size)?;
        match length {
            0..=4 => entry.bytes.get(8..8 + length),
            _ => {
                let at = entry.u32_at(8)? as usize;
                self.bytes.get(at..at.checked_add(length)?)
            }
        }
    }
}

/// The orientation inside an EXIF block, with or without its `Exif` prefix, which some programs write twice.
pub(crate) fn orientation(block: &[u8]) -> Option<u32> {
    let tiff = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    let tiff = tiff.strip_prefix(b"Exif\0\0").unwrap_or(tiff);
    Directory::first(tiff)?.orientation()
}
