//! One connection as the rest of the server sees it: whether it is there, and the answers on their way to it.
//!
//! Answers are written by a thread of the connection's own, so a client that does not read blocks nobody: its
//! answers pile up to a bound, then it is dropped.

use std::collections::VecDeque;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use grnet_wire::{Drawing, Failure, MAX_REPLY, Outcome, Reply, WireError, encode_reply, write_frame};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::log::log_event;

/// Answers a client may leave unread, in number and in bytes; beyond it is dropped.
const UNREAD: usize = 64;
const UNREAD_BYTES: usize = MAX_REPLY;

/// A connection.
#[derive(Debug)]
pub struct Client {
    /// The client's process, as the kernel names it.
    pub pid: i32,
    stream: UnixStream,
    gone: AtomicBool,
    unread: Mutex<Unread>,
    wake: Condvar,
    work: Mutex<Work>,
    /// Images that the session asked for and that are not done with.
    images: AtomicU64,
    /// Bytes of the session's requests in memory.
    held: Arc<AtomicUsize>,
}

/// What a connection is owed, and since when it is owed nothing.
#[derive(Debug)]
struct Work {
    requests: u64,
    since: Instant,
}

#[derive(Debug, Default)]
struct Unread {
    replies: VecDeque<Reply>,
    bytes: usize,
}

impl Client {
    /// A connection whose answers go to `stream`.
    pub fn new(stream: UnixStream, pid: i32) -> Self {
        let unread = Mutex::new(Unread::default());
        // Its first answer is that to the hello.
        let work = Mutex::new(Work { requests: 1, since: Instant::now() });
        let (gone, images, held) = (AtomicBool::new(false), AtomicU64::new(0), Arc::default());
        Self { pid, stream, gone, unread, wake: Condvar::new(), work, images, held }
    }

    /// Lets `images` more be asked for, or says how many the session is waiting for already. A request that is larger
    /// than the limit passes where the session waits for nothing else: it could never pass otherwise. What others wait
    /// for does not matter.
    ///
    /// # Errors
    /// Images that the session waits for.
    pub fn admit(&self, images: u64, limit: u64) -> Result<(), u64> {
        let passes = |waiting: u64| waiting == 0 || waiting.saturating_add(images) <= limit;
        let sum = |waiting: u64| passes(waiting).then_some(waiting + images);
        self.images.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum).map(drop)
    }

    /// Images that were admitted are done with.
    pub fn release(&self, images: u64) {
        self.images.fetch_sub(images, Ordering::Relaxed);
    }

    /// Bytes of the session's requests in memory: read and changed by who bounds them.
    pub fn held(&self) -> &Arc<AtomicUsize> {
        &self.held
    }

    /// Whether the other side has hung up, or the connection was closed here. For a reader that has to wait.
    pub fn has_left(&self) -> bool {
        let mut polled = [PollFd::new(&self.stream, PollFlags::RDHUP)];
        let ended = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        self.is_gone() || (poll(&mut polled, Some(&now)).is_ok() && polled[0].revents().intersects(ended))
    }

    /// Notes a request; each gets exactly one answer.
    pub fn asked(&self) {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).requests += 1;
    }

    /// How long nothing has been asked over the connection; `None` while an answer is owed.
    pub fn idle(&self) -> Option<Duration> {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        (work.requests == 0).then(|| work.since.elapsed())
    }

    /// Notes that something besides requests, which had been noted as one, is over.
    pub fn settle(&self) {
        self.answered();
    }

    /// Puts a word about a request on its way that is no answer, unless words or answers before it are still unread.
    pub fn tell(&self, reply: Reply) {
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_gone() && unread.replies.is_empty() {
            unread.bytes += weight(&reply);
            unread.replies.push_back(reply);
            drop(unread);
            self.wake.notify_one();
        }
    }

    fn answered(&self) {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.requests = work.requests.saturating_sub(1);
        work.since = Instant::now();
    }

    /// Whether nobody is there any more.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Puts an answer on its way. Never waits.
    pub fn send(&self, reply: Reply) {
        self.answered();
        if self.is_gone() {
            return;
        }
        let bytes = weight(&reply);
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        let crowded = unread.replies.len() >= UNREAD || unread.bytes.saturating_add(bytes) > UNREAD_BYTES;
        if crowded && !unread.replies.is_empty() {
            let (count, waiting) = (unread.replies.len(), unread.bytes);
            drop(unread);
            log_event!("client {} dropped: it left {count} answers of {waiting} bytes unread", self.pid);
            self.close();
            return;
        }
        unread.replies.push_back(reply);
        unread.bytes += bytes;
        drop(unread);
        self.wake.notify_one();
    }

    /// Ends the connection: both its threads see it.
    pub fn close(&self) {
        // Under the lock, so that the writer cannot look at the flag just before and sleep just after.
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        self.gone.store(true, Ordering::Release);
        *unread = Unread::default();
        drop(unread);
        self.wake.notify_one();
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Writes answers until the connection ends: the writer thread's work.
    pub fn write_answers(&self) {
        while let Some(reply) = self.next() {
            if let Err(error) = self.write(reply) {
                if !self.is_gone() {
                    log_event!("client {} dropped: an answer could not be written: {error}", self.pid);
                }
                self.close();
                return;
            }
        }
    }

    fn next(&self) -> Option<Reply> {
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if self.is_gone() {
                return None;
            }
            if let Some(reply) = unread.replies.pop_front() {
                unread.bytes -= weight(&reply);
                return Some(reply);
            }
            unread = self.wake.wait(unread).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn write(&self, reply: Reply) -> Result<(), WireError> {
        let bytes = match encode_reply(&reply) {
            Ok(bytes) => bytes,
            Err(error) => {
                let id = reply.id().unwrap_or_default();
                encode_reply(&Reply::Failed { id, failure: Failure::Engine(error.to_string()) })?
            }
        };
        write_frame(&mut &self.stream, &bytes)
    }
}

/// About the bytes an answer takes in memory.
fn weight(reply: &Reply) -> usize {
    let payload = match reply {
        Reply::Features { images, .. } => images
            .iter()
            .map(|image| match image {
                Outcome::Features(value) => value.len(),
                Outcome::Refused(refusal) => refusal.message.len(),
            })
            .sum(),
        Reply::Piece { bytes, .. } | Reply::MatchMap { drawing: Drawing::Png(bytes), .. } => bytes.len(),
        Reply::Finished { report, .. } => report.len(),
        _ => 0,
    };
    payload + 256
}
