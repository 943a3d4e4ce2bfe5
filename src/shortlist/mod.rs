//! `ORDER BY features <-> q LIMIT k` through an index of global vectors: the node `GrnetShortlist`.
//!
//! The graph looks at every row, and a large catalogue takes seconds. With `grnet.shortlist = N` the N rows that an index
//! (pgvector, HNSW) puts first are ranked by the graph and come first; all others follow in the index's order, and what
//! the index never gives (it holds no NULLs, and may lose a row) comes last. So as many rows come as without it,
//! whatever the filter, and the answer for k is the beginning of the answer for more.
//!
//! Downwards: [`offer`] decides. The index, the plan and the running node are in `ffi::shortlist`.

mod offer;

pub use offer::{forget_order, offer_joined, offer_ordered};
