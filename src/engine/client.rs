//! What a backend asks of the engine, over one connection that it keeps between calls.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use grnet_features::model_file::ModelId;
use grnet_wire::{Drawing, Failure, Image, JobState, Outcome, Reply, Request, Stats, faults};

use super::connection::{Connection, NoConnection, left, unexpected};
use super::{run_folder, supervisor};
use crate::error::{Error, sentence};
use crate::pg::interrupt;
use crate::settings;

thread_local! {
    /// The connection of the last call that ended well, and the number of the next request.
    static CACHED: RefCell<(Option<Connection>, u64)> = const { RefCell::new((None, 1)) };
}

/// How often a backend looks whether the engine has come up.
const POLL: Duration = Duration::from_millis(20);
/// A cached connection that fails this soon was closed before it was used; later, the engine died over the request.
const CLOSING: Duration = Duration::from_millis(50);
/// The pause before a model is offered again to an engine that is busy with others.
const BUSY: Duration = Duration::from_millis(100);
/// How long a supervisor that was asked for may take to appear before another one is asked for.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How long background workers may all be taken (by a parallel query, say) before that is an error.
const WORKERS: Duration = Duration::from_secs(2);

/// Turns images into features with the model `id`. `file` is asked for the model's file where the engine lacks it.
///
/// # Errors
/// The engine is not there, busy, late or gone. What is wrong with single images is in their outcomes.
pub fn embed(
    id: ModelId,
    images: Vec<Image<'_>>,
    file: impl Fn() -> Result<Vec<u8>, Error>,
) -> Result<Vec<Outcome>, Error> {
    let count = images.len();
    match exchange(id, Work::Embed(images), file)? {
        Reply::Features { images, .. } if images.len() == count => Ok(images),
        Reply::Features { images, .. } => {
            Err(Error::Protocol(format!("{count} images were sent, {} answers came.", images.len())))
        }
        other => Err(unexpected(&other)),
    }
}

/// Has the map of two images drawn, with the model `id`; `file` as in [`embed`].
///
/// # Errors
/// As [`embed`]. What is wrong with an image is in the drawing.
pub fn match_map(
    id: ModelId,
    query: &[u8],
    item: &[u8],
    file: impl Fn() -> Result<Vec<u8>, Error>,
) -> Result<Drawing, Error> {
    match exchange(id, Work::MatchMap(query, item), file)? {
        Reply::MatchMap { drawing, .. } => Ok(drawing),
        other => Err(unexpected(&other)),
    }
}

/// What the engine does with a model.
enum Work<'a> {
    Embed(Vec<Image<'a>>),
    MatchMap(&'a [u8], &'a [u8]),
}

impl<'a> Work<'a> {
    fn request(self, id: u64, model: ModelId) -> Request<'a> {
        let (max_bytes, max_pixels) = (settings::max_image_bytes() as u64, settings::max_image_pixels());
        let deadline_ms = 0;
        match self {
            Self::Embed(images) => Request::Embed { id, model, deadline_ms, max_bytes, max_pixels, images },
            Self::MatchMap(query, item) => {
                Request::MatchMap { id, model, deadline_ms, max_bytes, max_pixels, query, item }
            }
        }
    }
}

/// The failure on purpose of `grnet.debug_fail_nth`, for the time of one call, however it ends.
pub struct Armed;

impl Armed {
    /// From now on.
    pub fn new() -> Self {
        faults::arm(settings::debug_fail_nth());
        Self
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        faults::arm(0);
    }
}

/// Says how long was waited.
pub fn timed(error: Error, timeout: Duration) -> Error {
    match error {
        Error::Late { .. } => Error::Late { milliseconds: timeout.as_millis() as u64 },
        other => other,
    }
}

