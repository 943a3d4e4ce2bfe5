//! Why a query that is ordered by a score was left to the plain plan.

use std::cell::Cell;

thread_local! {
    static REASON: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Keeps a reason until it is asked for.
pub fn remember(reason: &'static str) {
    REASON.set(Some(reason));
}

/// The last reason, which is forgotten.
pub fn take() -> Option<&'static str> {
    REASON.take()
}
