//! All jobs of a server.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use grnet_wire::{JobFault, JobKind, JobRefusal, JobState};

use crate::jobs::child_guard::ChildGuard;
use crate::jobs::commands::JobCommands;
use crate::jobs::spool;
use crate::log::log_event;

/// How long a new job waits for one of the same client to be cleared away.
const CLEARING: Duration = Duration::from_secs(5);

/// What is known of a job that is open.
#[derive(Debug)]
pub struct OpenJob {
    /// A training or an evaluation.
    pub kind: JobKind,
    state: Mutex<JobState>,
    /// Its process.
    pub guard: ChildGuard,
}

impl OpenJob {
    /// How far it is.
    pub fn state(&self) -> JobState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes its state.
    pub fn change<T>(&self, change: impl FnOnce(&mut JobState) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// All jobs of a server: at most one of each kind.
#[derive(Debug)]
pub struct Jobs {
    /// What the folders' paths begin with: the socket's.
    socket: PathBuf,
    /// What the network runs on here, and there.
    pub device: String,
    /// Bytes that a job's images may take on disk.
    pub max_bytes: u64,
    /// What a job runs.
    pub commands: JobCommands,
    open: Mutex<Vec<Arc<OpenJob>>>,
}

impl Jobs {
    /// None yet. What an engine that was killed left behind is removed.
    pub fn new(socket: PathBuf, device: String, max_bytes: u64, commands: JobCommands) -> Self {
        let jobs = Self { socket, device, max_bytes, commands, open: Mutex::default() };
        jobs.sweep();
        jobs
    }

    /// How far they are.
    pub fn states(&self) -> Vec<JobState> {
        self.list().iter().map(|open| open.state()).collect()
    }

    /// Ends all of them, for the end of the server: its sessions are not waited for.
    pub fn end(&self) {
        let open = self.list();
        open.iter().for_each(|open| open.guard.end());
        if !open.is_empty() {
            self.sweep();
        }
    }

    fn list(&self) -> Vec<Arc<OpenJob>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn sweep(&self) {
        for kind in [JobKind::Train, JobKind::Evaluate] {
            if let Err(error) = spool::remove(&self.folder(kind)) {
                log_event!("{} could not be removed: {error}", self.folder(kind).display());
            }
        }
    }

    /// The folder of a kind of job.
    pub fn folder(&self, kind: JobKind) -> PathBuf {
        let mut name = self.socket.as_os_str().to_owned();
        name.push(".");
        name.push(kind.command());
        name.into()
    }

    /// Takes the place of a kind, or says who has it.
    pub fn claim(&self, kind: JobKind, pid: i32, database: &str, name: &str) -> Result<Arc<OpenJob>, JobRefusal> {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let state = JobState {
            kind,
            pid,
            database: database.to_owned(),
            model: name.to_owned(),
            phase: "collecting images".to_owned(),
            images: 0,
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
                let own = Arc::new(OpenJob { kind, state: Mutex::new(state), guard: ChildGuard::default() });
                open.push(Arc::clone(&own));
                return Ok(own);
            };
            let other = other.state();
            drop(open);
            // A statement that was cancelled is being cleared away while the session sends its next one.
            if other.pid != pid || Instant::now() > until {
                return Err(JobRefusal {
                    fault: JobFault::Running,
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

    /// Lets another of the kind begin.
    pub fn release(&self, own: &Arc<OpenJob>) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).retain(|open| !Arc::ptr_eq(open, own));
    }
}
