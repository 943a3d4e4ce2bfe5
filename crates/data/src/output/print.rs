//! What a command says: results on the standard output, progress on the standard error stream.

use std::io::{self, ErrorKind, Write};

/// Prints a text and ends its line. A reader that has seen enough (`| head`) is no error.
///
/// # Errors
/// The standard output cannot be written.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    heard(writeln!(out, "{text}").and_then(|()| out.flush())).map(drop)
}

/// Whether somebody still reads what was written.
///
/// # Errors
/// Any error but a closed pipe.
pub fn heard(written: io::Result<()>) -> io::Result<bool> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        other => other.map(|()| true),
    }
}

/// Says a line on the standard error stream. Nobody reading it is no reason to stop working, and `eprintln!` panics
/// then.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
