//! `GrnetShortlist` in a plan: the path that the planner weighs, and the plan node made of it.
//!
//! Both have two children that give the same columns: the index, in the order of the global vectors, and the table from
//! beginning to end. A path's private list has the item, the query's side, a flag and the length; a plan's has numbers.

use pgrx::pg_sys;

use super::index::GlobalIndex;
use super::order::{Order, SortKey};
use crate::ffi::custom::{self, Table, new_node, place};
use crate::ffi::planner::{Expr, Path, Query, Relation, Target, list_of, pointers};
use crate::ffi::rank::plan::Pair;
use crate::ffi::report;

/// The node's name in a plan.
pub const NAME: &std::ffi::CStr = c"GrnetShortlist";

// SAFETY: a name and a function.
static PATH_METHODS: Table<pg_sys::CustomPathMethods> = unsafe {
    Table::new(pg_sys::CustomPathMethods {
        CustomName: NAME.as_ptr(),
        PlanCustomPath: Some(plan),
        ReparameterizeCustomPathByChild: None,
    })
};

/// What a node is made of.
pub struct Parts<'p> {
    /// What it scores.
    pub pair: Pair<'p>,
    /// What its rows are ordered by.
    pub order: Order<'p>,
    /// What rows of equal scores are ordered by.
    pub keys: Vec<SortKey<'p>>,
    /// Where candidates come from.
    pub index: GlobalIndex<'p>,
    /// How many of them are ranked.
    pub length: i32,
}

/// The index and the table, both with the columns that the query needs, the item, the row's place and the further keys.
pub fn children<'p>(query: Query<'p>, relation: Relation<'p>, parts: &Parts<'p>, columns: Target<'p>) -> [Path<'p>; 2] {
    let Parts { pair, order, keys, index, .. } = parts;
    // SAFETY: new nodes of the planner's memory; the key is the query's, of the operator family by which the index's
    // operator orders (`create_indexscan_plan` looks only for that).
    unsafe {
        let (root, rel) = (query.root, relation.rel);
        let table = (*rel).relid as i32;
        let at = pg_sys::SelfItemPointerAttributeNumber as pg_sys::AttrNumber;
        let place = pg_sys::makeVar(table, at, pg_sys::TIDOID, -1, pg_sys::InvalidOid, 0);
        let mut own = vec![pair.item, Expr::new(place.cast())];
        own.extend(keys.iter().map(|key| key.expr));
        let columns = columns.with(query, |_| true, &own);
        // Paths are made, and weighed, with the columns that their relation has: once the planner has put the scores
        // among those, they would be computed for every row.
        let given = std::mem::replace(&mut (*rel).reltarget, columns.target);
        let ordered = pg_sys::create_index_path(
            root,
            index.index,
            std::ptr::null_mut(),
            list_of([index.order_by(pair.query)]),
            pg_sys::lappend_int(std::ptr::null_mut(), 0),
            list_of([order.key()]),
            pg_sys::ScanDirection::ForwardScanDirection,
            false,
            std::ptr::null_mut(),
            1.0,
            false,
        );
        let table = pg_sys::create_seqscan_path(root, rel, std::ptr::null_mut(), 0);
        (*rel).reltarget = given;
        [Path::new(ordered.cast()), Path::new(table)]
    }
}

/// A path over [`children`] that gives the table's rows, the shortlist's in the query's order. It claims that order for
/// all of them, for ORDER BY alone: whoever offers it sees to it that no level above gets to know of it.
pub fn path<'p>(
    relation: Relation<'p>,
    children: [Path<'p>; 2],
    columns: Target<'p>,
    parts: &Parts<'p>,
    [startup, total]: [f64; 2],
) -> Path<'p> {
    let Parts { pair, order, keys, index, length } = parts;
    // SAFETY: a new node of the planner's memory with fields of others that live as long; the list is what `plan`
    // expects.
    unsafe {
        let path = new_node::<pg_sys::CustomPath>(pg_sys::NodeTag::T_CustomPath);
        (*path).path.pathtype = pg_sys::NodeTag::T_CustomScan;
        (*path).path.parent = relation.rel;
        (*path).path.pathtarget = columns.target;
        (*path).path.rows = relation.rows();
        (*path).path.startup_cost = startup;
        (*path).path.total_cost = total;
        (*path).path.pathkeys = list_of([order.key()]);
        (*path).custom_paths = list_of(children.map(|child| child.path));
        let number = |number: i32| pg_sys::makeInteger(number).cast::<pg_sys::Node>();
        let (left, length) = (number(i32::from(pair.item_is_left)), number(*length));
        let channels = number(index.channels);
        let exprs = list_of(keys.iter().map(|key| key.expr.node()));
        let how = list_of(keys.iter().map(|key| key.how()));
        (*path).custom_private = list_of([
            pair.item.node().cast(),
            pair.query.node().cast(),
            left,
            length,
            channels,
            exprs.cast(),
            how.cast(),
        ]);
        (*path).methods = PATH_METHODS.pointer();
        Path::new(path.cast())
    }
}

/// Makes the plan node of a path that was chosen. The filter is the children's.
// SAFETY: the server alone calls this, with a path made above and its children's plans.
unsafe extern "C-unwind" fn plan(
    _root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    path: *mut pg_sys::CustomPath,
    columns: *mut pg_sys::List,
    _clauses: *mut pg_sys::List,
    children: *mut pg_sys::List,
) -> *mut pg_sys::Plan {
    let body = || {
        // SAFETY: the private list is the one made in `path`; there are two children with the same columns.
        unsafe {
            let [item, query, left, length, channels, keys, how] = pointers::<pg_sys::Node>((*path).custom_private)[..]
            else {
                unreachable!("as made in path()")
            };
            let below = (*pointers::<pg_sys::Plan>(children)[0]).targetlist;
            let at = pg_sys::SelfItemPointerAttributeNumber as pg_sys::AttrNumber;
            let tid = pg_sys::makeVar((*rel).relid as i32, at, pg_sys::TIDOID, -1, pg_sys::InvalidOid, 0);
            let value = |number: *mut pg_sys::Node| (*number.cast::<pg_sys::Integer>()).ival;
            let numbers =
                [place(item.cast(), below), place(tid.cast(), below), value(left), value(length), value(channels)];

            let none = std::ptr::null_mut();
            let keys = pointers::<pg_sys::Expr>(keys.cast()).into_iter().map(|key| place(key, below));
            let integers =
                |numbers: &mut dyn Iterator<Item = i32>| numbers.fold(none, |list, n| pg_sys::lappend_int(list, n));
            let numbers = integers(&mut numbers.into_iter());
            let keys = integers(&mut keys.into_iter());
            let private = list_of([numbers, keys, how.cast()]);
            // What the node's own rows look like: the children's.
            custom::plan(path, columns, below, query, children, private, super::node::scan_methods())
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}
