//! Frames: a length, then that many bytes.

use std::io::{ErrorKind, Read, Write};

use crate::faults::{self, Operation};
use crate::{WireError, reserved};

/// Bytes are taken from a stream in pieces of this size, so that a frame that was announced but never comes costs
/// no more memory than what did come.
const PIECE: usize = 1 << 20;

/// Writes one frame.
///
/// # Errors
/// The message does not fit a frame's length, or the stream failed.
pub fn write_frame(stream: &mut impl Write, message: &[u8]) -> Result<(), WireError> {
    faults::check(Operation::Write)?;
    let length = u32::try_from(message.len())
        .map_err(|_| WireError::TooLarge { got: message.len(), limit: u32::MAX as usize })?;
    stream.write_all(&length.to_le_bytes())?;
    stream.write_all(message)?;
    stream.flush()?;
    Ok(())
}

/// Reads one frame of at most `limit` bytes, waiting for it.
///
/// # Errors
/// [`WireError::Closed`] where the stream ends between two frames; an end within a frame is an I/O error.
pub fn read_frame(stream: &mut impl Read, limit: usize) -> Result<Vec<u8>, WireError> {
    let length = read_length(stream, limit)?;
    read_body(stream, length)
}

/// Reads a frame's length, at most `limit`, waiting for it: for a reader that has to find room for the rest first.
///
/// # Errors
/// As [`read_frame`].
pub fn read_length(stream: &mut impl Read, limit: usize) -> Result<usize, WireError> {
    faults::check(Operation::Read)?;
    let mut header = [0; 4];
    let mut have = 0;
    while have < header.len() {
        match stream.read(&mut header[have..]) {
            Ok(0) if have == 0 => return Err(WireError::Closed),
            Ok(0) => return Err(std::io::Error::from(ErrorKind::UnexpectedEof).into()),
            Ok(n) => have += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e.into()),
        }
    }
    checked_length(header, limit)
}

/// Reads the `length` bytes after a frame's length.
///
/// # Errors
/// The stream failed or ended before.
pub fn read_body(stream: &mut impl Read, length: usize) -> Result<Vec<u8>, WireError> {
    let mut frame = Vec::with_capacity(length.min(PIECE));
    let got = stream.take(length as u64).read_to_end(&mut frame)?;
    if got < length {
        return Err(std::io::Error::from(ErrorKind::UnexpectedEof).into());
    }
    Ok(frame)
}

fn checked_length(header: [u8; 4], limit: usize) -> Result<usize, WireError> {
    let got = u32::from_le_bytes(header) as usize;
    if got > limit {
        return Err(WireError::TooLarge { got, limit });
    }
    Ok(got)
}

/// Puts a frame together from whatever pieces a non-blocking socket gives.
#[derive(Debug)]
pub struct FrameReader {
    limit: usize,
    buffer: Vec<u8>,
}

impl FrameReader {
    /// A reader of frames of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, buffer: Vec::new() }
    }

    /// Adds bytes that arrived.
    ///
    /// # Errors
    /// There is no memory for them.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let wanted = self.buffer.len() + bytes.len();
        self.buffer.try_reserve(bytes.len()).map_err(|_| WireError::NoMemory(wanted))?;
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole frame, if it is there.
    ///
    /// # Errors
    /// A frame over the limit was announced, or there is no memory for what follows it.
    pub fn take_frame(&mut self) -> Result<Option<Vec<u8>>, WireError> {
        let Some(header) = self.buffer.first_chunk::<4>() else {
            return Ok(None);
        };
        let length = checked_length(*header, self.limit)?;
        let Some(rest) = self.buffer.get(4 + length..) else {
            return Ok(None);
        };
        // What follows is little, mostly nothing: the frame itself stays in its place.
        let mut next = reserved(rest.len())?;
        next.extend_from_slice(rest);
        let mut frame = std::mem::replace(&mut self.buffer, next);
        frame.truncate(4 + length);
        frame.drain(..4);
        Ok(Some(frame))
    }
}
