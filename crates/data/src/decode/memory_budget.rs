//! A bound on the memory in which images are decoded, shared by all decoding threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes that decoding threads may take together. Who asks for more than all of it gets it, alone.
#[derive(Debug)]
pub struct MemoryBudget {
    limit: u64,
    state: Mutex<State>,
    change: Condvar,
}

#[derive(Debug, Default)]
struct State {
    taken: u64,
    /// Numbers of those who came, and of whose turn it is: without turns a large image would wait for ever while
    /// small ones slip past it.
    last: u64,
    turn: u64,
}

impl MemoryBudget {
    /// A budget of `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self { limit, state: Mutex::default(), change: Condvar::new() }
    }

    /// Takes `bytes`, waiting for them; they are given back when the result is dropped.
    pub fn reserve(&self, bytes: u64) -> Reserved<'_> {
        let mut state = self.lock();
        let number = state.last;
        state.last += 1;
        while state.turn != number || !(state.taken == 0 || state.taken.saturating_add(bytes) <= self.limit) {
            state = self.change.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.turn += 1;
        state.taken = state.taken.saturating_add(bytes);
        drop(state);
        self.change.notify_all();
        Reserved { budget: self, bytes }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes taken.
#[derive(Debug)]
pub struct Reserved<'a> {
    budget: &'a MemoryBudget,
    bytes: u64,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.budget.lock().taken -= self.bytes;
        self.budget.change.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn no_more_is_taken_than_there_is_and_everybody_has_a_turn() {
        let budget = MemoryBudget::new(100);
        let (now, most, done) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for thread in 0..8u64 {
                let (budget, now, most, done) = (&budget, &now, &most, &done);
                scope.spawn(move || {
                    for round in 0..200 {
                        let bytes = 1 + (thread * 37 + round * 11) % 60;
                        let _reserved = budget.reserve(bytes);
                        most.fetch_max(now.fetch_add(bytes, Ordering::SeqCst) + bytes, Ordering::SeqCst);
                        thread::yield_now();
                        now.fetch_sub(bytes, Ordering::SeqCst);
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(done.into_inner(), 1600);
        let most = most.into_inner();
        assert!((61..=100).contains(&most), "{most}");
    }

    #[test]
    fn what_is_larger_than_the_budget_gets_in_alone() {
        let budget = MemoryBudget::new(100);
        drop(budget.reserve(u64::MAX));
        let reserved = budget.reserve(100);
        thread::scope(|scope| {
            let large = scope.spawn(|| drop(budget.reserve(1000)));
            thread::sleep(std::time::Duration::from_millis(20));
            assert!(!large.is_finished());
            drop(reserved);
        });
    }
}
