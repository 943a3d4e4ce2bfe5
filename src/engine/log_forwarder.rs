//! The engine's words on their way to the server's log: what a broken or hostile engine says must not fill the disk, forge
//! lines, or take the supervisor's time from its other work.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::ChildStderr;
use std::time::Instant;

use pgrx::log;

/// Bytes of a line that are passed on.
const LONGEST: usize = 1000;
/// Lines a second that are passed on, and how many at once after a silence: what a start says is some ten.
const A_SECOND: f64 = 10.0;
const AT_ONCE: f64 = 100.0;

/// What the engine says.
pub struct LogForwarder {
    stream: Option<ChildStderr>,
    line: Line,
    pace: Pace,
    /// The last whole line, for the report of an engine that ends before it is ready.
    pub last: Option<String>,
}

impl LogForwarder {
    /// Listens to a child's standard error stream.
    pub fn new(stream: Option<ChildStderr>) -> Self {
        if let Some(stream) = &stream
            // Without it the supervisor would wait for the engine's next word while the server wants it to end.
            && let Err(e) = rustix::io::ioctl_fionbio(stream, true)
        {
            log!("grnet: the engine's log cannot be read without waiting: {e}");
        }
        Self { stream, line: Line::default(), pace: Pace::new(Instant::now()), last: None }
    }

    /// What to wait for; `None` where nothing more comes.
    pub fn stream(&self) -> Option<BorrowedFd<'_>> {
        self.stream.as_ref().map(AsFd::as_fd)
    }

    /// Passes on what was said, a piece of it; false where there was nothing.
    pub fn forward(&mut self) -> bool {
        let Some(stream) = &mut self.stream else { return false };
        let mut piece = [0; 4096];
        let said = match stream.read(&mut piece) {
            Ok(0) => {
                // The last words need no end of line: an abort of libtorch's has none.
                self.stream = None;
                &b"\n"[..]
            }
            Ok(n) => &piece[..n],
            Err(_) => {
                self.tell_lost();
                return false;
            }
        };
        for byte in said {
            let Some(line) = self.line.push(*byte) else { continue };
            let (passes, lost) = self.pace.next(Instant::now());
            say_lost(lost);
            if passes {
                log!("grnet engine: {line}");
            }
            self.last = Some(line);
        }
        true
    }

    /// Says how much was left out before a silence, or before the engine's end.
    pub fn tell_lost(&mut self) {
        say_lost(self.pace.take_lost());
    }
}

fn say_lost(lines: u64) {
    if lines > 0 {
        log!("grnet engine: {lines} lines were left out, beyond {A_SECOND} a second");
    }
}

/// A line that is not whole yet; what is beyond [`LONGEST`] bytes of it is counted only.
#[derive(Default)]
struct Line {
    bytes: Vec<u8>,
    beyond: usize,
}

impl Line {
    /// Adds a byte; the line where it is whole and says something.
    fn push(&mut self, byte: u8) -> Option<String> {
        if byte != b'\n' {
            if self.bytes.len() < LONGEST {
                self.bytes.push(byte);
            } else {
                self.beyond += 1;
            }
            return None;
        }
        let (bytes, beyond) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.beyond));
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim().trim_start_matches("grnet-engine: ");
        if text.is_empty() {
            return None;
        }
        // No NUL, which would end the server's own text, no escape sequence, nothing that looks like another line.
        let mut line: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        if beyond > 0 {
            line.push_str(&format!(" ... ({beyond} more bytes)"));
        }
        Some(line)
    }
}

/// How many lines may pass.
struct Pace {
    left: f64,
    at: Instant,
    lost: u64,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { left: AT_ONCE, at: now, lost: 0 }
    }

    /// Whether the next line passes, and how many were lost before one that does.
    fn next(&mut self, now: Instant) -> (bool, u64) {
        self.left = (self.left + now.duration_since(self.at).as_secs_f64() * A_SECOND).min(AT_ONCE);
        self.at = now;
        // One line is for the count of those that were lost.
        let wanted = if self.lost > 0 { 2.0 } else { 1.0 };
        if self.left < wanted {
            self.lost += 1;
            return (false, 0);
        }
        self.left -= wanted;
        (true, self.take_lost())
    }

    fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }
}
