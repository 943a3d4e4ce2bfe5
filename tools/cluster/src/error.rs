//! What can go wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};

/// Why a cluster could not be made, started, asked or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be used.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A program could not be started.
    #[error("cannot run {program}: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A program said no.
    #[error("{program} failed ({status}):\n{output}")]
    Program {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What it said, and for a server the end of its log.
        output: String,
    },
    /// `pg_config` gave an answer that is none.
    #[error("{}: not a pg_config: {answer:?}", pg_config.display())]
    NotPgConfig {
        /// The program.
        pg_config: PathBuf,
        /// What it printed.
        answer: String,
    },
    /// A cluster was to be made in a folder that holds something else.
    #[error("{} is not empty and holds no cluster", dir.display())]
    NotOurs {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder belongs to a user other than the server's and the caller.
    #[error("{} belongs to the user with the number {owner}: a cluster's folder is its server's own", dir.display())]
    Foreign {
        /// The folder.
        dir: PathBuf,
        /// Its owner's number.
        owner: u32,
    },
    /// The user that servers run as cannot get into the folder.
    #[error("the user {user} cannot write to {}: every folder above it must be searchable by it", dir.display())]
    Unreachable {
        /// The folder.
        dir: PathBuf,
        /// The user that the server runs as.
        user: String,
    },
    /// There is no user to run a server as.
    #[error("running as root, and /etc/passwd has no user `nobody` to run the server as")]
    NoServerUser,
    /// The server is not running.
    #[error("no server is running in {}", dir.display())]
    NotRunning {
        /// The cluster's folder.
        dir: PathBuf,
    },
    /// Tests were run without servers to test against.
    #[error(
        "GRNET_TEST_PG is not set, so there is no PostgreSQL to test against: run `make test` (it lists pg_configs there, separated by colons)"
    )]
    NoTestServers,
    /// The connection failed, or the server refused a statement.
    #[error(transparent)]
    Sql(#[from] postgres::Error),
}

impl Error {
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

/// Runs a program to its end; anything but success is an error that carries what it said.
pub(crate) fn run(command: &mut Command) -> Result<Output, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|source| Error::Spawn { program: program.clone(), source })?;
    if output.status.success() {
        return Ok(output);
    }
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    Err(Error::Program { program, status: output.status, output: said })
}
