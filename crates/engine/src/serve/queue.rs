//! Requests whose photos wait for a decoder.
//!
//! Requests take turns, a photo each: one photo of one session does not wait behind a thousand of another.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::client::Client;
use super::job::Job;

/// The queue. Its length is bounded by the gate in [`Counters::admit`](super::counters::Counters::admit).
#[derive(Debug, Default)]
pub struct Queue {
    turns: Mutex<Turns>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Turns {
    jobs: VecDeque<(Arc<Job>, usize)>,
    stopped: bool,
}

impl Queue {
    /// Adds a request that has at least one photo.
    pub fn push(&self, job: Arc<Job>) {
        self.lock().jobs.push_back((job, 0));
        self.wake.notify_all();
    }

    /// The next photo, waiting for one; `None` when the server stops.
    pub fn take(&self) -> Option<(Arc<Job>, usize)> {
        let mut turns = self.lock();
        loop {
            if turns.stopped {
                return None;
            }
            while let Some((job, index)) = turns.jobs.pop_front() {
                if job.is_closed() {
                    continue;
                }
                if index + 1 < job.order.slots.len() {
                    turns.jobs.push_back((Arc::clone(&job), index + 1));
                }
                return Some((job, index));
            }
            turns = self.wake.wait(turns).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Drops the requests of a client that is gone, so that they hold no place.
    pub fn forget(&self, client: &Arc<Client>) {
        self.lock().jobs.retain(|(job, _)| {
            let theirs = job.is_from(client);
            if theirs {
                job.abandon();
            }
            !theirs
        });
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
