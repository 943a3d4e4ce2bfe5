//! `GrnetScore` at work: takes its child's rows, scores them in batches, and hands them on in the same order.
//!
//! PostgreSQL calls the functions below through the tables of [`scan_methods`]. All Rust values of a node are in one
//! [`Work`].

use std::ffi::{c_int, c_void};

use pgrx::pg_sys;

use super::batch::{self, Batch, MOST, Make, Taken};
use super::counted::Counted;
use super::plan::{NAME, Source};
use super::shared::Shared;
use crate::ffi::catalog;
use crate::ffi::custom::{self, Table};
use crate::ffi::planner::{numbers, oids, pointers};
use crate::ffi::report;

/// Rows of the first batch. Each is twice as long as the one before, so that who stops early has not read far ahead.
const FIRST: usize = 8;

/// Lets the server find the node by its name. Called once, when the library is loaded.
pub fn register(make: Make) {
    if batch::register(make) {
        // SAFETY: the table is never written and never freed.
        unsafe { pg_sys::RegisterCustomScanMethods(scan_methods()) }
    }
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
        EstimateDSMCustomScan: Some(shared_size),
        InitializeDSMCustomScan: Some(share),
        ReInitializeDSMCustomScan: Some(share_again),
        InitializeWorkerCustomScan: Some(join),
        ShutdownCustomScan: Some(shut_down),
        ExplainCustomScan: Some(explain),
    })
};

