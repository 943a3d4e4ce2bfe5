//! Options of every command that embeds images.

use clap::Args;

use crate::device::{Device, Precision};

/// What to compute on, and how much of it.
#[derive(Debug, Clone, Args)]
pub struct Compute {
    /// What to compute on: auto, cpu or cuda:N.
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// What to compute in: f32 or bf16.
    #[arg(long, default_value = "f32")]
    pub precision: Precision,
    /// Threads that decode images and, on the CPU, compute (libtorch one less). Default: the machine's.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Images in a batch, at most.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub max_batch: u16,
}

impl Compute {
    /// The number of threads asked for, or the machine's.
    pub fn threads(&self) -> usize {
        threads(self.threads)
    }
}

/// The number of threads asked for, or the machine's.
pub fn threads(asked: Option<u16>) -> usize {
    match asked {
        Some(threads) => threads.max(1).into(),
        None => std::thread::available_parallelism().map_or(1, |n| n.get()),
    }
}
