//! A node among the planner's alternatives.

use pgrx::pg_sys;

use super::methods::Methods;
use super::private::Private;
use super::{CustomScan, new_node};
use crate::pg::planner::{Path, PathKeys, Relation, Target, list_of};

/// A path that is to be made.
pub struct NewPath<'p> {
    /// What it gives rows of.
    pub relation: Relation<'p>,
    /// The columns that it gives.
    pub target: Target<'p>,
    /// The paths below it.
    pub children: Vec<Path<'p>>,
    /// Rows that it gives.
    pub rows: f64,
    /// What it costs before its first row, and in all.
    pub costs: [f64; 2],
    /// The order that it claims.
    pub keys: PathKeys<'p>,
    /// The processes that run it beside the leader, each with a part of the rows; it is shared then.
    pub workers: i32,
    /// Nodes below it that a setting (`enable_…`) asks to avoid, from PostgreSQL 18 on.
    pub disabled_nodes: i32,
    /// Whether a worker may run it.
    pub is_parallel_safe: bool,
    /// What [`CustomScan::plan`] reads.
    pub private: Private,
}

impl<'p> NewPath<'p> {
    /// Makes it.
    pub fn make<N: CustomScan>(self) -> Path<'p> {
        // SAFETY: a new node of the planner's memory.
        let path = unsafe { &mut *new_node::<pg_sys::CustomPath>(pg_sys::NodeTag::T_CustomPath) };
        path.path.pathtype = pg_sys::NodeTag::T_CustomScan;
        path.path.parent = self.relation.rel;
        path.path.pathtarget = self.target.target;
        path.path.parallel_safe = self.is_parallel_safe;
        // Only a node that says so is given shared memory.
        path.path.parallel_aware = self.workers > 0;
        path.path.parallel_workers = self.workers;
        path.path.rows = self.rows;
        [path.path.startup_cost, path.path.total_cost] = self.costs;
        path.path.pathkeys = self.keys.list();
        #[cfg(feature = "pg18")]
        {
            path.path.disabled_nodes = self.disabled_nodes;
        }
        #[cfg(not(feature = "pg18"))]
        let _ = self.disabled_nodes;
        path.custom_paths = list_of(self.children.iter().map(|child| child.path));
        path.custom_private = self.private.list();
        path.methods = Methods::<N>::PATH;
        // SAFETY: its fields point to nodes that live as long as the planning.
        unsafe { Path::new((&raw mut *path).cast()) }
    }
}
