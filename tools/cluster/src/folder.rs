//! The folder of a cluster: `data/`, `log`, and mostly the socket too.

use crate::error::run;
use crate::user::ServerUser;
use crate::{Error, Result};
use rustix::fs::{Mode as OpenMode, OFlags};
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A socket's path has at most 107 bytes, and `/.s.PGSQL.65535.lock` of them are the server's.
const LONGEST_SOCKET_DIR: usize = 107 - 20;
/// Says that the folder is a cluster's. `data` alone does not: many a project has a folder of that name.
const MARKER: &str = "grnet-cluster";

#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) dir: PathBuf,
    pub(crate) socket_dir: PathBuf,
    pub(crate) user: ServerUser,
}

impl Folder {
    /// Opens the folder, or makes it. A folder that holds something other than a cluster is refused, and left as it is:
    /// ours is removed with everything in it.
    pub(crate) fn open(dir: PathBuf) -> Result<Self> {
        let user = ServerUser::find()?;
        fs::create_dir_all(&dir).map_err(Error::file(&dir))?;
        let dir = dir.canonicalize().map_err(Error::file(&dir))?;
        let socket_dir = if dir.as_os_str().len() > LONGEST_SOCKET_DIR { short_name(&dir) } else { dir.clone() };
        let folder = Self { dir, socket_dir, user };
        folder.check_ours()?;
        folder.close_to_others(&folder.dir)?;
        if folder.socket_dir != folder.dir {
            match fs::create_dir(&folder.socket_dir) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                    return Err(Error::file(&folder.socket_dir)(error));
                }
                _ => folder.close_to_others(&folder.socket_dir)?,
            }
        }
        folder.check_reachable()?;
        folder.mark(MARKER)?;
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
        self.mark("initialized")
    }

    /// Writes a file of the server's, by rename: it is there whole or not at all.
    pub(crate) fn write(&self, path: &Path, text: &str) -> Result<()> {
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let new = PathBuf::from(name);
        // The server's user can put links here: one is removed, not followed.
        let _ = fs::remove_file(&new);
        let create = || -> std::io::Result<()> {
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
            file.write_all(text.as_bytes())
        };
        create().map_err(Error::file(&new))?;
        self.user.own(&new)?;
        fs::rename(&new, path).map_err(Error::file(path))
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

    /// Before anything in it is changed: an empty folder, one with our mark, or a cluster from before there was a mark.
    fn check_ours(&self) -> Result<()> {
        let empty = fs::read_dir(&self.dir).map_err(Error::file(&self.dir))?.next().is_none();
        let marked = || fs::symlink_metadata(self.dir.join(MARKER)).is_ok();
        if empty || marked() || self.has_cluster() { Ok(()) } else { Err(Error::NotOurs { dir: self.dir.clone() }) }
    }

    /// An empty file that says something by being there.
    fn mark(&self, name: &str) -> Result<()> {
        let path = self.dir.join(name);
        match fs::File::create_new(&path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Error::file(&path)(error)),
            _ => Ok(()),
        }
    }

    /// With trust authentication whoever reaches the socket is superuser: 0700. A folder in /tmp that was there before may
    /// be anybody's, or a link to anywhere, since its name can be guessed: the owner is looked at first, and everything
    /// happens through one descriptor.
    fn close_to_others(&self, dir: &Path) -> Result<()> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::open(dir, flags, OpenMode::empty()).map_err(|error| Error::file(dir)(error.into()))?;
        let opened = fs::File::from(opened);
        let owner = opened.metadata().map_err(Error::file(dir))?.uid();
        if owner != self.user.uid() && owner != rustix::process::geteuid().as_raw() {
            return Err(Error::Foreign { dir: dir.to_owned(), owner });
        }
        self.user.own_opened(&opened).map_err(Error::file(dir))?;
        opened.set_permissions(fs::Permissions::from_mode(0o700)).map_err(Error::file(dir))
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
    fn a_folder_with_data_of_somebody_else_s_is_refused_and_left_as_it_is() {
        let dir = fresh_name();
        fs::create_dir(dir.join("data")).unwrap();
        fs::write(dir.join("data/table.csv"), "1,2,3").unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        let before = fs::metadata(&dir).unwrap();
        assert!(matches!(Folder::open(dir.clone()), Err(Error::NotOurs { .. })));
        // Nor does a file that is called like one of ours make it ours.
        fs::write(dir.join("initialized"), "").unwrap();
        assert!(matches!(Folder::open(dir.clone()), Err(Error::NotOurs { .. })));
        let after = fs::metadata(&dir).unwrap();
        assert_eq!((after.uid(), after.mode()), (before.uid(), before.mode()));
        assert!(dir.join("data/table.csv").exists());
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_folder_is_ours_again_by_its_mark_or_by_its_cluster() {
        let dir = fresh_name();
        Folder::open(dir.clone()).unwrap();
        fs::create_dir(dir.join("data")).unwrap();
        assert!(Folder::open(dir.clone()).is_ok(), "an interrupted initdb");
        fs::remove_file(dir.join(MARKER)).unwrap();
        fs::write(dir.join("initialized"), "").unwrap();
        fs::write(dir.join("data/PG_VERSION"), "18\n").unwrap();
        assert!(Folder::open(dir.clone()).is_ok(), "a cluster without a mark");
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_link_in_the_place_of_a_short_folder_is_not_followed() {
        let dir = fresh_name();
        let (long, other) = (dir.join("x".repeat(120)), dir.join("other"));
        fs::create_dir(&long).unwrap();
        fs::create_dir(&other).unwrap();
        fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).unwrap();
        let before = fs::metadata(&other).unwrap();
        let short = short_name(&long.canonicalize().unwrap());
        std::os::unix::fs::symlink(&other, &short).unwrap();
        assert!(matches!(Folder::open(long), Err(Error::File { .. })));
        let after = fs::metadata(&other).unwrap();
        assert_eq!((after.uid(), after.mode()), (before.uid(), before.mode()));
        fs::remove_file(short).unwrap();
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_folder_of_another_user_s_is_refused_and_left_as_it_is() {
        if !rustix::process::geteuid().is_root() {
            println!("only root can make such a folder: not tried as another user");
            return;
        }
        let dir = fresh_name();
        std::os::unix::fs::chown(&dir, Some(12_345), None).unwrap();
        assert!(matches!(Folder::open(dir.clone()), Err(Error::Foreign { owner: 12_345, .. })));
        assert_eq!(fs::metadata(&dir).unwrap().uid(), 12_345);
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
