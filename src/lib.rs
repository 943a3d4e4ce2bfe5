//! grnet_pg: same-garment search inside PostgreSQL.
//!
//! Photos go in as bytes, region features are stored in a column, and `ORDER BY features <-> query` ranks by the
//! matching probability of the Graph Reasoning Network. One file for each thing a user sees; `engine/` for the process
//! that holds libtorch, which no backend ever maps; `ffi/` for everything unsafe. The SQL is in `sql/`.

#![deny(ffi_unwind_calls)]
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used))]

#[cfg(not(panic = "unwind"))]
compile_error!("an ERROR crosses Rust frames by unwinding: panic must be \"unwind\"");

mod embed;
mod engine;
mod error;
mod evaluate;
mod explain;
mod features;
#[allow(unsafe_code, reason = "the boundary to the server; every block says why it is sound")]
mod ffi;
mod match_map;
mod model;
mod model_uses;
mod nodes;
mod photo_cache;
mod photos;
mod progress;
mod rank;
mod score;
mod settings;
mod shortlist;
mod stat;
mod train;
mod trigger;
mod verify;

use pgrx::{pg_guard, pg_sys};

pgrx::pg_module_magic!(name, version);

/// Called by the server when it loads the library.
#[pg_guard]
#[allow(unsafe_code, reason = "an exported entry")]
pub extern "C-unwind" fn _PG_init() {
    ffi::process::take_no_backtraces();
    settings::register();
    nodes::register();
    // SAFETY: a flag of the server's, set before libraries are preloaded and cleared afterwards.
    if unsafe { pg_sys::process_shared_preload_libraries_in_progress } {
        engine::supervisor::register();
    }
}
