//! The protocol between a backend and the engine, version 5.
//!
//! A frame is a length (u32, little-endian) and that many bytes: one message, serde through bincode. A client says
//! [`Request::Hello`] first; the engine answers [`Reply::Hello`] or [`Reply::Refused`] and closes. Then every request
//! carries an id that its reply repeats. Lengths are checked against a cap before anything is allocated, and a message
//! that leaves bytes over in its frame is refused.
//!
//! Only this crate knows bincode, which is no longer maintained upstream: `codec.rs` is the one place to replace it.

mod codec;
pub mod faults;
mod frame;
mod job;
mod match_map;
mod message;

pub use codec::{decode_reply, decode_request, encode_reply, encode_request};
pub use frame::{FrameReader, read_body, read_frame, read_length, write_frame};
pub use job::{JobFault, JobImage, JobKind, JobRefusal, JobState};
pub use match_map::{Drawing, Side};
pub use message::{Failure, Image, ImageFault, ImageRefusal, Outcome, Region, Reply, Request, Stats};

use thiserror::Error;

/// The protocol's version. Both sides must have the same.
pub const PROTOCOL: u32 = 5;

/// Largest frame a backend sends or an engine accepts, in bytes: a batch of images, or a model.
pub const MAX_REQUEST: usize = 512 << 20;

/// Largest frame an engine sends or a backend accepts, in bytes: 2,048 values of 32 KB.
pub const MAX_REPLY: usize = 64 << 20;

/// Largest piece of a model file in a reply, in bytes.
pub const PIECE: usize = 8 << 20;

/// Largest number of images in one request.
pub const MAX_IMAGES: usize = 1024;

/// What can go wrong on the wire, on either side.
#[derive(Debug, Error)]
pub enum WireError {
    /// A frame larger than its reader accepts.
    #[error("a frame of {got} bytes was announced, the limit is {limit}")]
    TooLarge {
        /// Bytes announced, or about to be sent.
        got: usize,
        /// The reader's cap.
        limit: usize,
    },
    /// Bytes that are no message.
    #[error("a message cannot be read: {0}")]
    Malformed(String),
    /// A message shorter than its frame.
    #[error("a message has {0} bytes left over")]
    Trailing(usize),
    /// The other side went away between two frames.
    #[error("the connection was closed")]
    Closed,
    /// The system has no memory for a message.
    #[error("there is no memory for {0} bytes")]
    NoMemory(usize),
    /// The socket failed.
    #[error("the connection failed: {0}")]
    Io(#[from] std::io::Error),
}

/// An empty vector with room for `bytes`.
///
/// # Errors
/// [`WireError::NoMemory`]: unlike a vector that grows by itself, which ends the process.
pub(crate) fn reserved(bytes: usize) -> Result<Vec<u8>, WireError> {
    let mut vector = Vec::new();
    vector.try_reserve_exact(bytes).map_err(|_| WireError::NoMemory(bytes))?;
    Ok(vector)
}
