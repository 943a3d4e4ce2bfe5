//! `GrnetShortlist` at work: the rows that the index puts first, ranked; then all others.

use std::ffi::CStr;

use super::batch::{Batch, MOST, QuerySide};
use super::counters::Counters;
use super::pgvector;
use super::seen_rows::SeenRows;
use super::shortlist_plan::{self, Planned};
use crate::pg::custom_scan::CustomScan;
use crate::pg::custom_scan::explain::Explain;
use crate::pg::custom_scan::plan::{Chosen, Plan};
use crate::pg::custom_scan::scan::{Begin, Child, Scan};
use crate::pg::custom_scan::slot::{EmptySlot, FullSlot, Row};
use crate::pg::custom_scan::sorter::Sorter;
use crate::pg::interrupt;

/// Where a scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was read yet.
    Start,
    /// Ranked rows leave; others may follow.
    Ranked,
    /// Rows leave as the index gives them.
    Beyond {
        /// Whether it has more.
        more: bool,
    },
    /// The last ranked rows leave.
    Last,
    /// Rows without a score leave, as the table gives them.
    Unscored,
    /// All have left.
    Done,
}

/// The node.
pub struct GrnetShortlist {
    index: Child,
    table: Child,
    batch: Batch,
    /// Rows of the batch that have left.
    given: usize,
    planned: Planned,
    stage: Stage,
    /// Whether the table was read in this scan, and rows without features that it gave.
    table_was_read: bool,
    unscored: u64,
    ranked: Sorter,
    seen: SeenRows,
    counters: Counters,
    /// Rows that the index gave, of which `beyond` came after the shortlist, and rows that it never gave.
    given_by_index: u64,
    beyond: u64,
    missing: u64,
}

impl GrnetShortlist {
    /// Ranks the first rows of a scan, and says what comes next.
    fn start(&mut self, scan: Scan) -> Stage {
        let query = self.batch.evaluate_query(scan);
        if query == QuerySide::Null && !self.ranked.has_keys() {
            return Stage::Unscored;
        }
        // A query of another model: its vector is none for this index, and the first row that is scored with it is an
        // error that names both models.
        let fits = self.batch.scoring.channels().is_none_or(|channels| channels == self.planned.channels);
        if query == QuerySide::Value && fits && self.rank_first(scan) {
            return Stage::Ranked;
        }
        self.rank_missing(scan);
        self.ranked.sort();
        Stage::Last
    }

    /// Ranks the rows that the index puts first. False if these are all rows: where the index has not as many as wanted,
    /// those that it does not give are to be ranked with them.
    fn rank_first(&mut self, scan: Scan) -> bool {
        let length = self.planned.length;
        let patient = pgvector::begin_patient_scan(length);
        let mut more = true;
        while more && self.ranked.len() < length {
            more = self.read_index(MOST.min(length - self.ranked.len()));
            self.rank_batch(scan);
        }
        patient.end();
        if more {
            self.ranked.sort();
        }
        more
    }

    /// Fills the batch with the next rows of the index. False once it has no more.
    fn read_index(&mut self, wanted: usize) -> bool {
        let (seen, identity) = (&mut self.seen, self.planned.identity);
        let more = self.batch.fill(&mut self.index, wanted, |row| seen.note(row, identity));
        self.given_by_index += self.batch.rows.len() as u64;
        more
    }

    /// Scores the batch and adds its rows to the ranked ones.
    fn rank_batch(&mut self, scan: Scan) {
        self.counters.add(self.batch.score(scan));
        for (row, logit) in self.batch.rows.rows().zip(&self.batch.logits) {
            // The best first; for the server's sort no number is greater than NaN.
            self.ranked.take(row, logit.map_or(f64::NAN, |logit| -logit));
        }
    }

    /// Adds the table's rows that the index has not given to the ranked ones; those without features only where a further
    /// key orders them.
    fn rank_missing(&mut self, scan: Scan) {
        // Without a score they are equal: in no order where there is no further key, and not to be kept.
        let has_keys = self.ranked.has_keys();
        self.table_was_read = true;
        let mut more = true;
        while more {
            let (seen, unscored) = (&self.seen, &mut self.unscored);
            let Planned { item, identity, .. } = self.planned;
            more = self.batch.fill(&mut self.table, MOST, |row| {
                if !row.is_null(item) {
                    return !seen.has(row, identity);
                }
                *unscored += u64::from(!has_keys);
                has_keys
            });
            self.missing += self.batch.rows.len() as u64;
            self.rank_batch(scan);
        }
    }

