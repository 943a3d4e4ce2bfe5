//! What the processes of a parallel query share of a node: the query's side, and what the workers counted.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};

use pgrx::pg_sys;

use super::counted::Counted;

/// A node's shared memory.
#[repr(C)]
pub struct Shared {
    batches: AtomicU64,
    pairs: AtomicU64,
    fetching: AtomicU64,
    scoring: AtomicU64,
    given: Given,
    length: usize,
    /// Where its bytes are, in memory that the query's processes share: one scan's may be longer than the one's before.
    value: pg_sys::dsa_pointer,
}

/// What the leader has left for its workers.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    Nothing,
    Null,
    Value,
}

/// No place (`InvalidDsaPointer` in src/include/utils/dsa.h).
const NOWHERE: pg_sys::dsa_pointer = 0;

impl Shared {
    /// Bytes of shared memory for it.
    pub fn size() -> pg_sys::Size {
        size_of::<Self>()
    }

    /// Begins it, in the leader.
    ///
    /// # Safety
    /// `memory` has [`size`](Self::size) bytes and is aligned for any type.
    pub unsafe fn begin(memory: *mut c_void) -> *mut Self {
        let shared = memory.cast::<Self>();
        let none = || AtomicU64::new(0);
        let begun = Self {
            batches: none(),
            pairs: none(),
            fetching: none(),
            scoring: none(),
            given: Given::Nothing,
            length: 0,
            value: NOWHERE,
        };
        // SAFETY: the caller's promise.
        unsafe { shared.write(begun) };
        shared
    }

    /// Leaves the query's side for the workers, `None` for a NULL.
    ///
    /// # Safety
    /// No worker runs, and `area` is the memory that the query's processes share, the same for each call.
    pub unsafe fn put(&mut self, area: *mut pg_sys::dsa_area, value: Option<&[u8]>) {
        let before = std::mem::replace(&mut self.value, NOWHERE);
        // SAFETY: the caller's promise; memory of this node's, which nobody reads now. What is allocated has as many
        // bytes, or there is an ERROR.
        unsafe {
            if before != NOWHERE {
                pg_sys::dsa_free(area, before);
            }
            self.given = match value {
                None => Given::Null,
                // There is none where no worker can start.
                Some(_) if area.is_null() => Given::Nothing,
                Some(value) => {
                    self.value = pg_sys::dsa_allocate_extended(area, value.len(), 0);
                    self.length = value.len();
                    let bytes = pg_sys::dsa_get_address(area, self.value);
                    std::ptr::copy_nonoverlapping(value.as_ptr(), bytes.cast(), value.len());
                    Given::Value
                }
            };
        }
    }

    /// The query's side as the leader left it; `None` where it left nothing.
    ///
    /// # Safety
    /// `area` is the memory that the query's processes share.
    pub unsafe fn get(&self, area: *mut pg_sys::dsa_area) -> Option<Option<&[u8]>> {
        match self.given {
            Given::Nothing => None,
            Given::Null => Some(None),
            // SAFETY: the bytes that `put` wrote, which stay while workers run.
            Given::Value => Some(Some(unsafe {
                std::slice::from_raw_parts(pg_sys::dsa_get_address(area, self.value).cast::<u8>(), self.length)
            })),
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
