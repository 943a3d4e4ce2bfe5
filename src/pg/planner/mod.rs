//! What the planner works on, as values that live while it plans one query level.
//!
//! Everything here points into the planner's own memory, which is freed when the plan is done; `'p` is that time. A hook
//! gets a [`Query`] for the time of its call, and all others come from it.

mod expression;
mod function;
mod index;
mod list;
mod path;
mod relation;
mod sort_key;
mod temporary;

use std::marker::PhantomData;

use pgrx::pg_sys;

pub use expression::{Expr, Param, is_variable};
pub use function::function;
pub use index::{Index, invalid as invalid_index};
pub use list::{list_of, numbers, oids, pointers};
pub use path::{Path, Target};
pub use relation::Relation;
pub use sort_key::{Order, PathKeys, SortKey, SortRule};

/// One query level that is being planned.
#[derive(Debug, Clone, Copy)]
pub struct Query<'p> {
    pub(in crate::pg) root: *mut pg_sys::PlannerInfo,
    life: PhantomData<&'p ()>,
}

impl<'p> Query<'p> {
    /// Wraps what a planner's hook is called with.
    ///
    /// # Safety
    /// `root` is what the server passed to a hook of the planner, and `'p` is no longer than its call.
    pub unsafe fn new(root: *mut pg_sys::PlannerInfo) -> Self {
        Self { root, life: PhantomData }
    }

    /// Whether there is an ORDER BY: all that most queries are asked.
    pub fn is_sorted(self) -> bool {
        // SAFETY: the promise of `new`.
        unsafe { !(*self.root).sort_pathkeys.is_null() }
    }

    /// How many keys it is ordered by.
    pub fn sort_keys(self) -> usize {
        // SAFETY: the promise of `new`; a list, or none.
        unsafe { (*self.root).sort_pathkeys.as_ref() }.map_or(0, |keys| keys.length as usize)
    }

    /// What it is ordered by, in all its equal forms, most important first. Volatile expressions are left out: each
    /// evaluation of such a one is another value.
    pub fn sort_expressions(self) -> Vec<Expr<'p>> {
        // SAFETY: the promise of `new`; a list of path keys.
        let keys = unsafe { pointers::<pg_sys::PathKey>((*self.root).sort_pathkeys) };
        // SAFETY: as above.
        let classes = keys.into_iter().map(|key| unsafe { sort_key::class(key) });
        let members = classes.filter(|(_, is_volatile)| !is_volatile).flat_map(|(members, _)| members);
        // SAFETY: expressions that live as long.
        members.map(|member| unsafe { Expr::new((*member).em_expr) }).collect()
    }

    /// Whether the select list returns sets: those are computed above the sort.
    pub fn returns_sets(self) -> bool {
        // SAFETY: the promise of `new`.
        unsafe { (*(*self.root).parse).hasTargetSRFs }
    }

    /// Whether it ends after a number of rows: a LIMIT that is not the constant NULL, for which no node is made
    /// (`limit_needed` in src/backend/optimizer/plan/planner.c).
    pub fn is_limited(self) -> bool {
        // SAFETY: the promise of `new`; the tag says which struct a node is.
        unsafe {
            let count = (*(*self.root).parse).limitCount;
            let is_null = |node: *mut pg_sys::Node| {
                (*node).type_ == pg_sys::NodeTag::T_Const && (*node.cast::<pg_sys::Const>()).constisnull
            };
            !count.is_null() && !is_null(count)
        }
    }

    /// Whether its rows are those of its tables and joins: not grouped, made distinct, joined to sets or multiplied.
    pub fn is_of_plain_rows(self) -> bool {
        // SAFETY: the promise of `new`.
        let parse = unsafe { &*(*self.root).parse };
        let lists = [parse.groupClause, parse.groupingSets, parse.distinctClause, parse.windowClause];
        let flags = [parse.hasAggs, parse.hasWindowFuncs, parse.hasTargetSRFs, parse.hasDistinctOn];
        lists.iter().all(|list| list.is_null()) && !flags.contains(&true) && parse.setOperations.is_null()
    }

    /// Whether it reads one relation only.
    pub fn is_of_one_relation(self) -> bool {
        // SAFETY: the promise of `new`; a set of numbers.
        unsafe { pg_sys::bms_num_members((*self.root).all_baserels) == 1 }
    }

    /// Whether a temporary table is read in this query level, one above it, or a sub-select of the statement.
    pub fn has_temporary_tables(self) -> bool {
        // SAFETY: the promise of `new`; a level's parent and the levels that were planned before live as long as it.
        unsafe {
            let mut roots = pointers::<pg_sys::PlannerInfo>((*(*self.root).glob).subroots);
            let mut level = self.root;
            while !level.is_null() {
                roots.push(level);
                level = (*level).parent_root;
            }
            roots.into_iter().any(|root| temporary::is_read_by((*root).parse))
        }
    }

    /// Whether a sub-select of the statement calls something volatile.
    pub fn has_volatile_subselects(self) -> bool {
        // SAFETY: the promise of `new`; levels that were planned before, whose queries the server's walker knows.
        unsafe {
            let roots = pointers::<pg_sys::PlannerInfo>((*(*self.root).glob).subroots);
            roots.into_iter().any(|root| pg_sys::contain_volatile_functions((*root).parse.cast()))
        }
    }

    /// The conditions of the query level, also those of its joins.
    pub fn conditions(self) -> Expr<'p> {
        // SAFETY: the promise of `new`; the server's walkers of expressions know a tree of joins.
        unsafe { Expr::new((*(*self.root).parse).jointree.cast()) }
    }

    /// What the query level selects, and what it is sorted by.
    pub fn select_list(self) -> Vec<Expr<'p>> {
        // SAFETY: the promise of `new`; a list of target entries.
        unsafe {
            let entries = pointers::<pg_sys::TargetEntry>((*self.root).processed_tlist);
            entries.into_iter().map(|entry| Expr::new((*entry).expr)).collect()
        }
    }

    /// The columns that the query level returns.
    pub fn final_target(self) -> Target<'p> {
        // SAFETY: the promise of `new`; set before the hook for ordered paths is called.
        unsafe { Target::new((*self.root).upper_targets[pg_sys::UpperRelationKind::UPPERREL_ORDERED as usize]) }
    }
}

/// `max_parallel_workers_per_gather`.
pub fn most_workers() -> i32 {
    // SAFETY: a setting of the server's.
    unsafe { pg_sys::max_parallel_workers_per_gather }
}
