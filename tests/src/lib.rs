//! What the tests of real servers share: a server with the extension in it, images, hostile files, and errors as the
//! server reports them.

pub mod clobber;
pub mod differential;
pub mod fuzz;
pub mod growing;
pub mod hostile;
pub mod images;
pub mod plans;
pub mod processes;
pub mod refusal;
pub mod server;
pub mod shapes;
pub mod shortlist;
pub mod sqltext;

use std::time::{Duration, Instant};

/// Waits until `done`, at most `limit`; gives how long it took.
///
/// # Panics
/// It was not done within the limit.
pub fn eventually(what: &str, limit: Duration, mut done: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
    start.elapsed()
}

/// A number from an environment variable, or `default` where it is not set.
///
/// # Panics
/// It is set to something else.
pub fn number_of(variable: &str, default: usize) -> usize {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}, not a number")),
        Err(_) => default,
    }
}
