//! A training or an evaluation, as a backend asks the engine for it.
//!
//! It has a connection of its own. When that is dropped, by an ERROR or a cancel, the engine ends the job.

use std::time::{Duration, Instant};

use grnet_wire::{Failure, JobImage, JobKind, JobState, Reply, Request};

use crate::engine::client::{Armed, failed, next_id, open, timed};
use crate::engine::connection::{Connection, left, unexpected};
use crate::error::Error;
use crate::pg::{interrupt, process};
use crate::settings;

/// The pause before images are sent again to an engine that has no room for them.
const BUSY: Duration = Duration::from_millis(100);
/// How often a running job's user hears of it.
const WORD: Duration = Duration::from_secs(10);

/// An open job.
pub struct Job {
    connection: Connection,
    _armed: Armed,
}

/// What a job came to.
#[derive(Debug)]
pub struct Finished {
    /// Its report.
    pub report: serde_json::Value,
    /// What its process said besides.
    pub words: Vec<String>,
    model_bytes: u64,
}

impl Job {
    /// Opens a job of the model `file`. `name` is what others see.
    ///
    /// # Errors
    /// An option is not acceptable, another job of this kind is running, or the engine cannot be asked.
    pub fn open(kind: JobKind, name: &str, options: &str, file: &[u8]) -> Result<Self, Error> {
        within(|deadline| {
            let armed = Armed::new();
            let mut job = Self { connection: open(deadline)?, _armed: armed };
            let database = process::database();
            let request = Request::Job { id: next_id(), kind, database: &database, name, options, file };
            job.going(&request, deadline).map(|_| job)
        })
    }

    /// Brings images.
    ///
    /// # Errors
    /// There is no room for them, or the engine is gone.
    pub fn add(&mut self, images: Vec<JobImage<'_>>) -> Result<JobState, Error> {
        let request = Request::Images { id: next_id(), images };
        within(|deadline| self.going(&request, deadline))
    }

    /// Runs it to its end; `tell` hears of it every ten seconds.
    ///
    /// # Errors
    /// It failed, or the engine is gone.
    pub fn run(&mut self, mut tell: impl FnMut(&JobState)) -> Result<Finished, Error> {
        let id = next_id();
        within(|deadline| self.connection.request(&Request::Run { id }, deadline))?;
        let mut told = Instant::now();
        loop {
            match self.connection.reply(Instant::now() + WORD) {
                Err(Error::Late { .. }) => {}
                Ok(Reply::Progress { id: of, state }) if of == id => {
                    if told.elapsed() >= WORD {
                        tell(&state);
                        told = Instant::now();
                    }
                }
                Ok(Reply::Finished { id: of, report, words, model_bytes }) if of == id => {
                    let report = serde_json::from_str(&report)
                        .map_err(|error| Error::Protocol(format!("A report cannot be read: {error}.")))?;
                    return Ok(Finished { report, words, model_bytes });
                }
                Ok(Reply::Failed { id: of, failure }) if of == id => return Err(failed(failure)),
                Ok(other) => return Err(unexpected(&other)),
                Err(error) => return Err(error),
            }
        }
    }

    /// The model that a training has made.
    ///
    /// # Errors
    /// It cannot be fetched.
    pub fn model(&mut self, finished: &Finished) -> Result<Vec<u8>, Error> {
        let size = usize::try_from(finished.model_bytes).unwrap_or(usize::MAX);
        let mut file = Vec::new();
        file.try_reserve_exact(size).map_err(|_| Error::NoMemory { bytes: size })?;
        while file.len() < size {
            let request = Request::Piece { id: next_id(), offset: file.len() as u64 };
            match within(|deadline| self.connection.ask(&request, deadline))? {
                Reply::Piece { bytes, .. } if !bytes.is_empty() && file.len() + bytes.len() <= size => {
                    file.extend_from_slice(&bytes);
                }
                Reply::Failed { failure, .. } => return Err(failed(failure)),
                other => return Err(unexpected(&other)),
            }
        }
        Ok(file)
    }

    /// Has it cleared away, and waits until it is: another one may begin at once.
    ///
    /// # Errors
    /// The engine is gone.
    pub fn end(mut self) -> Result<(), Error> {
        within(|deadline| self.going(&Request::End { id: next_id() }, deadline)).map(drop)
    }

    /// Asks for what is answered by the job's state.
    fn going(&mut self, request: &Request<'_>, deadline: Instant) -> Result<JobState, Error> {
        loop {
            match self.connection.ask(request, deadline)? {
                Reply::Going { state, .. } => return Ok(state),
                // It takes no more at this moment.
                Reply::Failed { failure: Failure::Busy { .. }, .. } => {
                    interrupt::wait(None, left(deadline)?.min(BUSY));
                }
                Reply::Failed { failure, .. } => return Err(failed(failure)),
                other => return Err(unexpected(&other)),
            }
        }
    }
}

/// One exchange, within the time that a call may wait for the engine.
fn within<T>(exchange: impl FnOnce(Instant) -> Result<T, Error>) -> Result<T, Error> {
    let timeout = settings::embed_timeout();
    exchange(Instant::now() + timeout).map_err(|error| timed(error, timeout))
}
