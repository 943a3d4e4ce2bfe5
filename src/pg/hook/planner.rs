//! The places in the planner where the extension is asked.

use std::sync::OnceLock;

use pgrx::pg_sys;

use crate::pg::planner::{Query, Relation};
use crate::pg::report;

/// Is shown a query level that may be sorted: what is to be sorted, and what comes out.
pub type Ordered = for<'p> fn(Query<'p>, Relation<'p>, Relation<'p>);
/// Is shown a query level that is planned to its end: what comes out.
pub type Last = for<'p> fn(Query<'p>, Relation<'p>);
/// Is shown each table of a query.
pub type Table = for<'p> fn(Query<'p>, Relation<'p>);

struct Asked {
    ordered: Ordered,
    table: Table,
    last: Last,
    before: pg_sys::create_upper_paths_hook_type,
    before_table: pg_sys::set_rel_pathlist_hook_type,
}

static ASKED: OnceLock<Asked> = OnceLock::new();

/// Has all asked from now on, after whoever was asked before. Called once, when the library is loaded: in a session
/// that did not preload it, in the middle of planning the first query with a score, by the functions' support function.
pub fn register(ordered: Ordered, table: Table, last: Last) {
    // SAFETY: the server's hooks are read and written by this process's one thread only.
    unsafe {
        let (before, before_table) = (pg_sys::create_upper_paths_hook, pg_sys::set_rel_pathlist_hook);
        let asked = Asked { ordered, table, last, before, before_table };
        if ASKED.set(asked).is_ok() {
            pg_sys::create_upper_paths_hook = Some(upper_paths);
            pg_sys::set_rel_pathlist_hook = Some(rel_paths);
        }
    }
}

// SAFETY: the server alone calls this and the next, with what it is planning.
#[allow(ffi_unwind_calls, reason = "a hook of another library, which raises errors as the server does")]
unsafe extern "C-unwind" fn upper_paths(
    root: *mut pg_sys::PlannerInfo,
    stage: pg_sys::UpperRelationKind::Type,
    input: *mut pg_sys::RelOptInfo,
    output: *mut pg_sys::RelOptInfo,
    extra: *mut std::ffi::c_void,
) {
    let body = || {
        let Some(asked) = ASKED.get() else { return };
        // SAFETY: passes on what the server passed; everything it points to lives for the time of this call.
        unsafe {
            if let Some(before) = asked.before {
                pg_sys::ffi::pg_guard_ffi_boundary(|| before(root, stage, input, output, extra));
            }
            match stage {
                pg_sys::UpperRelationKind::UPPERREL_ORDERED => {
                    (asked.ordered)(Query::new(root), Relation::new(input), Relation::new(output));
                }
                pg_sys::UpperRelationKind::UPPERREL_FINAL => (asked.last)(Query::new(root), Relation::new(output)),
                _ => {}
            }
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}

// SAFETY: the server alone calls this, with a relation that is being planned.
#[allow(ffi_unwind_calls, reason = "a hook of another library, which raises errors as the server does")]
unsafe extern "C-unwind" fn rel_paths(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    index: pg_sys::Index,
    entry: *mut pg_sys::RangeTblEntry,
) {
    let body = || {
        let Some(asked) = ASKED.get() else { return };
        // SAFETY: as above.
        unsafe {
            if let Some(before) = asked.before_table {
                pg_sys::ffi::pg_guard_ffi_boundary(|| before(root, rel, index, entry));
            }
            (asked.table)(Query::new(root), Relation::new(rel));
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}
