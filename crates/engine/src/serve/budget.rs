//! A bound on the bytes of requests that are in memory at the same time.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that requests may take, all connections together.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    /// Reserves `bytes`, before they are read; `None` where they do not fit beside what is there.
    pub fn reserve(self: &Arc<Self>, bytes: usize) -> Option<Permit> {
        self.used
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                used.checked_add(bytes).filter(|&sum| sum <= self.limit)
            })
            .ok()
            .map(|_| Permit { budget: Arc::clone(self), bytes })
    }
}

/// Reserved bytes; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// The bytes of one frame, with their place in the budget (small frames take none).
#[derive(Debug)]
pub struct Frame {
    bytes: Vec<u8>,
    _permit: Option<Permit>,
}

impl Frame {
    /// Ties a frame's bytes to what was reserved for them.
    pub fn new(bytes: Vec<u8>, permit: Option<Permit>) -> Self {
        Self { bytes, _permit: permit }
    }
}

impl Deref for Frame {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_beyond_the_limit_is_refused_until_room_is_given_back() {
        let budget = Budget::new(10);
        let first = budget.reserve(7);
        assert!(first.is_some() && budget.reserve(4).is_none() && budget.reserve(usize::MAX).is_none());
        drop(first);
        assert!(budget.reserve(10).is_some());
    }
}
