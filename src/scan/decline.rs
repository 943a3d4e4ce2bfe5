//! Why a query that is ordered by a score was left to the plain plan.

use std::borrow::Cow;
use std::cell::RefCell;

/// A sentence without a full stop.
pub type Reason = Cow<'static, str>;

thread_local! {
    static REASON: RefCell<Option<Reason>> = const { RefCell::new(None) };
}

/// Keeps a reason until it is asked for.
pub fn remember(reason: impl Into<Reason>) {
    REASON.set(Some(reason.into()));
}

/// The last reason, which is forgotten.
pub fn take() -> Option<Reason> {
    REASON.take()
}
