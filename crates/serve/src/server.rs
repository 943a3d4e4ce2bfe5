//! The server's threads: started, waited for, stopped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::budget::Budget;
use crate::clients::Clients;
use crate::counters::Counters;
use crate::end::{End, Event};
use crate::error::ServeError;
use crate::inbox::{Batching, Inbox};
use crate::jobs::commands::JobCommands;
use crate::jobs::registry::Jobs;
use crate::models::Shapes;
use crate::ports::{Decoder, Loader};
use crate::queue::Queue;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::socket::Socket;
use crate::{batcher, decode, listener};

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
        commands: JobCommands,
        mut loader: Box<dyn Loader>,
        decoder: Arc<dyn Decoder>,
        (sender, events): (Sender<Event>, Receiver<Event>),
    ) -> Result<Self, ServeError> {
        let Settings { socket, decoders, limits, fence, fail_nth } = settings;
        let path = socket.clone();
        let socket = Arc::new(Socket::bind(&socket)?);
        let counters = Arc::new(Counters::new());
        let batching = Batching { images: limits.max_batch.max(1), wait: limits.max_batch_wait };
        let shared = Arc::new(Shared {
            queue: Queue::new(batching.images, decoders.max(1)),
            inbox: Inbox::new(batching, Arc::clone(&counters)),
            shapes: Shapes::default(),
            clients: Clients::default(),
            counters,
            budget: Budget::new(limits.max_request_bytes),
            jobs: Arc::new(Jobs::new(path, loader.device(), limits.max_spool_bytes, commands)),
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
        self.shared.jobs.end();
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
