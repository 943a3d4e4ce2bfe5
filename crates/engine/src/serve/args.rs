//! The command line of `serve`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use super::{Limits, Settings};
use crate::network::{Device, Precision};

/// Serve photos to PostgreSQL backends over a Unix socket.
#[derive(Debug, Clone, Parser)]
pub struct Args {
    /// Where to listen; a relative path is shorter (the limit is 103 bytes).
    #[arg(long)]
    pub socket: PathBuf,
    /// What to compute on: auto, cpu or cuda:N.
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// What to compute in: f32 or bf16.
    #[arg(long, default_value = "f32")]
    pub precision: Precision,
    /// Threads that decode photos; on the CPU the network takes one less. Default: the machine's.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Photos in a batch, at most.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub max_batch: u16,
    /// Milliseconds a photo waits for others to join its batch, at most.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub max_batch_wait_ms: u16,
    /// Photos waiting or in work, at most; further requests are told that the engine is busy.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_queue: u32,
    /// Standard input is a pipe from the process that started this one: end with it.
    #[arg(long)]
    pub parent_pipe: bool,
}

impl Args {
    /// The server's settings; `fail_nth` as in [`Settings`].
    pub fn settings(&self, fail_nth: u64) -> Settings {
        let limits = Limits {
            max_queue: self.max_queue.into(),
            max_batch: self.max_batch.into(),
            max_batch_wait: Duration::from_millis(self.max_batch_wait_ms.into()),
            ..Limits::default()
        };
        Settings { socket: self.socket.clone(), decoders: self.threads(), limits, fail_nth }
    }

    /// The number of threads asked for, or the machine's.
    pub fn threads(&self) -> usize {
        crate::cli::threads(self.threads)
    }
}
