//! `GrnetScore` at work: takes its child's rows, scores them in batches, and hands them on in the same order.

use std::ffi::CStr;

use pgrx::pg_sys;

use super::batch::{Batch, MOST, QuerySide};
use super::counters::Counters;
use super::score_plan::{self, Source};
use crate::pg::catalog;
use crate::pg::custom_scan::CustomScan;
use crate::pg::custom_scan::explain::Explain;
use crate::pg::custom_scan::plan::{Chosen, Plan};
use crate::pg::custom_scan::scan::{Begin, Child, Scan};
use crate::pg::custom_scan::shared::SharedPart;
use crate::pg::custom_scan::slot::{EmptySlot, FullSlot};

/// Rows of the first batch. Each is twice as long as the one before, so that who stops early has not read far ahead.
const FIRST: usize = 8;

/// The node.
pub struct GrnetScore {
    child: Child,
    batch: Batch,
    sources: Vec<Source>,
    /// Rows of the batch that have left.
    given: usize,
    /// Rows of the next batch.
    wanted: usize,
    exhausted: bool,
    counters: Counters,
    role: Role,
}

/// Which process this is.
#[derive(Debug, Clone, Copy)]
enum Role {
    /// The query's only one.
    Alone,
    /// The one that gathers, and looks there for what workers have counted.
    Leader(&'static SharedPart),
    /// One that counts there.
    Worker(&'static SharedPart),
}

impl GrnetScore {
    /// Reads the next batch of the child's rows and scores it.
    fn read(&mut self, scan: Scan) {
        self.batch.clear(false);
        self.given = 0;
        if self.exhausted {
            return;
        }
        self.exhausted = !self.batch.fill(&mut self.child, self.wanted, |_| true);
        self.wanted = (2 * self.wanted).min(MOST);
        let counters = self.batch.score(scan);
        match self.role {
            // Before the rows leave: who has all of a worker's rows knows all that it counted.
            Role::Worker(shared) => shared.add(counters.into()),
            Role::Alone | Role::Leader(_) => self.counters.add(counters),
        }
    }

    /// Adds to the leader's figures what its workers have counted.
    fn collect(&mut self) {
        if let Role::Leader(shared) = self.role {
            self.counters.add(shared.take().into());
        }
    }

    /// Leaves the query's side for workers: it is evaluated before they start, and an image embedded once, not once a process.
    fn leave_query(&mut self, shared: &SharedPart, scan: Scan) {
        let value = (self.batch.evaluate_query(scan) == QuerySide::Value).then(|| self.batch.scoring.taken());
        shared.bytes.put(scan, value);
    }
}

impl CustomScan for GrnetScore {
    const NAME: &'static CStr = c"GrnetScore";
    const IS_SHARED: bool = true;

    fn plan<'p>(chosen: &Chosen<'p>) -> Plan<'p> {
        score_plan::plan(chosen)
    }

    fn begin(begin: &Begin) -> Self {
        let private = begin.private();
        let (sources, needs) = (private.numbers(), private.numbers());
        private.oids().into_iter().for_each(catalog::require_execute);
        begin.spare_compiling();
        let [child] = begin.children().try_into().unwrap_or_else(|_| unreachable!("one child, as in score_plan"));
        Self {
            child,
            batch: Batch::new(begin, needs[0] as usize, needs[1] != 0),
            sources: sources.into_iter().map(Source::of).collect(),
            given: 0,
            wanted: FIRST,
            exhausted: false,
            counters: Counters::default(),
            role: Role::Alone,
        }
    }

    fn next(&mut self, scan: Scan, slot: EmptySlot) -> Option<FullSlot> {
        if self.given == self.batch.rows.len() {
            self.read(scan);
        }
        if self.given == self.batch.rows.len() {
            return None;
        }
        let (row, logit) = (self.batch.rows.row(self.given), self.batch.logits[self.given]);
        self.given += 1;
        let value = |source: &Source| match *source {
            Source::Child(column) => row.value(column),
            Source::Score(kind) => logit.map(|logit| double(kind.of_logit(logit))),
        };
        Some(slot.put(self.sources.iter().map(value)))
    }

    fn rescan(&mut self) {
        self.batch.clear(true);
        (self.given, self.wanted, self.exhausted) = (0, FIRST, false);
    }

    fn end(&mut self) {
        self.batch.rows.end();
    }

    fn explain(&mut self, scan: Scan, explain: Explain) {
        if !explain.is_analyze() {
            return;
        }
        self.collect();
        // Below a Gather that is there for a test (debug_parallel_query) a worker ran it and counted for itself.
        if self.counters.batches > 0 || !scan.gave_rows() {
            self.counters.explain(explain);
        }
    }

    fn share(&mut self, shared: &'static SharedPart, scan: Scan) {
        self.role = Role::Leader(shared);
        self.leave_query(shared, scan);
    }

    fn share_again(&mut self, scan: Scan) {
        self.collect();
        if let Role::Leader(shared) = self.role {
            self.leave_query(shared, scan);
        }
    }

    fn join(&mut self, shared: &'static SharedPart, scan: Scan) {
        self.role = Role::Worker(shared);
        self.batch.query = match shared.bytes.get(scan) {
            // Nothing was left: this process evaluates it, at its first row.
            None => None,
            Some(None) => Some(QuerySide::Null),
            Some(Some(value)) => {
                self.batch.scoring.take_query(value);
                Some(QuerySide::Value)
            }
        };
    }

    fn leave(&mut self) {
        self.collect();
        // Also in a worker: what is counted from now on is seen by nobody, and nothing may be written there.
        self.role = Role::Alone;
    }
}

/// A `double precision`, which every supported server passes by value.
fn double(value: f64) -> pg_sys::Datum {
    pg_sys::Datum::from(value.to_bits() as usize)
}
