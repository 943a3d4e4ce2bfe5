//! Fresh snapshots for every step, made on threads of their own while the network learns.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;

use grnet_core::config::Input;
use grnet_core::model::ModelFile;
use grnet_photo::{Limits, Picture};
use tch::{Kind, Tensor};

use crate::augment::{self, Imitation};
use crate::dataset::Photo;
use crate::network::{Device, Embedder, EngineError, Precision, fit};

/// Bytes of decoded pictures that are kept: 2,400 of 448 × 336 pixels. What does not fit is decoded again.
const KEPT: usize = 1 << 30;

/// Batches that each thread has ready.
const AHEAD: usize = 2;

/// Other photos of which pieces may stand in a snapshot.
const OTHERS: usize = 8;

/// One photo of a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shot {
    /// The photo.
    pub photo: usize,
    /// Whose snapshot.
    pub kind: augment::Kind,
    /// How far it differs from the photo, 0 to 1.
    pub strength: f64,
    /// What decides the rest.
    pub seed: u64,
}

/// Decoded pictures, shared by the threads.
#[derive(Debug, Default)]
pub struct Pictures {
    kept: Mutex<(HashMap<usize, Arc<Picture>>, usize)>,
}

impl Pictures {
    /// The picture of a photo, at most `longest` pixels long.
    fn get(&self, number: usize, photo: &Photo, longest: u32) -> Result<Arc<Picture>, EngineError> {
        let lock = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(picture) = lock().0.get(&number) {
            return Ok(Arc::clone(picture));
        }
        let bytes = std::fs::read(&photo.path).map_err(EngineError::io(&photo.path))?;
        let picture = grnet_photo::picture(&bytes, photo.region.as_ref(), longest, &Limits::default())
            .map_err(|e| EngineError::Dataset { path: photo.path.clone(), reason: e.to_string() })?;
        let picture = Arc::new(picture);
        let mut kept = lock();
        // Another thread may have been faster: it counts once.
        if kept.1 + picture.pixels().len() <= KEPT && !kept.0.contains_key(&number) {
            kept.1 += picture.pixels().len();
            kept.0.insert(number, Arc::clone(&picture));
        }
        Ok(picture)
    }
}

/// How snapshots are made.
#[derive(Debug)]
pub struct Workshop<'a> {
    /// All photos.
    pub photos: &'a [Photo],
    /// The model whose backbone's first stages are run.
    pub model: &'a [u8],
    /// How many of them.
    pub frozen: usize,
    /// Where they run.
    pub device: Device,
    /// In which precision.
    pub precision: Precision,
    /// What was decoded before.
    pub pictures: Pictures,
}

/// Maps behind the frozen stages `[n, c, h, w]`, one photo a shot; f32 on the device.
pub type Made = Result<Tensor, EngineError>;

/// Batches in their order, made by several threads: the thread of a batch depends on its number alone.
#[derive(Debug)]
pub struct Loader {
    threads: Vec<Receiver<Made>>,
    next: usize,
}

impl Loader {
    /// Starts `threads` on the batches that `draw` gives for `steps`. They end when the loader is dropped.
    pub fn start<'s>(
        scope: &'s Scope<'s, '_>,
        workshop: &'s Workshop<'s>,
        steps: RangeInclusive<usize>,
        draw: impl Fn(usize) -> Vec<Shot> + Copy + Send + 's,
        threads: usize,
    ) -> Self {
        // Each loads a network: none for nothing.
        let threads = threads.min(steps.clone().count()).max(1);
        let start = |first: usize| {
            let (sender, receiver) = sync_channel(AHEAD);
            let steps = steps.clone().skip(first).step_by(threads);
            scope.spawn(move || workshop.make_all(steps.map(draw), &sender));
            receiver
        };
        Self { threads: (0..threads).map(start).collect(), next: 0 }
    }

    /// The next batch; `None` where a thread has ended without one.
    pub fn next(&mut self) -> Option<Made> {
        let thread = self.next % self.threads.len();
        self.next += 1;
        self.threads[thread].recv().ok()
    }
}

impl Workshop<'_> {
    fn make_all(&self, batches: impl Iterator<Item = Vec<Shot>>, out: &SyncSender<Made>) {
        let embedder = ModelFile::parse(self.model)
            .map_err(EngineError::from)
            .and_then(|file| Embedder::load(&file, self.device, self.precision));
        match embedder {
            Ok(embedder) => {
                for batch in batches {
                    // Nobody listens any more: the training has ended.
                    if out.send(self.make(&embedder, &batch)).is_err() {
                        return;
                    }
                }
            }
            Err(error) => {
                let _ = out.send(Err(error));
            }
        }
    }

    /// A batch's maps.
    fn make(&self, embedder: &Embedder, batch: &[Shot]) -> Made {
        let input = &embedder.config().input;
        let pixels = self.snapshots(batch, input)?;
        let pixels: Vec<&[u8]> = pixels.iter().map(Vec::as_slice).collect();
        // A few at a time stay within the cache of a core.
        let maps = pixels.chunks(8).map(|part| embedder.map_behind(part, self.frozen));
        Ok(Tensor::f_cat(&maps.collect::<Result<Vec<_>, _>>()?, 0)?.f_to_kind(Kind::Float)?)
    }

    /// A batch's pixels.
    ///
    /// # Errors
    /// A photo that could be read when training began cannot be read any more.
    pub fn snapshots(&self, batch: &[Shot], input: &Input) -> Result<Vec<Vec<u8>>, EngineError> {
        // Twice the model's size: a snapshot may show half of the photo.
        let longest = (2 * input.size).min(grnet_photo::MAX_SIZE);
        let get = |shot: &Shot| self.pictures.get(shot.photo, &self.photos[shot.photo], longest);
        let pictures = batch.iter().map(get).collect::<Result<Vec<_>, _>>()?;
        let snapshot = |(at, shot): (usize, &Shot)| {
            let others: Vec<&Picture> =
                (1..=OTHERS.min(batch.len() - 1)).map(|n| &*pictures[(at + n) % batch.len()]).collect();
            let imitation = Imitation { strength: shot.strength, ..Imitation::default() };
            imitation.snapshot(&pictures[at], &others, shot.kind, input.size, fit(input.fit), shot.seed)
        };
        Ok(batch.iter().enumerate().map(snapshot).collect())
    }
}
