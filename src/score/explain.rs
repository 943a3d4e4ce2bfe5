//! `grnet_explain`: why two images match.

use grnet_features::value::Features;
use grnet_score::scorer::Workspace;

use crate::error::Error;
use crate::pg::call::{Call, Value};
use crate::pg::datum;
use crate::{model, sql_functions};

sql_functions! {
    /// `grnet_explain(query, item) → setof (scale, query_row, query_col, item_row, item_col, similarity, weight)`:
    /// the edges into the global node, heaviest first.
    grnet_explain, pg_finfo_grnet_explain => explain;
}

fn explain(call: &mut Call<'_>) -> Result<Value, Error> {
    let bytes = |index| call.varlena(index).map(|value| value.to_vec());
    let (Some(query), Some(item)) = (bytes(0), bytes(1)) else {
        return Ok(None);
    };
    let (query, item) = (Features::parse(&query)?, Features::parse(&item)?);
    if query.model() != item.model() {
        return Err(Error::DifferentModels(query.model(), item.model()));
    }
    let (scorer, query) = model::prepare(&query)?;
    let item = scorer.prepare(&item)?;
    let place = |v: usize| datum::int(v as i32);
    let rows = scorer.explain(&query, &item, &mut Workspace::default()).into_iter().map(|edge| {
        let grid = usize::from(scorer.head().grids[edge.scale]);
        vec![
            place(edge.scale),
            place(edge.left / grid),
            place(edge.left % grid),
            place(edge.right / grid),
            place(edge.right % grid),
            datum::real(edge.similarity),
            datum::double(edge.weight),
        ]
    });
    call.return_rows(rows)
}
