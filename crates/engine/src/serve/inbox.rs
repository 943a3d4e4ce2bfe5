//! What waits for the model thread: decoded photos, and models to load.
//!
//! A batch is put together of all sessions in turn: a photo that comes while another session fills two batches is in the
//! next one. How many photos may wait here is the [`Queue`](super::queue::Queue)'s to say.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use grnet_core::features::ImageDigest;
use grnet_core::model::ModelId;

use super::budget::Frame;
use super::client::Client;
use super::counters::Counters;
use super::job::Job;
use super::queue::Place;

/// Models waiting to be loaded, at most: every one holds its file in memory.
const LOADS: usize = 16;

/// A decoded photo.
#[derive(Debug)]
pub struct Decoded {
    /// Its request.
    pub job: Arc<Job>,
    /// Its number within the request.
    pub index: usize,
    /// The network's input.
    pub pixels: Vec<u8>,
    /// Its bytes' and region's digest.
    pub digest: ImageDigest,
    /// When it was decoded.
    pub at: Instant,
    /// Its place ahead of the network, until the network takes it.
    pub place: Option<Place>,
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
    /// Photos of one model.
    Batch(Vec<Decoded>),
    /// A model to load.
    Load(Load),
}

/// How a batch is put together.
#[derive(Debug, Clone, Copy)]
pub struct Batching {
    /// Photos in a batch, at most.
    pub photos: usize,
    /// How long a photo waits for others, at most.
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
    /// Photos of each session that has any, the session whose turn it is first.
    lanes: VecDeque<Lane>,
    loads: VecDeque<Load>,
    stopped: bool,
}

/// One session's photos, in their order.
#[derive(Debug)]
struct Lane {
    client: Arc<Client>,
    photos: VecDeque<Decoded>,
}

impl Inbox {
    /// An empty inbox.
    pub fn new(batching: Batching, counters: Arc<Counters>) -> Self {
        Self { batching, counters, content: Mutex::default(), arrival: Condvar::new() }
    }

    /// Adds a photo, which has a place.
    pub fn push(&self, photo: Decoded) {
        self.lock().add(photo);
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
    /// A batch that could grow waits for at most the configured time after its first photo was decoded, and not at
    /// all where no other photo is on its way: a lone session never pays for batching.
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
            let same = || content.photos().filter(|photo| photo.job.order.model == model);
            let more_to_come = self.counters.queued() > content.photos().count() as u64;
            let oldest = same().map(|photo| photo.at).min();
            let until = oldest.map_or_else(Instant::now, |at| at + self.batching.wait);
            let left = until.saturating_duration_since(Instant::now());
            if same().count() >= self.batching.photos || !more_to_come || left.is_zero() {
                return Some(Work::Batch(content.take(model, self.batching.photos)));
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
    fn add(&mut self, photo: Decoded) {
        let client = photo.job.client();
        match self.lanes.iter_mut().find(|lane| Arc::ptr_eq(&lane.client, client)) {
            Some(lane) => lane.photos.push_back(photo),
            None => self.lanes.push_back(Lane { client: Arc::clone(client), photos: VecDeque::from([photo]) }),
        }
    }

    fn photos(&self) -> impl Iterator<Item = &Decoded> {
        self.lanes.iter().flat_map(|lane| &lane.photos)
    }

    /// The model of the next batch.
    fn model(&self) -> Option<ModelId> {
        self.photos().next().map(|photo| photo.job.order.model)
    }

    /// Takes up to `limit` photos of a model, one of each session in turn. Sessions that have none of it come first in the
    /// next batch, and those that got least of this one after them.
    fn take(&mut self, model: ModelId, limit: usize) -> Vec<Decoded> {
        let (mut taken, mut others) = (Vec::with_capacity(limit), VecDeque::new());
        while taken.len() < limit
            && let Some(mut lane) = self.lanes.pop_front()
        {
            let next = lane.photos.iter().position(|photo| photo.job.order.model == model);
            match next.and_then(|at| lane.photos.remove(at)) {
                Some(photo) => {
                    taken.push(photo);
                    if !lane.photos.is_empty() {
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
