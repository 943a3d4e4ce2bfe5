//! What waits for the model thread: decoded photos, and models to load.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use grnet_core::features::ImageDigest;

use super::budget::Frame;
use super::client::Client;
use super::counters::Counters;
use super::job::Job;

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
    room: Condvar,
}

#[derive(Debug, Default)]
struct Content {
    photos: VecDeque<Decoded>,
    loads: VecDeque<Load>,
    stopped: bool,
}

impl Inbox {
    /// An empty inbox.
    pub fn new(batching: Batching, counters: Arc<Counters>) -> Self {
        let content = Mutex::new(Content::default());
        Self { batching, counters, content, arrival: Condvar::new(), room: Condvar::new() }
    }

    /// Adds a photo, waiting while two batches are there: decoded photos are large, and ahead of the network by
    /// more than that they gain nothing.
    pub fn push(&self, photo: Decoded) {
        let mut content = self.lock();
        while content.photos.len() >= 2 * self.batching.photos && !content.stopped {
            content = self.room.wait(content).unwrap_or_else(PoisonError::into_inner);
        }
        content.photos.push_back(photo);
        drop(content);
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
            let Some(first) = content.photos.front() else {
                content = self.arrival.wait(content).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let model = first.job.order.model;
            let same = content.photos.iter().filter(|photo| photo.job.order.model == model).count();
            let more_to_come = self.counters.queued() > content.photos.len() as u64;
            let left = (first.at + self.batching.wait).saturating_duration_since(Instant::now());
            if same >= self.batching.photos || !more_to_come || left.is_zero() {
                let batch = content.take(|photo| photo.job.order.model == model, self.batching.photos);
                drop(content);
                self.room.notify_all();
                return Some(Work::Batch(batch));
            }
            content = self.arrival.wait_timeout(content, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets the model thread and waiting decoders end.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.arrival.notify_all();
        self.room.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    /// Takes up to `limit` photos that `belong`, in their order.
    fn take(&mut self, belong: impl Fn(&Decoded) -> bool, limit: usize) -> Vec<Decoded> {
        let mut taken = Vec::with_capacity(limit);
        let mut rest = VecDeque::with_capacity(self.photos.len());
        for photo in self.photos.drain(..) {
            if taken.len() < limit && belong(&photo) {
                taken.push(photo);
            } else {
                rest.push_back(photo);
            }
        }
        self.photos = rest;
        taken
    }
}
