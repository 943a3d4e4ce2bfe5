//! What a connection asks about jobs.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use grnet_wire::{Failure, JobFault, MAX_IMAGES, PIECE, Reply, Request};

use crate::client::Client;
use crate::jobs::job::Job;
use crate::jobs::refusal::refusal;
use crate::jobs::registry::Jobs;
use crate::jobs::runner::MODEL;

/// Answers a request about jobs; `job` is the connection's own.
pub fn answer(jobs: &Arc<Jobs>, client: &Arc<Client>, job: &mut Option<Job>, request: Request<'_>) {
    let failed = |id, refusal| Reply::Failed { id, failure: Failure::Job(refusal) };
    let reply = match request {
        Request::Jobs { id } => Reply::Jobs { id, jobs: jobs.states() },
        Request::Job { id, kind, database, name, options, file } => {
            // Two at a time on one connection would be one for nobody.
            *job = None;
            match Job::open(jobs, client, kind, (database, name), options, file) {
                Ok(opened) => going(id, job.insert(opened)),
                Err(refusal) => failed(id, refusal),
            }
        }
        Request::Images { id, images } => match job.as_mut() {
            Some(_) if images.len() > MAX_IMAGES => {
                let message = format!("a request has {} images, the limit is {MAX_IMAGES}", images.len());
                Reply::Failed { id, failure: Failure::Engine(message) }
            }
            Some(open) if open.runner.is_none() => match open.spool.add(&images) {
                Ok(()) => {
                    open.count();
                    going(id, open)
                }
                Err(refusal) => {
                    *job = None;
                    failed(id, refusal)
                }
            },
            _ => out_of_turn(id),
        },
        Request::Run { id } => match job.as_mut() {
            Some(open) if open.runner.is_none() => match open.run(id) {
                // Its runner answers.
                Ok(()) => return,
                Err(refusal) => {
                    *job = None;
                    failed(id, refusal)
                }
            },
            _ => out_of_turn(id),
        },
        Request::Piece { id, offset } => match job.as_ref().map(|open| piece(open.spool.folder(), offset)) {
            Some(Ok(bytes)) => Reply::Piece { id, bytes },
            Some(Err(error)) => {
                let message = format!("the model that was made cannot be read: {error}");
                failed(id, refusal(JobFault::Disk, message))
            }
            None => out_of_turn(id),
        },
        Request::End { id } => match job.take() {
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

fn going(id: u64, job: &Job) -> Reply {
    Reply::Going { id, state: job.open.state() }
}

fn out_of_turn(id: u64) -> Reply {
    Reply::Failed { id, failure: Failure::Engine("the request belongs to a job that is not open".to_owned()) }
}

fn piece(folder: &Path, offset: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(folder.join(MODEL))?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(PIECE as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
