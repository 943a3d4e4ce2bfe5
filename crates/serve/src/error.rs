//! Why the server does not start.

use std::path::PathBuf;

use thiserror::Error;

/// Why the server does not start.
#[derive(Debug, Error)]
pub enum ServeError {
    /// A socket's path has a hard limit.
    #[error("the socket's path is {got} bytes long, the limit is {limit}; use one relative to the working directory")]
    PathTooLong {
        /// Bytes of the path.
        got: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Another engine is at work.
    #[error("another engine answers at {path}", path = path.display())]
    Answered {
        /// The socket.
        path: PathBuf,
    },
    /// The socket cannot be made.
    #[error("the socket {path} cannot be made: {source}", path = path.display())]
    Bind {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A thread of the server cannot be started.
    #[error("a thread cannot be started: {0}")]
    Thread(std::io::Error),
    /// The device does not compute.
    #[error("the device does not work: {0}")]
    WarmUp(String),
    /// The end came before the beginning.
    #[error("ended before it was ready: {0}")]
    Ended(crate::end::End),
    /// A bug: the engine ends rather than accept what it cannot answer.
    #[error("the {0} thread panicked")]
    Panicked(&'static str),
    /// A setting that cannot be used here.
    #[error("{0}")]
    Setting(String),
}
