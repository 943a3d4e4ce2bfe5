//! A file with some of its bytes replaced, for decoders that refuse what can be understood.
//!
//! Only the replaced bytes are copied: the decoder reads the pieces one after the other as if they were one file.

use std::borrow::Cow;
use std::io::{BufRead, Error, ErrorKind, Read, Result, Seek, SeekFrom};

/// Three pieces of one file.
pub(crate) struct Pieces<'a> {
    pieces: [Cow<'a, [u8]>; 3],
    at: u64,
}

impl<'a> Pieces<'a> {
    pub(crate) fn new(pieces: [Cow<'a, [u8]>; 3]) -> Self {
        Pieces { pieces, at: 0 }
    }

    /// The bytes as they are.
    pub(crate) fn whole(bytes: &'a [u8]) -> Self {
        Self::new([Cow::Borrowed(bytes), Cow::Borrowed(&[]), Cow::Borrowed(&[])])
    }

    /// The bytes with `new` in place of as many from `at` on.
    pub(crate) fn patched(bytes: &'a [u8], at: usize, new: Vec<u8>) -> Self {
        match bytes.get(at + new.len()..) {
            Some(rest) => Self::new([Cow::Borrowed(&bytes[..at]), Cow::Owned(new), Cow::Borrowed(rest)]),
            None => Self::whole(bytes),
        }
    }

    fn length(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.len() as u64).sum()
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let from = self.fill_buf()?;
        let count = from.len().min(into.len());
        into[..count].copy_from_slice(&from[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Pieces<'_> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        let mut at = self.at;
        for piece in &self.pieces {
            match piece.get(at as usize..) {
                Some(rest) if !rest.is_empty() => return Ok(rest),
                _ => at = at.saturating_sub(piece.len() as u64),
            }
        }
        Ok(&[])
    }

    fn consume(&mut self, count: usize) {
        self.at += count as u64;
    }
}

impl Seek for Pieces<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let to = match to {
            SeekFrom::Start(to) => Some(to),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.length().checked_add_signed(by),
        };
        self.at = to.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_read_as_one_file_from_everywhere() {
        let mut pieces = Pieces::patched(b"0123456789", 3, b"abc".to_vec());
        for start in 0..=12 {
            let mut read = String::new();
            pieces.seek(SeekFrom::Start(start)).unwrap();
            pieces.read_to_string(&mut read).unwrap();
            assert_eq!(read, "012abc6789".get(start as usize..).unwrap_or_default());
        }
        assert_eq!(pieces.seek(SeekFrom::End(-1)).unwrap(), 9);
        assert_eq!(pieces.seek(SeekFrom::Current(-3)).unwrap(), 6);
        assert!(pieces.seek(SeekFrom::Current(-7)).is_err());
        // A place behind the end changes nothing.
        assert_eq!(Pieces::patched(b"0123", 2, b"abc".to_vec()).length(), 4);
    }
}
