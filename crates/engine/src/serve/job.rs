//! One request in work: photos to be embedded, or two of them to be drawn.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use grnet_core::model::ModelId;
use grnet_core::scorer::Scorer;
use grnet_wire::{Drawing, Failure, Outcome, Region, Reply, Side};

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

/// What a request wants to be answered with.
#[derive(Debug)]
pub enum Wish {
    /// The features of every photo.
    Features,
    /// The map of two photos, query and item, by this graph.
    MatchMap(Arc<Scorer>),
}

/// What a request asks for.
#[derive(Debug)]
pub struct Order {
    /// The request's id.
    pub id: u64,
    /// What for.
    pub wish: Wish,
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
    /// Photos that are not done with.
    left: usize,
}

/// What is to be done after a photo's outcome was put down.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Next {
    /// Nothing: others are in work, or the answer is on its way.
    Nothing,
    /// Both photos of a map have these feature values: it can be drawn.
    Draw([Vec<u8>; 2]),
}

impl Job {
    /// A request whose photos were admitted.
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

    /// Who asks.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
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

    /// Puts down what became of photo `index`. The last one sends the answer, or asks for the map to be drawn; that
    /// counts as waiting until [`drawn`](Self::drawn).
    pub fn resolve(&self, index: usize, outcome: Outcome) -> Next {
        let mut state = self.lock();
        if self.is_closed() || state.outcomes.get(index).is_none_or(Option::is_some) {
            return Next::Nothing;
        }
        state.outcomes[index] = Some(outcome);
        if state.outcomes.iter().any(Option::is_none) {
            state.left -= 1;
            drop(state);
            self.release(1);
            return Next::Nothing;
        }
        let outcomes: Vec<Outcome> = std::mem::take(&mut state.outcomes).into_iter().flatten().collect();
        drop(state);
        match self.order.wish {
            Wish::Features => self.answer(Reply::Features { id: self.order.id, photos: outcomes }),
            Wish::MatchMap(_) => match both(outcomes) {
                Ok(features) => return Next::Draw(features),
                Err(refused) => self.drawn(refused),
            },
        }
        Next::Nothing
    }

    /// Answers with a map, or with why there is none.
    pub fn drawn(&self, drawing: Drawing) {
        self.answer(Reply::MatchMap { id: self.order.id, drawing });
    }

    /// Ends the request well.
    fn answer(&self, reply: Reply) {
        if self.close() {
            self.counters.answered(self.order.arrived.elapsed());
            self.client.send(reply);
        }
    }

    fn end_with(&self, reply: Reply) {
        if self.close() {
            self.client.send(reply);
        }
    }

    /// Gives up the photos that are left; false where the request was closed before.
    fn close(&self) -> bool {
        let state = self.lock();
        if self.closed.swap(true, Ordering::AcqRel) {
            return false;
        }
        let left = state.left as u64;
        drop(state);
        self.release(left);
        true
    }

    /// Photos are done with: for the server's count, and for what the session may ask for besides.
    fn release(&self, photos: u64) {
        self.counters.release(photos);
        self.client.release(photos);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The values of a map's photos, or the refusal of the first that has none.
fn both(outcomes: Vec<Outcome>) -> Result<[Vec<u8>; 2], Drawing> {
    let mut values = [Vec::new(), Vec::new()];
    for ((value, outcome), side) in values.iter_mut().zip(outcomes).zip([Side::Query, Side::Item]) {
        match outcome {
            Outcome::Features(features) => *value = features,
            Outcome::Refused(refusal) => return Err(Drawing::Refused(side, refusal)),
        }
    }
    Ok(values)
}
