//! `GrnetShortlist` at work: the rows that the index puts first, ranked; then all others.
//!
//! All Rust values of a node are in one [`Work`].

use std::ffi::c_int;

use pgrx::pg_sys;

use super::order::Rule;
use super::pgvector::Patient;
use super::plan::NAME;
use super::rows::{Places, Ranked};
use crate::ffi::custom::{self, Table};
use crate::ffi::interrupt;
use crate::ffi::planner::{numbers, pointers};
use crate::ffi::rank::batch::{Batch, MOST, Taken};
use crate::ffi::rank::counted::Counted;
use crate::ffi::report;

/// Lets the server find the node by its name. Called once, when the library is loaded.
pub fn register() {
    // SAFETY: the table is never written and never freed.
    unsafe { pg_sys::RegisterCustomScanMethods(scan_methods()) }
}

// SAFETY: a name and a function.
static SCAN_METHODS: Table<pg_sys::CustomScanMethods> =
    unsafe { Table::new(pg_sys::CustomScanMethods { CustomName: NAME.as_ptr(), CreateCustomScanState: Some(create) }) };

/// What a plan node names to be run by.
pub fn scan_methods() -> *const pg_sys::CustomScanMethods {
    SCAN_METHODS.pointer()
}

// SAFETY: a name and functions.
static EXEC_METHODS: Table<pg_sys::CustomExecMethods> = unsafe {
    Table::new(pg_sys::CustomExecMethods {
        CustomName: NAME.as_ptr(),
        BeginCustomScan: Some(begin),
        ExecCustomScan: Some(next),
        EndCustomScan: Some(end),
        ReScanCustomScan: Some(rescan),
        MarkPosCustomScan: None,
        RestrPosCustomScan: None,
        EstimateDSMCustomScan: None,
        InitializeDSMCustomScan: None,
        ReInitializeDSMCustomScan: None,
        InitializeWorkerCustomScan: None,
        ShutdownCustomScan: None,
        ExplainCustomScan: Some(explain),
    })
};

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
}

/// A node's own values.
struct Work {
    index: *mut pg_sys::PlanState,
    table: *mut pg_sys::PlanState,
    batch: Batch,
    /// Rows of the batch that have left.
    given: usize,
    /// The children's columns with what is scored and with a row's place, counted from 0.
    item: usize,
    place: usize,
    length: usize,
    /// Numbers of the index's vectors.
    channels: usize,
    stage: Stage,
    /// Whether the table was read in this scan, and rows without features that it gave.
    table_was_read: bool,
    unscored: u64,
    ranked: Ranked,
    seen: Places,
    counted: Counted,
    /// Rows that the index gave, of which `beyond` came after the shortlist, and rows that it never gave.
    given_by_index: u64,
    beyond: u64,
    missing: u64,
}

/// # Safety
/// `node` is a node made by [`create`] after [`begin`], and nothing else refers to its work.
unsafe fn work<'a>(node: *mut pg_sys::CustomScanState) -> &'a mut Work {
    // SAFETY: the caller's promise.
    unsafe { custom::work(node) }
}

