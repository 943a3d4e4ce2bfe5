//! A node at work: its state, its children, its expression.

use std::ffi::c_int;

use pgrx::{PgMemoryContexts, pg_sys};

use super::methods::Methods;
use super::private::PrivateReader;
use super::row_buffer::RowBuffer;
use super::slot::Row;
use super::{CustomScan, new_node};
use crate::pg::datum::Detoasted;
use crate::pg::planner::{is_variable, list_of, pointers};

/// The server's state of a node, and ours behind it.
#[repr(C)]
pub struct State<N> {
    server: pg_sys::CustomScanState,
    node: *mut N,
}

impl<N: CustomScan> State<N> {
    /// Makes one without a node.
    pub(super) fn create() -> *mut pg_sys::Node {
        // SAFETY: a zeroed state that begins with the server's.
        let state = unsafe { &mut *new_node::<Self>(pg_sys::NodeTag::T_CustomScanState) };
        state.server.methods = Methods::<N>::EXEC;
        (&raw mut *state).cast()
    }

    /// Gives it its node, which the memory of the query drops, however the query ends.
    ///
    /// # Safety
    /// `state` was made by [`create`](Self::create) with the same `N`, and `estate` is its query's.
    pub(super) unsafe fn put(state: *mut pg_sys::CustomScanState, estate: *mut pg_sys::EState, node: N) {
        // SAFETY: the caller's promise; the state lies in the same memory.
        unsafe {
            (*state.cast::<Self>()).node = PgMemoryContexts::For((*estate).es_query_cxt).leak_and_drop_on_delete(node);
        }
    }

    /// Its node.
    ///
    /// # Safety
    /// [`put`](Self::put) was called, and nothing else refers to the node.
    pub(super) unsafe fn get<'a>(state: *mut pg_sys::CustomScanState) -> &'a mut N {
        // SAFETY: the caller's promise; the server's state is the first field of ours.
        unsafe { &mut *(*state.cast::<Self>()).node }
    }
}

/// A node that is being begun.
pub struct Begin {
    node: *mut pg_sys::CustomScanState,
    estate: *mut pg_sys::EState,
    flags: c_int,
}

impl Begin {
    /// # Safety
    /// All are what the server passed to the callback that begins a node, and this lives no longer than its call.
    pub(super) unsafe fn new(node: *mut pg_sys::CustomScanState, estate: *mut pg_sys::EState, flags: c_int) -> Self {
        Self { node, estate, flags }
    }

    fn plan(&self) -> &pg_sys::CustomScan {
        // SAFETY: the promise of `new`; a plan that `Chosen::plan` made, or a copy of it.
        unsafe { &*(*self.node).ss.ps.plan.cast::<pg_sys::CustomScan>() }
    }

    /// What the plan was given.
    pub fn private(&self) -> PrivateReader {
        // SAFETY: the list of a plan of ours.
        unsafe { PrivateReader::new(self.plan().custom_private) }
    }

    /// Begins the children.
    pub fn children(&self) -> Vec<Child> {
        // SAFETY: a list of plans.
        let plans = unsafe { pointers::<pg_sys::Plan>(self.plan().custom_plans) };
        // SAFETY: the promise of `new`; each is begun once.
        let begin = |plan| unsafe { pg_sys::ExecInitNode(plan, self.estate, self.flags) };
        let states: Vec<_> = plans.into_iter().map(begin).collect();
        // SAFETY: the promise of `new`: the server looks for a node's children there.
        unsafe { (*self.node).custom_ps = list_of(states.iter().copied()) };
        states.into_iter().map(|state| Child { state }).collect()
    }

    /// The plan's expression, which gives a varlena.
    pub fn expression(&self) -> Expression {
        // SAFETY: a list of one expression.
        let expr = unsafe { pointers::<pg_sys::Expr>(self.plan().custom_exprs)[0] };
        // SAFETY: as above.
        assert!(is_variable(unsafe { pg_sys::exprType(expr.cast()) }), "an expression of a fixed size");
        // SAFETY: as above; the node is its parent.
        Expression { state: unsafe { pg_sys::ExecInitExpr(expr, &raw mut (*self.node).ss.ps) } }
    }

    /// A buffer for rows.
    pub fn row_buffer(&self) -> RowBuffer {
        RowBuffer::new(self.estate)
    }

    /// The query's state.
    pub(super) fn estate(&self) -> *mut pg_sys::EState {
        self.estate
    }

    /// Has no expressions compiled (JIT) where a query is dear enough for that only by what this node computes itself,
    /// which no compiler makes faster: of nodes above it and beside it, which begin later. For a node with one child.
    pub fn spare_compiling(&self) {
        let plan = &self.plan().scan.plan;
        // SAFETY: a list of plans, at least one.
        let below = unsafe { (*pointers::<pg_sys::Plan>(self.plan().custom_plans)[0]).total_cost };
        // SAFETY: the promise of `new`; a statement has a plan.
        let all = unsafe { (*(*(*self.estate).es_plannedstmt).planTree).total_cost };
        let own = plan.total_cost - below;
        // SAFETY: a setting of the server's, and the promise of `new`.
        unsafe {
            if all - own < pg_sys::jit_above_cost {
                (*self.estate).es_jit_flags = 0;
            }
        }
    }
}

/// A child of a node that runs. The server ends it with the node.
pub struct Child {
    state: *mut pg_sys::PlanState,
}

