//! The two nodes that the extension adds to plans, and the planner's hooks by which they come in.

use crate::ffi::planner::{Query, Relation};
use crate::ffi::{rank as ffi_rank, shortlist as ffi_shortlist};
use crate::{rank, shortlist};

/// Makes the nodes known and watches the planner. Called once, when the library is loaded.
pub fn register() {
    ffi_rank::node::register(rank::make_scorer);
    ffi_shortlist::node::register();
    ffi_rank::planner_hook::register(rank::offer, table, shortlist::forget_order);
    ffi_rank::explain_hook::register(rank::declined::take);
}

/// One table of a query.
fn table<'p>(query: Query<'p>, relation: Relation<'p>) {
    rank::offer_workers(query, relation);
    shortlist::offer_joined(query, relation);
}
