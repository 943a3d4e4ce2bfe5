//! Why a server ends, and what happens to it before.

use std::fmt;

/// Why a server ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It was told to.
    Signal(i32),
    /// The process that started it is gone.
    ParentGone,
    /// A thread it cannot do without panicked.
    Panicked(&'static str),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(number) => write!(f, "signal {number}"),
            Self::ParentGone => write!(f, "the process that started the engine is gone"),
            Self::Panicked(thread) => write!(f, "the {thread} thread panicked"),
        }
    }
}

/// What happens to a server.
#[derive(Debug)]
pub enum Event {
    /// The device computed something, or cannot.
    Warm(Result<(), String>),
    /// It is over.
    End(End),
}
