//! Indexes that give rows in the order of their global vectors.

use super::pgvector::{CASTS, METHOD, OPERATORS};
use super::recognise::is_global_vector;
use crate::pg::planner::{Expr, Index, Order, Path, Query, Relation, Target, function, invalid_index};

/// An index of a column's global vectors.
#[derive(Debug, Clone, Copy)]
pub struct GlobalIndex<'p> {
    index: Index<'p>,
    /// How many numbers its vectors have.
    pub channels: i32,
    /// What it is an index of.
    vector: Vector<'p>,
    operator: pgrx::pg_sys::Oid,
}

/// An expression that makes a vector of a value: `cast(grnet_global(item), channels, explicit)`.
#[derive(Debug, Clone, Copy)]
struct Vector<'p> {
    cast: Expr<'p>,
    global: Expr<'p>,
    item: Expr<'p>,
    channels: [Expr<'p>; 2],
}

impl<'p> GlobalIndex<'p> {
    /// An index of `relation` whose one expression is just `item` through `grnet_global` and a cast of pgvector's.
    ///
    /// Nothing else, also where it would give the same: the expression is evaluated with the rights of whoever selects,
    /// and what stands in it is the table owner's choice. Functions are told by what only a superuser can make: their C
    /// names and libraries.
    pub fn find(relation: Relation<'p>, item: Expr<'p>) -> Option<Self> {
        Index::all(relation).into_iter().find_map(|index| Self::of(index, item))
    }

    fn of(index: Index<'p>, item: Expr<'p>) -> Option<Self> {
        if !index.can_order() || !index.is_of_method(METHOD) {
            return None;
        }
        let vector = Vector::of(index.expression()?)?;
        let (operator, name) = index.operator()?;
        let is_one = vector.item == item && OPERATORS.contains(&name);
        let channels = vector.channels[0].constant()?;
        is_one.then_some(Self { index, channels, vector, operator })
    }

    /// A way to read the table in the order of `expression of the column <#> the same expression of the query`, with the
    /// columns of `target`.
    pub fn path(
        self,
        planned: Query<'p>,
        relation: Relation<'p>,
        query: Expr<'p>,
        order: Order<'p>,
        target: Target<'p>,
    ) -> Path<'p> {
        let by = Expr::distance(self.operator, self.vector.cast, self.vector.with(query));
        self.index.ordered_path(planned, relation, by, order, target)
    }
}

/// The name of an index of the kind that [`GlobalIndex::find`] looks for which was not made to its end.
pub fn invalid(query: Query<'_>, relation: Relation<'_>) -> Option<String> {
    invalid_index(query, relation, METHOD)
}

impl<'p> Vector<'p> {
    fn of(cast: Expr<'p>) -> Option<Self> {
        let (oid, arguments) = cast.function_call()?;
        let made = function(oid)?;
        if !made.library.ends_with("/vector") || !CASTS.contains(&made.symbol.as_str()) {
            return None;
        }
        let [global, channels, explicit] = arguments[..] else { return None };
        channels.constant().and(explicit.constant())?;
        let (oid, arguments) = global.function_call()?;
        let [item] = arguments[..] else { return None };
        is_global_vector(oid).then_some(Self { cast, global, item, channels: [channels, explicit] })
    }

    /// The same of another value.
    fn with(self, value: Expr<'p>) -> Expr<'p> {
        let [channels, explicit] = self.channels;
        self.cast.with_arguments(&[self.global.with_arguments(&[value]), channels, explicit])
    }
}
