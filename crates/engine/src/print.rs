//! What a command says: results on the standard output, progress on the standard error stream.

use std::io::{self, ErrorKind, Write};

/// Prints a text and ends its line. A reader that has seen enough (`| head`) is no error.
///
/// # Errors
/// The standard output cannot be written.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Says a line on the standard error stream. Nobody reading it is no reason to stop working, and `eprintln!` panics then.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
