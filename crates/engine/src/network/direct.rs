//! EfficientNet-Lite0 on the processor, by the core's kernel instead of libtorch's convolutions.
//!
//! Photos of a batch are spread over threads, one each; those of the last round, a single photo above all, are shared out
//! among all threads. A photo has the same bits either way.

use std::sync::{Mutex, MutexGuard, PoisonError};

use grnet_core::config::Input;
use grnet_core::kernel::convolve::{Network, Photo, Room};
use rayon::prelude::*;
use tch::Tensor;

use super::EngineError;
use super::crew::{Threads, spread};

/// The network's packed weights, and memory for as many photos as ran at one time.
#[derive(Debug)]
pub struct Direct {
    network: Network,
    rooms: Mutex<Vec<Room>>,
}

impl Direct {
    /// Around a network.
    pub fn new(network: Network) -> Self {
        Self { network, rooms: Mutex::default() }
    }

    /// Maps `[B, channels, h, w]`, channels last, of photos of `S · S · 3` bytes.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn forward(&self, photos: &[&[u8]], input: &Input) -> Result<Tensor, EngineError> {
        let size = input.size as usize;
        let value = |colour: usize, byte: usize| (byte as f32 - input.mean[colour]) / input.std[colour];
        let values = std::array::from_fn(|colour| std::array::from_fn(|byte| value(colour, byte)));
        let photos: Vec<_> = photos.iter().map(|bytes| Photo { size, bytes, values: &values }).collect();
        let (batch, cells) = (photos.len() as i64, i64::from(input.size) / 32);
        let map = Tensor::f_from_slice(&self.maps(&photos).concat())?.f_view([batch, cells, cells, -1])?;
        Ok(map.f_permute([0, 3, 1, 2])?)
    }

    fn maps(&self, photos: &[Photo<'_>]) -> Vec<Vec<f32>> {
        spread(|threads| {
            if threads == 1 {
                return photos.iter().map(|photo| self.map(*photo, Threads(1))).collect();
            }
            // As many at a time as there are threads, one each; those that are left over share all of them.
            let (whole, rest) = photos.split_at(photos.len() - photos.len() % threads);
            let each = |photos: &[Photo<'_>], crew: Threads| -> Vec<_> {
                photos.par_iter().map(|photo| self.map(*photo, crew)).collect()
            };
            let mut maps = each(whole, Threads(1));
            maps.extend(each(rest, Threads(threads.div_ceil(rest.len().max(1)))));
            maps
        })
    }

    fn map(&self, photo: Photo<'_>, crew: Threads) -> Vec<f32> {
        let mut room = self.rooms().pop().unwrap_or_default();
        let map = self.network.map(photo, &mut room, &crew);
        self.rooms().push(room);
        map
    }

    fn rooms(&self) -> MutexGuard<'_, Vec<Room>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
