//! What happened since the engine started.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use grnet_features::model_file::ModelId;
use grnet_wire::Stats;

/// Counters, each on its own: a reader may see one a moment ahead of another.
#[derive(Debug)]
pub struct Counters {
    started: Instant,
    connections: AtomicU64,
    queued: AtomicU64,
    queued_max: AtomicU64,
    requests: AtomicU64,
    images: AtomicU64,
    batches: AtomicU64,
    refused: AtomicU64,
    busy: AtomicU64,
    abandoned: AtomicU64,
    decode_us: AtomicU64,
    model_us: AtomicU64,
    latency_us: AtomicU64,
    latency_max_us: AtomicU64,
}

impl Counters {
    /// All zero, from now.
    pub fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            started: Instant::now(),
            connections: zero(),
            queued: zero(),
            queued_max: zero(),
            requests: zero(),
            images: zero(),
            batches: zero(),
            refused: zero(),
            busy: zero(),
            abandoned: zero(),
            decode_us: zero(),
            model_us: zero(),
            latency_us: zero(),
            latency_max_us: zero(),
        }
    }

    /// Images came.
    pub fn admit(&self, images: u64) {
        let queued = self.queued.fetch_add(images, Relaxed) + images;
        self.queued_max.fetch_max(queued, Relaxed);
    }

    /// Images that were admitted are done with.
    pub fn release(&self, images: u64) {
        self.queued.fetch_sub(images, Relaxed);
    }

    /// Images waiting or in work.
    pub fn queued(&self) -> u64 {
        self.queued.load(Relaxed)
    }

    /// A request was turned away.
    pub fn turned_away(&self) {
        self.busy.fetch_add(1, Relaxed);
    }

    /// A request was dropped because nobody waits for it.
    pub fn dropped(&self) {
        self.abandoned.fetch_add(1, Relaxed);
    }

    /// An image was decoded or refused.
    pub fn decoded(&self, took: Duration, refused: bool) {
        self.decode_us.fetch_add(micros(took), Relaxed);
        self.refused.fetch_add(u64::from(refused), Relaxed);
    }

    /// A batch went through the network.
    pub fn batch(&self, images: u64, took: Duration) {
        self.batches.fetch_add(1, Relaxed);
        self.images.fetch_add(images, Relaxed);
        self.model_us.fetch_add(micros(took), Relaxed);
    }

    /// A request was answered with features.
    pub fn answered(&self, took: Duration) {
        self.requests.fetch_add(1, Relaxed);
        self.latency_us.fetch_add(micros(took), Relaxed);
        self.latency_max_us.fetch_max(micros(took), Relaxed);
    }

    /// Counts a connection unless `limit` are open.
    pub fn connect(&self, limit: u64) -> bool {
        self.connections.fetch_update(Relaxed, Relaxed, |open| (open < limit).then_some(open + 1)).is_ok()
    }

    /// A connection that was counted is over.
    pub fn disconnect(&self) {
        self.connections.fetch_sub(1, Relaxed);
    }

    /// Everything, for the wire.
    pub fn stats(&self, [device, precision, fence]: [&str; 3], models: Vec<ModelId>) -> Stats {
        let count = |counter: &AtomicU64| counter.load(Relaxed);
        let millis = |counter: &AtomicU64| counter.load(Relaxed) as f64 / 1e3;
        Stats {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            device: device.to_owned(),
            precision: precision.to_owned(),
            fence: fence.to_owned(),
            uptime_s: self.started.elapsed().as_secs_f64(),
            connections: count(&self.connections),
            queued: count(&self.queued),
            queued_max: count(&self.queued_max),
            requests: count(&self.requests),
            images: count(&self.images),
            batches: count(&self.batches),
            refused: count(&self.refused),
            busy: count(&self.busy),
            abandoned: count(&self.abandoned),
            decode_ms: millis(&self.decode_us),
            model_ms: millis(&self.model_us),
            latency_ms: millis(&self.latency_us),
            latency_max_ms: millis(&self.latency_max_us),
            resident_bytes: resident_bytes(),
            models,
        }
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self::new()
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Resident memory of this process, 0 where `/proc` does not say.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|line| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0).saturating_mul(rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_counted_and_the_most_of_it_remembered() {
        let counters = Counters::new();
        counters.admit(3);
        counters.admit(6);
        counters.release(8);
        let stats = counters.stats(["cpu", "f32", "off"], vec![]);
        assert_eq!((stats.queued, stats.queued_max, stats.busy), (1, 9, 0));
        assert!(stats.resident_bytes > 0);
    }

    #[test]
    fn connections_are_counted_to_their_limit() {
        let counters = Counters::new();
        assert!(counters.connect(1) && !counters.connect(1));
        counters.disconnect();
        assert!(counters.connect(1));
    }
}
