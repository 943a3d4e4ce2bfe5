//! The folder of a cluster: `data/`, `log`, and mostly the socket too.

use crate::error::run;
use crate::user::ServerUser;
use crate::{Error, Result};
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A socket's path has at most 107 bytes, and `/.s.PGSQL.65535.lock` of them are the server's.
const LONGEST_SOCKET_DIR: usize = 107 - 20;

#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) dir: PathBuf,
    pub(crate) socket_dir: PathBuf,
    pub(crate) user: ServerUser,
}

impl Folder {
    /// Opens the folder, or makes it. A folder that holds something other than a cluster is refused: it will be removed.
    pub(crate) fn open(dir: PathBuf) -> Result<Self> {
        let user = ServerUser::find()?;
        fs::create_dir_all(&dir).map_err(Error::file(&dir))?;
        let dir = dir.canonicalize().map_err(Error::file(&dir))?;
        let empty = fs::read_dir(&dir).map_err(Error::file(&dir))?.next().is_none();
        if !empty && !dir.join("data").exists() {
            return Err(Error::NotOurs { dir });
        }
        let socket_dir = if dir.as_os_str().len() > LONGEST_SOCKET_DIR { short_name(&dir) } else { dir.clone() };
        let folder = Self { dir, socket_dir, user };
        folder.close_to_others(&folder.dir)?;
        if folder.socket_dir != folder.dir {
            fs::create_dir_all(&folder.socket_dir).map_err(Error::file(&folder.socket_dir))?;
            folder.close_to_others(&folder.socket_dir)?;
        }
        folder.check_reachable()?;
        Ok(folder)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// Whether initdb has run to its end here (an interrupted one is removed).
    pub(crate) fn has_cluster(&self) -> bool {
        self.dir.join("initialized").exists() && self.data().join("PG_VERSION").exists()
    }

    pub(crate) fn mark_as_initialized(&self) -> Result<()> {
        let path = self.dir.join("initialized");
        fs::write(&path, "").map_err(Error::file(&path))
    }

    /// Writes a file of the server's.
    pub(crate) fn write(&self, path: &Path, text: &str) -> Result<()> {
        fs::write(path, text).map_err(Error::file(path))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(Error::file(path))?;
        self.user.own(path)
    }

    /// Makes a command run as the server's user, in a folder that this user can be in.
    pub(crate) fn as_server<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        self.user.apply(command.current_dir(&self.dir))
    }

    pub(crate) fn remove(&self) {
        // What cannot be removed stays: there is nobody to tell.
        let _ = fs::remove_dir_all(&self.dir);
        let _ = fs::remove_dir_all(&self.socket_dir);
    }

    /// With trust authentication whoever reaches the socket is superuser: 0700. (The owner of a folder in /tmp that was
    /// there before is looked at: its name can be guessed.)
    fn close_to_others(&self, dir: &Path) -> Result<()> {
        self.user.own(dir)?;
        let owner = fs::symlink_metadata(dir).map_err(Error::file(dir))?;
        if owner.uid() != self.user.uid() || !owner.is_dir() {
            return Err(Error::NotOurs { dir: dir.to_owned() });
        }
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(Error::file(dir))
    }

    fn check_reachable(&self) -> Result<()> {
        // In `/`: the point is whether the path leads there.
        let mut test = Command::new("test");
        test.arg("-w").arg(&self.dir).current_dir("/");
        run(self.user.apply(&mut test))
            .map(drop)
            .map_err(|_| Error::Unreachable { dir: self.dir.clone(), user: self.user.name().to_owned() })
    }
}

/// A folder that no other cluster of any process has.
pub(crate) fn fresh_name() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = std::env::temp_dir().join(format!("grnet-{}-{count}", std::process::id()));
        // Another process may have had this number, and been killed.
        if fs::create_dir(&name).is_ok() || !name.exists() {
            return name;
        }
    }
}

/// The same short folder for the same long one: a cluster that is started again is found where it was.
fn short_name(dir: &Path) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    dir.hash(&mut hasher);
    PathBuf::from(format!("/tmp/grnet-{:016x}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_something_else_in_it_is_refused() {
        let dir = fresh_name();
        fs::write(dir.join("thesis.tex"), "years of work").unwrap();
        assert!(matches!(Folder::open(dir.clone()), Err(Error::NotOurs { .. })));
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_long_path_gets_a_short_socket() {
        let dir = fresh_name();
        let long = dir.join("x".repeat(120));
        let error = Folder::open(long.clone());
        // Root's servers run as another user, who cannot pass through a folder that is not open to all: /tmp/… is.
        let folder = error.unwrap();
        assert_eq!(folder.dir, long.canonicalize().unwrap());
        assert!(folder.socket_dir.as_os_str().len() <= LONGEST_SOCKET_DIR);
        assert_eq!(short_name(&folder.dir), folder.socket_dir);
        folder.remove();
        assert!(!folder.socket_dir.exists());
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn names_differ() {
        let (one, two) = (fresh_name(), fresh_name());
        assert_ne!(one, two);
        fs::remove_dir(one).unwrap();
        fs::remove_dir(two).unwrap();
    }
}
