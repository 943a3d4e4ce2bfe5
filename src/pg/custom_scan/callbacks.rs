//! What the server calls of a node.
//!
//! One contract holds for all of them: the server calls them, through the tables in `methods`, one after the other in one
//! thread, with nodes and paths of the kind that the table belongs to, between [`create`] and [`end`], and each argument
//! lives as long as the call. None has anything to drop where it is left by an ERROR: [`report::guard`] sees to that.

use std::ffi::{c_int, c_void};

use pgrx::pg_sys;

use super::explain::Explain;
use super::plan::Chosen;
use super::scan::{Begin, Scan, State};
use super::shared::SharedPart;
use super::slot::EmptySlot;
use super::{CustomScan, scan};
use crate::pg::report;

/// Makes the plan of a path that was chosen.
pub unsafe extern "C-unwind" fn plan<N: CustomScan>(
    _root: *mut pg_sys::PlannerInfo,
    _relation: *mut pg_sys::RelOptInfo,
    path: *mut pg_sys::CustomPath,
    columns: *mut pg_sys::List,
    _clauses: *mut pg_sys::List,
    children: *mut pg_sys::List,
) -> *mut pg_sys::Plan {
    // SAFETY: the contract above.
    unsafe { report::guard(|| Chosen::new(path, columns, children).plan::<N>()) }
}

/// Makes a node's state.
pub unsafe extern "C-unwind" fn create<N: CustomScan>(_plan: *mut pg_sys::CustomScan) -> *mut pg_sys::Node {
    // SAFETY: the contract above.
    unsafe { report::guard(|| State::<N>::create()) }
}

/// Begins a node.
pub unsafe extern "C-unwind" fn begin<N: CustomScan>(
    node: *mut pg_sys::CustomScanState,
    estate: *mut pg_sys::EState,
    flags: c_int,
) {
    // SAFETY: the contract above.
    unsafe { report::guard(|| State::put(node, estate, N::begin(&Begin::new(node, estate, flags)))) }
}

/// Gives the next row, or an empty slot.
pub unsafe extern "C-unwind" fn next<N: CustomScan>(node: *mut pg_sys::CustomScanState) -> *mut pg_sys::TupleTableSlot {
    let body = || {
        // SAFETY: the contract above.
        let (node_state, empty) = unsafe { (State::<N>::get(node), EmptySlot::of(node)) };
        let slot = empty.pointer();
        // SAFETY: the contract above.
        let scan = unsafe { Scan::new(node) };
        if node_state.next(scan, empty).is_some() { scan.projected() } else { slot }
    };
    // SAFETY: the contract above.
    unsafe { report::guard(body) }
}

/// Ends a node and its children.
pub unsafe extern "C-unwind" fn end<N: CustomScan>(node: *mut pg_sys::CustomScanState) {
    let body = || {
        // SAFETY: the contract above.
        unsafe { State::<N>::get(node).end() };
        // SAFETY: the contract above.
        unsafe { scan::end_children(node) };
    };
    // SAFETY: the contract above.
    unsafe { report::guard(body) }
}

/// Has a node and its children begin again.
pub unsafe extern "C-unwind" fn rescan<N: CustomScan>(node: *mut pg_sys::CustomScanState) {
    let body = || {
        // SAFETY: the contract above.
        unsafe { scan::rescan_children(node) };
        // SAFETY: the contract above.
        unsafe { State::<N>::get(node).rescan() };
    };
    // SAFETY: the contract above.
    unsafe { report::guard(body) }
}

/// Adds a node's lines to EXPLAIN.
pub unsafe extern "C-unwind" fn explain<N: CustomScan>(
    node: *mut pg_sys::CustomScanState,
    _ancestors: *mut pg_sys::List,
    es: *mut pg_sys::ExplainState,
) {
    // SAFETY: the contract above.
    unsafe { report::guard(|| State::<N>::get(node).explain(Scan::new(node), Explain::new(es))) }
}

/// How much shared memory a node takes.
pub unsafe extern "C-unwind" fn shared_size<N: CustomScan>(
    _node: *mut pg_sys::CustomScanState,
    _context: *mut pg_sys::ParallelContext,
) -> pg_sys::Size {
    size_of::<SharedPart>()
}

/// Shares a node, in the leader: `memory` is of that size and aligned for any type.
pub unsafe extern "C-unwind" fn share<N: CustomScan>(
    node: *mut pg_sys::CustomScanState,
    _context: *mut pg_sys::ParallelContext,
    memory: *mut c_void,
) {
    // SAFETY: the contract above; the memory stays until `leave`.
    unsafe { report::guard(|| State::<N>::get(node).share(SharedPart::put(memory), Scan::new(node))) }
}

/// Shares a node once more, in the leader between two scans.
pub unsafe extern "C-unwind" fn share_again<N: CustomScan>(
    node: *mut pg_sys::CustomScanState,
    _context: *mut pg_sys::ParallelContext,
    _memory: *mut c_void,
) {
    // SAFETY: the contract above.
    unsafe { report::guard(|| State::<N>::get(node).share_again(Scan::new(node))) }
}

/// Joins what the leader shares, in a worker: `memory` is what [`share`] has written.
pub unsafe extern "C-unwind" fn join<N: CustomScan>(
    node: *mut pg_sys::CustomScanState,
    _contents: *mut pg_sys::shm_toc,
    memory: *mut c_void,
) {
    // SAFETY: the contract above; the memory stays until `leave`.
    unsafe { report::guard(|| State::<N>::get(node).join(SharedPart::get(memory), Scan::new(node))) }
}

/// Leaves shared memory, before it goes.
pub unsafe extern "C-unwind" fn leave<N: CustomScan>(node: *mut pg_sys::CustomScanState) {
    // SAFETY: the contract above.
    unsafe { report::guard(|| State::<N>::get(node).leave()) }
}
