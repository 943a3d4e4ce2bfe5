//! Studies: trainings and evaluations, each in a process of its own beside the server.
//!
//! ```text
//! session ─▶ Study ─▶ Spool (a private folder) ─▶ Child (grnet-engine train | eval) ─▶ runner thread ─▶ client
//! ```
//!
//! A study belongs to its connection. When that ends, for whatever reason, the process is killed and the folder is gone.

mod child;
mod desk;
mod options;
mod runner;
mod spool;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use grnet_wire::{StudyFault, StudyKind, StudyRefusal, StudyState};

use super::client::Client;
use super::log::log_event;
use child::Leash;
pub use desk::answer;
use spool::Spool;

/// How long a new study waits for one of the same client to be cleared away.
const CLEARING: Duration = Duration::from_secs(5);

/// A refusal without more to say.
fn refusal(fault: StudyFault, message: String) -> StudyRefusal {
    StudyRefusal { fault, message, detail: None, hint: None }
}

/// What is known of a study that is open.
#[derive(Debug)]
struct Open {
    kind: StudyKind,
    state: Mutex<StudyState>,
    leash: Leash,
}

impl Open {
    fn state(&self) -> StudyState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change<T>(&self, change: impl FnOnce(&mut StudyState) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// All studies of a server: at most one of each kind.
#[derive(Debug)]
pub struct Studies {
    /// What the folders' paths begin with: the socket's.
    socket: PathBuf,
    /// What the network runs on here, and there.
    device: String,
    max_bytes: u64,
    open: Mutex<Vec<Arc<Open>>>,
}

impl Studies {
    /// None yet. What an engine that was killed left behind is removed.
    pub fn new(socket: PathBuf, device: String, max_bytes: u64) -> Self {
        let studies = Self { socket, device, max_bytes, open: Mutex::default() };
        studies.sweep();
        studies
    }

    /// How far they are.
    pub fn states(&self) -> Vec<StudyState> {
        self.list().iter().map(|open| open.state()).collect()
    }

    /// Ends all of them, for the end of the server: its sessions are not waited for.
    pub fn end(&self) {
        let open = self.list();
        open.iter().for_each(|open| open.leash.cut());
        if !open.is_empty() {
            self.sweep();
        }
    }

    fn list(&self) -> Vec<Arc<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn sweep(&self) {
        for kind in [StudyKind::Train, StudyKind::Evaluate] {
            if let Err(error) = spool::remove(&self.folder(kind)) {
                log_event!("{} could not be removed: {error}", self.folder(kind).display());
            }
        }
    }

    fn folder(&self, kind: StudyKind) -> PathBuf {
        let mut name = self.socket.as_os_str().to_owned();
        name.push(".");
        name.push(kind.command());
        name.into()
    }

    /// Takes the place of a kind, or says who has it.
    fn claim(&self, kind: StudyKind, pid: i32, database: &str, name: &str) -> Result<Arc<Open>, StudyRefusal> {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let state = StudyState {
            kind,
            pid,
            database: database.to_owned(),
            model: name.to_owned(),
            phase: "collecting photos".to_owned(),
            photos: 0,
            items: 0,
            bytes: 0,
            done: 0,
            total: 0,
            loss: None,
            global: None,
            graph: None,
            started_us: i64::try_from(started.as_micros()).unwrap_or(i64::MAX),
            left_s: None,
        };
        let until = Instant::now() + CLEARING;
        loop {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(other) = open.iter().find(|open| open.kind == kind) else {
                let own = Arc::new(Open { kind, state: Mutex::new(state), leash: Leash::default() });
                open.push(Arc::clone(&own));
                return Ok(own);
            };
            let other = other.state();
            drop(open);
            // A statement that was cancelled is being cleared away while the session sends its next one.
            if other.pid != pid || Instant::now() > until {
                return Err(StudyRefusal {
                    fault: StudyFault::Running,
                    message: format!("another {} is running on this server", kind.noun()),
                    detail: Some(format!(
                        "Process {} in database \"{}\" runs it, for the model \"{}\".",
                        other.pid, other.database, other.model
                    )),
                    hint: Some(format!(
                        "Wait for it (grnet.stat_progress_train), or end it: SELECT pg_cancel_backend({});",
                        other.pid
                    )),
                });
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn release(&self, own: &Arc<Open>) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).retain(|open| !Arc::ptr_eq(open, own));
    }
}

/// A study of one connection. Dropped, its process and its folder are gone, and another one may begin.
pub struct Study {
    studies: Arc<Studies>,
    client: Arc<Client>,
    open: Arc<Open>,
    spool: Spool,
    /// The whole command line.
    arguments: Vec<String>,
    runner: Option<JoinHandle<()>>,
}

impl Drop for Study {
    fn drop(&mut self) {
        self.open.leash.cut();
        if let Some(runner) = self.runner.take() {
            let _ = runner.join();
        }
        if let Err(error) = self.spool.remove() {
            log_event!("{} could not be removed: {error}", self.spool.folder().display());
        }
        self.studies.release(&self.open);
        self.client.settle();
    }
}
