//! The server, wrapped: everything unsafe between it and the extension's own code, in small pieces. Nothing here knows what a
//! feature or a score is.
//!
//! `server` functions raise ERROR by a long jump; pgrx turns each such jump into a Rust panic at the call and back
//! into a jump at the entry function, so destructors run and no socket or lock outlives an error.

pub mod call;
pub mod catalog;
pub mod cursor;
pub mod custom_scan;
pub mod datum;
pub mod encoding;
pub mod extension_tables;
pub mod guc;
pub mod guc_level;
pub mod guc_renamed;
pub mod guc_source;
pub mod hook;
pub mod interrupt;
pub mod open_table;
pub mod planner;
pub mod process;
pub mod report;
pub mod row_key;
pub mod row_trigger;
pub mod stored_models;

/// A column's description.
///
/// # Safety
/// The descriptor is valid, and has a column of that number, counted from 1.
pub unsafe fn attribute(columns: pgrx::pg_sys::TupleDesc, number: i32) -> *mut pgrx::pg_sys::FormData_pg_attribute {
    #[cfg(feature = "pg18")]
    // SAFETY: the caller's promise.
    return unsafe { pgrx::pg_sys::TupleDescAttr(columns, number - 1) };
    #[cfg(not(feature = "pg18"))]
    // SAFETY: the caller's promise; before 18 the descriptions follow one another behind the descriptor.
    return unsafe { (*columns).attrs.as_mut_ptr().add(number as usize - 1) };
}
