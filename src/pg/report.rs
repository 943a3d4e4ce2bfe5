//! ERRORs, WARNINGs and NOTICEs, in the database's encoding, and an entry for what the server calls.
//!
//! pgrx turns an ERROR of the server that comes up below Rust into a panic, and back at the entry. On that way it takes
//! message, DETAIL and HINT for UTF-8, and loses CONTEXT, position and the names of table and column. So the entry keeps
//! the ERROR as the server made it, and raises that.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use pgrx::pg_sys::panic::CaughtError;
use pgrx::{PgLogLevel, PgSqlErrorCode, pg_sys};

use super::encoding;
use crate::error::Error;

/// The parts of a report.
pub struct Report {
    /// SQLSTATE.
    pub code: PgSqlErrorCode,
    /// What is wrong.
    pub message: String,
    /// DETAIL.
    pub detail: Option<String>,
    /// HINT.
    pub hint: Option<String>,
}

/// The same for the server.
struct Converted {
    code: PgSqlErrorCode,
    message: CString,
    detail: Option<CString>,
    hint: Option<CString>,
}

impl Converted {
    fn of(report: Report) -> Self {
        let Report { code, message, detail, hint } = report;
        let convert = |text: Option<String>| text.map(|text| encoding::to_server(&text));
        Self { code, message: encoding::to_server(&message), detail: convert(detail), hint: convert(hint) }
    }

    /// A copy in the server's memory of a report that is about to be left by a long jump, which frees nothing of Rust's.
    fn leave(self) -> (PgSqlErrorCode, [*const c_char; 3]) {
        let copy = |text: Option<CString>| {
            // SAFETY: a C string; the copy lives in the memory of the call, which the transaction's end frees.
            text.map_or(std::ptr::null(), |text| unsafe { pg_sys::pstrdup(text.as_ptr()) }.cast_const())
        };
        (self.code, [copy(Some(self.message)), copy(self.detail), copy(self.hint)])
    }
}

// Not pgrx's: those catch the jump that is wanted here, or are not there at all.
unsafe extern "C-unwind" {
    fn errstart(level: c_int, domain: *const c_char) -> bool;
    fn errcode(code: c_int) -> c_int;
    fn errmsg_internal(format: *const c_char, ...) -> c_int;
    fn errdetail_internal(format: *const c_char, ...) -> c_int;
    fn errhint(format: *const c_char, ...) -> c_int;
    fn errfinish(file: *const c_char, line: c_int, function: *const c_char);
    fn CopyErrorData() -> *mut pg_sys::ErrorData;
    fn FreeErrorData(error: *mut pg_sys::ErrorData);
    fn ThrowErrorData(error: *mut pg_sys::ErrorData);
}

/// # Safety
/// The texts are C strings or NULL. Leaves by a long jump where `level` is ERROR, and may where it is not (a cancel):
/// no frame between here and the server's, or pgrx's guard, may have anything left to drop.
#[allow(ffi_unwind_calls, reason = "the server's own, by which every report is made")]
unsafe fn emit(level: PgLogLevel, code: PgSqlErrorCode, [message, detail, hint]: [*const c_char; 3]) {
    let format = c"%s".as_ptr();
    // SAFETY: begins a report, as the server's macro ereport() does; false where nobody is to get it.
    if !unsafe { errstart(level as c_int, std::ptr::null()) } {
        return;
    }
    // SAFETY: the order that ereport() has; texts are arguments, not formats.
    unsafe {
        errcode(code as c_int);
        errmsg_internal(format, message);
        if !detail.is_null() {
            errdetail_internal(format, detail);
        }
        if !hint.is_null() {
            errhint(format, hint);
        }
        errfinish(std::ptr::null(), 0, std::ptr::null());
    }
}

/// Tells the user of something that does not end the command.
pub fn tell(level: PgLogLevel, report: Report) {
    let report = Converted::of(report);
    let pointer = |text: &Option<CString>| text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
    let (code, texts) = (report.code, [report.message.as_ptr(), pointer(&report.detail), pointer(&report.hint)]);
    // SAFETY: C strings that outlive the call; what is captured needs no drop, and a jump ends at the guard.
    unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| emit(level, code, texts)) }
}

/// The last ERROR below an entry, as the server made it.
struct CaughtReport {
    callback: pg_sys::ErrorContextCallback,
    /// Where the copy is made: the memory of the call.
    memory: pg_sys::MemoryContext,
    copy: *mut pg_sys::ErrorData,
}

impl CaughtReport {
    /// Frees the copy.
    ///
    /// # Safety
    /// It was made by [`copy_report`], or is NULL.
    #[allow(ffi_unwind_calls, reason = "frees memory")]
    unsafe fn forget(&mut self) {
        if !self.copy.is_null() {
            // SAFETY: the caller's promise.
            unsafe { FreeErrorData(self.copy) }
            self.copy = std::ptr::null_mut();
        }
    }

    /// Whether the copy is of the ERROR that arrived.
    fn is_of(&self, caught: &CaughtError) -> bool {
        let CaughtError::PostgresError(error) = caught else { return false };
        // SAFETY: a copy that `copy_report` made, or NULL.
        unsafe {
            !self.copy.is_null()
                // A code that is in no list of the server's, of a function's RAISE, arrives as XX000.
                && ((*self.copy).sqlerrcode == error.sql_error_code() as c_int
                    || error.sql_error_code() == PgSqlErrorCode::ERRCODE_INTERNAL_ERROR)
                && !(*self.copy).message.is_null()
                && CStr::from_ptr((*self.copy).message).to_string_lossy() == error.message()
        }
    }