/// A node's own values.
struct Work {
    child: *mut pg_sys::PlanState,
    batch: Batch,
    sources: Vec<Source>,
    given: usize,
    /// Rows of the next batch.
    wanted: usize,
    exhausted: bool,
    counted: Counted,
    /// In a parallel query, where a worker counts; the leader looks there.
    shared: *mut Shared,
    is_worker: bool,
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
        // SAFETY: the plan is the one made in plan.rs: one child, one expression, three lists of numbers.
        unsafe {
            let plan = (*node).ss.ps.plan.cast::<pg_sys::CustomScan>();
            let parts = pointers::<pg_sys::List>((*plan).custom_private);
            let (sources, needs) = (numbers(parts[0]), numbers(parts[1]));
            oids(parts[2]).into_iter().for_each(catalog::require_execute);
            custom::spare_compiling(node, estate);
            let child = custom::begin_children(node, estate, flags)[0];
            let query = pointers::<pg_sys::Expr>((*plan).custom_exprs)[0];
            let work = Work {
                child,
                batch: Batch::new(node, query, needs[0] as usize, needs[1] != 0),
                sources: sources.into_iter().map(Source::of).collect(),
                given: 0,
                wanted: FIRST,
                exhausted: false,
                counted: Counted::default(),
                shared: std::ptr::null_mut(),
                is_worker: false,
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
        // SAFETY: between `begin` and `end`; rows were copied into slots that the batch keeps until the next one is read,
        // which is not before the row after the last was asked for.
        unsafe {
            let work = work(node);
            if work.given == work.batch.len() {
                read(node, work);
            }
            let slot = (*node).ss.ss_ScanTupleSlot;
            pg_sys::ExecClearTuple(slot);
            if work.given == work.batch.len() {
                return slot;
            }
            let row = work.batch.row(work.given);
            pg_sys::slot_getallattrs(row);
            let logit = work.batch.logits[work.given];
            for (column, source) in work.sources.iter().enumerate() {
                let (value, null) = match *source {
                    Source::Child(from) => (*(*row).tts_values.add(from), *(*row).tts_isnull.add(from)),
                    Source::Score(kind) => {
                        let shown = logit.map(|logit| work.batch.scorer.shown(logit, kind));
                        (shown.map_or(pg_sys::Datum::null(), float), shown.is_none())
                    }
                };
                *(*slot).tts_values.add(column) = value;
                *(*slot).tts_isnull.add(column) = null;
            }
            work.given += 1;
            pg_sys::ExecStoreVirtualTuple(slot);
            custom::projected(node)
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}

/// A `double precision`, which every supported server passes by value.
fn float(value: f64) -> pg_sys::Datum {
    pg_sys::Datum::from(value.to_bits() as usize)
}

/// Reads the next batch of the child's rows and scores it.
///
/// # Safety
/// As for [`work`]; called from [`next`].
unsafe fn read(node: *mut pg_sys::CustomScanState, work: &mut Work) {
    work.batch.clear(false);
    work.given = 0;
    if work.exhausted {
        return;
    }
    // SAFETY: the caller's promise; the child is not asked again after its last row.
    let counted = unsafe {
        work.exhausted = !work.batch.fill(node, work.child, work.wanted, |_| true);
        work.wanted = (2 * work.wanted).min(MOST);
        work.batch.score(node)
    };
    // SAFETY: as above.
    match unsafe { work.shared.as_ref() }.filter(|_| work.is_worker) {
        // Before the rows leave: who has all of a worker's rows knows all that it counted.
        Some(shared) => shared.add(counted),
        None => work.counted.add(counted),
    }
}

// SAFETY: called by the server alone, as the tables above say, with a node of ours.
unsafe extern "C-unwind" fn end(node: *mut pg_sys::CustomScanState) {
    let body = || {
        // SAFETY: the child was made in `begin`; slots are the server's to free, the rest is dropped with the query.
        unsafe {
            work(node).batch.end();
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
            (work.given, work.wanted, work.exhausted) = (0, FIRST, false);
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}

// The query's side is evaluated in the leader, before its workers start: a photo is embedded once, not once a process.
// SAFETY: called by the server alone, as the tables above say, with a node of ours.
unsafe extern "C-unwind" fn shared_size(
    node: *mut pg_sys::CustomScanState,
    _context: *mut pg_sys::ParallelContext,
) -> pg_sys::Size {
    let body = || {
        // SAFETY: between `begin` and `end`; the parameters that workers get have been computed by now.
        unsafe {
            let work = work(node);
            work.batch.take_query(node);
            Shared::size()
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}

// SAFETY: called by the server alone, as the tables above say, with a node of ours.
unsafe extern "C-unwind" fn share(
    node: *mut pg_sys::CustomScanState,
    _context: *mut pg_sys::ParallelContext,
    memory: *mut c_void,
) {
    let body = || {
        // SAFETY: shared memory of the size asked for just before, aligned for any type.
        unsafe {
            let work = work(node);
            work.shared = Shared::begin(memory);
            (*work.shared).put((*(*node).ss.ps.state).es_query_dsa, value_of(work));
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}

// SAFETY: called by the server alone, as the tables above say, with a node of ours.
unsafe extern "C-unwind" fn share_again(
    node: *mut pg_sys::CustomScanState,
    _context: *mut pg_sys::ParallelContext,
    _memory: *mut c_void,
) {
    let body = || {
        // SAFETY: as above; called in the leader between two scans, when no worker runs.
        unsafe {
            let work = work(node);
            collect(work);
            work.batch.take_query(node);
            (*work.shared).put((*(*node).ss.ps.state).es_query_dsa, value_of(work));
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}

/// What the leader's scan has taken, `None` for a NULL.
fn value_of(work: &Work) -> Option<&[u8]> {
    (work.batch.taken == Some(Taken::Value)).then(|| work.batch.scorer.taken())
}

// SAFETY: called by the server alone, as the tables above say, with a node of ours.
unsafe extern "C-unwind" fn join(node: *mut pg_sys::CustomScanState, _toc: *mut pg_sys::shm_toc, memory: *mut c_void) {
    let body = || {
        // SAFETY: what `share` wrote in the leader, mapped here.
        unsafe {
            let work = work(node);
            work.shared = memory.cast();
            work.is_worker = true;
            match (*work.shared).get((*(*node).ss.ps.state).es_query_dsa) {
                // Nothing was left: this process evaluates it, at its first row.
                None => {}
                Some(None) => work.batch.taken = Some(Taken::Null),
                Some(Some(value)) => {
                    work.batch.scorer.take_query(value);
                    work.batch.taken = Some(Taken::Value);
                }
            }
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}

// SAFETY: called by the server alone, as the tables above say, with a node of ours.
unsafe extern "C-unwind" fn shut_down(node: *mut pg_sys::CustomScanState) {
    let body = || {
        // SAFETY: called before the shared memory goes; after it nothing is counted there.
        unsafe {
            let work = work(node);
            collect(work);
            work.shared = std::ptr::null_mut();
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}

/// Adds to the leader's figures what its workers have counted.
///
/// # Safety
/// The shared memory is still there, or the pointer to it is NULL.
unsafe fn collect(work: &mut Work) {
    // SAFETY: the caller's promise.
    if let Some(shared) = unsafe { work.shared.as_ref() }.filter(|_| !work.is_worker) {
        work.counted.add(shared.take());
    }
}

// SAFETY: called by the server alone, as the tables above say, with a node of ours.
unsafe extern "C-unwind" fn explain(
    node: *mut pg_sys::CustomScanState,
    _ancestors: *mut pg_sys::List,
    es: *mut pg_sys::ExplainState,
) {
    let body = || {
        // SAFETY: labels are C strings; the counters are the leader's by now.
        unsafe {
            if !(*es).analyze {
                return;
            }
            let work = work(node);
            collect(work);
            // Below a Gather that is there for a test (debug_parallel_query) a worker ran it and counted for itself.
            if work.counted.batches > 0 || !custom::gave_rows(node) {
                work.counted.explain(es);
            }
        }
    };
    // SAFETY: the server has called, and nothing is to be dropped here.
    unsafe { report::guard(body) }
}
