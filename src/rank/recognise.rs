//! Which expressions are scores.

use crate::ffi::planner::{Expr, function};
use crate::ffi::rank::plan::{Kind, Pair};

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
    let function = function(oid)?;
    if !function.library.ends_with("/grnet_pg") {
        return None;
    }
    let kind = match function.symbol.as_str() {
        "grnet_distance" => Kind::Distance,
        "grnet_score" => Kind::Probability,
        _ => return None,
    };
    Some(Score { kind, sides })
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
