//! A node's lines in EXPLAIN.

use std::ffi::CStr;

use pgrx::pg_sys;

/// An EXPLAIN that is being written.
#[derive(Clone, Copy)]
pub struct Explain {
    state: *mut pg_sys::ExplainState,
}

impl Explain {
    /// # Safety
    /// `state` is what the server passed to the running callback, and is used no longer than that.
    pub(super) unsafe fn new(state: *mut pg_sys::ExplainState) -> Self {
        Self { state }
    }

    /// Whether the query was run (ANALYZE).
    pub fn is_analyze(self) -> bool {
        // SAFETY: the promise of `new`.
        unsafe { (*self.state).analyze }
    }

    /// Whether times are shown (TIMING).
    pub fn is_timed(self) -> bool {
        // SAFETY: the promise of `new`.
        unsafe { (*self.state).timing }
    }

    /// A line with an integer.
    pub fn integer(self, label: &CStr, value: u64) {
        // SAFETY: the promise of `new`; a C string.
        unsafe { pg_sys::ExplainPropertyInteger(label.as_ptr(), std::ptr::null(), value as i64, self.state) }
    }

    /// A line with a time, given in nanoseconds.
    pub fn milliseconds(self, label: &CStr, nanoseconds: u64) {
        let value = nanoseconds as f64 / 1e6;
        // SAFETY: the promise of `new`; C strings.
        unsafe { pg_sys::ExplainPropertyFloat(label.as_ptr(), c"ms".as_ptr(), value, 3, self.state) }
    }
}
