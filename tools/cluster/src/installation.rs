//! An installed PostgreSQL, as its `pg_config` describes it.

use crate::error::run;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where an installed PostgreSQL keeps its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    pg_config: PathBuf,
    bindir: PathBuf,
    libdir: PathBuf,
    pkglibdir: PathBuf,
    sharedir: PathBuf,
    version: String,
    major: u32,
}

impl Installation {
    /// Asks `pg_config`.
    pub fn new(pg_config: impl AsRef<Path>) -> Result<Self> {
        let pg_config = pg_config.as_ref();
        let output =
            run(Command::new(pg_config).args(["--bindir", "--libdir", "--pkglibdir", "--sharedir", "--version"]))?;
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        let not_pg_config = || Error::NotPgConfig { pg_config: pg_config.to_owned(), answer: answer.clone() };
        let lines: Vec<&str> = answer.lines().collect();
        let [bindir, libdir, pkglibdir, sharedir, version] = lines[..] else {
            return Err(not_pg_config());
        };
        Ok(Self {
            pg_config: pg_config.to_owned(),
            bindir: bindir.into(),
            libdir: libdir.into(),
            pkglibdir: pkglibdir.into(),
            sharedir: sharedir.into(),
            version: version.to_owned(),
            major: major(version).ok_or_else(not_pg_config)?,
        })
    }

    /// The installations that the tests are to use: `GRNET_TEST_PG`, paths of `pg_config` separated by colons. Without it
    /// there is nothing to test, which is an error and not a success.
    pub fn for_tests() -> Result<Vec<Self>> {
        let list = std::env::var("GRNET_TEST_PG").unwrap_or_default();
        let found: Vec<_> = list.split(':').filter(|path| !path.is_empty()).map(Self::new).collect::<Result<_>>()?;
        if found.is_empty() { Err(Error::NoTestServers) } else { Ok(found) }
    }

    /// The `pg_config` that was asked.
    pub fn pg_config(&self) -> &Path {
        &self.pg_config
    }

    /// The folder of the programs.
    pub fn bindir(&self) -> &Path {
        &self.bindir
    }

    /// The folder of `libpq`.
    pub fn libdir(&self) -> &Path {
        &self.libdir
    }

    /// The folder of the loadable libraries (`$libdir`).
    pub fn pkglibdir(&self) -> &Path {
        &self.pkglibdir
    }

    /// The folder of the architecture-independent files; `extension/` lies in it.
    pub fn sharedir(&self) -> &Path {
        &self.sharedir
    }

    /// The version as `pg_config` prints it: `PostgreSQL 18.6`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The major version: 15, 16, 17, 18.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// A command for one of the installation's programs. Its own libraries come first (a relocated tree's `dblink` and
    /// `postgres_fdw` would else find the system's older `libpq`), and no `PG*` variable of the caller's reaches it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bindir.join(program));
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("PG") && !name.starts_with("PGRX")) {
                command.env_remove(name);
            }
        }
        let mut path = self.libdir.clone().into_os_string();
        if let Some(more) = std::env::var_os("LD_LIBRARY_PATH").filter(|more| !more.is_empty()) {
            path.push(":");
            path.push(more);
        }
        command.env("LD_LIBRARY_PATH", path);
        command
    }
}

/// `PostgreSQL 18.6 (Debian 18.6-1)` is 18, `PostgreSQL 19beta1` is 19.
fn major(version: &str) -> Option<u32> {
    let number = version.strip_prefix("PostgreSQL ")?;
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_versions() {
        assert_eq!(major("PostgreSQL 18.6"), Some(18));
        assert_eq!(major("PostgreSQL 15.20 (Debian 15.20-0+deb12u1)"), Some(15));
        assert_eq!(major("PostgreSQL 19beta1"), Some(19));
        assert_eq!(major("PostgreSQL 20"), Some(20));
        assert_eq!(major("PostgreSQL"), None);
        assert_eq!(major("PostgreSQL devel"), None);
        assert_eq!(major("psql (PostgreSQL) 18.6"), None);
    }

    #[test]
    fn what_is_no_pg_config_is_refused_by_name() {
        let error = Installation::new("/bin/echo").unwrap_err().to_string();
        assert!(error.contains("/bin/echo") && error.contains("not a pg_config"), "{error}");
        assert!(matches!(Installation::new("/no/such/pg_config"), Err(Error::Spawn { .. })));
    }
}
