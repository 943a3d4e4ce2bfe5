//! What bounds a server, and what it is started with.

use std::path::PathBuf;
use std::time::Duration;

/// What bounds the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Images of one session waiting or in work, unless one request has more.
    pub max_queue: u64,
    /// Images in a batch.
    pub max_batch: usize,
    /// How long a decoded image waits for others.
    pub max_batch_wait: Duration,
    /// Connections open at the same time.
    pub max_connections: u64,
    /// Models loaded at the same time.
    pub max_models: usize,
    /// Bytes of requests in memory at the same time.
    pub max_request_bytes: usize,
    /// Bytes of a job's images on disk.
    pub max_spool_bytes: u64,
    /// How long a client may leave the socket full.
    pub write_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_queue: 256,
            max_batch: 16,
            max_batch_wait: Duration::from_millis(5),
            max_connections: 512,
            max_models: 4,
            max_request_bytes: 1 << 30,
            max_spool_bytes: 16 << 30,
            write_timeout: Duration::from_secs(10),
        }
    }
}

/// What a server is started with.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where clients find it.
    pub socket: PathBuf,
    /// Threads that decode images, at least one.
    pub decoders: usize,
    /// Its bounds.
    pub limits: Limits,
    /// What the process has given up, in words.
    pub fence: String,
    /// The operation to fail on purpose once the server is ready, counted from 1; 0 for none.
    pub fail_nth: u64,
}
