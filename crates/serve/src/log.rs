//! One line an event on the standard error stream, which the supervisor forwards to the server's log (and stamps).

use std::fmt::Arguments;
use std::io::Write;

/// Writes one line. A log that cannot be written is no reason to stop working, so errors are swallowed.
pub fn line(text: Arguments<'_>) {
    // One write a line: lines of several threads do not mix, and a pipe takes up to 4 KB at once.
    let line = format!("grnet-engine: {text}\n");
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

/// Logs one event, formatted as by `format!`.
macro_rules! log_event {
    ($($part:tt)*) => { $crate::log::line(format_args!($($part)*)) };
}
pub(crate) use log_event;
