//! grnet_pg: same-garment search inside PostgreSQL.
//!
//! Images go in as bytes, region features are stored in a column, and `ORDER BY features <-> query` ranks by the matching
//! probability of the Graph Reasoning Network. One folder for each thing that a user meets: [`features`], the type;
//! [`embed`], images to features, and the trigger; [`score`]; [`scan`], the plan nodes of a ranking; [`model`]; [`job`],
//! training and evaluation; [`engine`], the process that holds libtorch, which no backend ever maps. [`pg`] alone wraps the
//! server. The SQL is in `sql/`.

#![deny(ffi_unwind_calls)]
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used))]

#[cfg(not(panic = "unwind"))]
compile_error!("an ERROR crosses Rust frames by unwinding: panic must be \"unwind\"");

mod embed;
mod engine;
mod error;
mod features;
mod job;
mod model;
#[allow(unsafe_code, reason = "the boundary to the server; every block says why it is sound")]
mod pg;
mod scan;
mod score;
mod settings;

use pgrx::{pg_guard, pg_sys};

pgrx::pg_module_magic!(name, version);

/// Called by the server when it loads the library.
#[pg_guard]
#[allow(unsafe_code, reason = "an exported entry")]
pub extern "C-unwind" fn _PG_init() {
    pg::process::take_no_backtraces();
    settings::register();
    scan::register();
    // SAFETY: a flag of the server's, set before libraries are preloaded and cleared afterwards.
    if unsafe { pg_sys::process_shared_preload_libraries_in_progress } {
        engine::supervisor::register();
    }
}
