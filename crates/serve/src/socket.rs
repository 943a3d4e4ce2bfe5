//! The engine's socket file: made under another name, put in place when the engine is ready, taken away at its end.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::error::ServeError;
use crate::log::log_event;

/// What `sockaddr_un` has room for.
const LONGEST: usize = 107;

/// A listening socket and its file.
#[derive(Debug)]
pub struct Socket {
    /// The listening socket.
    pub listener: UnixListener,
    path: PathBuf,
    unready: PathBuf,
    identity: (u64, u64),
}

impl Socket {
    /// Binds beside `path`, so that nobody finds a socket there that does not answer yet.
    ///
    /// # Errors
    /// The path is too long, a living engine answers there, or the folder is not writable.
    pub fn bind(path: &Path) -> Result<Self, ServeError> {
        let unready = beside(path);
        let got = unready.as_os_str().as_bytes().len();
        if got > LONGEST {
            let spare = got - path.as_os_str().as_bytes().len();
            return Err(ServeError::PathTooLong { got: got - spare, limit: LONGEST - spare });
        }
        if UnixStream::connect(path).is_ok() {
            return Err(ServeError::Answered { path: path.to_owned() });
        }
        let failed = |source| ServeError::Bind { path: path.to_owned(), source };
        match fs::remove_file(&unready) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&unready).map_err(failed)?;
        fs::set_permissions(&unready, Permissions::from_mode(0o600)).map_err(failed)?;
        let identity = identity(&unready).map_err(failed)?;
        Ok(Self { listener, path: path.to_owned(), unready, identity })
    }

    /// Puts the socket in its place; a dead engine's is replaced.
    ///
    /// # Errors
    /// The folder is not writable or gone.
    pub fn publish(&self) -> Result<(), ServeError> {
        fs::rename(&self.unready, &self.path).map_err(|source| ServeError::Bind { path: self.path.clone(), source })
    }

    /// Takes the socket's file away, if it is this one's and not a successor's.
    pub fn remove(&self) {
        for path in [&self.path, &self.unready] {
            if identity(path).is_ok_and(|found| found == self.identity)
                && let Err(error) = fs::remove_file(path)
            {
                log_event!("{} could not be removed: {error}", path.display());
            }
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}
