//! Decoders on their own threads ahead of the network on this one; results in the order of the files.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use grnet_core::features::{self, Dtype, ImageDigest};
use grnet_core::model::ModelId;

use crate::network::EngineError;
use crate::serve::work::{Decoder, Network, PhotoLimits, Shape};

/// What is to be embedded, and how.
pub struct Pipeline<'a> {
    /// The photos.
    pub files: &'a [PathBuf],
    /// The model's shape.
    pub shape: &'a Shape,
    /// The model.
    pub model: ModelId,
    /// How a value's numbers are stored.
    pub numbers: Dtype,
    /// How large a photo may be.
    pub limits: PhotoLimits,
    /// Threads that decode.
    pub threads: usize,
    /// Photos in a batch.
    pub batch: usize,
}

/// A feature value, or why there is none.
type Result1 = Result<Vec<u8>, String>;
/// A photo's number, and its pixels and digest.
type Photo = (usize, Result<(Vec<u8>, ImageDigest), String>);

impl Pipeline<'_> {
    /// Embeds all files; `each` gets the results in order and ends the run by `Ok(false)` or an error.
    ///
    /// # Errors
    /// What `each` returned, or the network's.
    pub fn run(
        &self,
        decoder: &dyn Decoder,
        network: &mut dyn Network,
        mut each: impl FnMut(&Path, Result1) -> Result<bool, EngineError>,
    ) -> Result<(), EngineError> {
        let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            // Two batches ahead: one in the network, one ready when it is done.
            let (sender, photos) = sync_channel(2 * self.batch);
            for _ in 0..self.threads {
                let (sender, next, over) = (sender.clone(), &next, &over);
                scope.spawn(move || self.decode(decoder, next, over, &sender));
            }
            drop(sender);
            let result = self.batches(&photos, network, &mut each);
            over.store(true, Ordering::Relaxed);
            // With the receiver gone no decoder waits for room.
            drop(photos);
            result
        })
    }

    fn decode(&self, decoder: &dyn Decoder, next: &AtomicUsize, over: &AtomicBool, photos: &SyncSender<Photo>) {
        while !over.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = self.files.get(index) else { return };
            if photos.send((index, self.prepare(decoder, path))).is_err() {
                return;
            }
        }
    }

    fn prepare(&self, decoder: &dyn Decoder, path: &Path) -> Result<(Vec<u8>, ImageDigest), String> {
        let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
        if size > self.limits.max_bytes {
            return Err(format!("the file has {size} bytes, the limit is {}", self.limits.max_bytes));
        }
        let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
        let input = &self.shape.input;
        let prepared = catch_unwind(AssertUnwindSafe(|| decoder.prepare(&bytes, None, input, self.limits)));
        match prepared {
            Ok(Ok(pixels)) => Ok((pixels, ImageDigest::of(&bytes, None))),
            Ok(Err(refusal)) => Err(refusal.message),
            Err(_) => Err("the photo's decoder failed".to_owned()),
        }
    }

    fn batches(
        &self,
        photos: &Receiver<Photo>,
        network: &mut dyn Network,
        each: &mut impl FnMut(&Path, Result1) -> Result<bool, EngineError>,
    ) -> Result<(), EngineError> {
        let (mut done, mut told) = (BTreeMap::new(), 0);
        while let Ok(first) = photos.recv() {
            let mut batch = Vec::with_capacity(self.batch);
            let mut arrived = Some(first);
            while let Some((index, photo)) = arrived {
                match photo {
                    Ok((pixels, digest)) => batch.push((index, pixels, digest)),
                    Err(reason) => {
                        done.insert(index, Err(reason));
                    }
                }
                // A full batch is worth waiting for: nobody is served earlier by a part of it.
                arrived = if batch.len() < self.batch { photos.recv().ok() } else { None };
            }
            self.embed(&batch, network, &mut done)?;
            while let Some(result) = done.remove(&told) {
                if !each(&self.files[told], result)? {
                    return Ok(());
                }
                told += 1;
            }
        }
        Ok(())
    }

    fn embed(
        &self,
        batch: &[(usize, Vec<u8>, ImageDigest)],
        network: &mut dyn Network,
        done: &mut BTreeMap<usize, Result1>,
    ) -> Result<(), EngineError> {
        if batch.is_empty() {
            return Ok(());
        }
        let pixels: Vec<&[u8]> = batch.iter().map(|(_, pixels, _)| &**pixels).collect();
        let rows = network.embed(&pixels).map_err(EngineError::Torch)?;
        let (grids, channels) = (&self.shape.grids, self.shape.channels);
        for ((index, _, digest), values) in batch.iter().zip(rows) {
            let value = features::encode(self.model, *digest, grids, channels, self.numbers, &values);
            done.insert(*index, value.map_err(|e| e.to_string()));
        }
        Ok(())
    }
}
