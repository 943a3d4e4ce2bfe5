//! Several processes for a table that is ordered by a score.
//!
//! PostgreSQL chooses workers by the pages of a table's main heap. Features lie out of line, so that 100,000 garments
//! have 1,000 pages: no worker below that, whatever a row costs (`compute_parallel_worker` in
//! src/backend/optimizer/path/allpaths.c). Here the pairs count.

use super::recognise::{self, Pair};
use crate::pg::planner::{self, Expr, Param, Query, Relation};
use crate::settings;

/// Pairs for each worker: 40 ms of scoring. A worker's start takes some 10, with the model's graph.
const PAIRS: f64 = 1000.0;

/// Offers to scan `relation` in several processes, where it is joined to others and is what a query's scores are of.
/// Where it stands alone, only the node is put above such a scan, when the rows are ordered.
pub fn offer<'p>(query: Query<'p>, relation: Relation<'p>) {
    if !settings::enable_batch_scoring() || !query.is_sorted() || !relation.may_be_parallel() {
        return;
    }
    let is_alone = query.is_of_one_relation() && !relation.is_part();
    if is_alone || !query.is_of_plain_rows() || query.has_temporary_tables() {
        return;
    }
    let mut scores = query.sort_expressions().into_iter().filter_map(recognise::score);
    let Some(Ok(pair)) = scores.next().map(|score| score.pair()) else {
        return;
    };
    let given = relation.partial_paths().first().map_or(0, |path| path.workers());
    // A plan without the node may come of it, whose workers compute the scores themselves.
    if let Some(workers) = worth(query, relation, &pair, false)
        && workers > given
    {
        relation.offer_partial(relation.parallel_scan(query, workers));
    }
}

/// How many workers scoring the rows of a table is worth, where it is what the scores are of and workers may read it.
/// `by_node` where nothing but the node computes those scores.
pub fn worth<'p>(query: Query<'p>, relation: Relation<'p>, pair: &Pair<'p>, by_node: bool) -> Option<i32> {
    if relation.has_chosen_workers()
        || !relation.is_plain_table(query)
        || !pair.item.is_of(query, relation)
        || sends_pointers(query, relation, by_node.then_some(pair))
    {
        return None;
    }
    let most = f64::from(planner::most_workers());
    Some((relation.rows() / PAIRS).min(most) as i32)
}

/// Whether workers may be sent a pointer to a value in a temporary table, which only the leader can read.
///
/// Parameters are sent as they are (`SerializeParamExecParams` in src/backend/executor/execParallel.c), and a value of
/// 7 kB lies out of line. PostgreSQL's own parallel plans have the same limit, but not for tables of this size. The
/// query's side of the node's scores is no such parameter: the leader fetches it and leaves its bytes to the workers.
fn sends_pointers<'p>(query: Query<'p>, relation: Relation<'p>, by_node: Option<&Pair<'p>>) -> bool {
    let is_pointer = |param: Param| match param {
        // Of a function's variable, say, which may have been read from such a table.
        Param::Given(of) => planner::is_variable(of),
        Param::Computed(of) => planner::is_variable(of) && query.has_temporary_tables(),
    };
    let by_node = |expr| by_node.is_some_and(|pair| recognise::score(expr).is_some_and(|score| score.is_of(pair)));
    let conditions = relation.conditions().into_iter().chain([query.conditions()]);
    // What a sub-select of a row's own asks for is not seen from here.
    let mut found: Vec<(Expr<'p>, bool)> = Vec::new();
    for condition in conditions {
        condition.find(&mut |expr| expr.param().map(is_pointer).or(expr.is_subselect().then_some(true)), &mut found);
    }
    for column in query.select_list() {
        let mut wanted = |expr: Expr<'p>| {
            if by_node(expr) {
                return Some(false);
            }
            expr.param().map(is_pointer).or(expr.is_subselect().then_some(true))
        };
        column.find(&mut wanted, &mut found);
    }
    found.iter().any(|(_, pointer)| *pointer)
}
