//! What all plan nodes of the extension share: how one is made, where its Rust values live, and how it hands rows on.

use pgrx::{PgMemoryContexts, pg_sys};

use crate::ffi::planner::{list_of, pointers};

/// A table of a name and functions that the server keeps a pointer to.
pub struct Table<T>(T);

// SAFETY: by the promise of `new`.
unsafe impl<T> Sync for Table<T> {}

impl<T> Table<T> {
    /// Wraps one.
    ///
    /// # Safety
    /// It holds a C string that is never freed and functions, and nobody writes to it.
    pub const unsafe fn new(table: T) -> Self {
        Self(table)
    }

    /// As the server takes it.
    pub const fn pointer(&'static self) -> *const T {
        &raw const self.0
    }
}

/// A node of the server's memory, zeroed but for its tag.
///
/// # Safety
/// `T` is the struct that `tag` names, or begins with it.
pub unsafe fn new_node<T>(tag: pg_sys::NodeTag) -> *mut T {
    // SAFETY: palloc0 gives as many zeroed bytes, or raises an ERROR; every node begins with its tag.
    unsafe {
        let node = pg_sys::palloc0(size_of::<T>()).cast::<T>();
        (*node.cast::<pg_sys::Node>()).type_ = tag;
        node
    }
}

/// The place, counted from 0, of a column in a child's list.
///
/// # Safety
/// Both are the planner's.
pub unsafe fn place(column: *mut pg_sys::Expr, list: *mut pg_sys::List) -> i32 {
    // SAFETY: the caller's promise.
    let entry = unsafe { pg_sys::tlist_member(column, list) };
    if entry.is_null() {
        // Found by tests of every shape of query, should it ever come to this; a user turns the nodes off.
        pgrx::ereport!(
            ERROR,
            pgrx::PgSqlErrorCode::ERRCODE_INTERNAL_ERROR,
            "grnet: a column of the ranking is not in the plan below it",
            "SET grnet.enable_rank = off avoids this; please report the query."
        );
    }
    // SAFETY: an entry of the list, whose numbers begin with 1.
    i32::from(unsafe { (*entry).resno }) - 1
}

/// The plan node of a path that was chosen. `columns` is what it gives, `own` what its rows look like before; `query` is
/// among the expressions where the server finds the parameters that decide about rescans; `private` is the node's.
///
/// # Safety
/// All are the planner's; `private` is made of lists of numbers, which can be copied and written.
pub unsafe fn plan(
    path: *mut pg_sys::CustomPath,
    columns: *mut pg_sys::List,
    own: *mut pg_sys::List,
    query: *mut pg_sys::Node,
    children: *mut pg_sys::List,
    private: *mut pg_sys::List,
    methods: *const pg_sys::CustomScanMethods,
) -> *mut pg_sys::Plan {
    // SAFETY: a new node; the rest is the caller's promise.
    unsafe {
        let node = new_node::<pg_sys::CustomScan>(pg_sys::NodeTag::T_CustomScan);
        (*node).scan.plan.targetlist = columns;
        (*node).custom_scan_tlist = pg_sys::copyObjectImpl(own.cast()).cast();
        (*node).custom_exprs = list_of([query]);
        (*node).custom_plans = children;
        (*node).custom_private = private;
        (*node).flags = (*path).flags;
        (*node).methods = methods;
        node.cast()
    }
}

/// The server's state of a node, and ours behind it.
#[repr(C)]
struct State<W> {
    server: pg_sys::CustomScanState,
    work: *mut W,
}

/// A node's state, without its work.
///
/// # Safety
/// `methods` are of functions that work with the same `W`.
pub unsafe fn new_state<W>(methods: *const pg_sys::CustomExecMethods) -> *mut pg_sys::Node {
    // SAFETY: a zeroed state that begins with the server's.
    unsafe {
        let state = new_node::<State<W>>(pg_sys::NodeTag::T_CustomScanState);
        (*state).server.methods = methods;
        state.cast()
    }
}

/// Starts the children of a node that is being begun.
///
/// # Safety
/// `node` and `estate` are what the server passed, of a plan made by [`plan`].
pub unsafe fn begin_children(
    node: *mut pg_sys::CustomScanState,
    estate: *mut pg_sys::EState,
    flags: std::ffi::c_int,
) -> Vec<*mut pg_sys::PlanState> {
    // SAFETY: the caller's promise.
    unsafe {
        let plan = (*node).ss.ps.plan.cast::<pg_sys::CustomScan>();
        let plans = pointers::<pg_sys::Plan>((*plan).custom_plans);
        let children: Vec<_> = plans.into_iter().map(|child| pg_sys::ExecInitNode(child, estate, flags)).collect();
        (*node).custom_ps = list_of(children.iter().copied());
        children
    }
}

