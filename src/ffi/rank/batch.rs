//! Rows of a child, kept and scored together: what `GrnetScore` and `GrnetShortlist` share.

use std::ffi::c_int;
use std::sync::OnceLock;
use std::time::Instant;

use pgrx::{PgMemoryContexts, pg_sys};

use super::counted::Counted;
use super::plan::Kind;
use crate::error::Error;
use crate::ffi::custom;
use crate::ffi::datum::Detoasted;
use crate::ffi::interrupt;

/// Most rows of a batch: 64 values of 7 kB stay in a core's cache, and a cancel waits for some 5 ms at most.
pub const MOST: usize = 64;

/// Scores the rows of a node: the part that knows the model.
pub trait BatchScorer {
    /// Takes the query's side for the rows that follow. Nobody looks at it before there is something to score: what is
    /// wrong with it is no error of a query without rows.
    fn take_query(&mut self, value: &[u8]);

    /// The value that was taken last.
    fn taken(&self) -> &[u8];

    /// How many numbers the global vector of the value that was taken has; `None` where it is no value.
    fn channels(&self) -> Option<usize>;

    /// Logits of rows with the query that was taken, `None` for a NULL.
    ///
    /// # Errors
    /// The query's side or one of them is no value that can be scored, or they are of different models.
    fn score(&mut self, items: &[Option<&[u8]>], logits: &mut Vec<Option<f64>>) -> Result<(), Error>;

    /// A logit as a user sees it.
    fn shown(&self, logit: f64, kind: Kind) -> f64;
}

/// Makes a [`BatchScorer`]; is told whether the rows' value is the left argument.
pub type Make = fn(item_is_left: bool) -> Box<dyn BatchScorer>;

static MAKE: OnceLock<Make> = OnceLock::new();

/// Says what scores. True for the first who does.
pub fn register(make: Make) -> bool {
    MAKE.set(make).is_ok()
}

/// The query's side of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// NULL: so are all scores.
    Null,
    /// A value.
    Value,
}

/// A batch, filled and scored again and again.
pub struct Batch {
    /// What scores it.
    pub scorer: Box<dyn BatchScorer>,
    /// The query's side.
    query: *mut pg_sys::ExprState,
    /// What was last taken; `None` before the first row of a scan.
    pub taken: Option<Taken>,
    /// The child's column that is scored, counted from 0.
    item: usize,
    /// Copies of the rows.
    rows: Vec<*mut pg_sys::TupleTableSlot>,
    /// The rows' logits, `None` for a NULL.
    pub logits: Vec<Option<f64>>,
    filled: usize,
}

impl Batch {
    /// An empty one, of rows whose column `item` is scored against `query`, an expression of `node`.
    ///
    /// # Safety
    /// `query` is an expression of type grnet_features, and `node` a node that is being begun.
    pub unsafe fn new(
        node: *mut pg_sys::CustomScanState,
        query: *mut pg_sys::Expr,
        item: usize,
        item_is_left: bool,
    ) -> Self {
        // The server found the node by a name that was registered with what scores.
        let Some(make) = MAKE.get() else { pgrx::error!("grnet: the node is not registered") };
        // SAFETY: the caller's promise.
        let query = unsafe { pg_sys::ExecInitExpr(query, &raw mut (*node).ss.ps) };
        let (rows, logits) = (Vec::new(), Vec::new());
        Self { scorer: make(item_is_left), query, taken: None, item, rows, logits, filled: 0 }
    }

    /// Rows that are in it.
    pub fn len(&self) -> usize {
        self.filled
    }

    /// A row, whose columns may have to be taken apart yet.
    pub fn row(&self, at: usize) -> *mut pg_sys::TupleTableSlot {
        self.rows[at]
    }

    /// Forgets the rows, and for another scan the query's side.
    pub fn clear(&mut self, another_scan: bool) {
        self.filled = 0;
        if another_scan {
            self.taken = None;
        }
    }

