//! Rows of a child in the order of a number and of columns, by the server's own sort: within `work_mem`, and in files
//! beyond.

use pgrx::{PgMemoryContexts, pg_sys};

use super::scan::{Begin, Child};
use super::slot::{EmptySlot, FullSlot, Row};
use crate::pg::planner::SortRule;

/// Rows that are sorted.
pub struct Sorter {
    /// Where slots and sorts live: as long as the query.
    memory: pg_sys::MemoryContext,
    /// A row's columns, its key and its number, on their way into the sort and out of it.
    put: *mut pg_sys::TupleTableSlot,
    got: *mut pg_sys::TupleTableSlot,
    columns: usize,
    /// The further keys: columns and how they are ordered by.
    keys: Vec<(usize, SortRule)>,
    sort: *mut pg_sys::Tuplesortstate,
    taken: usize,
}

/// `<` of `double precision` and of `bigint` (src/include/catalog/pg_operator.dat).
const LESS: [u32; 2] = [672, 412];

impl Sorter {
    /// None yet, of rows of `child`, which are also ordered by `keys`: columns, counted from 0.
    pub fn new(begin: &Begin, child: &Child, keys: Vec<(usize, SortRule)>) -> Self {
        let estate = begin.estate();
        // SAFETY: the query's state while a node begins.
        let memory = unsafe { (*estate).es_query_cxt };
        let given = child.row_type();
        // SAFETY: a description of the query's.
        let columns = unsafe { (*given).natts };
        // SAFETY: as above.
        let row = unsafe { PgMemoryContexts::For(memory).switch_to(|_| with_two_more(given, columns)) };
        // SAFETY: the query's state, and a description in its memory.
        let slot = |kind| unsafe { pg_sys::ExecInitExtraTupleSlot(estate, row, kind) };
        let put = slot(&raw const pg_sys::TTSOpsVirtual);
        let got = slot(&raw const pg_sys::TTSOpsMinimalTuple);
        Self { memory, put, got, columns: columns as usize, keys, sort: std::ptr::null_mut(), taken: 0 }
    }

    /// Whether there are further keys.
    pub fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// How many were taken.
    pub fn len(&self) -> usize {
        self.taken
    }

    /// Takes a row, of which a copy is made. Small keys come first; no number is greater than NaN.
    pub fn take(&mut self, row: Row<'_>, key: f64) {
        if self.sort.is_null() {
            self.begin();
        }
        let own = [pg_sys::Datum::from(key.to_bits() as usize), pg_sys::Datum::from(self.taken)];
        // SAFETY: slots have as many values as their descriptions have columns, here the child's and two more.
        unsafe {
            pg_sys::ExecClearTuple(self.put);
            copy_values(row.slot(), self.put, self.columns);
            for (at, value) in own.into_iter().enumerate() {
                *(*self.put).tts_values.add(self.columns + at) = value;
                *(*self.put).tts_isnull.add(self.columns + at) = false;
            }
            pg_sys::ExecStoreVirtualTuple(self.put);
        }
        // SAFETY: a sort that was begun and not sorted yet, which copies what it is given.
        unsafe { pg_sys::tuplesort_puttupleslot(self.sort, self.put) };
        // SAFETY: as above.
        unsafe { pg_sys::ExecClearTuple(self.put) };
        self.taken += 1;
    }