    /// Leaves by the ERROR that a panic was, or becomes.
    ///
    /// # Safety
    /// No frame between here and the server's has anything left to drop.
    #[allow(ffi_unwind_calls, reason = "an ERROR leaves Rust here")]
    unsafe fn raise(&self, payload: Box<dyn Any + Send>) -> ! {
        // SAFETY: the caller's promise; the copy is of the ERROR that arrived.
        unsafe {
            if payload.downcast_ref::<CaughtError>().is_some_and(|caught| self.is_of(caught)) {
                drop(payload);
                ThrowErrorData(self.copy);
            } else {
                pg_sys::panic::pgrx_extern_c_guard(move || resume_unwind(payload))
            }
        }
        unreachable!("an ERROR does not return")
    }
}

/// Called by the server for each report that is made below an entry, before it is thrown or sent.
// SAFETY: the server calls it with the argument that stands beside it in the entry's frame, which is on the stack as long
// as the callback is among the server's.
#[allow(ffi_unwind_calls, reason = "copies an ERROR; where memory has run out the server makes another of it")]
unsafe extern "C-unwind" fn copy_report(caught_report: *mut c_void) {
    // SAFETY: as above.
    let caught_report = unsafe { &mut *caught_report.cast::<CaughtReport>() };
    // SAFETY: as above; the server stands in its memory for errors, where no copy may be made, and goes on there.
    let copy = unsafe {
        caught_report.forget();
        let before = pg_sys::CurrentMemoryContext;
        pg_sys::CurrentMemoryContext = caught_report.memory;
        let copy = CopyErrorData();
        pg_sys::CurrentMemoryContext = before;
        copy
    };
    // SAFETY: the copy, which is nobody else's.
    unsafe {
        if (*copy).elevel < PgLogLevel::ERROR as c_int {
            FreeErrorData(copy);
            return;
        }
        // Where it was raised may be text in memory that is gone before it is raised again.
        (*copy).filename = lasting((*copy).filename);
        (*copy).funcname = lasting((*copy).funcname);
    }
    caught_report.copy = copy;
}

/// The same name for as long as the process lives: there are as many as the sources have functions.
///
/// # Safety
/// NULL or a C string.
unsafe fn lasting(name: *const c_char) -> *const c_char {
    thread_local! {
        static NAMES: RefCell<HashSet<&'static CStr>> = RefCell::default();
    }
    if name.is_null() {
        return name;
    }
    // SAFETY: the caller's promise.
    let name = unsafe { CStr::from_ptr(name) };
    NAMES.with_borrow_mut(|names| {
        let known = names.get(name).copied().unwrap_or_else(|| {
            let lasting: &'static CStr = Box::leak(name.to_owned().into_boxed_c_str());
            names.insert(lasting);
            lasting
        });
        known.as_ptr()
    })
}

/// The same for a hook or a callback of a node, which has no error of its own to give back.
///
/// # Safety
/// As for [`entry`].
pub unsafe fn guard<T>(body: impl FnOnce() -> T) -> T {
    // SAFETY: the caller's promise.
    unsafe { entry(|| Ok(body())) }
}

/// Runs what the server has called: an error, a panic and the server's own ERROR leave as the ERROR that they are.
///
/// # Safety
/// Called from a function that the server calls, which has nothing to drop and does nothing else.
#[allow(ffi_unwind_calls, reason = "an ERROR leaves Rust here")]
pub unsafe fn entry<T>(body: impl FnOnce() -> Result<T, Error>) -> T {
    let callback = pg_sys::ErrorContextCallback {
        // SAFETY: a variable of this process.
        previous: unsafe { pg_sys::error_context_stack },
        callback: Some(copy_report),
        arg: std::ptr::null_mut(),
    };
    // SAFETY: as above.
    let memory = unsafe { pg_sys::CurrentMemoryContext };
    let mut caught_report = CaughtReport { callback, memory, copy: std::ptr::null_mut() };
    let caught_report = &raw mut caught_report;
    // SAFETY: the callback stays on this frame, and among the server's only as long as the body runs; where pgrx has
    // caught a jump it has put the server's list back to what it was when its guard was entered, below this one.
    let outcome = unsafe {
        (*caught_report).callback.arg = caught_report.cast();
        pg_sys::error_context_stack = &raw mut (*caught_report).callback;
        let outcome = catch_unwind(AssertUnwindSafe(body));
        pg_sys::error_context_stack = (*caught_report).callback.previous;
        outcome
    };
    // SAFETY: as above; what is left by a jump has nothing to drop.
    unsafe {
        match outcome {
            Ok(Ok(value)) => {
                (*caught_report).forget();
                value
            }
            Ok(Err(error)) => raise(error),
            Err(payload) => (*caught_report).raise(payload),
        }
    }
}

/// Leaves by the ERROR that an error of ours becomes.
///
/// # Safety
/// No frame between here and the server's has anything left to drop.
unsafe fn raise(error: Error) -> ! {
    let (code, texts) = Converted::of(error.report()).leave();
    // SAFETY: the caller's promise; copies in the server's memory.
    unsafe { emit(PgLogLevel::ERROR, code, texts) };
    unreachable!("an ERROR does not return")
}
