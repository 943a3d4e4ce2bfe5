//! `GrnetScore` among the planner's alternatives, and in a plan.
//!
//! A path's private lists have the scores, how each is shown, the item's expression with the query's, and a flag; a plan's
//! have, for each column, where its value comes from, what the node itself needs, and the functions it stands for.

use super::recognise::{Kind, Pair};
use super::score_node::GrnetScore;
use crate::pg::custom_scan::path::NewPath;
use crate::pg::custom_scan::plan::{Chosen, Plan, Rows};
use crate::pg::custom_scan::private::Private;
use crate::pg::planner::{Expr, Path, PathKeys, Relation, Target};

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

/// Estimates of a node.
#[derive(Debug, Clone, Copy)]
pub struct Costs {
    /// Before the first row.
    pub startup: f64,
    /// For each row.
    pub row: f64,
}

/// A path that computes `target` above `child`, which has the item among its columns. `scores` are those columns of
/// `target` that the node computes; all others are the child's.
pub fn path<'p>(
    relation: Relation<'p>,
    child: Path<'p>,
    target: Target<'p>,
    scores: &[(Expr<'p>, Kind)],
    pair: Pair<'p>,
    costs: Costs,
) -> Path<'p> {
    let (startup, total) = child.costs();
    let private = Private::new()
        .exprs(scores.iter().map(|(score, _)| *score))
        .numbers(scores.iter().map(|(_, kind)| Source::Score(*kind).number()))
        .exprs([pair.item, pair.query])
        .numbers([i32::from(pair.item_is_left)]);
    let path = NewPath {
        relation,
        target,
        rows: child.rows(),
        costs: [startup + costs.startup, total + costs.startup + child.rows() * costs.row],
        // Rows leave in the order in which they came.
        keys: PathKeys::of(child),
        workers: child.workers(),
        disabled_nodes: child.disabled_nodes(),
        is_parallel_safe: relation.may_be_parallel() && child.is_parallel_safe(),
        children: vec![child],
        private,
    };
    path.make::<GrnetScore>()
}

/// The plan of a path that was chosen.
pub fn plan<'p>(chosen: &Chosen<'p>) -> Plan<'p> {
    let private = chosen.private();
    let (scores, kinds): (Vec<Expr<'p>>, _) = (private.exprs(), private.numbers());
    let (pair, left): (Vec<Expr<'p>>, _) = (private.exprs(), private.numbers());
    let source = |column: Expr<'p>| {
        let score = scores.iter().position(|score| *score == column);
        score.map_or_else(|| chosen.position(column), |at| kinds[at])
    };
    // The server checks rights to execute a function where it begins a call, and no call is left.
    let mut functions: Vec<_> = scores.iter().filter_map(|score| score.call()).map(|(function, _)| function).collect();
    functions.sort_unstable_by_key(|function| function.to_u32());
    functions.dedup();
    let private = Private::new()
        .numbers(chosen.columns().into_iter().map(source))
        .numbers([chosen.position(pair[0]), left[0]])
        .oids(functions);
    Plan { rows: Rows::AsPlanned, private, expr: pair[1] }
}
