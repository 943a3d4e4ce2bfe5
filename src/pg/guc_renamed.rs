//! Settings that have another name now: the old one is refused, and the error says the new one.

use std::ffi::{CStr, CString, c_char, c_void};

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting, pg_sys};

use super::report;

/// An old name, what `SHOW` says of it, and the hint of who sets it.
type Renamed = (&'static CStr, &'static CStr, &'static CStr);

macro_rules! renamed {
    ($($old:ident => $new:ident),* $(,)?) => {
        [$((
            match CStr::from_bytes_with_nul(concat!("grnet.", stringify!($old), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!("a C string"),
            },
            match CStr::from_bytes_with_nul(concat!("now grnet.", stringify!($new), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!("a C string"),
            },
            match CStr::from_bytes_with_nul(concat!("Set grnet.", stringify!($new), ".\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!("a C string"),
            },
        )),*]
    };
}

const RENAMED: [Renamed; 9] = renamed! {
    device => engine_device,
    enable_rank => enable_batch_scoring,
    feature_numbers => feature_dtype,
    max_batch => engine_max_batch,
    max_batch_wait => engine_max_batch_wait,
    max_queue => engine_max_queue,
    max_spool_size => engine_max_spool_size,
    precision => engine_precision,
    threads => engine_threads,
};

/// Nothing is ever stored in them.
static UNUSED: [GucSetting<Option<CString>>; RENAMED.len()] =
    [const { GucSetting::<Option<CString>>::new(None) }; RENAMED.len()];

/// Registers the old names. Called once, when the library is loaded.
pub fn register() {
    one::<0>();
    one::<1>();
    one::<2>();
    one::<3>();
    one::<4>();
    one::<5>();
    one::<6>();
    one::<7>();
    one::<8>();
}

fn one<const N: usize>() {
    let (name, now, hint) = RENAMED[N];
    let (context, flags) = (GucContext::Userset, GucFlags::NO_SHOW_ALL | GucFlags::NO_RESET_ALL);
    let define = GucRegistry::define_string_guc_with_hooks;
    // SAFETY: the hooks are functions of this library, which the server never unloads.
    unsafe { define(name, now, hint, &UNUSED[N], context, flags, Some(check::<N>), None, Some(show::<N>)) }
}

/// Refuses every value but the one that it has at first.
// SAFETY: the server alone calls it, with what a check of a text setting is given.
unsafe extern "C-unwind" fn check<const N: usize>(
    value: *mut *mut c_char,
    _extra: *mut *mut c_void,
    _source: pg_sys::GucSource::Type,
) -> bool {
    let body = || {
        // SAFETY: a place that holds a C string, or NULL.
        if unsafe { (*value).is_null() } {
            return true;
        }
        // SAFETY: variables of the server's for this purpose, which are read at once; C strings that are never freed.
        unsafe {
            pg_sys::GUC_check_errmsg_string = c"this setting has another name now".as_ptr().cast_mut();
            pg_sys::GUC_check_errhint_string = RENAMED[N].2.as_ptr().cast_mut();
        }
        false
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}

/// What `SHOW` says.
// SAFETY: the server alone calls it.
unsafe extern "C-unwind" fn show<const N: usize>() -> *const c_char {
    RENAMED[N].1.as_ptr()
}
