//! `ORDER BY features <-> q` in batches: the node `GrnetScore`, where the planner may put it and what it costs.
//!
//! A function in a sort key is called once a row, gets one pair at a time, fetches its values itself, and is computed
//! once more where it is also selected. The node takes the rows below the sort without their scores, scores 64 of them
//! at a time, and leaves the sorting to PostgreSQL's own Sort: limits, ties, further keys, cursors, spilling and
//! merging of workers stay right because they stay there.
//!
//! Downwards: [`hook`] decides, [`recognise`] finds the scores of a query, [`workers`] lets several processes read a
//! table, [`scoring`] is what the node computes, [`declined`] says why it was not taken. Trees of the planner are in `ffi::planner`, the node's life in
//! `ffi::rank`.

pub mod declined;
mod hook;
pub mod recognise;
mod scoring;
mod workers;

pub use hook::{costs, offer};
pub use scoring::make as make_scorer;
pub use workers::offer as offer_workers;