/// Has no expressions compiled (JIT) where a query is dear enough for that only by what this node computes itself, which
/// no compiler makes faster. Of nodes above it and beside it, which begin later.
///
/// # Safety
/// `node` is being begun, of a plan made by [`plan`] with one child.
pub unsafe fn spare_compiling(node: *mut pg_sys::CustomScanState, estate: *mut pg_sys::EState) {
    // SAFETY: the caller's promise; a statement has a plan.
    unsafe {
        let plan = (*node).ss.ps.plan;
        let below = pointers::<pg_sys::Plan>((*plan.cast::<pg_sys::CustomScan>()).custom_plans)[0];
        let own = (*plan).total_cost - (*below).total_cost;
        let all = (*(*(*estate).es_plannedstmt).planTree).total_cost;
        if all - own < pg_sys::jit_above_cost {
            (*estate).es_jit_flags = 0;
        }
    }
}

/// Gives a node its work, which the memory of the query drops, however the query ends.
///
/// # Safety
/// `node` was made by [`new_state`] with the same `W`.
pub unsafe fn begin_work<W>(node: *mut pg_sys::CustomScanState, estate: *mut pg_sys::EState, work: W) {
    // SAFETY: the caller's promise; the node lies in the same memory.
    unsafe {
        (*node.cast::<State<W>>()).work = PgMemoryContexts::For((*estate).es_query_cxt).leak_and_drop_on_delete(work);
    }
}

/// A node's work.
///
/// # Safety
/// [`begin_work`] was called with the same `W`, and nothing else refers to the work.
pub unsafe fn work<'a, W>(node: *mut pg_sys::CustomScanState) -> &'a mut W {
    // SAFETY: the caller's promise; the server's state is the first field of ours.
    unsafe { &mut *(*node.cast::<State<W>>()).work }
}

/// Whether a child's answer is no row.
///
/// # Safety
/// `row` is what a child gave.
pub unsafe fn is_end(row: *mut pg_sys::TupleTableSlot) -> bool {
    // SAFETY: the caller's promise.
    row.is_null() || unsafe { (*row).tts_flags } & pg_sys::TTS_FLAG_EMPTY as u16 != 0
}

/// The row in the node's own slot, as the node above is to have it.
///
/// # Safety
/// `node` runs, and its slot has a row.
pub unsafe fn projected(node: *mut pg_sys::CustomScanState) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: the caller's promise.
    unsafe {
        let slot = (*node).ss.ss_ScanTupleSlot;
        let projection = (*node).ss.ps.ps_ProjInfo;
        if projection.is_null() {
            return slot;
        }
        let context = (*node).ss.ps.ps_ExprContext;
        pg_sys::MemoryContextReset((*context).ecxt_per_tuple_memory);
        (*context).ecxt_scantuple = slot;
        pg_sys::ExecProject(projection)
    }
}

/// Has the children begin again. The server tells children of other nodes about changed parameters, but not those of a
/// custom node.
///
/// # Safety
/// `node` is between its begin and its end.
pub unsafe fn rescan(node: *mut pg_sys::CustomScanState) {
    // SAFETY: the caller's promise.
    unsafe {
        let changed = (*node).ss.ps.chgParam;
        for child in pointers::<pg_sys::PlanState>((*node).custom_ps) {
            if !changed.is_null() {
                pg_sys::UpdateChangedParamSet(child, changed);
            }
            if (*child).chgParam.is_null() {
                pg_sys::ExecReScan(child);
            }
        }
        pg_sys::ExecClearTuple((*node).ss.ss_ScanTupleSlot);
    }
}

/// Ends the children.
///
/// # Safety
/// `node` is being ended.
pub unsafe fn end(node: *mut pg_sys::CustomScanState) {
    // SAFETY: the caller's promise.
    unsafe { pointers::<pg_sys::PlanState>((*node).custom_ps).into_iter().for_each(|child| pg_sys::ExecEndNode(child)) }
}

/// Whether the node has given rows, in whatever process, as far as EXPLAIN ANALYZE knows.
///
/// # Safety
/// `node` is at its end.
pub unsafe fn gave_rows(node: *mut pg_sys::CustomScanState) -> bool {
    // SAFETY: the caller's promise; the counters are there where somebody looks.
    unsafe { (*node).ss.ps.instrument.as_ref().is_some_and(|counters| counters.ntuples > 0.0) }
}
