//! `GrnetScore` in a plan: the path that the planner weighs, and the plan node made of it.
//!
//! A path's private list has the scores, the item's expression, the query's, and a flag; a plan's has lists of
//! numbers: for each column where its value comes from, what the node itself needs, and the functions it stands for.

use pgrx::pg_sys;

use crate::ffi::custom::{self, Table, new_node, place};
use crate::ffi::planner::{Expr, Path, Relation, Target, list_of, numbers, pointers};
use crate::ffi::report;

/// What a score is shown as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// −ln σ(logit), of `<->`.
    Distance,
    /// σ(logit), of `grnet_score`.
    Probability,
}

/// Where a node's column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The child's column of this number, counted from 0.
    Child(usize),
    /// The node computes it.
    Score(Kind),
}

impl Source {
    /// As a number in a plan, which can hold nothing else.
    fn number(self) -> i32 {
        match self {
            Self::Child(column) => column as i32,
            Self::Score(Kind::Distance) => -1,
            Self::Score(Kind::Probability) => -2,
        }
    }

    /// What [`number`](Self::number) was made of.
    pub fn of(number: i32) -> Self {
        match number {
            -1 => Self::Score(Kind::Distance),
            -2 => Self::Score(Kind::Probability),
            column => Self::Child(column as usize),
        }
    }
}

/// What a node computes.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'p> {
    /// The side that changes from row to row.
    pub item: Expr<'p>,
    /// The side that does not.
    pub query: Expr<'p>,
    /// Whether the item is the left argument: errors name both in their order.
    pub item_is_left: bool,
}

/// Estimates of a node.
#[derive(Debug, Clone, Copy)]
pub struct Costs {
    /// Before the first row.
    pub startup: f64,
    /// For each row.
    pub row: f64,
}

/// The node's name in a plan.
pub const NAME: &std::ffi::CStr = c"GrnetScore";

// SAFETY: a name and a function.
static PATH_METHODS: Table<pg_sys::CustomPathMethods> = unsafe {
    Table::new(pg_sys::CustomPathMethods {
        CustomName: NAME.as_ptr(),
        PlanCustomPath: Some(plan),
        ReparameterizeCustomPathByChild: None,
    })
};

/// A path that computes `target` above `child`, which has the item among its columns. `scores` are those columns of
/// `target` that are scores of the pair: the others are the child's.
pub fn path<'p>(
    relation: Relation<'p>,
    child: Path<'p>,
    target: Target<'p>,
    scores: &[(Expr<'p>, Kind)],
    pair: Pair<'p>,
    costs: Costs,
) -> Path<'p> {
    // SAFETY: a new node of the planner's memory with fields of other nodes that live as long; the lists hold
    // expressions, as `plan` expects them.
    unsafe {
        let path = new_node::<pg_sys::CustomPath>(pg_sys::NodeTag::T_CustomPath);
        let below = &*child.path;
        (*path).path.pathtype = pg_sys::NodeTag::T_CustomScan;
        (*path).path.parent = relation.rel;
        (*path).path.pathtarget = target.target;
        (*path).path.parallel_safe = relation.may_be_parallel() && below.parallel_safe;
        // Only a node that says so is given shared memory to count in.
        (*path).path.parallel_aware = below.parallel_workers > 0;
        (*path).path.parallel_workers = below.parallel_workers;
        (*path).path.rows = below.rows;
        (*path).path.startup_cost = below.startup_cost + costs.startup;
        (*path).path.total_cost = below.total_cost + costs.startup + below.rows * costs.row;
        // Rows leave in the order in which they came.
        (*path).path.pathkeys = below.pathkeys;
        #[cfg(feature = "pg18")]
        {
            (*path).path.disabled_nodes = below.disabled_nodes;
        }
        (*path).custom_paths = list_of([child.path]);
        let kinds = scores
            .iter()
            .fold(std::ptr::null_mut(), |list, (_, kind)| pg_sys::lappend_int(list, Source::Score(*kind).number()));
        let scores = list_of(scores.iter().map(|(score, _)| score.node()));
        let left = pg_sys::makeInteger(i32::from(pair.item_is_left)).cast::<pg_sys::Node>();
        (*path).custom_private =
            list_of([scores.cast(), kinds.cast(), pair.item.node().cast(), pair.query.node().cast(), left]);
        (*path).methods = PATH_METHODS.pointer();
        Path::new(path.cast())
    }
}

/// Makes the plan node of a path that was chosen.
// SAFETY: the server alone calls this, with a path made above and its child's plan.
unsafe extern "C-unwind" fn plan(
    _root: *mut pg_sys::PlannerInfo,
    _rel: *mut pg_sys::RelOptInfo,
    path: *mut pg_sys::CustomPath,
    columns: *mut pg_sys::List,
    _clauses: *mut pg_sys::List,
    children: *mut pg_sys::List,
) -> *mut pg_sys::Plan {
    let body = || {
        // SAFETY: the private list is the one made in `path`; columns are target entries; there is one child.
        unsafe {
            let parts = pointers::<pg_sys::Node>((*path).custom_private);
            let [scores, kinds, item, query, left] = parts[..] else { unreachable!("as made in path()") };
            let scores: Vec<Expr<'_>> = pointers(scores.cast()).into_iter().map(|score| Expr::new(score)).collect();
            let kinds = numbers(kinds.cast());
            let below = (*pointers::<pg_sys::Plan>(children)[0]).targetlist;
            let mut sources: *mut pg_sys::List = std::ptr::null_mut();
            for entry in pointers::<pg_sys::TargetEntry>(columns) {
                let column = Expr::new((*entry).expr);
                let score = scores.iter().position(|score| *score == column);
                let source = score.map_or_else(|| place(column.node(), below), |at| kinds[at]);
                sources = pg_sys::lappend_int(sources, source);
            }
            let mut needs = pg_sys::lappend_int(std::ptr::null_mut(), place(item.cast(), below));
            needs = pg_sys::lappend_int(needs, (*left.cast::<pg_sys::Integer>()).ival);

            // The server checks rights to execute a function where it begins a call, and no call is left.
            let functions = scores.iter().filter_map(|score| score.call());
            let functions = functions
                .fold(std::ptr::null_mut(), |list, (function, _)| pg_sys::list_append_unique_oid(list, function));
            let private = list_of([sources, needs, functions]);
            custom::plan(path, columns, columns, query, children, private, super::node::scan_methods())
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}
