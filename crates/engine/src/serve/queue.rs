//! Requests whose photos wait for a decoder, and maps that wait to be drawn.
//!
//! Requests take turns, a photo each: one photo of one session does not wait behind a thousand of another.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::client::Client;
use super::job::Job;

/// What a decoder does next.
#[derive(Debug)]
pub enum Task {
    /// Decode a photo of a request.
    Photo(Arc<Job>, usize),
    /// Draw the map of a request whose photos have these feature values.
    Draw(Arc<Job>, [Vec<u8>; 2]),
}

/// The queue. Its length is bounded by the gate in [`Counters::admit`](super::counters::Counters::admit).
#[derive(Debug, Default)]
pub struct Queue {
    turns: Mutex<Turns>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Turns {
    jobs: VecDeque<(Arc<Job>, usize)>,
    maps: VecDeque<(Arc<Job>, [Vec<u8>; 2])>,
    stopped: bool,
}

impl Queue {
    /// Adds a request that has at least one photo.
    pub fn push(&self, job: Arc<Job>) {
        self.lock().jobs.push_back((job, 0));
        self.wake.notify_all();
    }

    /// Adds a map, ahead of all photos: it is the rest of a request that had its turn.
    pub fn push_map(&self, job: Arc<Job>, features: [Vec<u8>; 2]) {
        self.lock().maps.push_back((job, features));
        self.wake.notify_one();
    }

    /// The next task, waiting for one; `None` when the server stops.
    pub fn take(&self) -> Option<Task> {
        let mut turns = self.lock();
        loop {
            if turns.stopped {
                return None;
            }
            if let Some((job, features)) = turns.maps.pop_front() {
                return Some(Task::Draw(job, features));
            }
            while let Some((job, index)) = turns.jobs.pop_front() {
                if job.is_closed() {
                    continue;
                }
                if index + 1 < job.order.slots.len() {
                    turns.jobs.push_back((Arc::clone(&job), index + 1));
                }
                return Some(Task::Photo(job, index));
            }
            turns = self.wake.wait(turns).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Drops the requests of a client that is gone, so that they hold no place.
    pub fn forget(&self, client: &Arc<Client>) {
        let stays = |job: &Job| {
            let theirs = job.is_from(client);
            if theirs {
                job.abandon();
            }
            !theirs
        };
        let mut turns = self.lock();
        turns.jobs.retain(|(job, _)| stays(job));
        turns.maps.retain(|(job, _)| stays(job));
    }

    /// Lets the decoders end.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.wake.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
