//! One request in work: images to be embedded, or two of them to be drawn.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use grnet_features::model_file::ModelId;
use grnet_image::Limits;
use grnet_nn::shape::ModelShape;
use grnet_score::scorer::Scorer;
use grnet_wire::{Drawing, Failure, Outcome, Region, Reply, Side};

use crate::budget::Frame;
use crate::client::Client;
use crate::counters::Counters;

/// An image within its request's frame.
#[derive(Debug, Clone)]
pub struct EncodedImage {
    /// Where the frame has the image's bytes.
    pub bytes: Range<usize>,
    /// The part to look at.
    pub region: Option<Region>,
}

/// What a request wants to be answered with.
#[derive(Debug)]
pub enum RequestKind {
    /// The features of every image.
    Features,
    /// The map of two images, query and item, by this graph.
    MatchMap(Arc<Scorer>),
}

/// What a request asks for.
#[derive(Debug)]
pub struct ImageRequest {
    /// The request's id.
    pub id: u64,
    /// What for.
    pub kind: RequestKind,
    /// The model.
    pub model: ModelId,
    /// The model's shape.
    pub shape: Arc<ModelShape>,
    /// How large an image may be.
    pub limits: Limits,
    /// When the request came.
    pub arrived: Instant,
    /// When nobody waits any more.
    pub deadline: Instant,
    /// The images.
    pub images: Vec<EncodedImage>,
    /// The bytes of them all.
    pub frame: Frame,
}

/// A request from its admission to its answer. It is answered exactly once, by whoever ends it first.
#[derive(Debug)]
pub struct Pending {
    /// What is asked for.
    pub request: ImageRequest,
    client: Arc<Client>,
    counters: Arc<Counters>,
    closed: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    outcomes: Vec<Option<Outcome>>,
    /// Images that are not done with.
    left: usize,
}

/// What is to be done after an image's outcome was put down.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Next {
    /// Nothing: others are in work, or the answer is on its way.
    Nothing,
    /// Both images of a map have these feature values: it can be drawn.
    Draw([Vec<u8>; 2]),
}

impl Pending {
    /// A request whose images were admitted.
    pub fn new(request: ImageRequest, client: Arc<Client>, counters: Arc<Counters>) -> Self {
        let left = request.images.len();
        let state = Mutex::new(State { outcomes: vec![None; left], left });
        Self { request, client, counters, closed: AtomicBool::new(false), state }
    }

    /// The bytes and the region of image `index`.
    pub fn image(&self, index: usize) -> (&[u8], Option<Region>) {
        let encoded = &self.request.images[index];
        (&self.request.frame[encoded.bytes.clone()], encoded.region)
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
        if Instant::now() >= self.request.deadline {
            if self.close() {
                self.counters.dropped();
                self.client.send(Reply::Failed { id: self.request.id, failure: Failure::Late });
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
        self.end_with(Reply::Failed { id: self.request.id, failure });
    }

    /// Ends the request because its model is not loaded (any more).
    pub fn need_model(&self) {
        self.end_with(Reply::NeedModel { id: self.request.id, model: self.request.model });
    }

    /// Puts down what became of image `index`. The last one sends the answer, or asks for the map to be drawn; that
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
        match self.request.kind {
            RequestKind::Features => self.answer(Reply::Features { id: self.request.id, images: outcomes }),
            RequestKind::MatchMap(_) => match both(outcomes) {
                Ok(features) => return Next::Draw(features),
                Err(refused) => self.drawn(refused),
            },
        }
        Next::Nothing
    }

    /// Answers with a map, or with why there is none.
    pub fn drawn(&self, drawing: Drawing) {
        self.answer(Reply::MatchMap { id: self.request.id, drawing });
    }

    /// Ends the request well.
    fn answer(&self, reply: Reply) {
        if self.close() {
            self.counters.answered(self.request.arrived.elapsed());
            self.client.send(reply);
        }
    }

    fn end_with(&self, reply: Reply) {
        if self.close() {
            self.client.send(reply);
        }
    }

    /// Gives up the images that are left; false where the request was closed before.
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

    /// Images are done with: for the server's count, and for what the session may ask for besides.
    fn release(&self, images: u64) {
        self.counters.release(images);
        self.client.release(images);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The values of a map's images, or the refusal of the first that has none.
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
