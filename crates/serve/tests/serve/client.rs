//! A client of the engine, and patience. The program's tests in `crates/cli` use it too.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use grnet_wire::{MAX_REPLY, PROTOCOL, Reply, Request, decode_reply, encode_request};

/// Long enough for a busy machine, short enough for a test that hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A client.
pub struct Client {
    pub stream: UnixStream,
}

impl Client {
    pub fn raw(socket: &std::path::Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream })
    }

    pub fn connect(socket: &std::path::Path) -> io::Result<Self> {
        let mut client = Self::raw(socket)?;
        client.try_send(&Request::Hello { protocol: PROTOCOL, pid: 1 }).map_err(io::Error::other)?;
        match client.try_receive().map_err(io::Error::other)? {
            Reply::Hello { protocol: PROTOCOL, .. } => Ok(client),
            other => Err(io::Error::other(format!("{other:?}"))),
        }
    }

    // Raw bytes, not `write_frame`: the client's operations are not the ones that are counted and failed.
    pub fn try_send(&mut self, request: &Request<'_>) -> io::Result<()> {
        let bytes = encode_request(request).map_err(io::Error::other)?;
        let mut frame = (bytes.len() as u32).to_le_bytes().to_vec();
        frame.extend(bytes);
        self.stream.write_all(&frame)
    }

    pub fn try_receive(&mut self) -> io::Result<Reply> {
        let mut header = [0; 4];
        io::Read::read_exact(&mut self.stream, &mut header)?;
        let length = u32::from_le_bytes(header) as usize;
        assert!(length <= MAX_REPLY);
        let mut frame = vec![0; length];
        io::Read::read_exact(&mut self.stream, &mut frame)?;
        decode_reply(&frame).map_err(io::Error::other)
    }

    pub fn send(&mut self, request: &Request<'_>) {
        self.try_send(request).unwrap();
    }

    pub fn receive(&mut self) -> Reply {
        self.try_receive().unwrap()
    }

    pub fn ask(&mut self, request: &Request<'_>) -> Reply {
        self.send(request);
        self.receive()
    }

    /// Whether the server closed the connection.
    pub fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        match io::Read::read(&mut self.stream, &mut byte) {
            Ok(n) => n == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

/// Waits until something is so.
pub fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < until, "not so in {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
