//! What EXPLAIN ANALYZE shows of a node.

use pgrx::pg_sys;

/// Figures of one process.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counted {
    /// Batches scored.
    pub batches: u64,
    /// Pairs in them, without NULLs.
    pub pairs: u64,
    /// Nanoseconds of fetching values from out of line.
    pub fetching: u64,
    /// Nanoseconds of scoring.
    pub scoring: u64,
}

impl Counted {
    /// Adds others.
    pub fn add(&mut self, more: Self) {
        self.batches += more.batches;
        self.pairs += more.pairs;
        self.fetching += more.fetching;
        self.scoring += more.scoring;
    }

    /// Shows them below a node of EXPLAIN ANALYZE.
    ///
    /// # Safety
    /// `es` is what the server passed to the node's callback.
    pub unsafe fn explain(self, es: *mut pg_sys::ExplainState) {
        let none = std::ptr::null();
        // SAFETY: the caller's promise; labels and units are C strings.
        unsafe {
            pg_sys::ExplainPropertyInteger(c"Batches".as_ptr(), none, self.batches as i64, es);
            pg_sys::ExplainPropertyInteger(c"Pairs".as_ptr(), none, self.pairs as i64, es);
            if (*es).timing {
                let milliseconds = |nanoseconds: u64| nanoseconds as f64 / 1e6;
                let unit = c"ms".as_ptr();
                pg_sys::ExplainPropertyFloat(c"Fetch Time".as_ptr(), unit, milliseconds(self.fetching), 3, es);
                pg_sys::ExplainPropertyFloat(c"Score Time".as_ptr(), unit, milliseconds(self.scoring), 3, es);
            }
        }
    }
}
