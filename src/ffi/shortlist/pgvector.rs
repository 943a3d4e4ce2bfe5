//! pgvector's settings while its index is read.

use std::ffi::{CStr, CString, c_int};

use pgrx::pg_sys;

/// pgvector's limit of `hnsw.ef_search`.
const MOST_CANDIDATES: usize = 1000;

/// The time in which pgvector goes on for as long as it is asked: [`begin`](Self::begin) to [`end`](Self::end).
///
/// By itself it ends after `hnsw.ef_search` rows, 40, and a filter eats of those. With an iterative scan it goes on up to
/// a number of tuples, which is set high, and within `work_mem` times `hnsw.scan_mem_multiplier`, which are the user's:
/// where it ends for that, the node reads the table for the rest. If an ERROR comes in between, the end of the transaction or of the subtransaction gives the settings back, as it does for a
/// function with a SET clause.
pub struct Patient {
    level: c_int,
}

impl Patient {
    /// Begins it, for a shortlist of `length` rows.
    pub fn begin(length: usize) -> Self {
        // SAFETY: a level of settings, which `end` or the transaction's end closes.
        let level = unsafe { pg_sys::NewGUCNestLevel() };
        let candidates = length.clamp(1, MOST_CANDIDATES);
        if number(c"hnsw.ef_search").is_some_and(|now| now < candidates) {
            set(c"hnsw.ef_search", &candidates.to_string());
        }
        // pgvector has these from 0.8 on.
        if number(c"hnsw.max_scan_tuples").is_some() {
            set(c"hnsw.iterative_scan", "strict_order");
            set(c"hnsw.max_scan_tuples", "2147483647");
        }
        Self { level }
    }

    /// Ends it.
    pub fn end(self) {
        // SAFETY: the level that `begin` opened.
        unsafe { pg_sys::AtEOXact_GUC(true, self.level) }
    }
}

/// A setting that is a number; `None` where there is no such setting.
fn number(name: &CStr) -> Option<usize> {
    // SAFETY: both are C strings; the server's is copied before anything else is asked.
    unsafe {
        let text = pg_sys::GetConfigOption(name.as_ptr(), true, false);
        if text.is_null() { None } else { CStr::from_ptr(text).to_string_lossy().parse().ok() }
    }
}

fn set(name: &CStr, value: &str) {
    let value = CString::new(value).unwrap_or_default();
    // SAFETY: C strings; what is not allowed is an ERROR.
    unsafe {
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        );
    }
}
