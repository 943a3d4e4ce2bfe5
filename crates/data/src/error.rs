//! What can go wrong with files and data sets.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Everything that this crate reports.
#[derive(Debug, Error)]
pub enum DataError {
    /// A file that cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A dataset that cannot be trained on or evaluated with.
    #[error("{path}: {reason}")]
    Dataset {
        /// The folder or table.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl DataError {
    /// An [`Io`](Self::Io) error of `path`.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
