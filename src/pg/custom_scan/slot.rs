//! Rows: a child's, and the one that a node gives.

use std::ffi::c_int;
use std::marker::PhantomData;

use pgrx::pg_sys;

use crate::pg::attribute;
use crate::pg::datum::Detoasted;

/// A row, for as long as who gave it leaves it alone.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    slot: *mut pg_sys::TupleTableSlot,
    life: PhantomData<&'a ()>,
}

impl<'a> Row<'a> {
    /// The row in a slot; `None` where there is none.
    ///
    /// # Safety
    /// `slot` is NULL or a slot whose row stays as long as `'a`.
    pub(super) unsafe fn new(slot: *mut pg_sys::TupleTableSlot) -> Option<Self> {
        // SAFETY: the caller's promise.
        let is_empty = slot.is_null() || unsafe { (*slot).tts_flags } & pg_sys::TTS_FLAG_EMPTY as u16 != 0;
        (!is_empty).then_some(Self { slot, life: PhantomData })
    }

    /// The slot itself.
    pub(super) fn slot(self) -> *mut pg_sys::TupleTableSlot {
        self.slot
    }

    /// The value of a column, counted from 0; `None` for a NULL.
    pub fn value(self, column: usize) -> Option<pg_sys::Datum> {
        // SAFETY: a row, by the promise of `new`, whose description says how many columns there are.
        unsafe {
            assert!(column < (*(*self.slot).tts_tupleDescriptor).natts as usize, "a row without column {column}");
            pg_sys::slot_getsomeattrs(self.slot, column as c_int + 1);
            let null = *(*self.slot).tts_isnull.add(column);
            (!null).then(|| *(*self.slot).tts_values.add(column))
        }
    }

    /// Whether a column is NULL.
    pub fn is_null(self, column: usize) -> bool {
        self.value(column).is_none()
    }

    /// The value of a column of a varlena type; `None` for a NULL.
    pub fn varlena(self, column: usize) -> Option<Detoasted<'a>> {
        let value = self.value(column)?;
        // SAFETY: the column is there, as `value` saw.
        let length = unsafe { (*attribute((*self.slot).tts_tupleDescriptor, column as i32 + 1)).attlen };
        assert_eq!(length, -1, "a column of a fixed size");
        // SAFETY: a varlena.
        Some(unsafe { Detoasted::new(value) })
    }

    /// Block and number of where the row lies in its table, of a column `ctid`.
    pub fn identity(self, column: usize) -> (u32, u16) {
        // SAFETY: the column is there, or the next line ends this.
        let of = unsafe { (*attribute((*self.slot).tts_tupleDescriptor, column as i32 + 1)).atttypid };
        assert_eq!(of, pg_sys::TIDOID, "a column that is no ctid");
        let Some(value) = self.value(column) else { unreachable!("a ctid is never NULL") };
        // SAFETY: a value of type tid is a pointer to one.
        let tid = unsafe { *value.cast_mut_ptr::<pg_sys::ItemPointerData>() };
        (u32::from(tid.ip_blkid.bi_hi) << 16 | u32::from(tid.ip_blkid.bi_lo), tid.ip_posid)
    }
}

/// A node's slot before it has given its next row.
pub struct EmptySlot {
    slot: *mut pg_sys::TupleTableSlot,
}

/// A node's slot with its row: only what fills one can make it.
pub struct FullSlot(());

impl EmptySlot {
    /// Empties a node's slot.
    ///
    /// # Safety
    /// `node` runs.
    pub(super) unsafe fn of(node: *mut pg_sys::CustomScanState) -> Self {
        // SAFETY: the caller's promise.
        Self { slot: unsafe { pg_sys::ExecClearTuple((*node).ss.ss_ScanTupleSlot) } }
    }

    /// The slot itself.
    pub(super) fn pointer(&self) -> *mut pg_sys::TupleTableSlot {
        self.slot
    }

    /// Puts a copy of a row with the same columns into it.
    pub fn copy(self, row: Row<'_>) -> FullSlot {
        // SAFETY: two slots; the server's copy looks at their descriptions.
        unsafe { pg_sys::ExecCopySlot(self.slot, row.slot) };
        FullSlot(())
    }

    /// Puts values into it, `None` for a NULL. What they point to must stay, as [`CustomScan::next`] says.
    ///
    /// [`CustomScan::next`]: super::CustomScan::next
    pub fn put(self, values: impl Iterator<Item = Option<pg_sys::Datum>>) -> FullSlot {
        // SAFETY: a slot has as many values as its description has columns.
        let columns = unsafe { (*(*self.slot).tts_tupleDescriptor).natts as usize };
        let mut count = 0;
        for value in values.take(columns) {
            // SAFETY: as above.
            unsafe {
                *(*self.slot).tts_values.add(count) = value.unwrap_or(pg_sys::Datum::null());
                *(*self.slot).tts_isnull.add(count) = value.is_none();
            }
            count += 1;
        }
        assert_eq!(count, columns, "a row with too few columns");
        // SAFETY: all columns are set; the slot is a virtual one, as those of custom scans are.
        unsafe { pg_sys::ExecStoreVirtualTuple(self.slot) };
        FullSlot(())
    }
}
