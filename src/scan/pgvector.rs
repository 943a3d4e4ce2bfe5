//! pgvector: how it is recognised in an index, and its settings while its index is read.

use std::ffi::CStr;

use crate::pg::guc_level::{self, GucLevel};

/// The access method that gives rows by their distance.
pub const METHOD: &CStr = c"hnsw";

/// The operators by which it orders: inner product, cosine and Euclidean distance order vectors of length 1 alike.
pub const OPERATORS: [&CStr; 3] = [c"<#>", c"<=>", c"<->"];

/// The functions that make a vector of `real[]`, by their C names.
pub const CASTS: [&str; 2] = ["array_to_halfvec", "array_to_vector"];

/// pgvector's limit of `hnsw.ef_search`.
const MOST_CANDIDATES: usize = 1000;

/// Has an index go on for as long as it is asked, for a shortlist of `length` rows, until the level ends.
///
/// By itself it ends after `hnsw.ef_search` rows, 40, and a filter eats of those. With an iterative scan it goes on up to
/// a number of tuples, which is set high, and within `work_mem` times `hnsw.scan_mem_multiplier`, which are the user's:
/// where it ends for that, the node reads the table for the rest.
pub fn begin_patient_scan(length: usize) -> GucLevel {
    let level = GucLevel::begin();
    let candidates = length.clamp(1, MOST_CANDIDATES);
    if guc_level::number(c"hnsw.ef_search").is_some_and(|now| now < candidates) {
        level.set(c"hnsw.ef_search", &candidates.to_string());
    }
    // pgvector has these from 0.8 on.
    if guc_level::number(c"hnsw.max_scan_tuples").is_some() {
        level.set(c"hnsw.iterative_scan", "strict_order");
        level.set(c"hnsw.max_scan_tuples", "2147483647");
    }
    level
}
