//! A bound on the bytes of requests that are in memory at the same time.
//!
//! Who finds too little left waits before anything is read, so a client that sends more than fits is slowed down by its
//! socket. A session that holds little has a share of its own, which those that hold much never take.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A part of the budget is reserved for sessions that hold little: one in so many bytes.
const RESERVED: usize = 4;
/// Little is one in so many bytes of the budget: 16 MB of 1 GB.
const LITTLE: usize = 64;

/// Bytes that requests may take, all connections together.
#[derive(Debug)]
pub struct Budget {
    few: Arc<Share>,
    many: Arc<Share>,
    little: usize,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        let reserved = limit / RESERVED;
        Self { few: Share::new(reserved), many: Share::new(limit - reserved), little: limit / LITTLE }
    }

    /// Gets in line for `bytes`, for a session that holds what `holder` says.
    pub fn queue(&self, bytes: usize, holder: &Arc<AtomicUsize>) -> Waiting {
        let all = holder.load(Ordering::Relaxed).saturating_add(bytes);
        let share = if all <= self.little { &self.few } else { &self.many };
        Waiting { number: share.enter(), share: Arc::clone(share), bytes, holder: Arc::clone(holder) }
    }
}

/// Bytes that are given to whoever came first. What is larger than all of them gets in alone.
#[derive(Debug)]
struct Share {
    limit: usize,
    line: Mutex<Line>,
    change: Condvar,
}

#[derive(Debug, Default)]
struct Line {
    used: usize,
    /// Numbers of those who wait.
    waiting: VecDeque<u64>,
    last: u64,
}

impl Share {
    fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, line: Mutex::default(), change: Condvar::new() })
    }

    fn enter(&self) -> u64 {
        let mut line = self.lock();
        line.last += 1;
        let number = line.last;
        line.waiting.push_back(number);
        number
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A turn in the line; dropped, it is given up.
#[derive(Debug)]
pub struct Waiting {
    share: Arc<Share>,
    number: u64,
    bytes: usize,
    holder: Arc<AtomicUsize>,
}

impl Waiting {
    /// Waits for the bytes, for `patience` at most.
    pub fn wait(&self, patience: Duration) -> Option<Permit> {
        let first = |line: &Line| line.waiting.front() == Some(&self.number);
        let fits = |line: &Line| line.used == 0 || line.used.saturating_add(self.bytes) <= self.share.limit;
        let (mut line, _) = self
            .share
            .change
            .wait_timeout_while(self.share.lock(), patience, |line| !(first(line) && fits(line)))
            .unwrap_or_else(PoisonError::into_inner);
        if !(first(&line) && fits(&line)) {
            return None;
        }
        line.used = line.used.saturating_add(self.bytes);
        drop(line);
        self.holder.fetch_add(self.bytes, Ordering::Relaxed);
        Some(Permit { share: Arc::clone(&self.share), bytes: self.bytes, holder: Arc::clone(&self.holder) })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.share.lock().waiting.retain(|number| *number != self.number);
        self.share.change.notify_all();
    }
}

/// Bytes that were got; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    share: Arc<Share>,
    bytes: usize,
    holder: Arc<AtomicUsize>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.share.lock().used -= self.bytes;
        self.holder.fetch_sub(self.bytes, Ordering::Relaxed);
        self.share.change.notify_all();
    }
}

/// The bytes of one frame, with their part of the budget (small frames take none).
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

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn what_does_not_fit_waits_in_its_order_until_room_is_given_back() {
        let budget = Budget::new(1280);
        let (mine, theirs) = (Arc::default(), Arc::default());
        let first = budget.queue(900, &mine).wait(NOW).expect("room for many");
        let (second, third) = (budget.queue(100, &mine), budget.queue(30, &theirs));
        assert!(second.wait(NOW).is_none() && third.wait(NOW).is_none(), "what came later slipped past");
        drop(first);
        let second = second.wait(NOW).expect("the first in line");
        assert!(third.wait(NOW).is_none(), "one that got its bytes is in line until it is gone");
        drop(second);
    }

    #[test]
    fn who_gives_up_holds_nobody_up() {
        let budget = Budget::new(1280);
        let mine = Arc::default();
        let first = budget.queue(900, &mine).wait(NOW).expect("room for many");
        let large = budget.queue(500, &mine);
        let small = budget.queue(40, &mine);
        assert!(small.wait(NOW).is_none());
        drop(large);
        assert!(small.wait(NOW).is_some());
        drop(first);
    }

    #[test]
    fn who_holds_little_finds_room_beside_those_who_hold_all_they_may() {
        let budget = Budget::new(1280);
        let (mine, theirs) = (Arc::default(), Arc::default());
        let all = budget.queue(960, &mine).wait(NOW).expect("room for many");
        assert!(budget.queue(20, &theirs).wait(NOW).is_some());
        assert!(budget.queue(20, &mine).wait(NOW).is_none(), "a little more for one that holds much");
        drop(all);
        assert_eq!(mine.load(Ordering::Relaxed), 0);
        assert!(budget.queue(usize::MAX, &mine).wait(NOW).is_some(), "a giant alone");
    }
}
