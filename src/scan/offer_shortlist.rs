//! Where a table is ordered by a score and the user wants a shortlist: offers the node to the planner.
//!
//! A table that stands alone gets it where its rows are ordered, one that is joined where its paths are made. The node's
//! rows are sorted up to the shortlist's length and not beyond, and PostgreSQL takes an order for all rows or for none.
//! So nothing that leaves the query level claims one: levels above it sort for themselves what they want sorted.

use super::decline::{self, Reason};
use super::index::{self, GlobalIndex};
use super::offer_score::costs;
use super::recognise::{self, Kind, Pair};
use super::shortlist_plan::{self, Parts};
use crate::pg::planner::{Expr, Order, Path, Query, Relation, SortKey, Target};
use crate::settings;

/// Looks at one table of a query that reads others as well.
pub fn offer_joined<'p>(query: Query<'p>, relation: Relation<'p>) {
    if query.is_of_one_relation() {
        return;
    }
    let Some(wanted) = Wanted::of(query, relation) else { return };
    if let Err(reason) = wanted.shortlist(query, relation).and_then(|shortlist| shortlist.offer_joined()) {
        decline::remember(reason);
    }
}

/// Looks at a query level of one table, whose rows are to be ordered. True where the node was offered.
pub fn offer_ordered<'p>(query: Query<'p>, relation: Relation<'p>, ordered: Relation<'p>) -> bool {
    if !query.is_of_one_relation() {
        return false;
    }
    let Some(wanted) = Wanted::of(query, relation) else { return false };
    let offered = wanted.shortlist(query, relation).and_then(|shortlist| shortlist.offer_ordered(ordered));
    offered.map_err(decline::remember).is_ok()
}

/// Has the rows of a query level leave its LIMIT without an order that levels above would rely on: a join hands on what
/// the node claims. Of the paths that are kept, and of LIMIT's own only, which nothing below it sees.
pub fn forget_order<'p>(query: Query<'p>, last: Relation<'p>) {
    if is_wanted(query) && Order::first(query).is_some_and(|order| recognise::score(order.expr()).is_some()) {
        last.paths().into_iter().filter(|path| path.is_limit()).for_each(Path::forget_order);
    }
}

/// Whether the user wants shortlists and this level may have one.
fn is_wanted(query: Query<'_>) -> bool {
    settings::shortlist() > 0 && settings::enable_batch_scoring() && query.is_sorted()
}

/// What a query level asks for.
struct Wanted<'p> {
    order: Order<'p>,
    kind: Kind,
    pair: Pair<'p>,
}

impl<'p> Wanted<'p> {
    fn of(query: Query<'p>, relation: Relation<'p>) -> Option<Self> {
        if !is_wanted(query) {
            return None;
        }
        let order = Order::first(query)?;
        let score = recognise::score(order.expr())?;
        // Why there is no pair is said where the node of batches is not used.
        let pair = score.pair().ok()?;
        pair.item.is_of(query, relation).then_some(Self { order, kind: score.kind, pair })
    }

    /// The shortlist of a table.
    ///
    /// # Errors
    /// Why there is none, as EXPLAIN (VERBOSE) says it.
    fn shortlist(self, query: Query<'p>, relation: Relation<'p>) -> Result<Shortlist<'p>, Reason> {
        let Self { order, kind, pair } = self;
        if !query.is_limited() {
            return Err("shortlist not used: the query has no LIMIT".into());
        }
        if !query.is_of_plain_rows() {
            return Err(
                "shortlist not used: rows are grouped, made distinct or multiplied between table and order".into()
            );
        }
        if !relation.is_plain_table(query) || relation.is_part() {
            return Err("shortlist not used: the table is partitioned, foreign, sampled or a part of another".into());
        }
        if order.is_descending() != (kind == Kind::Probability) {
            return Err("shortlist not used: the worst rows are to come first".into());
        }
        if order.has_nulls_first() {
            return Err("shortlist not used: rows without features are to come first; NULLS LAST puts them last".into());
        }
        // Index and table are read one after the other, and a row must pass in both or in none.
        let conditions = relation.conditions();
        let has_subselects = conditions.iter().any(|condition| condition.has_subselects());
        if conditions.into_iter().any(Expr::is_volatile) || (has_subselects && query.has_volatile_subselects()) {
            return Err("shortlist not used: a condition is volatile".into());
        }
        let Some(index) = GlobalIndex::find(relation, pair.item) else {
            return Err(match index::invalid(query, relation) {
                Some(name) => format!(
                    "shortlist not used: index \"{name}\" is invalid; REINDEX INDEX makes it anew, DROP INDEX removes it"
                )
                .into(),
                None => "shortlist not used: there is no index for it; grnet_create_index makes one".into(),
            });
        };
        let length = settings::shortlist();
        if relation.rows() <= f64::from(length) {
            return Err("shortlist not used: no more rows than the shortlist has".into());
        }
        let keys = Vec::new();
        Ok(Shortlist { query, relation, parts: Parts { pair, order, keys, index, length } })
    }
}

