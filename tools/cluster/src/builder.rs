//! How a cluster is to be.

use crate::cluster::Cluster;
use crate::error::run;
use crate::folder::{Folder, fresh_name};
use crate::{Error, Installation, Result};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;

/// The file with our settings.
const OURS: &str = "grnet_cluster.conf";

/// Describes a cluster, then starts it: see [`Cluster::builder`].
#[derive(Debug, Clone, Default)]
pub struct Builder {
    installation: Option<Installation>,
    pg_config: Option<PathBuf>,
    dir: Option<PathBuf>,
    port: Option<u16>,
    keep: bool,
    settings: BTreeMap<String, String>,
    primary: Option<Primary>,
}

#[derive(Debug, Clone)]
struct Primary {
    socket_dir: PathBuf,
    port: u16,
}

impl Builder {
    /// The server's `pg_config`. Without it, the one on the `PATH`.
    pub fn pg_config(mut self, pg_config: impl Into<PathBuf>) -> Self {
        self.pg_config = Some(pg_config.into());
        self
    }

    /// The server, where its `pg_config` has been asked already.
    pub fn installation(mut self, installation: &Installation) -> Self {
        self.installation = Some(installation.clone());
        self
    }

    /// The cluster's folder. What is there is started again; without it, a new one in the folder for temporary files.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// The number in the socket's name (5432): every cluster has a socket folder of its own, so none is ever taken.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Whether `grnet_pg` is in `shared_preload_libraries`.
    pub fn preload(self, preload: bool) -> Self {
        self.setting("shared_preload_libraries", if preload { "grnet_pg" } else { "" })
    }

    /// A line of `postgresql.conf`.
    pub fn setting(mut self, name: &str, value: impl Display) -> Self {
        self.settings.insert(name.to_owned(), value.to_string());
        self
    }

    /// Leaves the cluster running, and its files, when it is dropped.
    pub fn keep(mut self) -> Self {
        self.keep = true;
        self
    }

    /// Makes it a hot standby of a running cluster: a base backup, then streaming replication. Same installation, unless
    /// another is given.
    pub fn standby_of(mut self, primary: &Cluster) -> Self {
        self.primary = Some(Primary { socket_dir: primary.socket_dir().to_owned(), port: primary.port() });
        self.installation.get_or_insert_with(|| primary.installation().clone());
        self
    }

    /// Makes the cluster if it is not there yet, and starts it if it does not run yet. A running one whose settings
    /// are others is restarted.
    pub fn start(self) -> Result<Cluster> {
        let installation = match (self.installation.clone(), &self.pg_config) {
            (_, Some(pg_config)) => Installation::new(pg_config)?,
            (Some(installation), None) => installation,
            (None, None) => Installation::new("pg_config")?,
        };
        let folder = Folder::open(self.dir.clone().unwrap_or_else(fresh_name))?;
        // From here on dropping it removes the folder.
        let cluster = Cluster::new(installation, folder, self.port.unwrap_or(5432), self.keep);
        if !cluster.folder.has_cluster() {
            self.create(&cluster)?;
        }
        let changed = self.configure(&cluster)?;
        match cluster.postmaster_pid() {
            Ok(_) if changed => cluster.restart()?,
            Ok(_) => {}
            Err(_) => cluster.start_again()?,
        }
        Ok(cluster)
    }

    fn create(&self, cluster: &Cluster) -> Result<()> {
        let data = cluster.folder.data();
        if data.exists() {
            std::fs::remove_dir_all(&data).map_err(Error::file(&data))?;
        }
        let mut command = match &self.primary {
            None => {
                let mut initdb = cluster.installation().command("initdb");
                initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
                initdb
            }
            Some(primary) => {
                let mut backup = cluster.installation().command("pg_basebackup");
                backup.args(["-U", "postgres", "-R", "-X", "stream", "--checkpoint=fast", "--no-sync"]);
                backup.arg("-h").arg(&primary.socket_dir).args(["-p", &primary.port.to_string()]);
                backup
            }
        };
        run(cluster.folder.as_server(command.arg("-D").arg(&data)))?;
        // Before it counts as made: without our file the server does not start, and so never listens on TCP.
        include_ours(&cluster.folder)?;
        cluster.folder.mark_as_initialized()
    }

    /// Writes the settings into a file of their own; true where they are others than before.
    fn configure(&self, cluster: &Cluster) -> Result<bool> {
        let mut settings = BTreeMap::from([
            ("fsync".to_owned(), "off".to_owned()),
            ("full_page_writes".to_owned(), "off".to_owned()),
            ("listen_addresses".to_owned(), String::new()),
            ("log_line_prefix".to_owned(), "%m [%p] %b ".to_owned()),
            ("port".to_owned(), cluster.port().to_string()),
            ("unix_socket_directories".to_owned(), cluster.socket_dir().display().to_string()),
        ]);
        settings.extend(self.settings.clone());
        let lines = settings.iter().map(|(name, value)| format!("{name} = {}\n", quoted(value)));
        let text: String = lines.collect();

        let ours = cluster.folder.data().join(OURS);
        let included = include_ours(&cluster.folder)?;
        let same = std::fs::read_to_string(&ours).is_ok_and(|before| before == text);
        if !same {
            cluster.folder.write(&ours, &text)?;
        }
        Ok(!same || included)
    }
}

/// Makes the server read our settings; true where it did not yet.
fn include_ours(folder: &Folder) -> Result<bool> {
    let line = format!("include = '{OURS}'");
    let main = folder.data().join("postgresql.conf");
    let before = std::fs::read_to_string(&main).map_err(Error::file(&main))?;
    if before.lines().any(|other| other.trim() == line) {
        return Ok(false);
    }
    folder.write(&main, &format!("{before}\n{line}\n"))?;
    Ok(true)
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn values_are_quoted_for_the_configuration_file() {
        assert_eq!(quoted("off"), "'off'");
        assert_eq!(quoted("it's"), "'it''s'");
        assert_eq!(quoted(r"a\b"), r"'a\\b'");
    }
}
