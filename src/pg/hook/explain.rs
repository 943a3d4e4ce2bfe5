//! A line below an EXPLAIN (VERBOSE).

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_int};
use std::sync::OnceLock;

use pgrx::pg_sys;

use crate::pg::{encoding, report};

/// Gives what there is to say about the query planned last, and forgets it.
pub type Said = fn() -> Option<Cow<'static, str>>;

struct Asked {
    label: &'static CStr,
    said: Said,
    before: pg_sys::ExplainOneQuery_hook_type,
}

static ASKED: OnceLock<Asked> = OnceLock::new();

/// Has `said` asked after each EXPLAIN, and its answer shown behind `label`. Called once, when the library is loaded.
pub fn register(label: &'static CStr, said: Said) {
    // SAFETY: the server's hook is read and written by this process's one thread only.
    unsafe {
        if ASKED.set(Asked { label, said, before: pg_sys::ExplainOneQuery_hook }).is_ok() {
            pg_sys::ExplainOneQuery_hook = Some(explain);
        }
    }
}

// SAFETY: the server alone calls this, in place of its own function.
#[allow(ffi_unwind_calls, reason = "a hook of another library, which raises errors as the server does")]
unsafe extern "C-unwind" fn explain(
    query: *mut pg_sys::Query,
    options: c_int,
    into: *mut pg_sys::IntoClause,
    es: *mut pg_sys::ExplainState,
    text: *const c_char,
    params: pg_sys::ParamListInfo,
    env: *mut pg_sys::QueryEnvironment,
) {
    let body = || {
        let Some(asked) = ASKED.get() else { return };
        (asked.said)();
        // Only what is not Rust may stand behind pgrx's guard: a panic that crossed it would end the process.
        match asked.before {
            // SAFETY: passes on what the server passed.
            Some(before) => unsafe {
                pg_sys::ffi::pg_guard_ffi_boundary(|| before(query, options, into, es, text, params, env));
            },
            // SAFETY: as above.
            None => unsafe { standard(query, options, into, es, text, params, env) },
        }
        // SAFETY: as above. Other formats are one document each, which has ended.
        let has_place = unsafe { (*es).verbose && (*es).format == pg_sys::ExplainFormat::EXPLAIN_FORMAT_TEXT };
        if let (Some(said), true) = ((asked.said)(), has_place) {
            let said = encoding::to_server(&said);
            // SAFETY: as above; C strings.
            unsafe { pg_sys::ExplainPropertyText(asked.label.as_ptr(), said.as_ptr(), es) };
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}

/// What the server does where nobody asks.
///
/// # Safety
/// As for [`explain`].
#[cfg(not(any(feature = "pg15", feature = "pg16")))]
unsafe fn standard(
    query: *mut pg_sys::Query,
    options: c_int,
    into: *mut pg_sys::IntoClause,
    es: *mut pg_sys::ExplainState,
    text: *const c_char,
    params: pg_sys::ParamListInfo,
    env: *mut pg_sys::QueryEnvironment,
) {
    // SAFETY: the caller's promise.
    unsafe { pg_sys::standard_ExplainOneQuery(query, options, into, es, text, params, env) }
}

/// The same for servers that do not offer it by itself: plans, takes the time and the buffers, and shows the plan.
///
/// # Safety
/// As for [`explain`].
#[cfg(any(feature = "pg15", feature = "pg16"))]
unsafe fn standard(
    query: *mut pg_sys::Query,
    options: c_int,
    into: *mut pg_sys::IntoClause,
    es: *mut pg_sys::ExplainState,
    text: *const c_char,
    params: pg_sys::ParamListInfo,
    env: *mut pg_sys::QueryEnvironment,
) {
    let started = std::time::Instant::now();
    // SAFETY: counters of this process.
    let before = unsafe { pg_sys::pgBufferUsage };
    // SAFETY: the caller's promise.
    let plan = unsafe { pg_sys::pg_plan_query(query, text, options, params) };
    let taken = started.elapsed();
    #[cfg(feature = "pg15")]
    let taken = pg_sys::instr_time { tv_sec: taken.as_secs() as _, tv_nsec: taken.subsec_nanos().into() };
    #[cfg(feature = "pg16")]
    let taken = pg_sys::instr_time { ticks: taken.as_nanos() as i64 };
    let mut buffers = pg_sys::BufferUsage::default();
    // SAFETY: the caller's promise; counters are read by the process that counts.
    unsafe {
        pg_sys::BufferUsageAccumDiff(&mut buffers, &raw const pg_sys::pgBufferUsage, &before);
        let buffers = if (*es).buffers { &raw const buffers } else { std::ptr::null() };
        pg_sys::ExplainOnePlan(plan, into, es, text, params, env, &taken, buffers);
    }
}