struct Shortlist<'p> {
    query: Query<'p>,
    relation: Relation<'p>,
    parts: Parts<'p>,
}

impl<'p> Shortlist<'p> {
    /// Offers the node among the ways to read a table that is joined. Within the level only ORDER BY relies on its
    /// order: no equality shares the key ([`Order::first`]), no condition of a join compares the score, since a merge
    /// join would take its rows for sorted, and there is no further key, since an incremental sort would.
    fn offer_joined(self) -> Result<(), Reason> {
        let Parts { pair, order, .. } = &self.parts;
        let mut scores = Vec::new();
        for condition in self.relation.join_conditions() {
            let is_same = |expr| recognise::score(expr).is_some_and(|score| score.is_of(pair));
            condition.find(&mut |expr| is_same(expr).then_some(()), &mut scores);
        }
        if !scores.is_empty() {
            return Err("shortlist not used: a join needs the score's order".into());
        }
        if self.query.sort_keys() > 1 {
            return Err("shortlist not used: beside joins, ORDER BY must have the score alone".into());
        }
        let others = self.relation.paths();
        if others.iter().any(|path| path.is_of_another_extension()) {
            return Err(FOREIGN_PATH.into());
        }
        let reading = others.iter().map(|path| path.costs().1).fold(f64::INFINITY, f64::min);
        let price = costs(self.query, order.expr(), pair);
        let exact = reading + price.startup + self.relation.rows() * price.row;
        let path = self.path(self.relation.target(), exact)?;
        self.relation.offer(path);
        Ok(())
    }

    /// Offers the node among the ordered paths of a table that stands alone, cheaper than all that rank every row: were
    /// it weighed by the LIMIT, the answer for 20 rows might not begin the answer for 50.
    fn offer_ordered(mut self, ordered: Relation<'p>) -> Result<(), Reason> {
        self.parts.keys = SortKey::further(self.query).ok_or("shortlist not used: a further key is volatile")?;
        let others = ordered.paths();
        let sorts: Vec<Path<'p>> = others.iter().filter_map(|path| path.sorts()).collect();
        if others.iter().any(|path| !path.is_sorting()) {
            return Err("shortlist not used: the rows have the order already".into());
        }
        if sorts.iter().any(|path| path.is_of_another_extension()) {
            return Err(FOREIGN_PATH.into());
        }
        // What is sorted, scores included; a sort's own cost depends on the LIMIT.
        let costs_in_all = |paths: &[Path<'p>]| paths.iter().map(|path| path.costs().1).fold(f64::INFINITY, f64::min);
        let exact = if sorts.is_empty() { costs_in_all(&others) } else { costs_in_all(&sorts) };

        let last = self.query.final_target();
        let read = self.query.select_list().into_iter().chain(self.relation.target().columns()).chain(last.columns());
        let read: Vec<Expr<'p>> = read.flat_map(Expr::columns).collect();
        let columns = self.relation.target().with(self.query, |_| false, &read);
        let path = self.path(columns, exact)?.computing(self.query, self.relation, self.relation.target());
        let path = path.computing(self.query, ordered, last);
        let path = path.without_order(self.query, ordered);
        path.cost_less_than(&others);
        ordered.offer(path);
        Ok(())
    }

    /// The node with these columns.
    ///
    /// # Errors
    /// It costs as much as ranking all rows, which costs `exact`.
    fn path(&self, columns: Target<'p>, exact: f64) -> Result<Path<'p>, Reason> {
        let Self { query, relation, parts } = self;
        let price = costs(*query, parts.order.expr(), &parts.pair);
        let (rows, wanted) = (relation.rows(), f64::from(parts.length));
        let children = shortlist_plan::children(*query, *relation, parts, columns);
        let [(first, all), (_, rest)] = children.map(|child| child.costs());
        // A scan of the whole index gives `rows` rows that pass the filter; this many of them are looked at.
        let reading = first + (all - first) * (wanted / rows);
        let startup = reading + price.startup + wanted * price.row;
        // By what the shortlist costs, and not by how many rows are wanted of it: more must begin with the same.
        if startup >= exact {
            return Err("shortlist not used: ranking all rows costs less".into());
        }
        let total = startup + (all - reading).max(0.0) + rest;
        Ok(shortlist_plan::path(*relation, children, columns, parts, [startup, total]))
    }
}

const FOREIGN_PATH: &str = "shortlist not used: another extension reads the table";
