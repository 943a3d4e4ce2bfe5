//! What a connection asks about studies.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use grnet_wire::faults::{self, Operation};
use grnet_wire::{Failure, MAX_PHOTOS, PIECE, Reply, Request, StudyFault, StudyKind, StudyRefusal};

use super::runner::{MODEL, Runner};
use super::spool::{START, Spool, TABLE};
use super::{Studies, Study, options, refusal};
use crate::serve::client::Client;

/// Answers a request about studies; `study` is the connection's own.
pub fn answer(studies: &Arc<Studies>, client: &Arc<Client>, study: &mut Option<Study>, request: Request<'_>) {
    let failed = |id, refusal| Reply::Failed { id, failure: Failure::Study(refusal) };
    let reply = match request {
        Request::Studies { id } => Reply::Studies { id, studies: studies.states() },
        Request::Study { id, kind, database, name, options, file } => {
            // Two at a time on one connection would be one for nobody.
            *study = None;
            match Study::open(studies, client, kind, (database, name), options, file) {
                Ok(opened) => going(id, study.insert(opened)),
                Err(refusal) => failed(id, refusal),
            }
        }
        Request::Photos { id, photos } => match study.as_mut() {
            Some(_) if photos.len() > MAX_PHOTOS => {
                let message = format!("a request has {} photos, the limit is {MAX_PHOTOS}", photos.len());
                Reply::Failed { id, failure: Failure::Engine(message) }
            }
            Some(open) if open.runner.is_none() => match open.spool.add(&photos) {
                Ok(()) => {
                    open.count();
                    going(id, open)
                }
                Err(refusal) => {
                    *study = None;
                    failed(id, refusal)
                }
            },
            _ => out_of_turn(id),
        },
        Request::Run { id } => match study.as_mut() {
            Some(open) if open.runner.is_none() => match open.run(id) {
                // Its runner answers.
                Ok(()) => return,
                Err(refusal) => {
                    *study = None;
                    failed(id, refusal)
                }
            },
            _ => out_of_turn(id),
        },
        Request::Piece { id, offset } => match study.as_ref().map(|open| piece(open.spool.folder(), offset)) {
            Some(Ok(bytes)) => Reply::Piece { id, bytes },
            Some(Err(error)) => {
                let message = format!("the model that was made cannot be read: {error}");
                failed(id, refusal(StudyFault::Disk, message))
            }
            None => out_of_turn(id),
        },
        Request::End { id } => match study.take() {
            Some(open) => going(id, &open),
            None => out_of_turn(id),
        },
        Request::Hello { .. }
        | Request::Embed { .. }
        | Request::MatchMap { .. }
        | Request::Model { .. }
        | Request::Stats { .. } => {
            unreachable!("the session answers these")
        }
    };
    // After an end has been carried out: whoever is told so may begin again.
    client.send(reply);
}

fn going(id: u64, study: &Study) -> Reply {
    Reply::Going { id, state: study.open.state() }
}

fn out_of_turn(id: u64) -> Reply {
    Reply::Failed { id, failure: Failure::Engine("the request belongs to a study that is not open".to_owned()) }
}

fn piece(folder: &Path, offset: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(folder.join(MODEL))?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(PIECE as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn no_thread(error: io::Error) -> StudyRefusal {
    refusal(StudyFault::Failed, format!("the engine could not start a thread: {error}"))
}

/// The whole command line of a study in `folder`.
fn line(kind: StudyKind, folder: &Path, device: &str, options: &str, file: &[u8]) -> Result<Vec<String>, StudyRefusal> {
    let place = |option: &str, name: &str| format!("--{option}={}", folder.join(name).display());
    let mut arguments = vec![kind.command().to_owned(), format!("--device={device}")];
    arguments.extend(match kind {
        StudyKind::Train => vec![place("data", ""), place("backbone", START), place("out", MODEL)],
        StudyKind::Evaluate => vec![place("table", TABLE), place("model", START)],
    });
    arguments.extend(options::arguments(kind, options, file)?);
    options::check(&arguments)?;
    Ok(arguments)
}

impl Study {
    /// Opens a study: checks its options, takes its place, makes its folder.
    fn open(
        studies: &Arc<Studies>,
        client: &Arc<Client>,
        kind: StudyKind,
        (database, name): (&str, &str),
        options: &str,
        file: &[u8],
    ) -> Result<Self, StudyRefusal> {
        let folder = studies.folder(kind);
        // On a stack of its own: a session's is small, and a command line's parser takes what it wants.
        let arguments = thread::scope(|scope| {
            let line = || line(kind, &folder, &studies.device, options, file);
            let parsed = thread::Builder::new().name("options".into()).spawn_scoped(scope, line).map_err(no_thread)?;
            parsed.join().unwrap_or_else(|_| Err(refusal(StudyFault::Option, "options cannot be read".to_owned())))
        })?;
        let open = studies.claim(kind, client.pid, database, name)?;
        let spool = Spool::create(folder, kind, file, studies.max_bytes);
        let spool = spool.inspect_err(|_| studies.release(&open))?;
        // Between two pieces of a slow query the connection is idle, and must not make room for others.
        client.asked();
        let (studies, client) = (Arc::clone(studies), Arc::clone(client));
        Ok(Self { studies, client, open, spool, arguments, runner: None })
    }

    fn count(&self) {
        let (photos, items, bytes) = self.spool.figures();
        self.open.change(|state| (state.photos, state.items, state.bytes) = (photos, items, bytes));
    }

    fn run(&mut self, id: u64) -> Result<(), StudyRefusal> {
        self.spool.flush()?;
        self.open.change(|state| "starting".clone_into(&mut state.phase));
        let runner = Runner { open: Arc::clone(&self.open), client: Arc::clone(&self.client), id };
        let (arguments, folder) = (self.arguments.clone(), self.spool.folder().to_owned());
        // The kernel kills the process with the thread that started it: this one stays until it has ended.
        let spawned = faults::check(Operation::Spawn)
            .and_then(|()| thread::Builder::new().name("study".into()).spawn(move || runner.run(&arguments, &folder)));
        self.runner = Some(spawned.map_err(no_thread)?);
        Ok(())
    }
}
