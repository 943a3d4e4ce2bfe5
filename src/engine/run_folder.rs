//! The folder where backends, supervisor and engine meet, inside the data directory.
//!
//! Every server process stands in the data directory, so the socket's path stays far below the 107 bytes a Unix socket
//! allows, wherever the data directory lies. The folder's name begins as the server's temporary files do: base backups,
//! `pg_rewind` and checksums pass it by.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::pg::catalog;

/// The folder, relative to the data directory.
pub const FOLDER: &str = "pgsql_tmp_grnet";
/// The engine's socket: there when the engine is ready.
pub const SOCKET: &str = "pgsql_tmp_grnet/engine.sock";
/// Locked by the supervisor as long as it lives.
const LOCK: &str = "pgsql_tmp_grnet/supervisor.lock";
/// Locked by the backend that has a supervisor started.
const START: &str = "pgsql_tmp_grnet/start.lock";
/// What the supervisor last said about the engine.
const STATE: &str = "pgsql_tmp_grnet/state.json";

/// What the supervisor knows and backends want to tell their users.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The supervisor's process.
    pub supervisor: i32,
    /// The engine's process, while there is one.
    pub engine: Option<u32>,
    /// Starts after the first.
    pub restarts: u64,
    /// Starts in a row that ended before the engine was ready.
    pub failures: u32,
    /// How the last engine ended.
    pub last_exit: Option<String>,
    /// The program that could not be started, or its last words: these may have paths in them.
    #[serde(default)]
    pub last_words: Option<String>,
}

impl State {
    /// How the last engine ended, as the current user may know it.
    pub fn told(&self) -> Option<String> {
        let exit = self.last_exit.clone()?;
        Some(match &self.last_words {
            Some(words) if catalog::may_see_paths() => format!("{exit}: {words}"),
            _ => exit,
        })
    }
}

/// Makes the folder, readable by the server's user alone.
pub fn create_folder() -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(FOLDER) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e),
        _ => Ok(()),
    }
}

/// Takes the supervisor's lock: `None` where another process has it. It is held until the file is closed, which the
/// kernel does however the process ends.
pub fn lock() -> io::Result<Option<File>> {
    create_folder()?;
    // A backend that looks whether there is a supervisor holds the lock for microseconds: that is no supervisor.
    for _ in 0..50 {
        match try_lock(LOCK)? {
            Some(file) => return Ok(Some(file)),
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    Ok(None)
}

/// The right to start a supervisor: `None` where another backend has it. Of fifty first calls one asks the postmaster
/// for a worker, and the others wait for its supervisor.
pub fn starter() -> io::Result<Option<File>> {
    create_folder()?;
    try_lock(START)
}

fn try_lock(path: &str) -> io::Result<Option<File>> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// Whether a supervisor is there.
pub fn supervised() -> bool {
    let Ok(file) = File::open(LOCK) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// The supervisor's last word; a default where there is none.
pub fn state() -> State {
    std::fs::read(STATE).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Leaves word; readers see the old word or the new one, never half of it.
pub fn leave_state(state: &State) -> io::Result<()> {
    let next = format!("{STATE}.next");
    std::fs::write(&next, serde_json::to_vec(state)?)?;
    std::fs::rename(next, STATE)
}
