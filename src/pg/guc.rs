//! Settings whose text is checked when it is set.

use std::ffi::{CStr, CString, c_char, c_void};

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting, PostgresGucEnum, pg_sys};

use super::report;

/// How new values are stored. The server refuses other words, and names these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
pub enum FeatureDtype {
    /// Two bytes a number.
    #[name = c"f16"]
    F16,
    /// One byte a number.
    #[name = c"i8"]
    I8,
}

/// How scores are computed. The server refuses other words, and names these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
pub enum ScorePrecision {
    /// 32-bit floats.
    #[name = c"f32"]
    F32,
    /// 16-bit integers in the large products.
    #[name = c"i16"]
    I16,
}

/// Registers a setting that holds a device: `auto`, `cpu` or `cuda:N`.
pub fn device(
    name: &'static CStr,
    short: &'static CStr,
    long: &'static CStr,
    setting: &'static GucSetting<Option<CString>>,
) {
    checked(name, short, long, setting, Some(check_device));
}

/// Registers a setting that holds a precision: `f32` or `bf16`.
pub fn precision(
    name: &'static CStr,
    short: &'static CStr,
    long: &'static CStr,
    setting: &'static GucSetting<Option<CString>>,
) {
    checked(name, short, long, setting, Some(check_precision));
}

fn checked(
    name: &'static CStr,
    short: &'static CStr,
    long: &'static CStr,
    setting: &'static GucSetting<Option<CString>>,
    check: pg_sys::GucStringCheckHook,
) {
    let (context, flags) = (GucContext::Sighup, GucFlags::default());
    let define = GucRegistry::define_string_guc_with_hooks;
    // SAFETY: the hook below is a guarded function of this library, which the server never unloads.
    unsafe { define(name, short, long, setting, context, flags, check, None, None) }
}

// SAFETY: the server alone calls these two, with what a check of a text setting is given.
unsafe extern "C-unwind" fn check_device(
    value: *mut *mut c_char,
    _extra: *mut *mut c_void,
    _source: pg_sys::GucSource::Type,
) -> bool {
    // SAFETY: the server passes a place that holds a C string, or NULL; nothing else is done here.
    unsafe {
        report::guard(|| {
            let text = text(value);
            text == "auto" || text == "cpu" || text.strip_prefix("cuda:").is_some_and(|n| n.parse::<u8>().is_ok())
        })
    }
}

// SAFETY: as the one above.
unsafe extern "C-unwind" fn check_precision(
    value: *mut *mut c_char,
    _extra: *mut *mut c_void,
    _source: pg_sys::GucSource::Type,
) -> bool {
    // SAFETY: as above.
    unsafe { report::guard(|| matches!(text(value).as_str(), "f32" | "bf16")) }
}

/// The text a check hook is asked about.
///
/// # Safety
/// `value` holds a C string or NULL.
unsafe fn text(value: *mut *mut c_char) -> String {
    // SAFETY: the caller's promise.
    unsafe { if (*value).is_null() { String::new() } else { CStr::from_ptr(*value).to_string_lossy().into_owned() } }
}
