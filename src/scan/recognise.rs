//! Which expressions are scores.

use pgrx::pg_sys;

use crate::pg::planner::{Expr, function};

/// What a score is shown as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// −ln σ(logit), of `<->`.
    Distance,
    /// σ(logit), of `grnet_score`.
    Probability,
}

/// What a node computes.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'p> {
    /// The side that changes from row to row.
    pub item: Expr<'p>,
    /// The side that does not.
    pub query: Expr<'p>,
    /// Whether the item is the left argument: errors name both in their order.
    pub item_is_left: bool,
}

/// A score: a call of `grnet_score` or of `<->`'s function.
#[derive(Debug, Clone, Copy)]
pub struct Score<'p> {
    /// What it is shown as.
    pub kind: Kind,
    /// Its arguments, left and right.
    pub sides: [Expr<'p>; 2],
}

/// Looks at an expression. By its C function, not by its name: extensions may lie in any schema.
pub fn score(expr: Expr<'_>) -> Option<Score<'_>> {
    let (oid, sides) = expr.call()?;
    let kind = match symbol(oid)?.as_str() {
        "grnet_distance" => Kind::Distance,
        "grnet_score" => Kind::Probability,
        _ => return None,
    };
    Some(Score { kind, sides })
}

/// Whether a function gives the global vector.
pub fn is_global_vector(oid: pg_sys::Oid) -> bool {
    symbol(oid).is_some_and(|symbol| symbol == "grnet_global")
}

/// The C name of a function of this library.
fn symbol(oid: pg_sys::Oid) -> Option<String> {
    function(oid).filter(|function| function.library.ends_with("/grnet_pg")).map(|function| function.symbol)
}

impl<'p> Score<'p> {
    /// Which side changes from row to row, where just one does.
    ///
    /// # Errors
    /// Why there is none, as EXPLAIN (VERBOSE) says it.
    pub fn pair(&self) -> Result<Pair<'p>, &'static str> {
        let [left, right] = self.sides;
        let (item, query, item_is_left) = match (left.has_columns(), right.has_columns()) {
            (true, false) => (left, right, true),
            (false, true) => (right, left, false),
            (true, true) => return Err("not used: both sides of the score change from row to row"),
            (false, false) => return Err("not used: the score is the same for every row"),
        };
        if query.has_subselects() {
            return Err("not used: the query's side has a sub-select of its own for every row");
        }
        Ok(Pair { item, query, item_is_left })
    }

    /// Whether this is a score of the same pair: the graph has no left and no right.
    pub fn is_of(&self, pair: &Pair<'p>) -> bool {
        let [left, right] = self.sides;
        (left == pair.item && right == pair.query) || (left == pair.query && right == pair.item)
    }
}