// SAFETY: the server alone calls this and the functions below, as the tables above say, each for a node of ours.
unsafe extern "C-unwind" fn create(_plan: *mut pg_sys::CustomScan) -> *mut pg_sys::Node {
    let body = || {
        // SAFETY: the functions of this file, all of which work with `Work`.
        unsafe { custom::new_state::<Work>(EXEC_METHODS.pointer()) }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}

// SAFETY: called by the server alone, as the tables above say, with a node of ours.
unsafe extern "C-unwind" fn begin(node: *mut pg_sys::CustomScanState, estate: *mut pg_sys::EState, flags: c_int) {
    let body = || {
        // SAFETY: the plan is the one made in plan.rs: two children, one expression, lists of five numbers and
        // of the further keys.
        unsafe {
            let plan = (*node).ss.ps.plan.cast::<pg_sys::CustomScan>();
            let [first, columns, how] = pointers::<pg_sys::List>((*plan).custom_private)[..] else {
                unreachable!("as made in plan()")
            };
            let how = pointers::<pg_sys::List>(how).into_iter().map(|how| Rule::of(how));
            let keys = numbers(columns).into_iter().map(|column| column as usize).zip(how).collect();
            let numbers = numbers(first);
            let [index, table] = custom::begin_children(node, estate, flags)[..] else {
                unreachable!("as made in plan()")
            };
            let query = pointers::<pg_sys::Expr>((*plan).custom_exprs)[0];
            let work = Work {
                index,
                table,
                batch: Batch::new(node, query, numbers[0] as usize, numbers[2] != 0),
                given: 0,
                item: numbers[0] as usize,
                place: numbers[1] as usize,
                length: numbers[3] as usize,
                channels: numbers[4] as usize,
                stage: Stage::Start,
                table_was_read: false,
                unscored: 0,
                ranked: Ranked::new(index, estate, keys),
                seen: Places::default(),
                counted: Counted::default(),
                given_by_index: 0,
                beyond: 0,
                missing: 0,
            };
            custom::begin_work(node, estate, work);
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}

// SAFETY: called by the server alone, as the tables above say, with a node of ours.
unsafe extern "C-unwind" fn next(node: *mut pg_sys::CustomScanState) -> *mut pg_sys::TupleTableSlot {
    let body = || {
        // SAFETY: between `begin` and `end`; the children's rows have the columns of the scan's slot. A sorted row stays
        // until the next one, those of a batch until it is filled again, which is not before the row after its last is asked
        // for.
        unsafe {
            let slot = (*node).ss.ss_ScanTupleSlot;
            pg_sys::ExecClearTuple(slot);
            if advance(node, work(node), slot) { custom::projected(node) } else { slot }
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}

/// Puts the next row into `slot`. False where there is none.
///
/// # Safety
/// As for [`work`]; called from [`next`].
unsafe fn advance(node: *mut pg_sys::CustomScanState, work: &mut Work, slot: *mut pg_sys::TupleTableSlot) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        if !(*(*node).ss.ps.state).es_epq_active.is_null() {
            // One row that another transaction has changed is looked at again: every scan gives that one.
            let row = pg_sys::ExecProcNode(work.index);
            let is_there = !custom::is_end(row);
            if is_there {
                pg_sys::ExecCopySlot(slot, row);
            }
            return is_there;
        }
        loop {
            match work.stage {
                Stage::Start => work.stage = start(node, work),
                Stage::Ranked => {
                    if work.ranked.next(slot) {
                        return true;
                    }
                    work.stage = Stage::Beyond { more: true };
                    work.batch.clear(false);
                    work.given = 0;
                }
                Stage::Last => {
                    if work.ranked.next(slot) {
                        return true;
                    }
                    if work.unscored == 0 {
                        return false;
                    }
                    work.stage = Stage::Unscored;
                }
                Stage::Unscored => return next_unscored(work, slot),
                Stage::Beyond { .. } if work.given < work.batch.len() => {
                    pg_sys::ExecCopySlot(slot, work.batch.row(work.given));
                    work.given += 1;
                    return true;
                }
                Stage::Beyond { more: true } => {
                    let patient = Patient::begin(work.length);
                    let more = read_index(node, work, MOST);
                    patient.end();
                    work.given = 0;
                    work.beyond += work.batch.len() as u64;
                    work.stage = Stage::Beyond { more };
                }
                Stage::Beyond { more: false } => {
                    work.ranked.clear();
                    rank_missing(node, work);
                    work.ranked.sort();
                    work.stage = Stage::Last;
                }
            }
        }
    }
}

/// Ranks the first rows of a scan, and says what comes next.
///
/// # Safety
/// As for [`advance`].
unsafe fn start(node: *mut pg_sys::CustomScanState, work: &mut Work) -> Stage {
    // SAFETY: the caller's promise.
    unsafe {
        let taken = work.batch.take_query(node);
        if taken == Taken::Null && !work.ranked.has_keys() {
            return Stage::Unscored;
        }
        // A query of another model: its vector is none for this index, and the first row that is scored with it is an
        // error that names both models.
        let fits = work.batch.scorer.channels().is_none_or(|channels| channels == work.channels);
        if taken == Taken::Value && fits && rank_first(node, work) {
            return Stage::Ranked;
        }
        rank_missing(node, work);
        work.ranked.sort();
        Stage::Last
    }
}

/// Ranks the rows that the index puts first. False if these are all rows: where the index has not as many as wanted,
/// those that it does not give are to be ranked with them.
///
/// # Safety
/// As for [`advance`].
unsafe fn rank_first(node: *mut pg_sys::CustomScanState, work: &mut Work) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let patient = Patient::begin(work.length);
        let mut more = true;
        while more && work.ranked.len() < work.length {
            more = read_index(node, work, MOST.min(work.length - work.ranked.len()));
            work.counted.add(work.batch.score(node));
            work.ranked.take(&work.batch);
        }
        patient.end();
        if more {
            work.ranked.sort();
        }
        more
    }
}

/// Fills the batch with the next rows of the index. False once it has no more.
///
/// # Safety
/// As for [`advance`].
unsafe fn read_index(node: *mut pg_sys::CustomScanState, work: &mut Work, wanted: usize) -> bool {
    let Work { batch, index, seen, place, given_by_index, .. } = work;
    // SAFETY: the caller's promise; the column is the row's place.
    unsafe {
        let more = batch.fill(node, *index, wanted, |row| seen.note(row, *place));
        *given_by_index += batch.len() as u64;
        more
    }
}

/// Adds the table's rows that the index has not given to the ranked ones; those without features only where a further
/// key orders them.
///
/// # Safety
/// As for [`advance`].
unsafe fn rank_missing(node: *mut pg_sys::CustomScanState, work: &mut Work) {
    let Work { batch, table, seen, item, place, ranked, missing, unscored, counted, .. } = work;
    // Without a score they are equal: in no order where there is no further key, and not to be kept.
    let has_keys = ranked.has_keys();
    work.table_was_read = true;
    let mut more = true;
    while more {
        // SAFETY: as above; the columns are what is scored and the row's place.
        unsafe {
            let missed = |row: *mut pg_sys::TupleTableSlot| {
                if !is_null(row, *item) {
                    return !seen.has(row, *place);
                }
                *unscored += u64::from(!has_keys);
                has_keys
            };
            more = batch.fill(node, *table, MOST, missed);
            *missing += batch.len() as u64;
            counted.add(batch.score(node));
            ranked.take(batch);
        }
    }
}

/// Puts the table's next row without a score into `slot`: one without features, or any where the query's side is NULL.
/// The table is read again for them, since there may be more than memory should hold. False where there is none.
///
/// # Safety
/// As for [`advance`].
unsafe fn next_unscored(work: &mut Work, slot: *mut pg_sys::TupleTableSlot) -> bool {
    // SAFETY: the caller's promise; the child is not asked again after its last row.
    unsafe {
        if std::mem::take(&mut work.table_was_read) {
            pg_sys::ExecReScan(work.table);
        }
        let any = work.batch.taken == Some(Taken::Null);
        loop {
            interrupt::check();
            let row = pg_sys::ExecProcNode(work.table);
            if custom::is_end(row) {
                (work.unscored, work.stage) = (0, Stage::Last);
                return false;
            }
            if any || is_null(row, work.item) {
                work.missing += 1;
                pg_sys::ExecCopySlot(slot, row);
                return true;
            }
        }
    }
}

/// # Safety
/// `row` has this column, counted from 0.
unsafe fn is_null(row: *mut pg_sys::TupleTableSlot, column: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        pg_sys::slot_getsomeattrs(row, column as c_int + 1);
        *(*row).tts_isnull.add(column)
    }
}

