//! Failing the n-th operation on purpose, so that a test can prove that each of them is handled.
//!
//! Off unless [`arm`] was called; then every check costs one atomic load. The engine arms it from the environment
//! variable `GRNET_FAIL_NTH`, a backend from the superuser's setting `grnet.debug_fail_nth`.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// Operations left until one fails; 0 is off.
static LEFT: AtomicU64 = AtomicU64::new(0);

/// What an operation does, for the error's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Waiting for a client.
    Accept,
    /// Opening a connection.
    Connect,
    /// Taking bytes.
    Read,
    /// Giving bytes.
    Write,
    /// Starting a process or a thread.
    Spawn,
}

/// Makes the `n`-th operation from now fail once; 0 makes none fail.
pub fn arm(n: u64) {
    LEFT.store(n, Ordering::Relaxed);
}

/// Whether an armed failure has not come yet.
pub fn armed() -> bool {
    LEFT.load(Ordering::Relaxed) > 0
}

/// Counts one operation.
///
/// # Errors
/// This is the operation that was to fail.
pub fn check(operation: Operation) -> io::Result<()> {
    if LEFT.load(Ordering::Relaxed) == 0 {
        return Ok(());
    }
    let before = LEFT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    if before == Ok(1) {
        return Err(io::Error::other(format!("{operation:?} failed on purpose")));
    }
    Ok(())
}
