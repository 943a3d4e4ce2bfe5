//! Rows of a child that are kept.

use pgrx::pg_sys;

use super::scan::Child;
use super::slot::Row;
use crate::pg::interrupt;

/// Copies of a child's rows, in slots that are used again and again and are the server's to free.
pub struct RowBuffer {
    estate: *mut pg_sys::EState,
    slots: Vec<*mut pg_sys::TupleTableSlot>,
    filled: usize,
}

impl RowBuffer {
    /// An empty one, of a node that is being begun in the query with this state.
    pub(super) fn new(estate: *mut pg_sys::EState) -> Self {
        Self { estate, slots: Vec::new(), filled: 0 }
    }

    /// Rows that are in it.
    pub fn len(&self) -> usize {
        self.filled
    }

    /// One of them.
    pub fn row(&self, at: usize) -> Row<'_> {
        assert!(at < self.filled, "row {at} of {}", self.filled);
        // SAFETY: a slot of the query's, with a copy that stays until the buffer changes.
        unsafe { Row::new(self.slots[at]) }.unwrap_or_else(|| unreachable!("a slot with a row"))
    }

    /// All of them.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.filled).map(|at| self.row(at))
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.filled = 0;
    }

    /// Forgets the slots, which the query's end frees.
    pub fn end(&mut self) {
        self.filled = 0;
        self.slots.clear();
    }

    /// Fills it with the next rows of a child, at most `wanted` of those that `keep` wants. False once the child has no
    /// more: it must not be asked again in this scan.
    pub fn fill(&mut self, child: &mut Child, wanted: usize, mut keep: impl FnMut(Row<'_>) -> bool) -> bool {
        self.filled = 0;
        while self.filled < wanted {
            interrupt::check();
            let Some(row) = child.next() else { return false };
            if keep(row) {
                self.push(row);
            }
        }
        true
    }

    fn push(&mut self, row: Row<'_>) {
        // SAFETY: the query's state, between the node's begin and its end; slots with one description.
        unsafe {
            if self.filled == self.slots.len() {
                let description = (*row.slot()).tts_tupleDescriptor;
                let kind = &raw const pg_sys::TTSOpsMinimalTuple;
                self.slots.push(pg_sys::ExecInitExtraTupleSlot(self.estate, description, kind));
            }
            pg_sys::ExecCopySlot(self.slots[self.filled], row.slot());
        }
        self.filled += 1;
    }
}
