//! EfficientNet-Lite0 on the processor, by the core's kernel instead of libtorch's convolutions.
//!
//! Photos of a batch are spread over threads, one each; those of the last round, a single photo above all, are shared out
//! among all threads. A photo has the same bits either way.

use std::sync::{Mutex, MutexGuard, PoisonError};

use grnet_core::kernel::convolve::{Network, Room};
use rayon::prelude::*;
use tch::{Kind, Tensor};

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

    /// Whether this is an input that it takes: square, of whole cells of 32 pixels, in f32, on the CPU.
    pub fn takes(&self, x: &Tensor) -> bool {
        let size = x.size();
        x.device() == tch::Device::Cpu
            && x.kind() == Kind::Float
            && size.len() == 4
            && size[1] == 3
            && size[2] == size[3]
            && size[2] > 0
            && size[2] % 32 == 0
    }

    /// Maps `[B, channels, h, w]`, channels last, of photos `[B, 3, S, S]`.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, EngineError> {
        let (batch, _, side, _) = x.size4()?;
        let size = side as usize;
        let pixels = Vec::<f32>::try_from(x.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_view([-1])?)?;
        let photos: Vec<&[f32]> = pixels.chunks_exact(size * size * 3).collect();
        let maps = self.maps(size, &photos);
        let cells = (size / 32) as i64;
        let map = Tensor::f_from_slice(&maps.concat())?.f_view([batch, cells, cells, -1])?;
        Ok(map.f_permute([0, 3, 1, 2])?)
    }

    fn maps(&self, size: usize, photos: &[&[f32]]) -> Vec<Vec<f32>> {
        spread(|threads| {
            // As many at a time as there are threads, one each; those that are left over share all of them.
            let (whole, rest) = photos.split_at(photos.len() - photos.len() % threads);
            let each = |photos: &[&[f32]], crew: Threads| -> Vec<_> {
                photos.par_iter().map(|pixels| self.map(size, pixels, crew)).collect()
            };
            let mut maps = each(whole, Threads(1));
            maps.extend(each(rest, Threads(threads / rest.len().max(1))));
            maps
        })
    }

    fn map(&self, size: usize, pixels: &[f32], crew: Threads) -> Vec<f32> {
        let mut room = self.rooms().pop().unwrap_or_default();
        let map = self.network.map(size, pixels, &mut room, &crew);
        self.rooms().push(room);
        map
    }

    fn rooms(&self) -> MutexGuard<'_, Vec<Room>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
