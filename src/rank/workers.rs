//! Several processes for a table that is ordered by a score.
//!
//! PostgreSQL chooses workers by the pages of a table's main heap. Features lie out of line, so that 100,000 garments
//! have 1,000 pages: no worker below that, whatever a row costs (`compute_parallel_worker` in
//! src/backend/optimizer/path/allpaths.c). Here the pairs count.

use super::recognise;
use crate::ffi::planner::{self, Query, Relation};
use crate::settings;

/// Pairs for each worker: 40 ms of scoring. A worker's start takes some 10, with the model's graph.
const PAIRS: f64 = 1000.0;

/// Offers to scan `relation` in several processes, where it is what a query's scores are of.
pub fn offer<'p>(query: Query<'p>, relation: Relation<'p>) {
    if !settings::enable_rank()
        || !query.is_sorted()
        || !relation.may_be_parallel()
        || relation.has_chosen_workers()
        || !relation.is_plain_table(query)
    {
        return;
    }
    let mut scores = query.sort_expressions().into_iter().filter_map(recognise::score);
    let Some(Ok(pair)) = scores.next().map(|score| score.pair()) else {
        return;
    };
    if !pair.item.is_of(query, relation) {
        return;
    }
    let most = f64::from(planner::most_workers());
    let workers = (relation.rows() / PAIRS).min(most) as i32;
    let given = relation.partial_paths().first().map_or(0, |path| path.workers());
    if workers > given {
        relation.offer_parallel_scan(query, workers);
    }
}