/// Asks for work with a model, and gives the reply to it; a failure is an error.
fn exchange(id: ModelId, work: Work<'_>, file: impl Fn() -> Result<Vec<u8>, Error>) -> Result<Reply, Error> {
    let timeout = settings::embed_timeout();
    let deadline = Instant::now() + timeout;
    let _armed = Armed::new();
    within(deadline, id, work, file).map_err(|error| timed(error, timeout))
}

fn within(
    deadline: Instant,
    id: ModelId,
    work: Work<'_>,
    file: impl Fn() -> Result<Vec<u8>, Error>,
) -> Result<Reply, Error> {
    // The connection is out of its place while it is used: an ERROR or a cancel drops it, and the engine, seeing it
    // close, drops the request.
    let (mut connection, mut is_cached) = match take() {
        // A failure on purpose is to be seen.
        Some(connection) => (connection, settings::debug_fail_nth() == 0),
        None => (open(deadline)?, false),
    };
    let began = Instant::now();
    let request_id = next_id();
    let mut request = work.request(request_id, id);
    let mut sent = 0;
    loop {
        request.set_deadline(u32::try_from(left(deadline)?.as_millis()).unwrap_or(u32::MAX));
        let reply = match connection.ask(&request, deadline) {
            // The sockets of an engine that was killed close one after another: this one looked alive.
            Err(Error::EngineGone(_)) if is_cached && began.elapsed() < CLOSING => {
                is_cached = false;
                connection = open(deadline)?;
                continue;
            }
            other => other?,
        };
        match reply {
            Reply::NeedModel { id: of, model } if of == request_id && model == id => {
                // The engine keeps four models: in use by more databases than that, they push each other out, and
                // whoever comes again later lets the others finish.
                if sent > 0 {
                    interrupt::wait(None, left(deadline)?.min(POLL * sent));
                }
                sent = (sent + 1).min(10);
                let file = file()?;
                match connection.ask(&Request::Model { id: request_id, file: &file }, deadline)? {
                    Reply::ModelReady { model, .. } if model == id => {}
                    // After a restart every session brings the model; one of the others was first.
                    Reply::Failed { failure: Failure::Busy { .. }, .. } => {
                        interrupt::wait(None, left(deadline)?.min(BUSY));
                    }
                    Reply::Failed { failure, .. } => {
                        cache(connection);
                        return Err(failed(failure));
                    }
                    other => return Err(unexpected(&other)),
                }
            }
            Reply::Failed { id, failure } if id == request_id => {
                cache(connection);
                return Err(failed(failure));
            }
            answer @ (Reply::Features { .. } | Reply::MatchMap { .. }) if answer.id() == Some(request_id) => {
                cache(connection);
                return Ok(answer);
            }
            other => return Err(unexpected(&other)),
        }
    }
}

/// Has the engine load a model file, which checks what only it can: the backbone's tensors.
///
/// # Errors
/// [`Error::UnfitModel`] where they do not fit; anything else says that the engine could not be asked.
pub fn load(file: &[u8]) -> Result<(), Error> {
    let timeout = settings::embed_timeout();
    offer(file, Instant::now() + timeout).map_err(|error| timed(error, timeout))
}

fn offer(file: &[u8], deadline: Instant) -> Result<(), Error> {
    let mut connection = match take() {
        Some(connection) => connection,
        None => open(deadline)?,
    };
    let request_id = next_id();
    loop {
        match connection.ask(&Request::Model { id: request_id, file }, deadline)? {
            Reply::ModelReady { id, .. } if id == request_id => {
                cache(connection);
                return Ok(());
            }
            // Others bring models too, more than it takes at a time: that is nothing to fail for.
            Reply::Failed { id, failure: Failure::Busy { .. } } if id == request_id => {
                interrupt::wait(None, left(deadline)?.min(BUSY));
            }
            Reply::Failed { id, failure } if id == request_id => {
                cache(connection);
                return Err(match failure {
                    Failure::BadModel(reason) => Error::UnfitModel(reason),
                    other => failed(other),
                });
            }
            other => return Err(unexpected(&other)),
        }
    }
}

