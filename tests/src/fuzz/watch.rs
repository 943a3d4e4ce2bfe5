//! A thread beside the session: it cancels what is to be cancelled, and ends what hangs.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use postgres::{Client, Config, NoTls};

/// A statement may run so much longer than its timeout.
pub const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
struct Now {
    /// The session's process.
    backend: i32,
    /// When it is to be cancelled.
    cancel: Option<Instant>,
    /// When it hangs.
    hangs: Option<Instant>,
    /// Whether it did.
    hung: bool,
    ends: bool,
}

/// Watches one session.
#[derive(Debug)]
pub struct Watch {
    now: Arc<Mutex<Now>>,
    thread: Option<JoinHandle<()>>,
}

fn tell(client: &mut Option<Client>, config: &Config, sql: &str) {
    if client.as_ref().is_none_or(Client::is_closed) {
        *client = config.connect(NoTls).ok();
    }
    // A server that is starting again has nothing to cancel.
    if let Some(client) = client {
        let _ = client.batch_execute(sql);
    }
}

impl Watch {
    /// Starts to watch.
    pub fn start(config: Config) -> Self {
        let now = Arc::new(Mutex::new(Now::default()));
        let seen = Arc::clone(&now);
        let thread = thread::spawn(move || {
            let mut client = None;
            loop {
                let order = {
                    let mut now = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    let backend = now.backend;
                    if now.ends {
                        return;
                    } else if now.cancel.is_some_and(|at| at <= Instant::now()) {
                        now.cancel = None;
                        Some(format!("SELECT pg_cancel_backend({backend})"))
                    } else if now.hangs.is_some_and(|at| at <= Instant::now()) {
                        now.hangs = None;
                        now.hung = true;
                        Some(format!("SELECT pg_terminate_backend({backend})"))
                    } else {
                        None
                    }
                };
                match order {
                    Some(sql) => tell(&mut client, &config, &sql),
                    None => thread::sleep(Duration::from_millis(1)),
                }
            }
        });
        Self { now, thread: Some(thread) }
    }

    fn set(&self, change: impl FnOnce(&mut Now)) {
        change(&mut self.now.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Another session is watched from now on.
    pub fn session(&self, backend: i32) {
        self.set(|now| *now = Now { backend, ..Now::default() });
    }

    /// A statement begins.
    pub fn begin(&self, timeout: Duration, cancel: Option<Duration>) {
        let start = Instant::now();
        self.set(|now| {
            now.cancel = cancel.map(|after| start + after);
            now.hangs = Some(start + timeout + PATIENCE);
        });
    }

    /// It has ended; gives whether it had to be ended.
    pub fn end(&self) -> bool {
        let mut hung = false;
        self.set(|now| {
            (now.cancel, now.hangs) = (None, None);
            hung = std::mem::take(&mut now.hung);
        });
        hung
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.set(|now| now.ends = true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
