//! Requests whose photos wait for a decoder, and maps that wait to be drawn.
//!
//! Sessions take turns, a photo or a map each. A photo that was handed out has a place until it reaches the network, and
//! places are shared: a session alone may have all, and with others there no more than its share. What a session asked for
//! beyond that waits in its own request, where it holds up nobody.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::client::Client;
use super::job::Job;

/// What a decoder does next.
#[derive(Debug)]
pub enum Task {
    /// Decode a photo of a request; it has a place until the network takes it.
    Photo(Arc<Job>, usize, Place),
    /// Draw the map of a request whose photos have these feature values.
    Draw(Arc<Job>, [Vec<u8>; 2]),
}

/// The queue, shared by whoever holds it.
#[derive(Debug, Clone)]
pub struct Queue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Places that all sessions share.
    places: usize,
    /// Places beyond, for sessions that have none.
    spare: usize,
    turns: Mutex<Turns>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Turns {
    /// Sessions that wait for something or have a place, the next one first.
    lanes: VecDeque<Lane>,
    /// Places taken.
    taken: usize,
    stopped: bool,
}

/// One session's turn.
#[derive(Debug)]
struct Lane {
    client: Arc<Client>,
    maps: VecDeque<(Arc<Job>, [Vec<u8>; 2])>,
    jobs: VecDeque<(Arc<Job>, usize)>,
    /// Places that the session has.
    taken: usize,
}

impl Queue {
    /// A queue with room for two batches of photos ahead of the network and one in each decoder: further ahead they gain
    /// nothing and are large. A session that has none of them finds a place among as many as a batch has.
    pub fn new(batch: usize, decoders: usize) -> Self {
        let places = 2 * batch + decoders;
        Self(Arc::new(Inner { places, spare: batch, turns: Mutex::default(), wake: Condvar::new() }))
    }

    /// Adds a request that has at least one photo.
    pub fn push(&self, job: Arc<Job>) {
        let mut turns = self.0.lock();
        turns.lane(job.client()).jobs.push_back((job, 0));
        drop(turns);
        self.0.wake.notify_all();
    }

    /// Adds a map, ahead of its session's photos: it is the rest of a request that had its turn.
    pub fn push_map(&self, job: Arc<Job>, features: [Vec<u8>; 2]) {
        let mut turns = self.0.lock();
        turns.lane(job.client()).maps.push_back((job, features));
        drop(turns);
        self.0.wake.notify_one();
    }

    /// The next task, waiting for one; `None` when the server stops.
    pub fn take(&self) -> Option<Task> {
        let mut turns = self.0.lock();
        loop {
            if turns.stopped {
                return None;
            }
            turns.forget_closed();
            if let Some(taken) = turns.next(self.0.places, self.0.spare) {
                return Some(match taken {
                    Taken::Map(job, features) => Task::Draw(job, features),
                    Taken::Photo(job, index) => {
                        let place = Place { queue: Arc::clone(&self.0), client: Arc::clone(job.client()) };
                        Task::Photo(job, index, place)
                    }
                });
            }
            turns = self.0.wake.wait(turns).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Drops the requests of a client that is gone, so that they wait no longer.
    pub fn forget(&self, client: &Arc<Client>) {
        let mut turns = self.0.lock();
        if let Some(lane) = turns.lanes.iter_mut().find(|lane| Arc::ptr_eq(&lane.client, client)) {
            let jobs = lane.jobs.drain(..).map(|(job, _)| job);
            jobs.chain(lane.maps.drain(..).map(|(job, _)| job)).for_each(|job| job.abandon());
        }
        turns.forget_closed();
    }

    /// Lets the decoders end.
    pub fn stop(&self) {
        self.0.lock().stopped = true;
        self.0.wake.notify_all();
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a turn gives.
enum Taken {
    Photo(Arc<Job>, usize),
    Map(Arc<Job>, [Vec<u8>; 2]),
}

impl Turns {
    /// A session's lane, at the end where it is new.
    fn lane(&mut self, client: &Arc<Client>) -> &mut Lane {
        let at = self.lanes.iter().position(|lane| Arc::ptr_eq(&lane.client, client));
        let at = at.unwrap_or_else(|| {
            let (maps, jobs) = (VecDeque::new(), VecDeque::new());
            self.lanes.push_back(Lane { client: Arc::clone(client), maps, jobs, taken: 0 });
            self.lanes.len() - 1
        });
        &mut self.lanes[at]
    }

    /// The first session that has something to do and may have a place; it goes to the end.
    fn next(&mut self, places: usize, spare: usize) -> Option<Taken> {
        let share = (places / self.lanes.len().max(1)).max(1);
        for at in 0..self.lanes.len() {
            let lane = &mut self.lanes[at];
            let taken = if let Some((job, features)) = lane.maps.pop_front() {
                Taken::Map(job, features)
            } else {
                let among_all = self.taken < places && lane.taken < share;
                let has_spare = lane.taken == 0 && self.taken < places + spare;
                if !among_all && !has_spare {
                    continue;
                }
                let Some((job, index)) = lane.jobs.pop_front() else { continue };
                if index + 1 < job.order.slots.len() {
                    lane.jobs.push_front((Arc::clone(&job), index + 1));
                }
                lane.taken += 1;
                self.taken += 1;
                Taken::Photo(job, index)
            };
            if let Some(lane) = self.lanes.remove(at) {
                self.lanes.push_back(lane);
            }
            return Some(taken);
        }
        None
    }

    /// Drops requests that were answered or given up, and lanes in which nothing is left.
    fn forget_closed(&mut self) {
        for lane in &mut self.lanes {
            while lane.jobs.front().is_some_and(|(job, _)| job.is_closed()) {
                lane.jobs.pop_front();
            }
        }
        self.lanes.retain(|lane| lane.taken > 0 || !lane.jobs.is_empty() || !lane.maps.is_empty());
    }
}

/// A photo's place ahead of the network, given back when dropped.
#[derive(Debug)]
pub struct Place {
    queue: Arc<Inner>,
    client: Arc<Client>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut turns = self.queue.lock();
        turns.taken -= 1;
        if let Some(lane) = turns.lanes.iter_mut().find(|lane| Arc::ptr_eq(&lane.client, &self.client)) {
            lane.taken -= 1;
        }
        drop(turns);
        self.queue.wake.notify_all();
    }
}
