//! Messages to bytes and back. The one place that knows bincode.

use std::io::{self, Write};

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use serde::{Deserialize, Serialize};

use crate::{MAX_REPLY, MAX_REQUEST, Reply, Request, WireError, reserved};

/// Fixed-size integers: a message's length says nothing about its values, and a fuzzer's bytes have one meaning.
fn config<const LIMIT: usize>() -> Configuration<LittleEndian, Fixint, Limit<LIMIT>> {
    bincode::config::standard().with_fixed_int_encoding().with_limit::<LIMIT>()
}

/// The bytes of a request, without the frame's length.
///
/// # Errors
/// The message is larger than [`MAX_REQUEST`], or there is no memory for it.
pub fn encode_request(request: &Request<'_>) -> Result<Vec<u8>, WireError> {
    encode::<_, MAX_REQUEST>(request)
}

/// The bytes of a reply, without the frame's length.
///
/// # Errors
/// The message is larger than [`MAX_REPLY`], or there is no memory for it.
pub fn encode_reply(reply: &Reply) -> Result<Vec<u8>, WireError> {
    encode::<_, MAX_REPLY>(reply)
}

/// A request from its bytes. Images and models stay where they are.
///
/// # Errors
/// The bytes are no request, or go on after one.
pub fn decode_request(bytes: &[u8]) -> Result<Request<'_>, WireError> {
    decode::<_, MAX_REQUEST>(bytes)
}

/// A reply from its bytes.
///
/// # Errors
/// The bytes are no reply, or go on after one.
pub fn decode_reply(bytes: &[u8]) -> Result<Reply, WireError> {
    decode::<_, MAX_REPLY>(bytes)
}

/// Counts first, so that the memory is taken in one piece that may be refused: a request holds up to 512 MB, and an
/// allocation that fails inside a growing vector would end the process, a PostgreSQL backend among others.
fn encode<T: Serialize, const LIMIT: usize>(message: &T) -> Result<Vec<u8>, WireError> {
    let mut count = Count(0);
    write(message, &mut count)?;
    if count.0 > LIMIT {
        return Err(WireError::TooLarge { got: count.0, limit: LIMIT });
    }
    let mut bytes = reserved(count.0)?;
    write(message, &mut bytes)?;
    Ok(bytes)
}

fn write<T: Serialize>(message: &T, out: &mut impl Write) -> Result<usize, WireError> {
    let config = bincode::config::standard().with_fixed_int_encoding();
    bincode::serde::encode_into_std_write(message, out, config).map_err(|e| WireError::Malformed(e.to_string()))
}

/// Takes bytes and keeps their number.
struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn decode<'a, T: Deserialize<'a>, const LIMIT: usize>(bytes: &'a [u8]) -> Result<T, WireError> {
    if bytes.len() > LIMIT {
        return Err(WireError::TooLarge { got: bytes.len(), limit: LIMIT });
    }
    let (message, used) = bincode::serde::borrow_decode_from_slice(bytes, config::<LIMIT>())
        .map_err(|e| WireError::Malformed(e.to_string()))?;
    match bytes.len() - used {
        0 => Ok(message),
        left => Err(WireError::Trailing(left)),
    }
}
