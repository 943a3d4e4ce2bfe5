//! Everything unsafe between safe Rust and the server, in small pieces.
//!
//! `server` functions raise ERROR by a long jump; pgrx turns each such jump into a Rust panic at the call and back
//! into a jump at the entry function, so destructors run and no socket or lock outlives an error.

pub mod call;
pub mod catalog;
pub mod custom;
pub mod datum;
pub mod interrupt;
pub mod ours;
pub mod planner;
pub mod process;
pub mod query;
pub mod rank;
pub mod report;
pub mod row_trigger;
pub mod setting;
pub mod shortlist;
pub mod text;
