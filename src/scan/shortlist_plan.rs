//! `GrnetShortlist` among the planner's alternatives, and in a plan.
//!
//! Both have two children that give the same columns: the index, in the order of the global vectors, and the table from
//! beginning to end.

use super::index::GlobalIndex;
use super::recognise::Pair;
use super::shortlist_node::GrnetShortlist;
use crate::pg::custom_scan::path::NewPath;
use crate::pg::custom_scan::plan::{Chosen, Plan, Rows};
use crate::pg::custom_scan::private::{Private, PrivateReader};
use crate::pg::planner::{Expr, Order, Path, PathKeys, Query, Relation, SortKey, SortRule, Target};

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

/// The index and the table, both with the columns that the query needs, the item, where the row lies and the further keys.
pub fn children<'p>(query: Query<'p>, relation: Relation<'p>, parts: &Parts<'p>, columns: Target<'p>) -> [Path<'p>; 2] {
    let Parts { pair, order, keys, index, .. } = parts;
    let mut own = vec![pair.item, relation.row_identity()];
    own.extend(keys.iter().map(|key| key.expr));
    let columns = columns.with(query, |_| true, &own);
    [index.path(query, relation, pair.query, *order, columns), relation.sequential_scan(query, columns)]
}

/// A path over [`children`] that gives the table's rows, the shortlist's in the query's order. It claims that order for
/// all of them, for ORDER BY alone: whoever offers it sees to it that no level above gets to know of it.
pub fn path<'p>(
    relation: Relation<'p>,
    children: [Path<'p>; 2],
    target: Target<'p>,
    parts: &Parts<'p>,
    costs: [f64; 2],
) -> Path<'p> {
    let Parts { pair, order, keys, index, length } = parts;
    let private = Private::new()
        .exprs([pair.item, pair.query])
        .numbers([i32::from(pair.item_is_left), *length, index.channels])
        .exprs(keys.iter().map(|key| key.expr))
        .oids(keys.iter().flat_map(|key| key.rule().oids()));
    let path = NewPath {
        relation,
        target,
        children: children.to_vec(),
        rows: relation.rows(),
        costs,
        keys: PathKeys::first(*order),
        workers: 0,
        disabled_nodes: 0,
        is_parallel_safe: false,
        private,
    };
    path.make::<GrnetShortlist>()
}

/// The plan of a path that was chosen. The filter is the children's.
pub fn plan<'p>(chosen: &Chosen<'p>) -> Plan<'p> {
    let private = chosen.private();
    let (pair, numbers): (Vec<Expr<'p>>, _) = (private.exprs(), private.numbers());
    let (keys, rules): (Vec<Expr<'p>>, _) = (private.exprs(), private.oids());
    let columns = [chosen.position(pair[0]), chosen.position(chosen.row_identity())];
    let private = Private::new()
        .numbers(columns.into_iter().chain(numbers))
        .numbers(keys.into_iter().map(|key| chosen.position(key)))
        .oids(rules);
    Plan { rows: Rows::AsChild, private, expr: pair[1] }
}

/// What a node reads of its plan.
pub struct Planned {
    /// The children's column that is scored, counted from 0.
    pub item: usize,
    /// The children's column that says where a row lies.
    pub identity: usize,
    /// Whether the item is the left argument.
    pub item_is_left: bool,
    /// How many rows are ranked.
    pub length: usize,
    /// Numbers of the index's vectors.
    pub channels: usize,
    /// The further keys: columns and how they are ordered by.
    pub keys: Vec<(usize, SortRule)>,
}

impl Planned {
    /// Reads what [`plan`] wrote.
    pub fn of(private: &PrivateReader) -> Self {
        let (numbers, columns, rules) = (private.numbers(), private.numbers(), private.oids());
        let [item, identity, left, length, channels] = numbers[..] else { unreachable!("as made in plan()") };
        let rules = rules.as_chunks::<3>().0.iter().copied().map(SortRule::of);
        let keys = columns.into_iter().map(|column| column as usize).zip(rules).collect();
        let [item, identity, length, channels] = [item, identity, length, channels].map(|number| number as usize);
        Self { item, identity, item_is_left: left != 0, length, channels, keys }
    }
}
