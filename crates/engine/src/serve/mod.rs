//! The server: photos of all sessions through one network.
//!
//! ```text
//! listener ─▶ session (a reading thread each) ─▶ queue ─▶ decoders ─▶ inbox ─▶ model thread
//!                ▲                                             refused photos │ features
//!                └── client (a writing thread each) ◀── job, answered once ◀──┘
//! ```
//!
//! A match map goes the same way with two photos; once both have features it waits in the queue again, for a decoder to
//! draw it.

pub mod args;
mod batcher;
mod budget;
mod client;
mod clients;
mod counters;
mod decode;
mod draw;
mod error;
mod fence;
mod inbox;
mod job;
mod lifeline;
mod listener;
mod log;
mod models;
pub mod photos;
mod queue;
mod room;
mod run;
mod session;
mod socket;
mod study;
mod torch;
pub mod work;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub use error::ServeError;
pub use run::run;

use budget::Budget;
use clients::Clients;
use counters::Counters;
use inbox::{Batching, Inbox};
use models::Shapes;
use queue::Queue;
use socket::Socket;
use study::Studies;
use work::{Decoder, Loader};

/// What bounds the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Photos of one session waiting or in work, unless one request has more.
    pub max_queue: u64,
    /// Photos in a batch.
    pub max_batch: usize,
    /// How long a decoded photo waits for others.
    pub max_batch_wait: Duration,
    /// Connections open at the same time.
    pub max_connections: u64,
    /// Models loaded at the same time.
    pub max_models: usize,
    /// Bytes of requests in memory at the same time.
    pub max_request_bytes: usize,
    /// Bytes of a study's photos on disk.
    pub max_spool_bytes: u64,
    /// How long a client may leave the socket full.
    pub write_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_queue: 256,
            max_batch: 16,
            max_batch_wait: Duration::from_millis(5),
            max_connections: 512,
            max_models: 4,
            max_request_bytes: 1 << 30,
            max_spool_bytes: 16 << 30,
            write_timeout: Duration::from_secs(10),
        }
    }
}

/// What a server is started with.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where clients find it.
    pub socket: PathBuf,
    /// Threads that decode photos, at least one.
    pub decoders: usize,
    /// Its bounds.
    pub limits: Limits,
    /// What the process has given up, in words.
    pub fence: String,
    /// The operation to fail on purpose once the server is ready, counted from 1; 0 for none.
    pub fail_nth: u64,
}

/// Why a server ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It was told to.
    Signal(i32),
    /// The process that started it is gone.
    ParentGone,
    /// A thread it cannot do without panicked.
    Panicked(&'static str),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(number) => write!(f, "signal {number}"),
            Self::ParentGone => write!(f, "the process that started the engine is gone"),
            Self::Panicked(thread) => write!(f, "the {thread} thread panicked"),
        }
    }
}

/// What happens to a server.
#[derive(Debug)]
pub enum Event {
    /// The device computed something, or cannot.
    Warm(Result<(), String>),
    /// It is over.
    End(End),
}

/// What the server's threads share.
struct Shared {
    queue: Queue,
    inbox: Inbox,
    shapes: Shapes,
    clients: Clients,
    counters: Arc<Counters>,
    budget: Budget,
    studies: Arc<Studies>,
    limits: Limits,
    device: String,
    precision: String,
    fence: String,
    stopped: AtomicBool,
}

/// A server that answers.
pub struct Server {
    shared: Arc<Shared>,
    socket: Arc<Socket>,
    threads: Vec<JoinHandle<()>>,
    events: Receiver<Event>,
}

