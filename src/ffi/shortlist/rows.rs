//! Rows in the order of their scores, and the places of rows that were read.

use std::collections::HashMap;

use pgrx::{PgMemoryContexts, pg_sys};

use super::order::Rule;
use crate::error::Error;
use crate::ffi::rank::batch::Batch;

/// Rows that are sorted by their scores, by the server's own sort: within `work_mem`, and in files beyond.
pub struct Ranked {
    /// Where slots and sorts live: as long as the query.
    memory: pg_sys::MemoryContext,
    /// A row's columns, its key and its number, on their way into the sort and out of it.
    put: *mut pg_sys::TupleTableSlot,
    got: *mut pg_sys::TupleTableSlot,
    columns: usize,
    /// The further keys: columns and how they are ordered by.
    keys: Vec<(usize, Rule)>,
    sort: *mut pg_sys::Tuplesortstate,
    taken: usize,
}

/// `<` of `double precision` and of `bigint` (src/include/catalog/pg_operator.dat).
const LESS: [u32; 2] = [672, 412];

impl Ranked {
    /// None yet, of rows as `child` gives them, which are also ordered by `keys`: columns, counted from 0.
    ///
    /// # Safety
    /// `child` is a node of a query that begins, whose state is `estate`.
    pub unsafe fn new(child: *mut pg_sys::PlanState, estate: *mut pg_sys::EState, keys: Vec<(usize, Rule)>) -> Self {
        // SAFETY: the caller's promise; a node that begins knows its columns. The description gets two more, and lies,
        // like the slots, in the query's memory.
        unsafe {
            let memory = (*estate).es_query_cxt;
            let given = pg_sys::ExecGetResultType(child);
            let columns = (*given).natts;
            let row = PgMemoryContexts::For(memory).switch_to(|_| {
                let row = pg_sys::CreateTemplateTupleDesc(columns + 2);
                for column in 1..=columns as pg_sys::AttrNumber {
                    pg_sys::TupleDescCopyEntry(row, column, given, column);
                }
                let own = [(c"key", pg_sys::FLOAT8OID), (c"number", pg_sys::INT8OID)];
                for (at, (name, of)) in (columns as pg_sys::AttrNumber + 1..).zip(own) {
                    pg_sys::TupleDescInitEntry(row, at, name.as_ptr(), of, -1, 0);
                }
                row
            });
            let put = pg_sys::ExecInitExtraTupleSlot(estate, row, &raw const pg_sys::TTSOpsVirtual);
            let got = pg_sys::ExecInitExtraTupleSlot(estate, row, &raw const pg_sys::TTSOpsMinimalTuple);
            Self { memory, put, got, columns: columns as usize, keys, sort: std::ptr::null_mut(), taken: 0 }
        }
    }

    /// Whether there are further keys.
    pub fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// How many were taken.
    pub fn len(&self) -> usize {
        self.taken
    }

    /// Takes the scored rows of a batch; none has no score.
    ///
    /// # Safety
    /// The batch is filled and scored, of rows of the child.
    pub unsafe fn take(&mut self, batch: &Batch) {
        // SAFETY: the caller's promise; a slot has as many places as its description has columns, and the sort copies
        // what it is given.
        unsafe {
            if self.sort.is_null() {
                self.begin();
            }
            for (at, logit) in batch.logits.iter().enumerate() {
                let row = batch.row(at);
                pg_sys::slot_getallattrs(row);
                pg_sys::ExecClearTuple(self.put);
                let (values, nulls) = ((*self.put).tts_values, (*self.put).tts_isnull);
                std::ptr::copy_nonoverlapping((*row).tts_values, values, self.columns);
                std::ptr::copy_nonoverlapping((*row).tts_isnull, nulls, self.columns);
                // The best first; for the server's sort no number is greater than NaN.
                let key = logit.map_or(f64::NAN, |logit| -logit);
                *values.add(self.columns) = pg_sys::Datum::from(key.to_bits() as usize);
                *values.add(self.columns + 1) = pg_sys::Datum::from(self.taken);
                *nulls.add(self.columns) = false;
                *nulls.add(self.columns + 1) = false;
                pg_sys::ExecStoreVirtualTuple(self.put);
                pg_sys::tuplesort_puttupleslot(self.sort, self.put);
                self.taken += 1;
            }
            pg_sys::ExecClearTuple(self.put);
        }
    }