    /// Takes the next rows of the index behind the shortlist.
    fn read_beyond(&mut self) {
        let patient = pgvector::begin_patient_scan(self.planned.length);
        let more = self.read_index(MOST);
        patient.end();
        self.given = 0;
        self.beyond += self.batch.rows.len() as u64;
        self.stage = Stage::Beyond { more };
    }

    /// The table's next row without a score: one without features, or any where the query's side is NULL. The table is
    /// read again for them, since there may be more than memory should hold.
    fn next_unscored(&mut self) -> Option<Row<'_>> {
        if std::mem::take(&mut self.table_was_read) {
            self.table.rescan();
        }
        let (any, item) = (self.batch.query == Some(QuerySide::Null), self.planned.item);
        let row = self.table.find(|row| {
            interrupt::check();
            any || row.is_null(item)
        });
        match row {
            Some(_) => self.missing += 1,
            None => self.stage = Stage::Done,
        }
        row
    }
}

impl CustomScan for GrnetShortlist {
    const NAME: &'static CStr = c"GrnetShortlist";

    fn plan<'p>(chosen: &Chosen<'p>) -> Plan<'p> {
        shortlist_plan::plan(chosen)
    }

    fn begin(begin: &Begin) -> Self {
        let mut planned = Planned::of(&begin.private());
        let [index, table] =
            begin.children().try_into().unwrap_or_else(|_| unreachable!("two children, as in shortlist_plan"));
        Self {
            batch: Batch::new(begin, planned.item, planned.item_is_left),
            ranked: Sorter::new(begin, &index, std::mem::take(&mut planned.keys)),
            index,
            table,
            given: 0,
            planned,
            stage: Stage::Start,
            table_was_read: false,
            unscored: 0,
            seen: SeenRows::default(),
            counters: Counters::default(),
            given_by_index: 0,
            beyond: 0,
            missing: 0,
        }
    }

    fn next(&mut self, scan: Scan, slot: EmptySlot) -> Option<FullSlot> {
        if scan.is_rechecking() {
            return self.index.next().map(|row| slot.copy(row));
        }
        loop {
            match self.stage {
                Stage::Start => self.stage = self.start(scan),
                Stage::Ranked | Stage::Last if self.ranked.advance() => return Some(self.ranked.give(slot)),
                Stage::Ranked => {
                    self.batch.clear(false);
                    self.given = 0;
                    self.stage = Stage::Beyond { more: true };
                }
                Stage::Beyond { .. } if self.given < self.batch.rows.len() => {
                    self.given += 1;
                    return Some(slot.copy(self.batch.rows.row(self.given - 1)));
                }
                Stage::Beyond { more: true } => self.read_beyond(),
                Stage::Beyond { more: false } => {
                    self.ranked.clear();
                    self.rank_missing(scan);
                    self.ranked.sort();
                    self.stage = Stage::Last;
                }
                Stage::Last => self.stage = if self.unscored == 0 { Stage::Done } else { Stage::Unscored },
                Stage::Unscored => return self.next_unscored().map(|row| slot.copy(row)),
                Stage::Done => return None,
            }
        }
    }

    fn rescan(&mut self) {
        self.batch.clear(true);
        self.ranked.clear();
        self.seen.clear();
        (self.given, self.stage, self.table_was_read, self.unscored) = (0, Stage::Start, false, 0);
    }

    fn end(&mut self) {
        self.batch.rows.end();
        self.ranked.clear();
    }

    fn explain(&mut self, _scan: Scan, explain: Explain) {
        explain.integer(c"Shortlist", self.planned.length as u64);
        if explain.is_analyze() {
            explain.integer(c"Rows from Index", self.given_by_index);
            explain.integer(c"Rows beyond Shortlist", self.beyond);
            explain.integer(c"Rows not in Index", self.missing);
            self.counters.explain(explain);
        }
    }
}
