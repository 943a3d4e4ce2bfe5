//! Freshly augmented images for every step, made on threads of their own while the network learns. An image is opened
//! where a batch draws it, and one that turns out to be damaged is replaced by what the batch draws instead.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;

use grnet_data::DataError;
use grnet_data::augment::augmentation::Augmentation;
use grnet_data::dataset::image::Image;
use grnet_data::decode::fit::fit;
use grnet_features::config::Input;
use grnet_features::model_file::ModelFile;
use grnet_image::{Limits, Picture};
use grnet_nn::NnError;
use grnet_nn::device::{Device, Precision};
use grnet_nn::embedder::Embedder;
use tch::{Kind, Tensor};

use crate::batch::{Sample, Sampler};
use crate::error::TrainError;

/// Bytes of decoded pictures that are cached: 2,400 of 448 × 336 pixels. What does not fit is decoded again.
const CACHE_BYTES: usize = 1 << 30;

/// Batches that each thread has ready.
const AHEAD: usize = 2;

/// Other images of which pieces may stand in an augmented image.
const OTHERS: usize = 8;

/// Why an image cannot be read.
pub type Reason = Arc<str>;

/// An image that was opened, and why it cannot be read, where it cannot.
pub type Opened = (usize, Option<Reason>);

/// What an image shows.
type Shown = Arc<Picture>;

/// Decoded pictures, shared by the threads.
#[derive(Debug, Default)]
pub struct Pictures(Mutex<Cache>);

/// Pictures by the numbers of their images, those of damaged ones with the reason, and their bytes.
#[derive(Debug, Default)]
struct Cache {
    pictures: HashMap<usize, Result<Shown, Reason>>,
    bytes: usize,
}

impl Pictures {
    /// Knows some images as damaged.
    pub fn without(damaged: impl IntoIterator<Item = usize>) -> Self {
        let reason = Reason::from("it cannot be read");
        let pictures = damaged.into_iter().map(|image| (image, Err(Reason::clone(&reason)))).collect();
        Self(Mutex::new(Cache { pictures, bytes: 0 }))
    }

    /// The picture of an image, at most `longest` pixels long, or why there is none. An image is read once to find that
    /// out.
    fn get(&self, number: usize, image: &Image, longest: u32) -> Result<Shown, Reason> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().pictures.get(&number) {
            return known.clone();
        }
        let read = std::fs::read(&image.path).map_err(|e| e.to_string()).and_then(|bytes| {
            grnet_image::picture(&bytes, image.region.as_ref(), longest, &Limits::default()).map_err(|e| e.to_string())
        });
        let picture = read.map(Arc::new).map_err(Reason::from);
        let size = picture.as_ref().map_or(0, |picture| picture.pixels().len());
        let mut cache = lock();
        // Another thread may have been faster: it counts once.
        if cache.bytes + size <= CACHE_BYTES && !cache.pictures.contains_key(&number) {
            cache.bytes += size;
            cache.pictures.insert(number, picture.clone());
        }
        picture
    }
}

/// How augmented images are made.
#[derive(Debug)]
pub struct Workshop<'a> {
    /// All images.
    pub images: &'a [Image],
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

/// A batch as the network takes it.
#[derive(Debug)]
pub struct Batch {
    /// Maps behind the frozen stages `[n, c, h, w]`, one image a sample; f32 on the device.
    pub maps: Tensor,
    /// The images that were opened for it.
    pub opened: Vec<Opened>,
}

/// What a thread makes.
pub type Made = Result<Batch, TrainError>;

/// Batches in their order, made by several threads: the thread of a batch depends on its number alone.
#[derive(Debug)]
pub struct Loader {
    threads: Vec<Receiver<Made>>,
    next: usize,
}

impl Loader {
    /// Starts `threads` on the batches that `sampler` draws for `steps`. They end when the loader is dropped.
    pub fn start<'s>(
        scope: &'s Scope<'s, '_>,
        workshop: &'s Workshop<'s>,
        steps: RangeInclusive<usize>,
        sampler: &'s Sampler,
        threads: usize,
    ) -> Self {
        // Each loads a network: none for nothing.
        let threads = threads.min(steps.clone().count()).max(1);
        let start = |first: usize| {
            let (sender, receiver) = sync_channel(AHEAD);
            let steps = steps.clone().skip(first).step_by(threads);
            scope.spawn(move || workshop.make_all(steps, sampler, &sender));
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
    fn make_all(&self, steps: impl Iterator<Item = usize>, sampler: &Sampler, out: &SyncSender<Made>) {
        let embedder = ModelFile::parse(self.model)
            .map_err(NnError::from)
            .and_then(|file| Embedder::load(&file, self.device, self.precision))
            .map_err(TrainError::from);
        match embedder {
            Ok(embedder) => {
                for step in steps {
                    // Nobody listens any more: the training has ended.
                    if out.send(self.make(&embedder, sampler, step)).is_err() {
                        return;
                    }
                }
            }
            Err(error) => {
                let _ = out.send(Err(error));
            }
        }
    }

    /// A step's batch.
    fn make(&self, embedder: &Embedder, sampler: &Sampler, step: usize) -> Made {
        let input = &embedder.config().input;
        let (samples, opened) = self.drawn(sampler, step, input.size);
        if samples.is_empty() {
            return Err(self.nothing_to_compare(step, &opened));
        }
        let pixels: Vec<Vec<u8>> = augmented_images(&samples, input);
        let pixels: Vec<&[u8]> = pixels.iter().map(Vec::as_slice).collect();
        // A few at a time stay within the cache of a core.
        let maps = pixels.chunks(8).map(|part| embedder.map_behind(part, self.frozen));
        let maps = Tensor::f_cat(&maps.collect::<Result<Vec<_>, _>>()?, 0)?.f_to_kind(Kind::Float)?;
        Ok(Batch { maps, opened })
    }

    /// The images of a step that can be read, and all that were opened to find them.
    fn drawn(&self, sampler: &Sampler, step: usize, size: u32) -> (Vec<Sample<Shown>>, Vec<Opened>) {
        // Twice the model's size: an augmented image may show half of the image.
        let longest = (2 * size).min(grnet_image::MAX_SIZE);
        let mut opened = Vec::new();
        let samples = sampler.draw(step, |image| {
            let picture = self.pictures.get(image, &self.images[image], longest);
            opened.push((image, picture.as_ref().err().cloned()));
            picture.ok()
        });
        (samples, opened)
    }

    fn nothing_to_compare(&self, step: usize, opened: &[Opened]) -> TrainError {
        let path = opened.first().map(|(image, _)| self.images[*image].path.clone()).unwrap_or_default();
        let reason = format!("no two garments have images that can be read, of those drawn for step {step}");
        DataError::Dataset { path, reason }.into()
    }
}

/// A batch's pixels.
fn augmented_images(samples: &[Sample<Shown>], input: &Input) -> Vec<Vec<u8>> {
    let augmented = |(at, sample): (usize, &Sample<Shown>)| {
        let others: Vec<&Picture> =
            (1..=OTHERS.min(samples.len() - 1)).map(|n| &*samples[(at + n) % samples.len()].picture).collect();
        let augmentation = Augmentation { strength: sample.strength, ..Augmentation::default() };
        augmentation.apply(&sample.picture, &others, sample.kind, input.size, fit(input.fit), sample.seed)
    };
    samples.iter().enumerate().map(augmented).collect()
}