impl Child {
    /// Its next row, which stays until the one after it is asked for. After its last row it must not be asked again
    /// before a rescan.
    pub fn next(&mut self) -> Option<Row<'_>> {
        // SAFETY: a child that was begun and is not ended before the node is; a slot or NULL.
        unsafe { Row::new(pg_sys::ExecProcNode(self.state)) }
    }

    /// The next of its rows that is wanted.
    pub fn find(&mut self, mut wanted: impl FnMut(Row<'_>) -> bool) -> Option<Row<'_>> {
        loop {
            // SAFETY: as above.
            let row = unsafe { Row::new(pg_sys::ExecProcNode(self.state)) }?;
            if wanted(row) {
                return Some(row);
            }
        }
    }

    /// Has it begin again.
    pub fn rescan(&mut self) {
        // SAFETY: as above.
        unsafe { pg_sys::ExecReScan(self.state) }
    }

    /// What its rows look like.
    pub(super) fn row_type(&self) -> pg_sys::TupleDesc {
        // SAFETY: as above.
        unsafe { pg_sys::ExecGetResultType(self.state) }
    }
}

/// An expression of a node.
pub struct Expression {
    state: *mut pg_sys::ExprState,
}

/// A node that runs, for the time of one callback.
#[derive(Clone, Copy)]
pub struct Scan {
    node: *mut pg_sys::CustomScanState,
}

impl Scan {
    /// # Safety
    /// `node` is between its begin and its end, and this lives no longer than the callback that it was passed to.
    pub(super) unsafe fn new(node: *mut pg_sys::CustomScanState) -> Self {
        Self { node }
    }

    fn estate(self) -> *mut pg_sys::EState {
        // SAFETY: the promise of `new`.
        unsafe { (*self.node).ss.ps.state }
    }

    /// Whether EXPLAIN ANALYZE counts.
    pub fn is_counted(self) -> bool {
        // SAFETY: the promise of `new`.
        unsafe { !(*self.node).ss.ps.instrument.is_null() }
    }

    /// Whether it has given rows, in whatever process, as far as EXPLAIN ANALYZE knows.
    pub fn gave_rows(self) -> bool {
        // SAFETY: the promise of `new`; the counters are there where somebody looks.
        unsafe { (*self.node).ss.ps.instrument.as_ref() }.is_some_and(|counters| counters.ntuples > 0.0)
    }

    /// Whether one row that another transaction has changed is looked at again: every scan gives that one.
    pub fn is_rechecking(self) -> bool {
        // SAFETY: the promise of `new`.
        unsafe { !(*self.estate()).es_epq_active.is_null() }
    }

    /// The memory that the processes of a parallel query share; NULL where no worker can start.
    pub(crate) fn area(self) -> *mut pg_sys::dsa_area {
        // SAFETY: the promise of `new`.
        unsafe { (*self.estate()).es_query_dsa }
    }

    /// Evaluates an expression of the node, and shows its value to `take`, `None` for a NULL. What is allocated lies in the
    /// per-row memory until the next row.
    pub fn evaluate<T>(self, expression: &Expression, take: impl FnOnce(Option<&[u8]>) -> T) -> T {
        // SAFETY: the promise of `new`.
        let context = unsafe { (*self.node).ss.ps.ps_ExprContext };
        // SAFETY: as above.
        let memory = unsafe { (*context).ecxt_per_tuple_memory };
        let mut null = true;
        // SAFETY: as above; the expression is the node's.
        let value = unsafe {
            PgMemoryContexts::For(memory).switch_to(|_| pg_sys::ExecEvalExpr(expression.state, context, &mut null))
        };
        if null {
            return take(None);
        }
        // SAFETY: a varlena, by what `Begin::expression` asserts.
        take(Some(&unsafe { Detoasted::new(value) }))
    }

    /// The row in the node's own slot, as the node above is to have it.
    pub(super) fn projected(self) -> *mut pg_sys::TupleTableSlot {
        // SAFETY: the promise of `new`; the slot has a row.
        unsafe {
            let slot = (*self.node).ss.ss_ScanTupleSlot;
            let projection = (*self.node).ss.ps.ps_ProjInfo;
            if projection.is_null() {
                return slot;
            }
            let context = (*self.node).ss.ps.ps_ExprContext;
            pg_sys::MemoryContextReset((*context).ecxt_per_tuple_memory);
            (*context).ecxt_scantuple = slot;
            pg_sys::ExecProject(projection)
        }
    }
}

/// Has the children begin again. The server tells children of other nodes about changed parameters, but not those of a
/// custom node.
///
/// # Safety
/// `node` is between its begin and its end.
pub(super) unsafe fn rescan_children(node: *mut pg_sys::CustomScanState) {
    // SAFETY: the caller's promise.
    let (changed, children) = unsafe { ((*node).ss.ps.chgParam, pointers::<pg_sys::PlanState>((*node).custom_ps)) };
    for child in children {
        // SAFETY: a child that was begun.
        unsafe {
            if !changed.is_null() {
                pg_sys::UpdateChangedParamSet(child, changed);
            }
            if (*child).chgParam.is_null() {
                pg_sys::ExecReScan(child);
            }
        }
    }
    // SAFETY: the caller's promise.
    unsafe { pg_sys::ExecClearTuple((*node).ss.ss_ScanTupleSlot) };
}

/// Ends the children.
///
/// # Safety
/// `node` is being ended.
pub(super) unsafe fn end_children(node: *mut pg_sys::CustomScanState) {
    // SAFETY: the caller's promise.
    unsafe { pointers::<pg_sys::PlanState>((*node).custom_ps).into_iter().for_each(|child| pg_sys::ExecEndNode(child)) }
}