    /// Forgets the slots, which are the server's to free.
    pub fn end(&mut self) {
        self.filled = 0;
        self.rows.clear();
    }

    /// Fills it with the next rows of a child, at most `wanted` of those that `keep` wants. False once the child has no
    /// more: it must not be asked again in this scan.
    ///
    /// # Safety
    /// `node` runs, and `child` is a child of it.
    pub unsafe fn fill(
        &mut self,
        node: *mut pg_sys::CustomScanState,
        child: *mut pg_sys::PlanState,
        wanted: usize,
        mut keep: impl FnMut(*mut pg_sys::TupleTableSlot) -> bool,
    ) -> bool {
        self.filled = 0;
        // SAFETY: the caller's promise; a child gives rows until it gives an empty one.
        unsafe {
            while self.filled < wanted {
                interrupt::check();
                let row = pg_sys::ExecProcNode(child);
                if custom::is_end(row) {
                    return false;
                }
                if !keep(row) {
                    continue;
                }
                if self.filled == self.rows.len() {
                    let kept = pg_sys::ExecInitExtraTupleSlot(
                        (*node).ss.ps.state,
                        (*row).tts_tupleDescriptor,
                        &raw const pg_sys::TTSOpsMinimalTuple,
                    );
                    self.rows.push(kept);
                }
                pg_sys::ExecCopySlot(self.rows[self.filled], row);
                self.filled += 1;
            }
        }
        true
    }

    /// Scores the rows that are in it.
    ///
    /// # Safety
    /// `node` runs.
    pub unsafe fn score(&mut self, node: *mut pg_sys::CustomScanState) -> Counted {
        self.logits.clear();
        if self.filled == 0 {
            return Counted::default();
        }
        // SAFETY: the caller's promise; the column has the type grnet_features, by the functions' declarations.
        unsafe {
            let timed = !(*node).ss.ps.instrument.is_null();
            let taken = match self.taken {
                Some(taken) => taken,
                None => self.take_query(node),
            };
            let started = timed.then(Instant::now);
            let mut values: Vec<Option<Detoasted<'_>>> = Vec::with_capacity(self.filled);
            for row in &self.rows[..self.filled] {
                pg_sys::slot_getsomeattrs(*row, self.item as c_int + 1);
                let null = taken == Taken::Null || *(**row).tts_isnull.add(self.item);
                values.push((!null).then(|| Detoasted::new(*(**row).tts_values.add(self.item))));
            }
            let fetched = timed.then(Instant::now);
            let items: Vec<Option<&[u8]>> = values.iter().map(Option::as_deref).collect();
            if let Err(error) = self.scorer.score(&items, &mut self.logits) {
                error.raise();
            }
            let pairs = items.iter().filter(|item| item.is_some()).count() as u64;
            let mut counted = Counted { batches: 1, pairs, ..Counted::default() };
            if let (Some(started), Some(fetched)) = (started, fetched) {
                counted.fetching = (fetched - started).as_nanos() as u64;
                counted.scoring = fetched.elapsed().as_nanos() as u64;
            }
            counted
        }
    }

    /// Evaluates the query's side, once a scan.
    ///
    /// # Safety
    /// `node` runs.
    pub unsafe fn take_query(&mut self, node: *mut pg_sys::CustomScanState) -> Taken {
        // SAFETY: the caller's promise; the expression has the type grnet_features, by the functions' declarations. What
        // it allocates lies in the per-row memory until the next row.
        unsafe {
            let context = (*node).ss.ps.ps_ExprContext;
            let mut null = true;
            let value = PgMemoryContexts::For((*context).ecxt_per_tuple_memory)
                .switch_to(|_| pg_sys::ExecEvalExpr(self.query, context, &mut null));
            let taken = if null { Taken::Null } else { Taken::Value };
            if !null {
                self.scorer.take_query(&Detoasted::new(value));
            }
            self.taken = Some(taken);
            taken
        }
    }
}