/// The engine's counters, `None` where nobody listens. Starts nothing.
///
/// # Errors
/// It listens, and does not answer within `patience`.
pub fn stats(patience: Duration) -> Result<Option<Stats>, Error> {
    let deadline = Instant::now() + patience;
    let Some(mut connection) = listening(deadline)? else {
        return Ok(None);
    };
    let request_id = next_id();
    match connection.ask(&Request::Stats { id: request_id }, deadline)? {
        Reply::Stats { id, stats } if id == request_id => {
            cache(connection);
            Ok(Some(stats))
        }
        other => Err(unexpected(&other)),
    }
}

/// A connection to an engine that is there; `None` where nobody listens.
fn listening(deadline: Instant) -> Result<Option<Connection>, Error> {
    match take().map_or_else(|| Connection::open(deadline), Ok) {
        Ok(connection) => Ok(Some(connection)),
        Err(NoConnection::NobodyThere) => Ok(None),
        Err(NoConnection::Failed(error)) => Err(error),
    }
}

/// How far all trainings and evaluations are, `None` where nobody listens. Starts nothing.
///
/// # Errors
/// The engine listens, and does not answer within `patience`.
pub fn jobs(patience: Duration) -> Result<Option<Vec<JobState>>, Error> {
    let deadline = Instant::now() + patience;
    let Some(mut connection) = listening(deadline)? else {
        return Ok(None);
    };
    match connection.ask(&Request::Jobs { id: next_id() }, deadline)? {
        Reply::Jobs { jobs, .. } => {
            cache(connection);
            Ok(Some(jobs))
        }
        other => Err(unexpected(&other)),
    }
}

/// Connects, starting the supervisor where there is none and waiting for the engine where it is not ready.
pub fn open(deadline: Instant) -> Result<Connection, Error> {
    let began = Instant::now();
    let mut asked: Option<Instant> = None;
    // Held until the engine answers, so that others do not ask as well.
    let mut starter = None;
    loop {
        match Connection::open(deadline) {
            Ok(connection) => return Ok(connection),
            Err(NoConnection::Failed(error)) => return Err(error),
            Err(NoConnection::NobodyThere) => {}
        }
        if run_folder::supervised() {
            let state = run_folder::state();
            // Twice in a row it ended before it was ready: it will not come up by waiting.
            if state.failures >= 2 {
                let reason = state.told().unwrap_or_else(|| "it ended before it was ready".into());
                return Err(Error::EngineDown { reason: sentence(&reason) });
            }
        } else if asked.is_none_or(|at| at.elapsed() > ASK_AGAIN) {
            if starter.is_none() {
                starter = supervisor::right_to_start()?;
            }
            if starter.is_some() {
                asked = Some(Instant::now());
                match supervisor::start() {
                    Err(error) if began.elapsed() > WORKERS => return Err(error),
                    _ => {}
                }
            }
        }
        interrupt::wait(None, left(deadline)?.min(POLL));
    }
}

/// The cached connection, while the engine is at its other end: one that ended since the last call is no error.
fn take() -> Option<Connection> {
    let mut connection = CACHED.with_borrow_mut(|cached| cached.0.take())?;
    connection.is_alive().then_some(connection)
}

fn cache(connection: Connection) {
    CACHED.with_borrow_mut(|cached| cached.0 = Some(connection));
}

pub fn next_id() -> u64 {
    CACHED.with_borrow_mut(|cached| {
        cached.1 += 1;
        cached.1
    })
}

pub fn failed(failure: Failure) -> Error {
    match failure {
        Failure::Busy { queued, limit } => Error::Busy { queued, limit },
        Failure::Job(refusal) => Error::Job(refusal),
        Failure::Late => Error::Late { milliseconds: 0 },
        Failure::BadModel(reason) | Failure::Engine(reason) => Error::Engine(sentence(&reason)),
    }
}
