//! Settings for a time.

use std::ffi::{CStr, CString, c_int};

use pgrx::pg_sys;

/// The time in which settings are others: [`begin`](Self::begin) to [`end`](Self::end). If an ERROR comes in between, the
/// end of the transaction or of the subtransaction gives them back, as it does for a function with a SET clause.
pub struct GucLevel {
    level: c_int,
}

impl GucLevel {
    /// Begins it.
    pub fn begin() -> Self {
        // SAFETY: a level of settings, which `end` or the transaction's end closes.
        Self { level: unsafe { pg_sys::NewGUCNestLevel() } }
    }

    /// Sets one, as the user might.
    pub fn set(&self, name: &CStr, value: &str) {
        let value = CString::new(value).unwrap_or_default();
        let (who, source) = (pg_sys::GucContext::PGC_USERSET, pg_sys::GucSource::PGC_S_SESSION);
        let action = pg_sys::GucAction::GUC_ACTION_SAVE;
        // SAFETY: C strings; what is not allowed is an ERROR.
        unsafe { pg_sys::set_config_option(name.as_ptr(), value.as_ptr(), who, source, action, true, 0, false) };
    }

    /// Ends it: all are what they were before.
    pub fn end(self) {
        // SAFETY: the level that `begin` opened.
        unsafe { pg_sys::AtEOXact_GUC(true, self.level) }
    }
}

/// A setting that is a number; `None` where there is no such setting.
pub fn number(name: &CStr) -> Option<usize> {
    // SAFETY: both are C strings; the server's is copied before anything else is asked.
    unsafe {
        let text = pg_sys::GetConfigOption(name.as_ptr(), true, false);
        if text.is_null() { None } else { CStr::from_ptr(text).to_string_lossy().parse().ok() }
    }
}
