//! One connection to the engine: non-blocking, so that every wait is also a wait for a cancel.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use grnet_wire::faults::{self, Operation};
use grnet_wire::{FrameReader, MAX_REPLY, PROTOCOL, Reply, Request, WireError, decode_reply, encode_request};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::run_folder;
use crate::error::{Error, sentence};
use crate::pg::interrupt::{self, Want};
use crate::pg::process;

/// A connection that has shaken hands. Dropped, it is closed, and the engine forgets what was asked over it.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    reader: FrameReader,
}

/// Why no connection could be made.
#[derive(Debug)]
pub enum NoConnection {
    /// Nobody listens (yet).
    NobodyThere,
    /// Somebody listens, and something is wrong.
    Failed(Error),
}

impl Connection {
    /// Connects and shakes hands.
    pub fn open(deadline: Instant) -> Result<Self, NoConnection> {
        let stream = connect(deadline)?;
        let mut connection = Self { stream, reader: FrameReader::new(MAX_REPLY) };
        let hello = Request::Hello { protocol: PROTOCOL, pid: process::pid().unsigned_abs() };
        match connection.ask(&hello, deadline) {
            Ok(Reply::Hello { protocol: PROTOCOL, .. }) => Ok(connection),
            Ok(Reply::Hello { protocol, .. }) => Err(NoConnection::Failed(Error::Protocol(format!(
                "The engine speaks protocol {protocol}, this library {PROTOCOL}."
            )))),
            Ok(Reply::Refused { reason }) => Err(NoConnection::Failed(Error::EngineDown { reason: sentence(&reason) })),
            Ok(other) => Err(NoConnection::Failed(unexpected(&other))),
            // An engine that ended between its accept and its answer is an engine that is not there.
            Err(Error::EngineGone(_)) => Err(NoConnection::NobodyThere),
            Err(error) => Err(NoConnection::Failed(error)),
        }
    }

    /// Whether the engine is still at the other end of a connection that nothing is expected from.
    pub fn is_alive(&mut self) -> bool {
        let mut byte = [0; 1];
        matches!(self.stream.read(&mut byte), Err(e) if e.kind() == ErrorKind::WouldBlock)
    }

    /// Sends a request and waits for its reply.
    pub fn ask(&mut self, request: &Request<'_>, deadline: Instant) -> Result<Reply, Error> {
        self.request(request, deadline)?;
        self.reply(deadline)
    }

    /// Sends a request.
    pub fn request(&mut self, request: &Request<'_>, deadline: Instant) -> Result<(), Error> {
        let message = encode_request(request).map_err(broken)?;
        let length = u32::try_from(message.len()).map_err(|_| Error::Protocol("A request has over 4 GB.".into()))?;
        faults::check(Operation::Write).map_err(gone)?;
        self.send(&length.to_le_bytes(), deadline)?;
        self.send(&message, deadline)
    }

    /// Waits for the next reply. After [`Error::Late`] it may be waited for again.
    pub fn reply(&mut self, deadline: Instant) -> Result<Reply, Error> {
        faults::check(Operation::Read).map_err(gone)?;
        loop {
            if let Some(frame) = self.reader.take_frame().map_err(broken)? {
                return decode_reply(&frame).map_err(broken);
            }
            self.receive(deadline)?;
        }
    }

    fn send(&mut self, mut bytes: &[u8], deadline: Instant) -> Result<(), Error> {
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(0) => return Err(Error::EngineGone("It closed the connection.".into())),
                Ok(n) => bytes = &bytes[n..],
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.wait(Want::Write, deadline)?,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(gone(e)),
            }
        }
        Ok(())
    }

    fn receive(&mut self, deadline: Instant) -> Result<(), Error> {
        // A reply for one image has 7.3 KB; larger ones come in several pieces.
        let mut piece = [0; 16 << 10];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => return Err(Error::EngineGone("It closed the connection.".into())),
                Ok(n) => {
                    return self.reader.push(&piece[..n]).map_err(broken);
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.wait(Want::Read, deadline)?,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(gone(e)),
            }
        }
    }

    fn wait(&self, want: Want, deadline: Instant) -> Result<(), Error> {
        loop {
            let left = left(deadline)?;
            if interrupt::wait(Some((self.stream.as_fd(), want)), left) {
                return Ok(());
            }
        }
    }
}

/// Time left until `deadline`.
///
/// # Errors
/// [`Error::Late`] where there is none; the caller fills in how long it was.
pub fn left(deadline: Instant) -> Result<Duration, Error> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(Error::Late { milliseconds: 0 }) } else { Ok(left) }
}

fn connect(deadline: Instant) -> Result<UnixStream, NoConnection> {
    let failed = |e: io::Error| NoConnection::Failed(Error::EngineDown { reason: format!("Connecting failed: {e}.") });
    faults::check(Operation::Connect).map_err(failed)?;
    let address = SocketAddrUnix::new(run_folder::SOCKET).map_err(|e| failed(e.into()))?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(|e| failed(e.into()))?;
    loop {
        use rustix::io::Errno;
        match rustix::net::connect(&socket, &address) {
            Ok(()) => break,
            Err(Errno::NOENT | Errno::CONNREFUSED) => return Err(NoConnection::NobodyThere),
            // The engine's backlog is full: it is stopped, or 512 others are before us.
            Err(Errno::AGAIN | Errno::INTR) => {
                let left = left(deadline).map_err(NoConnection::Failed)?;
                interrupt::wait(None, left.min(Duration::from_millis(20)));
            }
            Err(e) => return Err(failed(e.into())),
        }
    }
    let peer = rustix::net::sockopt::socket_peercred(&socket).map_err(|e| failed(e.into()))?;
    if peer.uid != rustix::process::geteuid() {
        let reason = format!("The socket belongs to user id {}, not to the server's.", peer.uid.as_raw());
        return Err(NoConnection::Failed(Error::EngineDown { reason }));
    }
    Ok(UnixStream::from(socket))
}

/// The error of a reply that does not answer the request.
pub fn unexpected(reply: &Reply) -> Error {
    let name = format!("{reply:?}").split([' ', '{', '(']).next().unwrap_or_default().to_owned();
    Error::Protocol(format!("The engine answered {name} out of turn."))
}

fn gone(error: io::Error) -> Error {
    Error::EngineGone(sentence(&error.to_string()))
}

fn broken(error: WireError) -> Error {
    match error {
        WireError::Io(e) => gone(e),
        WireError::Closed => Error::EngineGone("It closed the connection.".into()),
        WireError::NoMemory(bytes) => Error::NoMemory { bytes },
        other => Error::Protocol(sentence(&other.to_string())),
    }
}
