//! A job of one connection, from its options to its end.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use grnet_wire::faults::{self, Operation};
use grnet_wire::{JobFault, JobKind, JobRefusal};

use crate::client::Client;
use crate::jobs::options;
use crate::jobs::refusal::refusal;
use crate::jobs::registry::{Jobs, OpenJob};
use crate::jobs::runner::{MODEL, Runner};
use crate::jobs::spool::{START, Spool, TABLE};
use crate::log::log_event;

/// A job of one connection. Dropped, its process and its folder are gone, and another one may begin.
pub struct Job {
    jobs: Arc<Jobs>,
    client: Arc<Client>,
    /// What others see of it.
    pub open: Arc<OpenJob>,
    /// Its images on disk.
    pub spool: Spool,
    /// The whole command line.
    arguments: Vec<String>,
    /// The thread that waits for its process.
    pub runner: Option<JoinHandle<()>>,
}

impl Drop for Job {
    fn drop(&mut self) {
        self.open.guard.end();
        if let Some(runner) = self.runner.take() {
            let _ = runner.join();
        }
        if let Err(error) = self.spool.remove() {
            log_event!("{} could not be removed: {error}", self.spool.folder().display());
        }
        self.jobs.release(&self.open);
        self.client.settle();
    }
}

fn no_thread(error: io::Error) -> JobRefusal {
    refusal(JobFault::Failed, format!("the engine could not start a thread: {error}"))
}

/// The whole command line of a job in `folder`.
fn line(jobs: &Jobs, kind: JobKind, folder: &Path, options: &str, file: &[u8]) -> Result<Vec<String>, JobRefusal> {
    let path = |option: &str, name: &str| format!("--{option}={}", folder.join(name).display());
    let mut arguments = vec![kind.command().to_owned(), format!("--device={}", jobs.device)];
    arguments.extend(match kind {
        JobKind::Train => vec![path("data", ""), path("backbone", START), path("out", MODEL)],
        JobKind::Evaluate => vec![path("table", TABLE), path("model", START)],
    });
    arguments.extend(options::arguments(&jobs.commands, kind, options, file)?);
    (jobs.commands.check)(&arguments).map_err(|message| refusal(JobFault::Option, message))?;
    Ok(arguments)
}

impl Job {
    /// Opens a job: checks its options, takes its place, makes its folder.
    ///
    /// # Errors
    /// An option is not acceptable, another job of its kind is running, or the disk does not take the folder.
    pub fn open(
        jobs: &Arc<Jobs>,
        client: &Arc<Client>,
        kind: JobKind,
        (database, name): (&str, &str),
        options: &str,
        file: &[u8],
    ) -> Result<Self, JobRefusal> {
        let folder = jobs.folder(kind);
        // On a stack of its own: a session's is small, and a command line's parser takes what it wants.
        let arguments = thread::scope(|scope| {
            let line = || line(jobs, kind, &folder, options, file);
            let parsed = thread::Builder::new().name("options".into()).spawn_scoped(scope, line).map_err(no_thread)?;
            parsed.join().unwrap_or_else(|_| Err(refusal(JobFault::Option, "options cannot be read".to_owned())))
        })?;
        let open = jobs.claim(kind, client.pid, database, name)?;
        let spool = Spool::create(folder, kind, file, jobs.max_bytes);
        let spool = spool.inspect_err(|_| jobs.release(&open))?;
        // Between two pieces of a slow query the connection is idle, and must not make room for others.
        client.asked();
        let (jobs, client) = (Arc::clone(jobs), Arc::clone(client));
        Ok(Self { jobs, client, open, spool, arguments, runner: None })
    }

    /// Says how many images there are by now.
    pub fn count(&self) {
        let (images, items, bytes) = self.spool.figures();
        self.open.change(|state| (state.images, state.items, state.bytes) = (images, items, bytes));
    }

    /// Starts its process; the answer to request `id` comes with its end.
    ///
    /// # Errors
    /// The disk, or no thread.
    pub fn run(&mut self, id: u64) -> Result<(), JobRefusal> {
        self.spool.flush()?;
        self.open.change(|state| "starting".clone_into(&mut state.phase));
        let runner = Runner { open: Arc::clone(&self.open), client: Arc::clone(&self.client), id };
        let (arguments, folder) = (self.arguments.clone(), self.spool.folder().to_owned());
        // The kernel kills the process with the thread that started it: this one stays until it has ended.
        let spawned = faults::check(Operation::Spawn)
            .and_then(|()| thread::Builder::new().name("job".into()).spawn(move || runner.run(&arguments, &folder)));
        self.runner = Some(spawned.map_err(no_thread)?);
        Ok(())
    }
}
