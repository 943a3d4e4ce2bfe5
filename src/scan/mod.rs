//! `ORDER BY features <-> q`: the nodes that the extension adds to plans.
//!
//! A function in a sort key is called once a row, gets one pair at a time, fetches its values itself, and is computed once
//! more where it is also selected. The node `GrnetScore` takes the rows below the sort without their scores, scores 64 of
//! them at a time, and leaves the sorting to PostgreSQL's own Sort: limits, ties, further keys, cursors, spilling and
//! merging of workers stay right because they stay there.
//!
//! The graph looks at every row, and a large catalogue takes seconds. With `grnet.shortlist = N` the node `GrnetShortlist`
//! ranks the N rows that an index (pgvector, HNSW) puts first; all others follow in the index's order, and what the index
//! never gives (it holds no NULLs, and may lose a row) comes last. So as many rows come as without it, whatever the filter,
//! and the answer for k is the beginning of the answer for more.
//!
//! - Planner: [`offer_score`] and [`offer_shortlist`] decide, [`recognise`] finds the scores of a query, [`workers`] lets
//!   several processes read a table, [`index`] finds the index, [`decline`] says why a node was not taken.
//! - Both: [`score_plan`] and [`shortlist_plan`].
//! - Executor: [`score_node`] and [`shortlist_node`] over [`batch`] and [`scoring`]; [`counters`] is what EXPLAIN shows.

mod batch;
mod counters;
mod decline;
mod index;
mod offer_score;
mod offer_shortlist;
mod pgvector;
mod recognise;
mod score_node;
mod score_plan;
mod scoring;
mod seen_rows;
mod shortlist_node;
mod shortlist_plan;
mod workers;

use crate::pg::custom_scan::{self, CustomScan};
use crate::pg::hook;
use crate::pg::planner::{Query, Relation};

use score_node::GrnetScore;
use shortlist_node::GrnetShortlist;

/// Makes the nodes known and watches the planner. Called once, when the library is loaded.
pub fn register() {
    custom_scan::register::<GrnetScore>();
    custom_scan::register::<GrnetShortlist>();
    hook::planner::register(offer_score::offer, offer_table, offer_shortlist::forget_order);
    hook::explain::register(GrnetScore::NAME, decline::take);
}

/// One table of a query.
fn offer_table<'p>(query: Query<'p>, relation: Relation<'p>) {
    workers::offer(query, relation);
    offer_shortlist::offer_joined(query, relation);
}
