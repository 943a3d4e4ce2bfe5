//! A node in a plan.

use pgrx::pg_sys;

use super::methods::Methods;
use super::private::{Private, PrivateReader};
use super::{CustomScan, new_node};
use crate::pg::planner::{Expr, list_of, pointers};

/// A path that was chosen, with the plans of its children.
pub struct Chosen<'p> {
    path: &'p pg_sys::CustomPath,
    columns: *mut pg_sys::List,
    children: *mut pg_sys::List,
}

/// What a node's plan consists of.
pub struct Plan<'p> {
    /// What the node's own rows look like, before the plan's columns are computed of them.
    pub rows: Rows,
    /// What [`Begin`](super::scan::Begin) reads.
    pub private: Private,
    /// The expression that the node evaluates: among the plan's, where the server finds the parameters that decide about
    /// rescans.
    pub expr: Expr<'p>,
}

/// What a node's own rows look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// The plan's columns: the node makes them itself.
    AsPlanned,
    /// The first child's.
    AsChild,
}

impl<'p> Chosen<'p> {
    /// # Safety
    /// All are what the server passed to the callback that makes a plan, and live as long as `'p`.
    pub(super) unsafe fn new(
        path: *mut pg_sys::CustomPath,
        columns: *mut pg_sys::List,
        children: *mut pg_sys::List,
    ) -> Self {
        // SAFETY: the caller's promise.
        Self { path: unsafe { &*path }, columns, children }
    }

    /// What the path was given.
    pub fn private(&self) -> PrivateReader {
        // SAFETY: the list that `NewPath::make` got.
        unsafe { PrivateReader::new(self.path.custom_private) }
    }

    /// The plan's columns.
    pub fn columns(&self) -> Vec<Expr<'p>> {
        // SAFETY: a list of target entries, whose expressions live as long.
        let entries = unsafe { pointers::<pg_sys::TargetEntry>(self.columns) };
        // SAFETY: as above.
        entries.into_iter().map(|entry| unsafe { Expr::new((*entry).expr) }).collect()
    }

    /// The columns of the first child.
    fn child_columns(&self) -> *mut pg_sys::List {
        // SAFETY: a list of plans, at least one.
        unsafe { (*pointers::<pg_sys::Plan>(self.children)[0]).targetlist }
    }

    /// The number of a column of the first child, from 0.
    pub fn position(&self, column: Expr<'_>) -> i32 {
        // SAFETY: an expression and a list of target entries of the planner's.
        let entry = unsafe { pg_sys::tlist_member(column.node(), self.child_columns()) };
        if entry.is_null() {
            // Found by tests of every shape of query, should it ever come to this; a user turns the nodes off.
            pgrx::ereport!(
                ERROR,
                pgrx::PgSqlErrorCode::ERRCODE_INTERNAL_ERROR,
                "grnet: a column of the ranking is not in the plan below it",
                "SET grnet.enable_batch_scoring = off avoids this; please report the query."
            );
        }
        // SAFETY: an entry of the list, whose numbers begin with 1.
        i32::from(unsafe { (*entry).resno }) - 1
    }

    /// Where a row of the path's table lies (`ctid`), as an expression.
    pub fn row_identity(&self) -> Expr<'p> {
        // SAFETY: the path's relation, which is a table.
        Expr::row_identity(unsafe { (*self.path.path.parent).relid })
    }

    /// The plan node.
    pub(super) fn plan<N: CustomScan>(&self) -> *mut pg_sys::Plan {
        let Plan { rows, private, expr } = N::plan(self);
        let own = if rows == Rows::AsChild { self.child_columns() } else { self.columns };
        // SAFETY: a new node of the planner's memory.
        let node = unsafe { &mut *new_node::<pg_sys::CustomScan>(pg_sys::NodeTag::T_CustomScan) };
        node.scan.plan.targetlist = self.columns;
        // SAFETY: a list of target entries.
        node.custom_scan_tlist = unsafe { pg_sys::copyObjectImpl(own.cast()) }.cast();
        node.custom_exprs = list_of([expr.node()]);
        node.custom_plans = self.children;
        node.custom_private = private.list();
        node.flags = self.path.flags;
        node.methods = Methods::<N>::SCAN;
        (&raw mut *node).cast()
    }
}
