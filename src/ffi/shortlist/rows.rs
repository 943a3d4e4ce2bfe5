//! Rows that are kept in the order of their scores, and the places of rows that were read.

use std::collections::HashSet;

use pgrx::{PgMemoryContexts, pg_sys};

use crate::error::Error;
use crate::ffi::rank::batch::Batch;

/// Rows with their logits, in a memory of their own.
pub struct Rows {
    memory: pg_sys::MemoryContext,
    rows: Vec<(Option<f64>, pg_sys::MinimalTuple)>,
    given: usize,
}

impl Rows {
    /// None yet.
    ///
    /// # Safety
    /// `parent` lives as long as the result.
    pub unsafe fn new(parent: pg_sys::MemoryContext) -> Self {
        // SAFETY: the caller's promise; the name is a C string that is never freed.
        let memory = unsafe {
            pg_sys::AllocSetContextCreateInternal(
                parent,
                c"GrnetShortlist".as_ptr(),
                pg_sys::ALLOCSET_DEFAULT_MINSIZE as pg_sys::Size,
                pg_sys::ALLOCSET_DEFAULT_INITSIZE as pg_sys::Size,
                pg_sys::ALLOCSET_DEFAULT_MAXSIZE as pg_sys::Size,
            )
        };
        Self { memory, rows: Vec::new(), given: 0 }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Takes the scored rows of a batch.
    ///
    /// # Safety
    /// The batch is filled and scored.
    pub unsafe fn take(&mut self, batch: &Batch) {
        let more = batch.logits.len();
        if self.rows.try_reserve(more).is_err() {
            Error::NoMemory { bytes: more * size_of::<(Option<f64>, pg_sys::MinimalTuple)>() }.raise();
        }
        for (at, logit) in batch.logits.iter().enumerate() {
            let slot = batch.row(at);
            // SAFETY: the caller's promise.
            let copy =
                unsafe { PgMemoryContexts::For(self.memory).switch_to(|_| pg_sys::ExecCopySlotMinimalTuple(slot)) };
            self.rows.push((*logit, copy));
        }
    }

    /// Puts the best first, NULLs last, and what is equal as it came.
    pub fn sort(&mut self) {
        let key = |logit: Option<f64>| logit.unwrap_or(f64::NEG_INFINITY);
        self.rows.sort_by(|(a, _), (b, _)| a.is_none().cmp(&b.is_none()).then(key(*b).total_cmp(&key(*a))));
    }

    /// The next in order, which stays until [`clear`](Self::clear).
    pub fn next(&mut self) -> Option<pg_sys::MinimalTuple> {
        let (_, row) = self.rows.get(self.given)?;
        self.given += 1;
        Some(*row)
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.given = 0;
        // SAFETY: nothing refers to the rows any more.
        unsafe { pg_sys::MemoryContextReset(self.memory) }
    }
}

/// Places of rows in their table.
#[derive(Debug, Default)]
pub struct Places {
    known: HashSet<u64>,
}

impl Places {
    /// Notes the place of a row. True if it is new.
    ///
    /// # Safety
    /// `column`, counted from 0, is the row's `ctid`.
    pub unsafe fn note(&mut self, row: *mut pg_sys::TupleTableSlot, column: usize) -> bool {
        // SAFETY: the caller's promise; a `ctid` is a pointer to a place, and never NULL.
        let place = unsafe {
            pg_sys::slot_getsomeattrs(row, column as std::ffi::c_int + 1);
            let value = *(*row).tts_values.add(column);
            *value.cast_mut_ptr::<pg_sys::ItemPointerData>()
        };
        let block = u64::from(place.ip_blkid.bi_hi) << 16 | u64::from(place.ip_blkid.bi_lo);
        if self.known.try_reserve(1).is_err() {
            Error::NoMemory { bytes: 2 * self.known.capacity() * size_of::<u64>() }.raise();
        }
        self.known.insert(block << 16 | u64::from(place.ip_posid))
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.known = HashSet::new();
    }
}
