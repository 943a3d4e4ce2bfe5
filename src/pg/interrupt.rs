//! Waiting in a server process: for a socket, for time, and always for the server's own wishes.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use pgrx::pg_sys;

/// What to wait for on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Bytes, or the other side's end.
    Read,
    /// Room for bytes.
    Write,
}

/// Waits until `socket` is ready, the process's latch is set, or `timeout` is over, whichever comes first.
///
/// A cancel, `statement_timeout` or termination raises its ERROR from here; the postmaster's death ends the process.
/// True where the socket is ready.
pub fn wait(socket: Option<(BorrowedFd<'_>, Want)>, timeout: Duration) -> bool {
    let mut events = pg_sys::WL_LATCH_SET | pg_sys::WL_TIMEOUT | pg_sys::WL_EXIT_ON_PM_DEATH;
    let wanted = match socket {
        Some((_, Want::Read)) => pg_sys::WL_SOCKET_READABLE,
        Some((_, Want::Write)) => pg_sys::WL_SOCKET_WRITEABLE,
        None => 0,
    };
    events |= wanted;
    let descriptor = socket.map_or(pg_sys::PGINVALID_SOCKET, |(fd, _)| fd.as_raw_fd());
    let milliseconds = timeout.as_millis().clamp(1, 60_000) as std::ffi::c_long;
    // SAFETY: MyLatch is this process's own latch, set up before any extension code runs; the descriptor is borrowed
    // for the time of the call.
    let happened = unsafe {
        pg_sys::WaitLatchOrSocket(pg_sys::MyLatch, events as i32, descriptor, milliseconds, pg_sys::PG_WAIT_EXTENSION)
    } as u32;
    if happened & pg_sys::WL_LATCH_SET != 0 {
        // SAFETY: as above; resetting before looking is the latch's protocol.
        unsafe { pg_sys::ResetLatch(pg_sys::MyLatch) };
    }
    check();
    happened & wanted != 0
}

/// Raises the ERROR of a pending cancel, timeout or termination.
pub fn check() {
    // SAFETY: reads the server's flag and calls the server's handler, as CHECK_FOR_INTERRUPTS does.
    unsafe {
        if pg_sys::InterruptPending != 0 {
            pg_sys::ProcessInterrupts();
        }
    }
}
