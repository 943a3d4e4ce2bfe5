//! Why the program stops, as sentences.

use std::path::{Path, PathBuf};

/// What ends a run.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server could not be made, started or reached.
    #[error("{0}")]
    Cluster(#[from] grnet_cluster::Error),
    /// The server refused a statement.
    #[error("{doing}: {}", told(source))]
    Sql {
        /// What was being done.
        doing: &'static str,
        /// What the server said.
        source: postgres::Error,
    },
    /// A file or folder could not be used.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A photo could not be drawn.
    #[error(transparent)]
    Render(#[from] grnet_render::EncodeError),
    /// A picture could not be encoded.
    #[error("cannot encode a picture: {0}")]
    Encode(#[from] image::ImageError),
    /// Something that was given does not do.
    #[error("{0}")]
    Input(String),
    /// A thread of this program ended in a panic.
    #[error("a worker of this program broke down; the message above says where")]
    Worker,
}

/// The result of most functions here.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// For `map_err`: a file or folder.
    pub fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// For `map_err`: a statement.
    pub fn sql(doing: &'static str) -> impl FnOnce(postgres::Error) -> Self {
        move |source| Self::Sql { doing, source }
    }
}

/// What the server said, without detail and hint.
pub fn briefly(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |said| said.message().to_owned())
}

/// What the server said, with detail and hint; on one line.
pub fn told(error: &postgres::Error) -> String {
    match error.as_db_error() {
        None => error.to_string(),
        Some(said) => {
            let mut text = said.message().to_owned();
            for more in [said.detail(), said.hint()].into_iter().flatten() {
                text.push_str(if text.ends_with('.') { " " } else { ". " });
                text.push_str(more);
            }
            text
        }
    }
}
