//! What a measurement of number types found.

use grnet_score::metrics::Estimate;
use serde::Serialize;

/// Number types of one model on the same queries.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The model's id.
    pub model: String,
    /// The scorer's instructions.
    pub kernel: String,
    /// Most images of the global's ranking that the graph reordered.
    pub shortlist: usize,
    /// The sets of queries, by name.
    pub sets: Vec<SetReport>,
}

/// One set of queries.
#[derive(Debug, Clone, Serialize)]
pub struct SetReport {
    /// The set's name.
    pub set: String,
    /// Queries that count.
    pub queries: usize,
    /// Images in the gallery.
    pub gallery: usize,
    /// Images of the set and of the gallery that cannot be read and are left out.
    pub unreadable: usize,
    /// Images of the set without an item, left out.
    pub without_item: usize,
    /// Ways to store queries and gallery.
    pub variants: Vec<Variant>,
}

/// One way to store queries and gallery.
#[derive(Debug, Clone, Serialize)]
pub struct Variant {
    /// What people call it.
    pub name: String,
    /// Number type of the queries' values.
    pub query: &'static str,
    /// Number type of the gallery's values.
    pub item: &'static str,
    /// Bytes of a value of the gallery.
    pub bytes: usize,
    /// The global vector's shares of hits at top-1, 5, 20 and 50 with 95 % intervals.
    pub global: [Estimate; 4],
    /// The graph's.
    pub graph: [Estimate; 4],
    /// What changes against f16; of f16 itself nothing.
    pub against: Option<Against>,
}

/// Two ways to store the same images.
#[derive(Debug, Clone, Serialize)]
pub struct Against {
    /// Differences of the global vector's shares, with paired intervals.
    pub global: [Estimate; 4],
    /// Differences of the graph's shares, with paired intervals.
    pub graph: [Estimate; 4],
    /// How far cosines of global vectors move.
    pub cosine: Moved,
    /// How far the graph's logits move, over the pairs that both have scored.
    pub logit: Moved,
    /// Share of queries with the same first twenty images.
    pub same_first: f64,
    /// Mean share of the first twenty images that both have.
    pub common_first: f64,
}

/// Magnitudes of differences.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Moved {
    /// Their mean.
    pub mean: f64,
    /// The largest.
    pub largest: f64,
}
