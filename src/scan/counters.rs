//! What EXPLAIN ANALYZE shows of a node.

use crate::pg::custom_scan::explain::Explain;
use crate::pg::custom_scan::shared::Counts;

/// Figures of one process.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counters {
    /// Batches scored.
    pub batches: u64,
    /// Pairs in them, without NULLs.
    pub pairs: u64,
    /// Nanoseconds of fetching values from out of line.
    pub fetching: u64,
    /// Nanoseconds of scoring.
    pub scoring: u64,
}

impl Counters {
    /// Adds others.
    pub fn add(&mut self, more: Self) {
        self.batches += more.batches;
        self.pairs += more.pairs;
        self.fetching += more.fetching;
        self.scoring += more.scoring;
    }

    /// Shows them below a node of EXPLAIN ANALYZE.
    pub fn explain(self, explain: Explain) {
        explain.integer(c"Batches", self.batches);
        explain.integer(c"Pairs", self.pairs);
        if explain.is_timed() {
            explain.milliseconds(c"Fetch Time", self.fetching);
            explain.milliseconds(c"Score Time", self.scoring);
        }
    }
}

impl From<Counters> for Counts {
    fn from(Counters { batches, pairs, fetching, scoring }: Counters) -> Self {
        [batches, pairs, fetching, scoring]
    }
}

impl From<Counts> for Counters {
    fn from([batches, pairs, fetching, scoring]: Counts) -> Self {
        Self { batches, pairs, fetching, scoring }
    }
}
