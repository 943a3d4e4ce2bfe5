//! Bytes that the leader of a parallel query leaves for its workers.

use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};

use pgrx::pg_sys;

use super::scan::Scan;

/// A value of any length, or a NULL, in memory that the query's processes share. Written while no worker runs: whoever
/// starts one orders its reads behind the writes.
#[derive(Debug, Default)]
pub struct SharedBytes {
    state: AtomicU8,
    length: AtomicUsize,
    /// Where the bytes are: one scan's may be longer than the one's before.
    place: AtomicU64,
}

/// The state at first.
const NOTHING: u8 = 0;
const NULL: u8 = 1;
const VALUE: u8 = 2;

/// No place, as it is at first (`InvalidDsaPointer` in src/include/utils/dsa.h).
const NOWHERE: pg_sys::dsa_pointer = 0;

impl SharedBytes {
    /// Leaves a value, `None` for a NULL, in place of the one before. In the leader.
    pub fn put(&self, scan: Scan, value: Option<&[u8]>) {
        let area = scan.area();
        let before = self.place.swap(NOWHERE, Ordering::Relaxed);
        if before != NOWHERE {
            // SAFETY: allocated below, and nobody reads it now.
            unsafe { pg_sys::dsa_free(area, before) };
        }
        let state = match value {
            None => NULL,
            // There is none where no worker can start.
            Some(_) if area.is_null() => NOTHING,
            Some(value) => {
                self.length.store(value.len(), Ordering::Relaxed);
                self.place.store(copy(area, value), Ordering::Relaxed);
                VALUE
            }
        };
        self.state.store(state, Ordering::Relaxed);
    }

    /// The value as the leader left it; `None` where it left nothing. In a worker of the same scan.
    pub fn get(&self, scan: Scan) -> Option<Option<&[u8]>> {
        match self.state.load(Ordering::Relaxed) {
            NULL => Some(None),
            VALUE => {
                let (place, length) = (self.place.load(Ordering::Relaxed), self.length.load(Ordering::Relaxed));
                // SAFETY: the bytes that `put` wrote in the same area, which stay while workers run.
                let bytes = unsafe {
                    std::slice::from_raw_parts(pg_sys::dsa_get_address(scan.area(), place).cast::<u8>(), length)
                };
                Some(Some(bytes))
            }
            _ => None,
        }
    }
}

/// A copy in shared memory.
fn copy(area: *mut pg_sys::dsa_area, value: &[u8]) -> pg_sys::dsa_pointer {
    // SAFETY: an area; what is allocated has as many bytes, or there is an ERROR.
    unsafe {
        let place = pg_sys::dsa_allocate_extended(area, value.len(), 0);
        let bytes = pg_sys::dsa_get_address(area, place);
        std::ptr::copy_nonoverlapping(value.as_ptr(), bytes.cast(), value.len());
        place
    }
}
