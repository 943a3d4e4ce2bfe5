//! Plan nodes of an extension (custom scans), as values with a trait.
//!
//! A node is offered to the planner as a [path](path::NewPath), made a [plan](plan::Plan) if its path is the cheapest, and
//! run by the executor. [`CustomScan`] is what a node does; [`callbacks`] is what the server calls, and nothing else in the
//! extension is called by the executor. The contract is PostgreSQL's chapter "Writing a Custom Scan Provider".

mod callbacks;
pub mod explain;
mod methods;
pub mod path;
pub mod plan;
pub mod private;
pub mod row_buffer;
pub mod scan;
pub mod shared;
mod shared_bytes;
pub mod slot;
pub mod sorter;

use std::ffi::CStr;

use pgrx::pg_sys;

use self::explain::Explain;
use self::plan::{Chosen, Plan};
use self::scan::{Begin, Scan};
use self::shared::SharedPart;
use self::slot::{EmptySlot, FullSlot};

/// A plan node. A value of it is one node of one running query, in one process; the query's end drops it.
pub trait CustomScan: Sized + 'static {
    /// Its name in plans and in EXPLAIN.
    const NAME: &'static CStr;
    /// Whether the processes of a parallel query share a [`SharedPart`] of it. If not, the last four are never called.
    const IS_SHARED: bool = false;

    /// Makes the plan of a path that the planner has chosen.
    fn plan<'p>(chosen: &Chosen<'p>) -> Plan<'p>;

    /// Begins a node of a plan, with its children. Nothing is read yet, and with EXPLAIN nothing ever is.
    fn begin(begin: &Begin) -> Self;

    /// Gives the next row in the node's slot, or nothing at the end. What the row refers to stays where it is until this is
    /// called again, or [`rescan`](Self::rescan) or [`end`](Self::end).
    fn next(&mut self, scan: Scan, slot: EmptySlot) -> Option<FullSlot>;

    /// Begins again, after the children have.
    fn rescan(&mut self);

    /// Ends, before the children do: lets go of slots and of sorts.
    fn end(&mut self);

    /// Adds lines to EXPLAIN.
    fn explain(&mut self, scan: Scan, explain: Explain);

    /// In the leader, before its workers start: what is shared, until [`leave`](Self::leave).
    fn share(&mut self, _shared: &'static SharedPart, _scan: Scan) {}

    /// In the leader, between two scans, while no worker runs.
    fn share_again(&mut self, _scan: Scan) {}

    /// In a worker, after [`begin`](Self::begin): what the leader shares, until [`leave`](Self::leave).
    fn join(&mut self, _shared: &'static SharedPart, _scan: Scan) {}

    /// The shared memory is about to go.
    fn leave(&mut self) {}
}

/// Lets the server find nodes of this kind by their name. Called once, when the library is loaded.
pub fn register<N: CustomScan>() {
    // SAFETY: the table is a constant, never written and never freed.
    unsafe { pg_sys::RegisterCustomScanMethods(methods::Methods::<N>::SCAN) }
}

/// A node of the server's memory, zeroed but for its tag.
///
/// # Safety
/// `T` is the struct that `tag` names, or begins with it.
unsafe fn new_node<T>(tag: pg_sys::NodeTag) -> *mut T {
    // SAFETY: palloc0 gives as many zeroed bytes, or raises an ERROR; every node begins with its tag.
    unsafe {
        let node = pg_sys::palloc0(size_of::<T>()).cast::<T>();
        (*node.cast::<pg_sys::Node>()).type_ = tag;
        node
    }
}
