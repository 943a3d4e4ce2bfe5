//! Everything unsafe between safe Rust and the server, in small pieces.
//!
//! `server` functions raise ERROR by a long jump; pgrx turns each such jump into a Rust panic at the call and back
//! into a jump at the entry function, so destructors run and no socket or lock outlives an error.

pub mod call;
pub mod catalog;
pub mod custom;
pub mod database_setting;
pub mod datum;
pub mod interrupt;
pub mod ours;
pub mod planner;
pub mod process;
pub mod query;
pub mod rank;
pub mod report;
pub mod row_key;
pub mod row_trigger;
pub mod setting;
pub mod shortlist;
pub mod stored_models;
pub mod text;

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
