//! What the processes of a parallel query share of a node.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};

use super::shared_bytes::SharedBytes;

/// Counts that a node counts.
pub type Counts = [u64; 4];

/// What is shared: no pointers, nothing to drop, and whatever changes is atomic, so that it means the same at any address
/// and in any process.
#[derive(Debug, Default)]
pub struct SharedPart {
    /// What the workers counted.
    numbers: [AtomicU64; 4],
    /// What the leader leaves for its workers.
    pub bytes: SharedBytes,
}

impl SharedPart {
    /// Puts a new one into shared memory.
    ///
    /// # Safety
    /// `memory` has as many bytes, is aligned for any type and stays as long as the reference is used.
    pub(super) unsafe fn put(memory: *mut c_void) -> &'static Self {
        let part = memory.cast::<Self>();
        // SAFETY: the caller's promise.
        unsafe { part.write(Self::default()) };
        // SAFETY: as above; it was just written.
        unsafe { &*part }
    }

    /// The one that another process has put there.
    ///
    /// # Safety
    /// It has, and the memory stays as long as the reference is used.
    pub(super) unsafe fn get(memory: *mut c_void) -> &'static Self {
        // SAFETY: the caller's promise.
        unsafe { &*memory.cast::<Self>() }
    }

    /// Adds to the numbers.
    pub fn add(&self, more: Counts) {
        for (number, more) in self.numbers.iter().zip(more) {
            number.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// Takes the numbers, which begin at 0 again.
    pub fn take(&self) -> Counts {
        [0, 1, 2, 3].map(|at: usize| self.numbers[at].swap(0, Ordering::Relaxed))
    }
}
