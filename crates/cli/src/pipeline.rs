//! Decoders on their own threads ahead of the network on this one; results in the order of the files.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use grnet_data::decode::decoder::ImageDecoder;
use grnet_features::model_file::ModelId;
use grnet_features::value::{self, Dtype, ImageDigest};
use grnet_image::Limits;
use grnet_nn::embedder::Embedder;
use grnet_nn::shape::ModelShape;

use crate::error::CliError;

/// Largest image in bytes, where nothing else is said.
pub const MAX_BYTES: u64 = 32 << 20;
/// Largest image in pixels, where nothing else is said.
pub const MAX_PIXELS: u64 = 64_000_000;

/// What is to be embedded, and how.
pub struct Pipeline<'a> {
    /// The images.
    pub files: &'a [PathBuf],
    /// The model's shape.
    pub shape: &'a ModelShape,
    /// The model.
    pub model: ModelId,
    /// The dtype of the values.
    pub dtype: Dtype,
    /// How large an image may be.
    pub limits: Limits,
    /// Threads that decode.
    pub threads: usize,
    /// Images in a batch.
    pub batch: usize,
}

/// A feature value, or why there is none.
type Result1 = Result<Vec<u8>, String>;
/// An image's number, and its pixels and digest.
type Image = (usize, Result<(Vec<u8>, ImageDigest), String>);

impl Pipeline<'_> {
    /// Embeds all files; `each` gets the results in order and ends the run by `Ok(false)` or an error.
    ///
    /// # Errors
    /// What `each` returned, or the network's.
    pub fn run(
        &self,
        decoder: &ImageDecoder,
        embedder: &mut Embedder,
        mut each: impl FnMut(&Path, Result1) -> Result<bool, CliError>,
    ) -> Result<(), CliError> {
        let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            // Two batches ahead: one in the network, one ready when it is done.
            let (sender, images) = sync_channel(2 * self.batch);
            for _ in 0..self.threads {
                let (sender, next, over) = (sender.clone(), &next, &over);
                scope.spawn(move || self.decode(decoder, next, over, &sender));
            }
            drop(sender);
            let result = self.batches(&images, embedder, &mut each);
            over.store(true, Ordering::Relaxed);
            // With the receiver gone no decoder waits for room.
            drop(images);
            result
        })
    }

    fn decode(&self, decoder: &ImageDecoder, next: &AtomicUsize, over: &AtomicBool, images: &SyncSender<Image>) {
        while !over.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = self.files.get(index) else { return };
            if images.send((index, self.prepare(decoder, path))).is_err() {
                return;
            }
        }
    }

    fn prepare(&self, decoder: &ImageDecoder, path: &Path) -> Result<(Vec<u8>, ImageDigest), String> {
        let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
        if size > self.limits.max_bytes {
            return Err(format!("the file has {size} bytes, the limit is {}", self.limits.max_bytes));
        }
        let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
        let input = &self.shape.input;
        let prepared = catch_unwind(AssertUnwindSafe(|| decoder.prepare(&bytes, None, input, &self.limits)));
        match prepared {
            Ok(Ok(pixels)) => Ok((pixels, ImageDigest::of(&bytes, None))),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the image's decoder failed".to_owned()),
        }
    }

    fn batches(
        &self,
        images: &Receiver<Image>,
        embedder: &mut Embedder,
        each: &mut impl FnMut(&Path, Result1) -> Result<bool, CliError>,
    ) -> Result<(), CliError> {
        let (mut done, mut told) = (BTreeMap::new(), 0);
        while let Ok(first) = images.recv() {
            let mut batch = Vec::with_capacity(self.batch);
            let mut arrived = Some(first);
            while let Some((index, image)) = arrived {
                match image {
                    Ok((pixels, digest)) => batch.push((index, pixels, digest)),
                    Err(reason) => {
                        done.insert(index, Err(reason));
                    }
                }
                // A full batch is worth waiting for: nobody is served earlier by a part of it.
                arrived = if batch.len() < self.batch { images.recv().ok() } else { None };
            }
            self.embed(&batch, embedder, &mut done)?;
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
        embedder: &mut Embedder,
        done: &mut BTreeMap<usize, Result1>,
    ) -> Result<(), CliError> {
        if batch.is_empty() {
            return Ok(());
        }
        let pixels: Vec<&[u8]> = batch.iter().map(|(_, pixels, _)| &**pixels).collect();
        let rows = embedder.regions(&pixels)?;
        let (grids, channels) = (&self.shape.grids, self.shape.channels);
        for ((index, _, digest), values) in batch.iter().zip(rows) {
            let value = value::encode(self.model, *digest, grids, channels, self.dtype, &values);
            done.insert(*index, value.map_err(|e| e.to_string()));
        }
        Ok(())
    }
}
