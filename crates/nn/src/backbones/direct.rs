//! EfficientNet-Lite0 on the processor, by the crate `grnet-backbone` instead of libtorch's convolutions.
//!
//! Images of a batch are spread over threads, one each; those of the last round, a single image above all, are shared
//! out among all threads. An image has the same bits either way.

use std::sync::{Mutex, MutexGuard, PoisonError};

use grnet_backbone::{Image, Network, Workspace};
use grnet_features::config::Input;
use rayon::prelude::*;
use tch::Tensor;

use crate::error::NnError;
use crate::thread_pool::{Threads, spread};

/// The network's packed weights, and memory for as many images as ran at one time.
#[derive(Debug)]
pub struct Direct {
    network: Network,
    workspaces: Mutex<Vec<Workspace>>,
}

impl Direct {
    /// Around a network.
    pub fn new(network: Network) -> Self {
        Self { network, workspaces: Mutex::default() }
    }

    /// Maps `[B, channels, h, w]`, channels last, of images of `S · S · 3` bytes.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn forward(&self, images: &[&[u8]], input: &Input) -> Result<Tensor, NnError> {
        let size = input.size as usize;
        let value = |colour: usize, byte: usize| (byte as f32 - input.mean[colour]) / input.std[colour];
        let values = std::array::from_fn(|colour| std::array::from_fn(|byte| value(colour, byte)));
        let images: Vec<_> = images.iter().map(|bytes| Image { size, bytes, values: &values }).collect();
        let (batch, cells) = (images.len() as i64, i64::from(input.size) / 32);
        let map = Tensor::f_from_slice(&self.maps(&images).concat())?.f_view([batch, cells, cells, -1])?;
        Ok(map.f_permute([0, 3, 1, 2])?)
    }

    fn maps(&self, images: &[Image<'_>]) -> Vec<Vec<f32>> {
        spread(|threads| {
            if threads == 1 {
                return images.iter().map(|image| self.map(*image, Threads(1))).collect();
            }
            // As many at a time as there are threads, one each; those that are left over share all of them.
            let (whole, rest) = images.split_at(images.len() - images.len() % threads);
            let each = |images: &[Image<'_>], pool: Threads| -> Vec<_> {
                images.par_iter().map(|image| self.map(*image, pool)).collect()
            };
            let mut maps = each(whole, Threads(1));
            maps.extend(each(rest, Threads(threads.div_ceil(rest.len().max(1)))));
            maps
        })
    }

    fn map(&self, image: Image<'_>, pool: Threads) -> Vec<f32> {
        let mut workspace = self.workspaces().pop().unwrap_or_default();
        let map = self.network.map(image, &mut workspace, &pool);
        self.workspaces().push(workspace);
        map
    }

    fn workspaces(&self) -> MutexGuard<'_, Vec<Workspace>> {
        self.workspaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
