//! Where a query is ordered by a score: offers plans with the node to the planner, which takes the cheapest.

use super::recognise::{self, Kind, Pair};
use super::score_plan::{self, Costs};
use super::{decline, offer_shortlist, workers};
use crate::pg::planner::{Expr, Path, Query, Relation, Target};
use crate::settings;

/// What scoring a pair in the node costs of what a call of the function costs: 28.9 ms against 30.4 for 600 pairs.
const SHARE: f64 = 0.95;

/// Offers ordered paths of a query level: `input` is what is to be sorted, `ordered` what comes out.
pub fn offer<'p>(query: Query<'p>, input: Relation<'p>, ordered: Relation<'p>) {
    if !settings::enable_batch_scoring() || !query.is_sorted() {
        return;
    }
    let Some((key, score)) =
        query.sort_expressions().into_iter().find_map(|expr| Some((expr, recognise::score(expr)?)))
    else {
        return;
    };
    // A shortlist's order is the one that was asked for, and ranking all rows would be another answer.
    if offer_shortlist::offer_ordered(query, input, ordered) {
        return;
    }
    let offered = score.pair().and_then(|pair| {
        if query.returns_sets() {
            return Err("not used: the select list returns sets");
        }
        if input.is_result() {
            return Err("not used: the rows come from grouping, window functions or DISTINCT");
        }
        Ranking { query, ordered, pair, costs: costs(query, key, &pair) }.offer(input)
    });
    if let Err(reason) = offered {
        decline::remember(reason);
    }
}

/// What scoring costs. The function's own cost is what is left of a call's without its arguments'.
pub fn costs<'p>(query: Query<'p>, call: Expr<'p>, pair: &Pair<'p>) -> Costs {
    let ((_, call), (_, item)) = (call.cost(query), pair.item.cost(query));
    let (once, each) = pair.query.cost(query);
    // The query's side is evaluated once a scan.
    Costs { startup: once + each, row: SHARE * (call - item - each).max(0.0) }
}

/// One query level that is ordered by a score.
struct Ranking<'p> {
    query: Query<'p>,
    ordered: Relation<'p>,
    pair: Pair<'p>,
    costs: Costs,
}

impl<'p> Ranking<'p> {
    fn offer(&self, input: Relation<'p>) -> Result<(), &'static str> {
        // All are made before one is offered, which may free others.
        let over = |path| self.over(input, path);
        // What the planner found worth sorting: the cheapest, and such that come in the order of the first keys. They
        // are reached through the sorts, which are kept.
        let mut serial: Vec<Path<'p>> = Vec::new();
        for path in self.ordered.paths().into_iter().filter_map(Path::sorts) {
            if !serial.iter().any(|known| known.is(path)) {
                serial.push(path);
            }
        }
        let serial: Vec<Path<'p>> = serial.into_iter().filter_map(over).collect();
        let partial: Vec<Path<'p>> = self.partial(input).into_iter().filter_map(over).collect();
        if serial.is_empty() && partial.is_empty() {
            return Err("not used: the value is not there any more where the scores would be computed");
        }
        let sorted = |path: Path<'p>| path.sorted(self.query, self.ordered);
        let serial: Vec<Path<'p>> = serial.into_iter().flat_map(sorted).collect();
        let gathered = partial.into_iter().flat_map(sorted).map(|path| path.gathered(self.query, self.ordered));
        let last = self.query.final_target();
        let ordered: Vec<Path<'p>> =
            serial.into_iter().chain(gathered).map(|path| path.computing(self.query, self.ordered, last)).collect();
        ordered.into_iter().for_each(|path| self.ordered.offer(path));
        Ok(())
    }

    /// The planner's own ways to read a part in each of several processes, and one with the workers that scoring is
    /// worth, where there are more of those.
    fn partial(&self, input: Relation<'p>) -> Vec<Path<'p>> {
        if !self.ordered.may_be_parallel() || !input.may_be_parallel() {
            return Vec::new();
        }
        let mut partial = input.partial_paths();
        let given = partial.first().map_or(0, |path| path.workers());
        if self.query.is_of_one_relation()
            && let Some(workers) = workers::worth(self.query, input, &self.pair, true)
            && workers > given
        {
            partial.push(input.parallel_scan(self.query, workers));
        }
        partial
    }

    /// The node over a path of the input, with the columns of that path and the scores that the query selects.
    fn over(&self, input: Relation<'p>, path: Path<'p>) -> Option<Path<'p>> {
        let given = path.target();
        let columns = self.columns(given);
        if columns.scores.is_empty() {
            return None;
        }
        let computed: Vec<Expr<'p>> = columns.scores.iter().map(|(score, _)| *score).collect();
        let is_score = |column: Expr<'p>| computed.contains(&column);
        let is_outer = |column: Expr<'p>| columns.outer.contains(&column);

        let more = [&columns.needed[..], &computed].concat();
        let target = given.with(self.query, |column| !is_outer(column), &more);
        let below = [&columns.needed[..], &[self.pair.item]].concat();
        let below = given.with(self.query, |column| !is_outer(column) && !is_score(column), &below);
        let child = path.with_columns(self.query, input, below)?;
        let node = score_plan::path(self.ordered, child, target, &columns.scores, self.pair, self.costs);
        if columns.outer.is_empty() {
            return Some(node);
        }
        let all = given.with(self.query, |_| true, &computed);
        Some(node.computing(self.query, self.ordered, all))
    }

    /// The scores of this pair in a target and in the columns that PostgreSQL computes only above the sort, where there
    /// is a limit. There they would be computed once more if the node did not pass them on.
    fn columns(&self, target: Target<'p>) -> Columns<'p> {
        let mut columns = Columns::default();
        for column in target.columns() {
            match self.scores(column)[..] {
                [] => {}
                [(score, kind)] if score == column => columns.add(score, kind),
                ref inside => {
                    inside.iter().for_each(|(score, kind)| columns.add(*score, *kind));
                    columns.needed.extend(column.columns());
                    columns.outer.push(column);
                }
            }
        }
        for column in self.query.final_target().columns() {
            self.scores(column).into_iter().for_each(|(score, kind)| columns.add(score, kind));
        }
        columns
    }

    fn scores(&self, expr: Expr<'p>) -> Vec<(Expr<'p>, Kind)> {
        let mut found = Vec::new();
        let mut wanted = |expr| recognise::score(expr).filter(|score| score.is_of(&self.pair)).map(|score| score.kind);
        expr.find(&mut wanted, &mut found);
        found
    }
}

/// A path's columns, as the node sees them.
#[derive(Default)]
struct Columns<'p> {
    /// What it computes.
    scores: Vec<(Expr<'p>, Kind)>,
    /// Columns with a score inside, which are computed above it.
    outer: Vec<Expr<'p>>,
    /// What those are computed from beside scores.
    needed: Vec<Expr<'p>>,
}

impl<'p> Columns<'p> {
    fn add(&mut self, score: Expr<'p>, kind: Kind) {
        if !self.scores.iter().any(|(known, _)| *known == score) {
            self.scores.push((score, kind));
        }
    }
}
