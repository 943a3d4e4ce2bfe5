//! One `Embed` request in work.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use grnet_core::model::ModelId;
use grnet_wire::{Failure, Outcome, Region, Reply};

use super::budget::Frame;
use super::client::Client;
use super::counters::Counters;
use super::work::{PhotoLimits, Shape};

/// A photo within its request's frame.
#[derive(Debug, Clone)]
pub struct Slot {
    /// Where the frame has the photo's bytes.
    pub bytes: Range<usize>,
    /// The part to look at.
    pub region: Option<Region>,
}

/// What a request asks for.
#[derive(Debug)]
pub struct Order {
    /// The request's id.
    pub id: u64,
    /// The model.
    pub model: ModelId,
    /// The model's shape.
    pub shape: Arc<Shape>,
    /// How large a photo may be.
    pub limits: PhotoLimits,
    /// When the request came.
    pub arrived: Instant,
    /// When nobody waits any more.
    pub deadline: Instant,
    /// The photos.
    pub slots: Vec<Slot>,
    /// The bytes of them all.
    pub frame: Frame,
}

/// A request from its admission to its answer. It is answered exactly once, by whoever ends it first.
#[derive(Debug)]
pub struct Job {
    /// What is asked for.
    pub order: Order,
    client: Arc<Client>,
    counters: Arc<Counters>,
    closed: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    outcomes: Vec<Option<Outcome>>,
    left: usize,
}

impl Job {
    /// A request whose photos were admitted to the queue.
    pub fn new(order: Order, client: Arc<Client>, counters: Arc<Counters>) -> Self {
        let left = order.slots.len();
        let state = Mutex::new(State { outcomes: vec![None; left], left });
        Self { order, client, counters, closed: AtomicBool::new(false), state }
    }

    /// The bytes and the region of photo `index`.
    pub fn photo(&self, index: usize) -> (&[u8], Option<Region>) {
        let slot = &self.order.slots[index];
        (&self.order.frame[slot.bytes.clone()], slot.region)
    }

    /// Whether the request was answered or dropped.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Whether the request comes from `client`.
    pub fn is_from(&self, client: &Arc<Client>) -> bool {
        Arc::ptr_eq(&self.client, client)
    }

    /// Whether somebody still waits; if not, the request is dropped here.
    pub fn is_wanted(&self) -> bool {
        if self.is_closed() {
            return false;
        }
        if self.client.is_gone() {
            self.abandon();
            return false;
        }
        if Instant::now() >= self.order.deadline {
            if self.close() {
                self.counters.dropped();
                self.client.send(Reply::Failed { id: self.order.id, failure: Failure::Late });
            }
            return false;
        }
        true
    }

    /// Drops the request of a client that is gone.
    pub fn abandon(&self) {
        if self.close() {
            self.counters.dropped();
        }
    }

    /// Ends the request as a whole.
    pub fn fail(&self, failure: Failure) {
        self.end_with(Reply::Failed { id: self.order.id, failure });
    }

    /// Ends the request because its model is not loaded (any more).
    pub fn need_model(&self) {
        self.end_with(Reply::NeedModel { id: self.order.id, model: self.order.model });
    }

    /// Puts down what became of photo `index`; the last one sends the answer.
    pub fn resolve(&self, index: usize, outcome: Outcome) {
        let mut state = self.lock();
        if self.is_closed() || state.outcomes[index].is_some() {
            return;
        }
        state.outcomes[index] = Some(outcome);
        state.left -= 1;
        let answer = (state.left == 0).then(|| std::mem::take(&mut state.outcomes));
        if answer.is_some() {
            self.closed.store(true, Ordering::Release);
        }
        drop(state);
        self.counters.release(1);
        if let Some(outcomes) = answer {
            self.counters.answered(self.order.arrived.elapsed());
            let photos = outcomes.into_iter().flatten().collect();
            self.client.send(Reply::Features { id: self.order.id, photos });
        }
    }

    fn end_with(&self, reply: Reply) {
        if self.close() {
            self.client.send(reply);
        }
    }

    /// Takes the photos that are left out of the queue; false where the request was closed before.
    fn close(&self) -> bool {
        let state = self.lock();
        if self.closed.swap(true, Ordering::AcqRel) {
            return false;
        }
        let left = state.left as u64;
        drop(state);
        self.counters.release(left);
        true
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