impl Server {
    /// Starts a server and returns once its socket is in place. `sender` and `events` are the two ends of one channel:
    /// what comes in while the device warms up ends the start.
    ///
    /// # Errors
    /// [`ServeError`]; nothing is left behind but threads that end.
    pub fn start(
        settings: Settings,
        mut loader: Box<dyn Loader>,
        decoder: Arc<dyn Decoder>,
        (sender, events): (Sender<Event>, Receiver<Event>),
    ) -> Result<Self, ServeError> {
        let Settings { socket, decoders, limits, fence, fail_nth } = settings;
        let place = socket.clone();
        let socket = Arc::new(Socket::bind(&socket)?);
        let counters = Arc::new(Counters::new());
        let batching = Batching { photos: limits.max_batch.max(1), wait: limits.max_batch_wait };
        let shared = Arc::new(Shared {
            queue: Queue::new(batching.photos, decoders.max(1)),
            inbox: Inbox::new(batching, Arc::clone(&counters)),
            shapes: Shapes::default(),
            clients: Clients::default(),
            counters,
            budget: Budget::new(limits.max_request_bytes),
            studies: Arc::new(Studies::new(place, loader.device(), limits.max_spool_bytes)),
            device: loader.device(),
            precision: loader.precision(),
            fence,
            stopped: AtomicBool::new(false),
            limits,
        });
        let mut server = Self { shared, socket, threads: Vec::new(), events };

        let (shared, warm) = (Arc::clone(&server.shared), sender.clone());
        server.spawn("model", sender.clone(), move || {
            let result = loader.warm_up();
            let works = result.is_ok();
            // Nobody listens where the start was given up.
            if warm.send(Event::Warm(result)).is_ok() && works {
                batcher::run(&shared, &mut *loader, shared.limits.max_models);
            }
        })?;
        for _ in 0..decoders.max(1) {
            let (shared, decoder) = (Arc::clone(&server.shared), Arc::clone(&decoder));
            server.spawn("decoder", sender.clone(), move || decode::run(&shared, &*decoder))?;
        }
        match server.events.recv() {
            Ok(Event::Warm(Ok(()))) => {}
            Ok(Event::Warm(Err(message))) => return Err(ServeError::WarmUp(message)),
            Ok(Event::End(end)) => return Err(ServeError::Ended(end)),
            Err(_) => return Err(ServeError::Ended(End::Panicked("model"))),
        }
        // Armed here: what failed earlier would only end the process, and its next start in the same way.
        grnet_wire::faults::arm(fail_nth);
        let (shared, socket) = (Arc::clone(&server.shared), Arc::clone(&server.socket));
        server.spawn("listener", sender, move || listener::run(&shared, &socket.listener))?;
        server.socket.publish()?;
        Ok(server)
    }

    /// What it computes on, and in.
    pub fn device(&self) -> (&str, &str) {
        (&self.shared.device, &self.shared.precision)
    }

    /// Waits for the end.
    pub fn wait(&self) -> End {
        loop {
            match self.events.recv() {
                Ok(Event::End(end)) => return end,
                Ok(Event::Warm(_)) => {}
                Err(_) => return End::Panicked("listener"),
            }
        }
    }

    /// Stops: no socket, no new clients, no new batch. True where every thread ended within `grace`; a batch that is
    /// in the network cannot be called off.
    pub fn stop(mut self, grace: Duration) -> bool {
        self.halt();
        let until = Instant::now() + grace;
        while self.threads.iter().any(|thread| !thread.is_finished()) {
            if Instant::now() >= until {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
        true
    }

    fn halt(&self) {
        self.socket.remove();
        self.shared.stopped.store(true, Ordering::Release);
        self.shared.queue.stop();
        self.shared.inbox.stop();
        self.shared.studies.end();
        // Wakes the listener: accepting on a socket that is shut down fails at once.
        let _ = rustix::net::shutdown(&self.socket.listener, rustix::net::Shutdown::Both);
    }

    /// Starts a thread whose panic is the server's end: a server that still accepts and never answers would be worse.
    fn spawn(
        &mut self,
        name: &'static str,
        events: Sender<Event>,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), ServeError> {
        let guarded = move || {
            if catch_unwind(AssertUnwindSafe(work)).is_err() {
                let _ = events.send(Event::End(End::Panicked(name)));
            }
        };
        let thread = thread::Builder::new().name(name.into()).spawn(guarded).map_err(ServeError::Thread)?;
        self.threads.push(thread);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.halt();
    }
}
