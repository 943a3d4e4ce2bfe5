//! Where a table is ordered by a score and the user wants a shortlist: puts the node in its place.

use crate::ffi::planner::{Expr, Query, Relation, function};
use crate::ffi::rank::plan::{Kind, Pair};
use crate::ffi::shortlist::index::{self, GlobalIndex};
use crate::ffi::shortlist::plan::{self, Order};
use crate::rank::{costs, declined, recognise};
use crate::settings;

/// Looks at one table of a query.
pub fn offer<'p>(query: Query<'p>, relation: Relation<'p>) {
    let length = settings::shortlist();
    if length == 0 || !settings::enable_rank() || !query.is_sorted() {
        return;
    }
    let Some(order) = Order::first(query) else { return };
    let Some(score) = recognise::score(order.expr()) else { return };
    // Why there is no pair is said where the node of batches is not used.
    let Ok(pair) = score.pair() else { return };
    if !pair.item.is_of(query, relation) {
        return;
    }
    if let Err(reason) = take(query, relation, order, score.kind, &pair, length) {
        declined::remember(reason);
    }
}

fn take<'p>(
    query: Query<'p>,
    relation: Relation<'p>,
    order: Order<'p>,
    kind: Kind,
    pair: &Pair<'p>,
    length: i32,
) -> Result<(), &'static str> {
    if !query.is_limited() {
        return Err("shortlist not used: the query has no LIMIT");
    }
    if !query.is_of_plain_rows() {
        return Err("shortlist not used: rows are grouped, made distinct or multiplied between table and order");
    }
    if !relation.is_plain_table(query) || relation.is_part() {
        return Err("shortlist not used: the table is partitioned, foreign, sampled or a part of another");
    }
    if order.is_descending() != (kind == Kind::Probability) {
        return Err("shortlist not used: the worst rows are to come first");
    }
    if order.has_nulls_first() {
        return Err("shortlist not used: rows without features are to come first; NULLS LAST puts them last");
    }
    let index = index::find(relation, pair.item, is_global)
        .ok_or("shortlist not used: there is no index for it; grnet_create_index makes one")?;
    if relation.rows() <= f64::from(length) {
        return Err("shortlist not used: no more rows than the shortlist has");
    }
    Shortlist { query, relation, order, pair, index, length }.offer()
}

/// Whether a function gives the global vector.
fn is_global(oid: pgrx::pg_sys::Oid) -> bool {
    function(oid).is_some_and(|function| function.symbol == "grnet_global" && function.library.ends_with("/grnet_pg"))
}

struct Shortlist<'q, 'p> {
    query: Query<'p>,
    relation: Relation<'p>,
    order: Order<'p>,
    pair: &'q Pair<'p>,
    index: GlobalIndex<'p>,
    length: i32,
}

impl<'p> Shortlist<'_, 'p> {
    fn offer(self) -> Result<(), &'static str> {
        let Self { query, relation, order, pair, index, length } = self;
        let call: Expr<'p> = order.expr();
        let price = costs(query, call, pair);
        let (rows, wanted) = (relation.rows(), f64::from(length));
        let children = plan::children(query, relation, &index, order, pair);
        let [(first, all), (_, rest)] = children.map(|child| child.costs());
        // A scan of the whole index gives `rows` rows that pass the filter; this many of them are looked at.
        let reading = first + (all - first) * (wanted / rows);
        let startup = reading + price.startup + wanted * price.row;
        let exact = relation.cheapest_cost() + price.startup + rows * price.row;
        // By what the shortlist costs, and not by how many rows are wanted of it: more must begin with the same.
        if startup >= exact {
            return Err("shortlist not used: ranking all rows costs less");
        }
        let total = startup + (all - reading).max(0.0) + rest;
        let path = plan::path(relation, children, pair, order, length, startup, total);
        if query.is_of_one_relation() {
            relation.read_only_by(path);
        } else {
            relation.offer(path);
        }
        Ok(())
    }
}
