//! The user that servers run as. PostgreSQL refuses root, so root's servers run as `nobody`.

use crate::{Error, Result};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// The user of the server's processes and files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServerUser {
    /// Whoever runs this program.
    Caller,
    /// Another user: this program runs as root.
    Other { name: String, uid: u32, gid: u32 },
}

impl ServerUser {
    pub(crate) fn find() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Caller);
        }
        let path = Path::new("/etc/passwd");
        let users = std::fs::read_to_string(path).map_err(Error::file(path))?;
        users.lines().find_map(nobody).ok_or(Error::NoServerUser)
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Caller => "that runs this program",
            Self::Other { name, .. } => name,
        }
    }

    /// Makes the command run as this user. The standard library drops the supplementary groups too.
    pub(crate) fn apply<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        if let Self::Other { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid).env("HOME", "/nonexistent");
        }
        command
    }

    /// Gives a file to this user. A link is given itself, not what it leads to.
    pub(crate) fn own(&self, path: &Path) -> Result<()> {
        match self {
            Self::Caller => Ok(()),
            Self::Other { uid, gid, .. } => {
                std::os::unix::fs::lchown(path, Some(*uid), Some(*gid)).map_err(Error::file(path))
            }
        }
    }

    /// Gives an opened file or folder to this user.
    pub(crate) fn own_opened(&self, file: &File) -> std::io::Result<()> {
        match self {
            Self::Caller => Ok(()),
            Self::Other { uid, gid, .. } => std::os::unix::fs::fchown(file, Some(*uid), Some(*gid)),
        }
    }

    /// The number of this user.
    pub(crate) fn uid(&self) -> u32 {
        match self {
            Self::Caller => rustix::process::geteuid().as_raw(),
            Self::Other { uid, .. } => *uid,
        }
    }
}

fn nobody(line: &str) -> Option<ServerUser> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| *name == "nobody")?;
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(ServerUser::Other { name: name.to_owned(), uid, gid })
}

/// Makes a command run as the user that servers run as: the caller, or `nobody` where the caller is root.
pub fn run_as_server_user(mut command: Command) -> Result<Command> {
    ServerUser::find()?.apply(&mut command);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_passwd() {
        let line = "nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin";
        assert_eq!(nobody(line), Some(ServerUser::Other { name: "nobody".into(), uid: 65534, gid: 65533 }));
        assert_eq!(nobody("nobody2:x:1:1::/:"), None);
        assert_eq!(nobody("nobody:x"), None);
        assert_eq!(nobody(""), None);
    }

    #[test]
    fn never_root() {
        let mut id = Command::new("id");
        id.arg("-u").current_dir("/");
        let output = run_as_server_user(id).unwrap().output().unwrap();
        assert_ne!(String::from_utf8_lossy(&output.stdout).trim(), "0");
    }
}