// SAFETY: called by the server alone, as the tables above say, with a node of ours.
unsafe extern "C-unwind" fn end(node: *mut pg_sys::CustomScanState) {
    let body = || {
        // SAFETY: the children were made in `begin`; slots are the server's to free, the rest is dropped with the query.
        unsafe {
            let work = work(node);
            work.batch.end();
            work.ranked.clear();
            custom::end(node);
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}

// SAFETY: called by the server alone, as the tables above say, with a node of ours.
unsafe extern "C-unwind" fn rescan(node: *mut pg_sys::CustomScanState) {
    let body = || {
        // SAFETY: between `begin` and `end`.
        unsafe {
            custom::rescan(node);
            let work = work(node);
            work.batch.clear(true);
            work.ranked.clear();
            work.seen.clear();
            (work.given, work.stage, work.table_was_read, work.unscored) = (0, Stage::Start, false, 0);
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}

// SAFETY: called by the server alone, as the tables above say, with a node of ours.
unsafe extern "C-unwind" fn explain(
    node: *mut pg_sys::CustomScanState,
    _ancestors: *mut pg_sys::List,
    es: *mut pg_sys::ExplainState,
) {
    let body = || {
        // SAFETY: labels are C strings.
        unsafe {
            let work = work(node);
            let none = std::ptr::null();
            pg_sys::ExplainPropertyInteger(c"Shortlist".as_ptr(), none, work.length as i64, es);
            if !(*es).analyze {
                return;
            }
            pg_sys::ExplainPropertyInteger(c"Rows from Index".as_ptr(), none, work.given_by_index as i64, es);
            pg_sys::ExplainPropertyInteger(c"Rows beyond Shortlist".as_ptr(), none, work.beyond as i64, es);
            pg_sys::ExplainPropertyInteger(c"Rows not in Index".as_ptr(), none, work.missing as i64, es);
            work.counted.explain(es);
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}
