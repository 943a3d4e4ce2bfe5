//! EfficientNet-Lite0 on the processor, by the core's kernel instead of libtorch's convolutions.
//!
//! A photo is a piece of work of its own: photos of a batch are spread over threads that share nothing, so a photo has the same
//! bits in any batch. 10 ms of one core a photo beside 15 in libtorch alone and 20 in its batches of 16, and beside other
//! threads nobody waits at a barrier (bench/README.md).

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;

use grnet_core::kernel::convolve::{Network, Room};
use tch::{Kind, Tensor};

use super::EngineError;
use super::device::cores;

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
    /// What libtorch refuses, or a photo's thread ended early.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, EngineError> {
        let (batch, _, side, _) = x.size4()?;
        let size = side as usize;
        let pixels = Vec::<f32>::try_from(x.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_view([-1])?)?;
        let photos: Vec<&[f32]> = pixels.chunks_exact(size * size * 3).collect();
        let maps = self.maps(size, &photos)?;
        let cells = (size / 32) as i64;
        let map = Tensor::f_from_slice(&maps.concat())?.f_view([batch, cells, cells, -1])?;
        Ok(map.f_permute([0, 3, 1, 2])?)
    }

    fn maps(&self, size: usize, photos: &[&[f32]]) -> Result<Vec<Vec<f32>>, EngineError> {
        let threads = cores().clamp(1, photos.len().max(1));
        let next = AtomicUsize::new(0);
        let work = || {
            let mut room = self.rooms().pop().unwrap_or_default();
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Relaxed);
                let Some(pixels) = photos.get(number) else { break };
                done.push((number, self.network.map(size, pixels, &mut room)));
            }
            self.rooms().push(room);
            done
        };
        let done = thread::scope(|scope| {
            // This thread works too, alone where the system has no other.
            let others: Vec<_> = (1..threads)
                .map_while(|_| thread::Builder::new().name("network".into()).spawn_scoped(scope, work).ok())
                .collect();
            let mut done = work();
            for other in others {
                done.extend(other.join().map_err(|_| EngineError::Torch("a thread of the network panicked".into()))?);
            }
            Ok::<_, EngineError>(done)
        })?;
        let mut maps = vec![Vec::new(); photos.len()];
        for (number, map) in done {
            maps[number] = map;
        }
        Ok(maps)
    }

    fn rooms(&self) -> std::sync::MutexGuard<'_, Vec<Room>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
