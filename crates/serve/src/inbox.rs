//! What waits for the model thread: decoded images, and models to load.
//!
//! A batch is put together of all sessions in turn: an image that comes while another session fills two batches is in
//! the next one. How many images may wait here is the [`Queue`](crate::queue::Queue)'s to say.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use grnet_features::model_file::ModelId;
use grnet_features::value::ImageDigest;

use crate::budget::Frame;
use crate::client::Client;
use crate::counters::Counters;
use crate::pending::Pending;
use crate::queue::Slot;

/// Models waiting to be loaded, at most: every one holds its file in memory.
const LOADS: usize = 16;

/// A decoded image.
#[derive(Debug)]
pub struct Decoded {
    /// Its request.
    pub pending: Arc<Pending>,
    /// Its number within the request.
    pub index: usize,
    /// The network's input.
    pub pixels: Vec<u8>,
    /// Its bytes' and region's digest.
    pub digest: ImageDigest,
    /// When it was decoded.
    pub at: Instant,
    /// Its slot ahead of the network, until the network takes it.
    pub slot: Option<Slot>,
}

/// A model to load.
#[derive(Debug)]
pub struct Load {
    /// The request's id.
    pub id: u64,
    /// Who sent it.
    pub client: Arc<Client>,
    /// The frame with the model's file.
    pub frame: Frame,
    /// Where the frame has the file.
    pub file: std::ops::Range<usize>,
}

/// The model thread's next piece of work.
#[derive(Debug)]
pub enum Work {
    /// Images of one model.
    Batch(Vec<Decoded>),
    /// A model to load.
    Load(Load),
}

/// How a batch is put together.
#[derive(Debug, Clone, Copy)]
pub struct Batching {
    /// Images in a batch, at most.
    pub images: usize,
    /// How long an image waits for others, at most.
    pub wait: Duration,
}

/// The model thread's inbox.
#[derive(Debug)]
pub struct Inbox {
    batching: Batching,
    counters: Arc<Counters>,
    content: Mutex<Content>,
    arrival: Condvar,
}

#[derive(Debug, Default)]
struct Content {
    /// Images of each session that has any, the session whose turn it is first.
    lanes: VecDeque<Lane>,
    loads: VecDeque<Load>,
    stopped: bool,
}

/// One session's images, in their order.
#[derive(Debug)]
struct Lane {
    client: Arc<Client>,
    images: VecDeque<Decoded>,
}

impl Inbox {
    /// An empty inbox.
    pub fn new(batching: Batching, counters: Arc<Counters>) -> Self {
        Self { batching, counters, content: Mutex::default(), arrival: Condvar::new() }
    }

    /// Adds an image, which has a slot.
    pub fn push(&self, image: Decoded) {
        self.lock().add(image);
        self.arrival.notify_one();
    }

    /// Adds a model; false where too many are waiting.
    pub fn push_load(&self, load: Load) -> bool {
        let mut content = self.lock();
        if content.loads.len() >= LOADS || content.stopped {
            return false;
        }
        content.loads.push_back(load);
        drop(content);
        self.arrival.notify_one();
        true
    }

    /// The next piece of work, waiting for it; `None` when the server stops.
    ///
    /// A batch that could grow waits for at most the configured time after its first image was decoded, and not at
    /// all where no other image is on its way: a lone session never pays for batching.
    pub fn next(&self) -> Option<Work> {
        let mut content = self.lock();
        loop {
            if content.stopped {
                return None;
            }
            if let Some(load) = content.loads.pop_front() {
                return Some(Work::Load(load));
            }
            let Some(model) = content.model() else {
                content = self.arrival.wait(content).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let same = || content.images().filter(|image| image.pending.request.model == model);
            let more_to_come = self.counters.queued() > content.images().count() as u64;
            let oldest = same().map(|image| image.at).min();
            let until = oldest.map_or_else(Instant::now, |at| at + self.batching.wait);
            let left = until.saturating_duration_since(Instant::now());
            if same().count() >= self.batching.images || !more_to_come || left.is_zero() {
                return Some(Work::Batch(content.take(model, self.batching.images)));
            }
            content = self.arrival.wait_timeout(content, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets the model thread end.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.arrival.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    fn add(&mut self, image: Decoded) {
        let client = image.pending.client();
        match self.lanes.iter_mut().find(|lane| Arc::ptr_eq(&lane.client, client)) {
            Some(lane) => lane.images.push_back(image),
            None => self.lanes.push_back(Lane { client: Arc::clone(client), images: VecDeque::from([image]) }),
        }
    }

    fn images(&self) -> impl Iterator<Item = &Decoded> {
        self.lanes.iter().flat_map(|lane| &lane.images)
    }

    /// The model of the next batch.
    fn model(&self) -> Option<ModelId> {
        self.images().next().map(|image| image.pending.request.model)
    }

    /// Takes up to `limit` images of a model, one of each session in turn. Sessions that have none of it come first in
    /// the next batch, and those that got least of this one after them.
    fn take(&mut self, model: ModelId, limit: usize) -> Vec<Decoded> {
        let (mut taken, mut others) = (Vec::with_capacity(limit), VecDeque::new());
        while taken.len() < limit
            && let Some(mut lane) = self.lanes.pop_front()
        {
            let next = lane.images.iter().position(|image| image.pending.request.model == model);
            match next.and_then(|at| lane.images.remove(at)) {
                Some(image) => {
                    taken.push(image);
                    if !lane.images.is_empty() {
                        self.lanes.push_back(lane);
                    }
                }
                None => others.push_back(lane),
            }
        }
        others.append(&mut self.lanes);
        self.lanes = others;
        taken
    }
}
