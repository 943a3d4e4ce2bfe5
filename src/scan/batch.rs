//! Rows of a child, kept and scored together: what `GrnetScore` and `GrnetShortlist` share.

use std::time::Instant;

use super::counters::Counters;
use super::scoring::Scoring;
use crate::pg::custom_scan::row_buffer::RowBuffer;
use crate::pg::custom_scan::scan::{Begin, Child, Expression, Scan};
use crate::pg::custom_scan::slot::Row;

/// Most rows of a batch: 64 values of 7 kB stay in a core's cache, and a cancel waits for some 5 ms at most.
pub const MOST: usize = 64;

/// The query's side of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuerySide {
    /// NULL: so are all scores.
    Null,
    /// A value.
    Value,
}

/// A batch, filled and scored again and again.
pub struct Batch {
    /// What scores it.
    pub scoring: Scoring,
    /// The expression of the query's side.
    expression: Expression,
    /// What it gave; `None` before the first row of a scan.
    pub query: Option<QuerySide>,
    /// The child's column that is scored, counted from 0.
    item: usize,
    /// Copies of the rows.
    pub rows: RowBuffer,
    /// The rows' logits, `None` for a NULL.
    pub logits: Vec<Option<f64>>,
}

impl Batch {
    /// An empty one, of rows whose column `item` is scored against the plan's expression. `item_is_left` says in which
    /// order errors name both.
    pub fn new(begin: &Begin, item: usize, item_is_left: bool) -> Self {
        let (expression, rows) = (begin.expression(), begin.row_buffer());
        Self { scoring: Scoring::new(item_is_left), expression, query: None, item, rows, logits: Vec::new() }
    }

    /// Forgets the rows, and for another scan the query's side.
    pub fn clear(&mut self, another_scan: bool) {
        self.rows.clear();
        if another_scan {
            self.query = None;
        }
    }

    /// Fills it with the next rows of a child, at most `wanted` of those that `keep` wants. False once the child has no
    /// more: it must not be asked again in this scan.
    pub fn fill(&mut self, child: &mut Child, wanted: usize, keep: impl FnMut(Row<'_>) -> bool) -> bool {
        self.rows.fill(child, wanted, keep)
    }

    /// Scores the rows that are in it.
    pub fn score(&mut self, scan: Scan) -> Counters {
        self.logits.clear();
        if self.rows.len() == 0 {
            return Counters::default();
        }
        let query = self.query(scan);
        let started = scan.is_counted().then(Instant::now);
        let is_null = query == QuerySide::Null;
        let values: Vec<_> = self.rows.rows().map(|row| if is_null { None } else { row.varlena(self.item) }).collect();
        let fetched = started.is_some().then(Instant::now);
        let items: Vec<Option<&[u8]>> = values.iter().map(Option::as_deref).collect();
        if let Err(error) = self.scoring.score(&items, &mut self.logits) {
            error.raise();
        }
        let pairs = items.iter().filter(|item| item.is_some()).count() as u64;
        let mut counters = Counters { batches: 1, pairs, ..Counters::default() };
        if let (Some(started), Some(fetched)) = (started, fetched) {
            counters.fetching = (fetched - started).as_nanos() as u64;
            counters.scoring = fetched.elapsed().as_nanos() as u64;
        }
        counters
    }

    /// The query's side, evaluated once a scan.
    pub fn query(&mut self, scan: Scan) -> QuerySide {
        match self.query {
            Some(query) => query,
            None => self.evaluate_query(scan),
        }
    }

    /// The query's side, evaluated again.
    pub fn evaluate_query(&mut self, scan: Scan) -> QuerySide {
        scan.evaluate(&self.expression, |value| {
            if let Some(value) = value {
                self.scoring.take_query(value);
            }
            let query = if value.is_some() { QuerySide::Value } else { QuerySide::Null };
            self.query = Some(query);
            query
        })
    }
}
