//! The command line of `serve`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use grnet_nn::compute::Compute;

use crate::settings::{Limits, Settings};

/// Serve images to PostgreSQL backends over a Unix socket.
#[derive(Debug, Clone, Parser)]
pub struct Args {
    /// Where to listen; a relative path is shorter (the limit is 103 bytes).
    #[arg(long)]
    pub socket: PathBuf,
    /// What to compute on.
    #[command(flatten)]
    pub compute: Compute,
    /// Milliseconds an image waits for others to join its batch, at most.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub max_batch_wait_ms: u16,
    /// Images of one session waiting or in work, at most, unless one request has more; what it asks for beyond is
    /// refused.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_queue: u32,
    /// Megabytes that the images of a training or an evaluation may take on disk.
    #[arg(long, default_value_t = 16384, value_parser = clap::value_parser!(u32).range(1..=1_073_741_824))]
    pub max_spool_mb: u32,
    /// Give up what serving does not need before the first image comes: other files, TCP, system calls.
    #[arg(long)]
    pub fence: bool,
    /// Standard input is a pipe from the process that started this one: end with it.
    #[arg(long)]
    pub parent_pipe: bool,
}

impl Args {
    /// The server's settings; `fence` and `fail_nth` as in [`Settings`].
    pub fn settings(&self, fence: String, fail_nth: u64) -> Settings {
        let limits = Limits {
            max_queue: self.max_queue.into(),
            max_batch: self.compute.max_batch.into(),
            max_spool_bytes: u64::from(self.max_spool_mb) << 20,
            max_batch_wait: Duration::from_millis(self.max_batch_wait_ms.into()),
            ..Limits::default()
        };
        Settings { socket: self.socket.clone(), decoders: self.compute.threads(), limits, fence, fail_nth }
    }
}
