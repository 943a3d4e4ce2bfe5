//! A training or an evaluation, as a backend asks the engine for it.
//!
//! It has a connection of its own. When that is dropped, by an ERROR or a cancel, the engine ends the study.

use std::time::{Duration, Instant};

use grnet_wire::{Failure, Reply, Request, StudyKind, StudyPhoto, StudyState};

use super::client::{Armed, failed, next_id, open, timed};
use super::connection::{Connection, left, unexpected};
use crate::error::Error;
use crate::ffi::{interrupt, process};
use crate::settings;

/// The pause before photos are sent again to an engine that has no room for them.
const BUSY: Duration = Duration::from_millis(100);
/// How often a running study's user hears of it.
const WORD: Duration = Duration::from_secs(10);

/// An open study.
pub struct Study {
    connection: Connection,
    _armed: Armed,
}

/// What a study came to.
#[derive(Debug)]
pub struct Finished {
    /// Its report.
    pub report: serde_json::Value,
    /// What its process said besides.
    pub words: Vec<String>,
    model_bytes: u64,
}

impl Study {
    /// Opens a study of the model `file`. `name` is what others see.
    ///
    /// # Errors
    /// An option is not acceptable, another study of this kind is running, or the engine cannot be asked.
    pub fn open(kind: StudyKind, name: &str, options: &str, file: &[u8]) -> Result<Self, Error> {
        within(|deadline| {
            let armed = Armed::new();
            let mut study = Self { connection: open(deadline)?, _armed: armed };
            let database = process::database();
            let request = Request::Study { id: next_id(), kind, database: &database, name, options, file };
            study.going(&request, deadline).map(|_| study)
        })
    }

    /// Brings photos.
    ///
    /// # Errors
    /// There is no room for them, or the engine is gone.
    pub fn add(&mut self, photos: Vec<StudyPhoto<'_>>) -> Result<StudyState, Error> {
        let request = Request::Photos { id: next_id(), photos };
        within(|deadline| self.going(&request, deadline))
    }

    /// Runs it to its end; `tell` hears of it every ten seconds.
    ///
    /// # Errors
    /// It failed, or the engine is gone.
    pub fn run(&mut self, mut tell: impl FnMut(&StudyState)) -> Result<Finished, Error> {
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

    /// Asks for what is answered by the study's state.
    fn going(&mut self, request: &Request<'_>, deadline: Instant) -> Result<StudyState, Error> {
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
