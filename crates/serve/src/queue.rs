//! Requests whose images wait for a decoder, and maps that wait to be drawn.
//!
//! Sessions take turns, an image or a map each. An image that was handed out has a slot until it reaches the network,
//! and slots are shared: a session alone may have all, and with others there no more than its share. What a session
//! asked for beyond that waits in its own request, where it holds up nobody.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::client::Client;
use crate::pending::Pending;

/// What a decoder does next.
#[derive(Debug)]
pub enum Task {
    /// Decode an image of a request; it has a slot until the network takes it.
    Image(Arc<Pending>, usize, Slot),
    /// Draw the map of a request whose images have these feature values.
    Draw(Arc<Pending>, [Vec<u8>; 2]),
}

/// The queue, shared by whoever holds it.
#[derive(Debug, Clone)]
pub struct Queue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Slots that all sessions share.
    slots: usize,
    /// Slots beyond, for sessions that have none.
    spare: usize,
    turns: Mutex<Turns>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Turns {
    /// Sessions that wait for something or have a slot, the next one first.
    lanes: VecDeque<Lane>,
    /// Slots taken.
    taken: usize,
    stopped: bool,
}

/// One session's turn.
#[derive(Debug)]
struct Lane {
    client: Arc<Client>,
    maps: VecDeque<(Arc<Pending>, [Vec<u8>; 2])>,
    requests: VecDeque<(Arc<Pending>, usize)>,
    /// Slots that the session has.
    taken: usize,
}

impl Queue {
    /// A queue with room for two batches of images ahead of the network and one in each decoder: further ahead they
    /// gain nothing and are large. A session that has none of them finds a slot among as many as a batch has.
    pub fn new(batch: usize, decoders: usize) -> Self {
        let slots = 2 * batch + decoders;
        Self(Arc::new(Inner { slots, spare: batch, turns: Mutex::default(), wake: Condvar::new() }))
    }

    /// Adds a request that has at least one image.
    pub fn push(&self, pending: Arc<Pending>) {
        let mut turns = self.0.lock();
        turns.lane(pending.client()).requests.push_back((pending, 0));
        drop(turns);
        self.0.wake.notify_all();
    }

    /// Adds a map, ahead of its session's images: it is the rest of a request that had its turn.
    pub fn push_map(&self, pending: Arc<Pending>, features: [Vec<u8>; 2]) {
        let mut turns = self.0.lock();
        turns.lane(pending.client()).maps.push_back((pending, features));
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
            if let Some(taken) = turns.next(self.0.slots, self.0.spare) {
                return Some(match taken {
                    Taken::Map(pending, features) => Task::Draw(pending, features),
                    Taken::Image(pending, index) => {
                        let slot = Slot { queue: Arc::clone(&self.0), client: Arc::clone(pending.client()) };
                        Task::Image(pending, index, slot)
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
            let requests = lane.requests.drain(..).map(|(pending, _)| pending);
            requests.chain(lane.maps.drain(..).map(|(pending, _)| pending)).for_each(|pending| pending.abandon());
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
    Image(Arc<Pending>, usize),
    Map(Arc<Pending>, [Vec<u8>; 2]),
}

impl Turns {
    /// A session's lane, at the end where it is new.
    fn lane(&mut self, client: &Arc<Client>) -> &mut Lane {
        let at = self.lanes.iter().position(|lane| Arc::ptr_eq(&lane.client, client));
        let at = at.unwrap_or_else(|| {
            let (maps, requests) = (VecDeque::new(), VecDeque::new());
            self.lanes.push_back(Lane { client: Arc::clone(client), maps, requests, taken: 0 });
            self.lanes.len() - 1
        });
        &mut self.lanes[at]
    }

    /// The first session that has something to do and may have a slot; it goes to the end.
    fn next(&mut self, slots: usize, spare: usize) -> Option<Taken> {
        let share = (slots / self.lanes.len().max(1)).max(1);
        for at in 0..self.lanes.len() {
            let lane = &mut self.lanes[at];
            let taken = if let Some((pending, features)) = lane.maps.pop_front() {
                Taken::Map(pending, features)
            } else {
                let among_all = self.taken < slots && lane.taken < share;
                let has_spare = lane.taken == 0 && self.taken < slots + spare;
                if !among_all && !has_spare {
                    continue;
                }
                let Some((pending, index)) = lane.requests.pop_front() else { continue };
                if index + 1 < pending.request.images.len() {
                    lane.requests.push_front((Arc::clone(&pending), index + 1));
                }
                lane.taken += 1;
                self.taken += 1;
                Taken::Image(pending, index)
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
            while lane.requests.front().is_some_and(|(pending, _)| pending.is_closed()) {
                lane.requests.pop_front();
            }
        }
        self.lanes.retain(|lane| lane.taken > 0 || !lane.requests.is_empty() || !lane.maps.is_empty());
    }
}

/// An image's slot ahead of the network, given back when dropped.
#[derive(Debug)]
pub struct Slot {
    queue: Arc<Inner>,
    client: Arc<Client>,
}

impl Drop for Slot {
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