    fn begin(&mut self) {
        // The number, the query's other keys, and what is equal by all of them as it came.
        let none = pg_sys::InvalidOid;
        let own = LESS.map(|less| SortRule { operator: pg_sys::Oid::from(less), collation: none, nulls_first: false });
        let keys = self.keys.iter().copied();
        let keys: Vec<(usize, SortRule)> =
            std::iter::once((self.columns, own[0])).chain(keys).chain([(self.columns + 1, own[1])]).collect();
        let mut columns: Vec<_> = keys.iter().map(|(column, _)| *column as pg_sys::AttrNumber + 1).collect();
        let mut operators: Vec<_> = keys.iter().map(|(_, rule)| rule.operator).collect();
        let mut collations: Vec<_> = keys.iter().map(|(_, rule)| rule.collation).collect();
        let mut nulls_first: Vec<_> = keys.iter().map(|(_, rule)| rule.nulls_first).collect();
        let (count, mode) = (keys.len() as i32, pg_sys::TUPLESORT_NONE as i32);
        let arrays = (columns.as_mut_ptr(), operators.as_mut_ptr(), collations.as_mut_ptr(), nulls_first.as_mut_ptr());
        // SAFETY: arrays of `count` elements, which the sort copies; it lives in the query's memory, and its files end with
        // the query at the latest.
        unsafe {
            let (columns, operators, collations, nulls) = arrays;
            let (row, alone, memory) = ((*self.put).tts_tupleDescriptor, std::ptr::null_mut(), pg_sys::work_mem);
            self.sort = PgMemoryContexts::For(self.memory).switch_to(|_| {
                pg_sys::tuplesort_begin_heap(row, count, columns, operators, collations, nulls, memory, alone, mode)
            });
        }
    }

    /// Puts all that were taken in order.
    pub fn sort(&mut self) {
        if !self.sort.is_null() {
            // SAFETY: a sort that was filled and is sorted once.
            unsafe { pg_sys::tuplesort_performsort(self.sort) }
        }
    }

    /// Whether there is a next row in order, which stays until the one after it is asked for.
    pub fn advance(&mut self) -> bool {
        let none = std::ptr::null_mut();
        // SAFETY: a sort that is sorted; the slot has its description.
        !self.sort.is_null() && unsafe { pg_sys::tuplesort_gettupleslot(self.sort, true, false, self.got, none) }
    }

    /// Puts the row that [`advance`](Self::advance) found into a slot with the child's columns.
    pub fn give(&self, slot: EmptySlot) -> FullSlot {
        // SAFETY: a slot with the row of the sort.
        let row = unsafe { Row::new(self.got) }.unwrap_or_else(|| unreachable!("a slot with a row"));
        slot.put((0..self.columns).map(|column| row.value(column)))
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.taken = 0;
        let sort = std::mem::replace(&mut self.sort, std::ptr::null_mut());
        if !sort.is_null() {
            // SAFETY: the slot points into the sort's memory until it is cleared; nobody else knows it.
            unsafe {
                pg_sys::ExecClearTuple(self.got);
                pg_sys::tuplesort_end(sort);
            }
        }
    }
}

/// A description of the same columns, a `double precision` and a `bigint`.
///
/// # Safety
/// `given` is a description of as many columns.
unsafe fn with_two_more(given: pg_sys::TupleDesc, columns: i32) -> pg_sys::TupleDesc {
    // SAFETY: the caller's promise; numbers begin with 1.
    unsafe {
        let row = pg_sys::CreateTemplateTupleDesc(columns + 2);
        for column in 1..=columns as pg_sys::AttrNumber {
            pg_sys::TupleDescCopyEntry(row, column, given, column);
        }
        let own = [(c"key", pg_sys::FLOAT8OID), (c"number", pg_sys::INT8OID)];
        for (at, (name, of)) in (columns as pg_sys::AttrNumber + 1..).zip(own) {
            pg_sys::TupleDescInitEntry(row, at, name.as_ptr(), of, -1, 0);
        }
        row
    }
}

/// Copies the first values of one slot to another.
///
/// # Safety
/// Both have as many columns, and `from` has a row.
unsafe fn copy_values(from: *mut pg_sys::TupleTableSlot, to: *mut pg_sys::TupleTableSlot, columns: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        pg_sys::slot_getallattrs(from);
        std::ptr::copy_nonoverlapping((*from).tts_values, (*to).tts_values, columns);
        std::ptr::copy_nonoverlapping((*from).tts_isnull, (*to).tts_isnull, columns);
    }
}