    /// # Safety
    /// There is no sort.
    unsafe fn begin(&mut self) {
        // The score, the query's other keys, and what is equal by all of them as it came.
        let none = pg_sys::InvalidOid;
        let own = LESS.map(|less| Rule { operator: pg_sys::Oid::from(less), collation: none, nulls_first: false });
        let keys = self.keys.iter().copied();
        let keys: Vec<(usize, Rule)> =
            std::iter::once((self.columns, own[0])).chain(keys).chain([(self.columns + 1, own[1])]).collect();
        let mut places: Vec<_> = keys.iter().map(|(column, _)| *column as pg_sys::AttrNumber + 1).collect();
        let mut operators: Vec<_> = keys.iter().map(|(_, rule)| rule.operator).collect();
        let mut collations: Vec<_> = keys.iter().map(|(_, rule)| rule.collation).collect();
        let mut nulls_first: Vec<_> = keys.iter().map(|(_, rule)| rule.nulls_first).collect();
        // SAFETY: arrays of one length, which the sort copies; it lives in the query's memory, and its files end with the
        // query at the latest.
        unsafe {
            self.sort = PgMemoryContexts::For(self.memory).switch_to(|_| {
                pg_sys::tuplesort_begin_heap(
                    (*self.put).tts_tupleDescriptor,
                    keys.len() as i32,
                    places.as_mut_ptr(),
                    operators.as_mut_ptr(),
                    collations.as_mut_ptr(),
                    nulls_first.as_mut_ptr(),
                    pg_sys::work_mem,
                    std::ptr::null_mut(),
                    pg_sys::TUPLESORT_NONE as i32,
                )
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

    /// Puts the next in order into `slot`, where it stays until the one after it is asked for. False where there is none.
    ///
    /// # Safety
    /// [`sort`](Self::sort) was called, and `slot` is an empty virtual one with the child's columns.
    pub unsafe fn next(&mut self, slot: *mut pg_sys::TupleTableSlot) -> bool {
        // SAFETY: the caller's promise; values point into the row, which the sort keeps until it gives the next.
        unsafe {
            let none = std::ptr::null_mut();
            if self.sort.is_null() || !pg_sys::tuplesort_gettupleslot(self.sort, true, false, self.got, none) {
                return false;
            }
            pg_sys::slot_getallattrs(self.got);
            std::ptr::copy_nonoverlapping((*self.got).tts_values, (*slot).tts_values, self.columns);
            std::ptr::copy_nonoverlapping((*self.got).tts_isnull, (*slot).tts_isnull, self.columns);
            pg_sys::ExecStoreVirtualTuple(slot);
            true
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.taken = 0;
        let sort = std::mem::replace(&mut self.sort, std::ptr::null_mut());
        if !sort.is_null() {
            // SAFETY: the slots point into the sort's memory until they are cleared; nobody else knows it.
            unsafe {
                pg_sys::ExecClearTuple(self.got);
                pg_sys::tuplesort_end(sort);
            }
        }
    }
}

/// Places of rows in their table: a bit for each, and 16 bytes for each 64 neighbours of a block.
#[derive(Debug, Default)]
pub struct Places {
    known: HashMap<u64, u64>,
}

impl Places {
    /// Notes the place of a row. True if it is new.
    ///
    /// # Safety
    /// `column`, counted from 0, is the row's `ctid`.
    pub unsafe fn note(&mut self, row: *mut pg_sys::TupleTableSlot, column: usize) -> bool {
        // SAFETY: the caller's promise.
        let (part, bit) = unsafe { place(row, column) };
        if self.known.try_reserve(1).is_err() {
            Error::NoMemory { bytes: 2 * self.known.capacity() * size_of::<(u64, u64)>() }.raise();
        }
        let bits = self.known.entry(part).or_default();
        let is_new = *bits & bit == 0;
        *bits |= bit;
        is_new
    }

    /// Whether the place of a row was noted.
    ///
    /// # Safety
    /// As for [`note`](Self::note).
    pub unsafe fn has(&self, row: *mut pg_sys::TupleTableSlot, column: usize) -> bool {
        // SAFETY: the caller's promise.
        let (part, bit) = unsafe { place(row, column) };
        self.known.get(&part).is_some_and(|bits| bits & bit != 0)
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.known = HashMap::new();
    }
}

/// A row's place: 64 neighbours of a block, and which one.
///
/// # Safety
/// `column`, counted from 0, is the row's `ctid`.
unsafe fn place(row: *mut pg_sys::TupleTableSlot, column: usize) -> (u64, u64) {
    // SAFETY: the caller's promise; a `ctid` is a pointer to a place, and never NULL.
    let place = unsafe {
        pg_sys::slot_getsomeattrs(row, column as std::ffi::c_int + 1);
        let value = *(*row).tts_values.add(column);
        *value.cast_mut_ptr::<pg_sys::ItemPointerData>()
    };
    let block = u64::from(place.ip_blkid.bi_hi) << 16 | u64::from(place.ip_blkid.bi_lo);
    (block << 10 | u64::from(place.ip_posid >> 6), 1 << (place.ip_posid & 63))
}
