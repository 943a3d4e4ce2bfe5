//! A cluster: start, stop, ask.

use crate::builder::Builder;
use crate::error::run;
use crate::folder::Folder;
use crate::process::{Signal, is_alive, send, works_in};
use crate::{Error, Installation, Result};
use postgres::{Client, Config, NoTls};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Waits for the sessions to end.
    Smart,
    /// Ends the sessions, then writes everything out.
    Fast,
    /// Ends everything at once, as a crash would: the next start recovers.
    Immediate,
}

/// A PostgreSQL cluster. Dropped, it is stopped and removed, unless it was built with [`Builder::keep`].
#[derive(Debug)]
pub struct Cluster {
    installation: Installation,
    pub(crate) folder: Folder,
    port: u16,
    keep: bool,
}

impl Cluster {
    /// Describes a cluster; [`Builder::start`] makes it.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn new(installation: Installation, folder: Folder, port: u16, keep: bool) -> Self {
        Self { installation, folder, port, keep }
    }

    /// The server's installation.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The cluster's folder.
    pub fn dir(&self) -> &Path {
        &self.folder.dir
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.data()
    }

    /// The folder of the socket: the host to connect to.
    pub fn socket_dir(&self) -> &Path {
        &self.folder.socket_dir
    }

    /// The port: the number in the socket's name.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's log file.
    pub fn log_path(&self) -> PathBuf {
        self.folder.log()
    }

    /// What the server has logged so far; empty before the first start.
    pub fn log(&self) -> String {
        std::fs::read(self.log_path()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Starts the server after [`Cluster::stop`] or a crash, and waits until it answers.
    pub fn start_again(&self) -> Result<()> {
        self.forget_strangers()?;
        let log = self.log_path();
        if !log.exists() {
            self.folder.write(&log, "")?;
        }
        self.pg_ctl(|pg_ctl| pg_ctl.arg("-l").arg(&log).args(["-w", "-t", "60", "start"])).map_err(
            |error| match error {
                Error::Program { program, status, output } => {
                    let output = format!("{output}{}:\n{}", log.display(), tail(&self.log(), 30));
                    Error::Program { program, status, output }
                }
                other => other,
            },
        )
    }

    /// Stops the server, and waits until it is gone.
    pub fn stop(&self, mode: Mode) -> Result<()> {
        // pg_ctl signals whatever process has the number in the file.
        self.postmaster_pid()?;
        let mode = match mode {
            Mode::Smart => "smart",
            Mode::Fast => "fast",
            Mode::Immediate => "immediate",
        };
        self.pg_ctl(|pg_ctl| pg_ctl.args(["-m", mode, "-w", "-t", "60", "stop"]))
    }

    /// Stops the server (fast) and starts it again.
    pub fn restart(&self) -> Result<()> {
        self.stop(Mode::Fast)?;
        self.start_again()
    }

    /// Makes a standby the primary, and waits until it takes writes.
    pub fn promote(&self) -> Result<()> {
        self.postmaster_pid()?;
        self.pg_ctl(|pg_ctl| pg_ctl.args(["-w", "-t", "60", "promote"]))
    }

    /// The process that all others of the server descend from.
    pub fn postmaster_pid(&self) -> Result<u32> {
        // A server that was killed leaves its number behind, and another process may get it: a server works in its data
        // directory.
        let pid = self.noted_pid().filter(|&pid| is_alive(pid) && self.is_of(pid));
        pid.ok_or_else(|| Error::NotRunning { dir: self.dir().to_owned() })
    }

    fn is_of(&self, pid: u32) -> bool {
        let data = self.data_dir();
        works_in(pid, &data).unwrap_or_else(|_| {
            // In a container root may lack the right to look at another user's processes, which that user has.
            let mut test = Command::new("test");
            test.arg(format!("/proc/{pid}/cwd")).arg("-ef").arg(&data);
            run(self.folder.as_server(&mut test)).is_ok()
        })
    }

    fn noted_pid(&self) -> Option<u32> {
        let file = std::fs::read_to_string(self.pid_file()).unwrap_or_default();
        file.lines().next().and_then(|line| line.trim().parse().ok())
    }

    fn pid_file(&self) -> PathBuf {
        self.data_dir().join("postmaster.pid")
    }

    /// The server takes any living process of its own user with the noted number for another server, and does not start.
    fn forget_strangers(&self) -> Result<()> {
        match self.noted_pid() {
            Some(pid) if is_alive(pid) && self.postmaster_pid().is_err() => {
                let file = self.pid_file();
                std::fs::remove_file(&file).map_err(Error::file(&file))
            }
            _ => Ok(()),
        }
    }

    /// Kills the postmaster alone, as the out-of-memory killer might; its children notice by themselves.
    pub fn kill_postmaster(&self) -> Result<()> {
        let pid = self.postmaster_pid()?;
        send(pid, Signal::Kill);
        while is_alive(pid) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Ok(())
    }

    /// How to connect: the socket, user `postgres`, database `postgres`.
    pub fn config(&self) -> Config {
        let mut config = Config::new();
        config.host_path(self.socket_dir()).port(self.port).user("postgres").dbname("postgres");
        config
    }

    /// A connection as superuser to the database `postgres`.
    pub fn connect(&self) -> Result<Client> {
        Ok(self.config().connect(NoTls)?)
    }

    /// A connection to another database, or as another user.
    pub fn connect_to(&self, database: &str, user: &str) -> Result<Client> {
        Ok(self.config().dbname(database).user(user).connect(NoTls)?)
    }

    /// A command for a client program of the installation (`pg_dump`, `pgbench`), told by its environment to use this
    /// cluster, as superuser and the database `postgres`. It runs as the caller.
    pub fn command(&self, program: &str) -> Command {
        let mut command = self.installation.command(program);
        command.env("PGHOST", self.socket_dir()).env("PGPORT", self.port.to_string());
        command.env("PGUSER", "postgres").env("PGDATABASE", "postgres");
        command
    }

    /// Feeds SQL to `psql`, which stops at the first error. Its own failure is in the output's status.
    pub fn psql(&self, args: &[&str], sql: &str) -> Result<Output> {
        let spawn_error = |source| Error::Spawn { program: "psql".to_owned(), source };
        let mut command = self.command("psql");
        command.args(["-X", "-v", "ON_ERROR_STOP=1"]).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(spawn_error)?;
        let stdin = child.stdin.take();
        std::thread::scope(|scope| {
            // Beside reading: psql may fill its output before it has read all of its input. It may also end early.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(sql.as_bytes())));
            child.wait_with_output().map_err(spawn_error)
        })
    }

    /// The end of the log, the last `lines` of it.
    pub fn log_tail(&self, lines: usize) -> String {
        tail(&self.log(), lines)
    }

    fn pg_ctl<'a>(&self, arguments: impl FnOnce(&mut Command) -> &mut Command + 'a) -> Result<()> {
        let mut command = self.installation.command("pg_ctl");
        command.arg("-s").arg("-D").arg(self.data_dir());
        arguments(&mut command);
        run(self.folder.as_server(&mut command)).map(drop)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the end of the server's log ({}):\n{}", self.log_path().display(), self.log_tail(40));
        }
        if self.keep {
            return;
        }
        if self.postmaster_pid().is_ok() {
            // A server that cannot be stopped in order is killed: nothing of a throwaway cluster may stay.
            if self.stop(Mode::Immediate).is_err() {
                let _ = self.kill_postmaster();
            }
        }
        self.folder.remove();
    }
}

fn tail(text: &str, lines: usize) -> String {
    let skip = text.lines().count().saturating_sub(lines);
    text.lines().skip(skip).fold(String::new(), |all, line| all + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::tail;

    #[test]
    fn the_tail_of_a_text() {
        assert_eq!(tail("a\nb\nc\n", 2), "b\nc\n");
        assert_eq!(tail("a\n", 5), "a\n");
        assert_eq!(tail("", 5), "");
    }
}
