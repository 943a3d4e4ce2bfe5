//! What a command says on the standard output.

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
