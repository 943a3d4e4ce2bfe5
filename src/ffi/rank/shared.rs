//! What the processes of a parallel query share of a node: the query's side, and what the workers counted.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};

use pgrx::pg_sys;

use super::counted::Counted;

/// Begins a node's shared memory; the bytes of the query's side follow it.
#[repr(C)]
pub struct Shared {
    batches: AtomicU64,
    pairs: AtomicU64,
    fetching: AtomicU64,
    scoring: AtomicU64,
    given: Given,
    length: usize,
    capacity: usize,
}

/// What the leader has left for its workers.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    Nothing,
    Null,
    Value,
}

impl Shared {
    /// Bytes of shared memory for a query's side of `length` bytes.
    pub fn size(length: usize) -> pg_sys::Size {
        size_of::<Self>() + length
    }

    /// Begins it, in the leader.
    ///
    /// # Safety
    /// `memory` has [`size(capacity)`](Self::size) bytes and is aligned for any type.
    pub unsafe fn begin(memory: *mut c_void, capacity: usize) -> *mut Self {
        let shared = memory.cast::<Self>();
        let none = || AtomicU64::new(0);
        let begun = Self {
            batches: none(),
            pairs: none(),
            fetching: none(),
            scoring: none(),
            given: Given::Nothing,
            length: 0,
            capacity,
        };
        // SAFETY: the caller's promise.
        unsafe { shared.write(begun) };
        shared
    }

    /// Leaves the query's side for the workers, `None` for a NULL. One that is longer than there is room, they evaluate.
    ///
    /// # Safety
    /// `self` was begun with its capacity, and no worker runs.
    pub unsafe fn put(&mut self, value: Option<&[u8]>) {
        self.given = match value {
            None => Given::Null,
            Some(value) if value.len() > self.capacity => Given::Nothing,
            Some(value) => {
                self.length = value.len();
                // SAFETY: the bytes behind the struct, as many as the capacity says.
                unsafe { std::ptr::copy_nonoverlapping(value.as_ptr(), (&raw mut *self).add(1).cast(), value.len()) };
                Given::Value
            }
        };
    }

    /// The query's side as the leader left it; `None` where it left nothing.
    ///
    /// # Safety
    /// `self` was begun with its capacity.
    pub unsafe fn get(&self) -> Option<Option<&[u8]>> {
        match self.given {
            Given::Nothing => None,
            Given::Null => Some(None),
            Given::Value => {
                let bytes = (&raw const *self).wrapping_add(1).cast::<u8>();
                // SAFETY: the bytes behind the struct, as `put` wrote them.
                Some(Some(unsafe { std::slice::from_raw_parts(bytes, self.length) }))
            }
        }
    }

    /// Adds a worker's figures.
    pub fn add(&self, more: Counted) {
        self.batches.fetch_add(more.batches, Ordering::Relaxed);
        self.pairs.fetch_add(more.pairs, Ordering::Relaxed);
        self.fetching.fetch_add(more.fetching, Ordering::Relaxed);
        self.scoring.fetch_add(more.scoring, Ordering::Relaxed);
    }

    /// Takes all that was counted.
    pub fn take(&self) -> Counted {
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        Counted {
            batches: take(&self.batches),
            pairs: take(&self.pairs),
            fetching: take(&self.fetching),
            scoring: take(&self.scoring),
        }
    }
}
