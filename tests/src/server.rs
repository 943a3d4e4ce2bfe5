//! A throwaway server with the extension in it.

use std::ops::Deref;
use std::time::Duration;

use grnet_cluster::process::{self, Signal};
use grnet_cluster::{Builder, Cluster, Installation};
use postgres::Client;

use crate::{eventually, processes};

/// Long enough for an engine to start on a busy machine.
pub const START: Duration = Duration::from_secs(60);

/// A server, stopped and removed when dropped.
#[derive(Debug)]
pub struct Server {
    cluster: Cluster,
}

impl Deref for Server {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.cluster
    }
}

/// The installation under test.
///
/// # Panics
/// `GRNET_TEST_PG` names none: run `make test`.
pub fn installation() -> Installation {
    Installation::for_tests().unwrap_or_else(|error| panic!("{error}")).swap_remove(0)
}

impl Server {
    /// The extension preloaded, the tiny model installed and the database's default.
    pub fn start() -> Self {
        Self::build(|builder| builder.preload(true))
    }

    /// The same, not preloaded unless `change` says so.
    pub fn build(change: impl FnOnce(Builder) -> Builder) -> Self {
        let server = Self::bare(change);
        server.add_extension("postgres", "public");
        server
    }

    /// A server without the extension.
    ///
    /// # Panics
    /// It does not start.
    pub fn bare(change: impl FnOnce(Builder) -> Builder) -> Self {
        let builder = Cluster::builder().installation(&installation()).preload(false);
        Self::of(change(builder))
    }

    /// A server as described.
    ///
    /// # Panics
    /// It does not start.
    pub fn of(builder: Builder) -> Self {
        Self { cluster: builder.start().unwrap_or_else(|error| panic!("{error}")) }
    }

    /// Puts extension and tiny model into a database.
    ///
    /// # Panics
    /// The server refuses.
    pub fn add_extension(&self, database: &str, schema: &str) {
        let sql = format!(
            "CREATE SCHEMA IF NOT EXISTS {schema}; CREATE EXTENSION grnet_pg SCHEMA {schema}; \
             SELECT {schema}.grnet_install_model('tiny'); ALTER DATABASE {database} SET grnet.model = 'tiny';"
        );
        self.session_in(database).batch_execute(&sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// A superuser's session.
    ///
    /// # Panics
    /// The server refuses.
    pub fn session(&self) -> Client {
        self.session_in("postgres")
    }

    /// A superuser's session in another database.
    ///
    /// # Panics
    /// The server refuses.
    pub fn session_in(&self, database: &str) -> Client {
        self.cluster.connect_to(database, "postgres").unwrap_or_else(|error| panic!("{error}"))
    }

    /// Changes a setting for the whole server, and waits until a new session sees it.
    ///
    /// # Panics
    /// The server refuses.
    pub fn set(&self, name: &str, value: &str) {
        let mut client = self.session();
        // A session without the library takes any value for a placeholder's.
        client.batch_execute("LOAD 'grnet_pg'").expect("the library is there");
        client.batch_execute(&format!("ALTER SYSTEM SET {name} = '{value}'")).expect("a valid setting");
        client.batch_execute("SELECT pg_reload_conf()").expect("a superuser may");
        let shown = || -> String {
            let mut client = self.session();
            client.batch_execute("LOAD 'grnet_pg'").expect("the library is there");
            client.query_one(&format!("SHOW {name}"), &[]).expect("a setting").get(0)
        };
        eventually("the setting is seen", START, || shown() == value);
    }

    /// The engine's process, once it answers.
    pub fn engine(&self) -> u32 {
        self.engine_in("postgres")
    }

    /// The same, where the extension is in another database.
    ///
    /// # Panics
    /// It does not answer.
    pub fn engine_in(&self, database: &str) -> u32 {
        let mut pid = None;
        eventually("the engine answers", START, || {
            let sql = "SELECT pid FROM grnet.stat_engine WHERE state = 'running'";
            let row = self.session_in(database).query_opt(sql, &[]).expect("the view works");
            pid = row.and_then(|row| row.get::<_, Option<i32>>(0)).and_then(|pid| u32::try_from(pid).ok());
            pid.is_some()
        });
        pid.unwrap_or(0)
    }

    /// The supervisor's process, where there is one.
    ///
    /// # Panics
    /// The server refuses.
    pub fn supervisor(&self) -> Option<u32> {
        let row =
            self.session().query_one("SELECT supervisor_pid FROM grnet.stat_engine", &[]).expect("the view works");
        row.get::<_, Option<i32>>(0).and_then(|pid| u32::try_from(pid).ok())
    }

    /// Engines of this server that run, in whatever state.
    pub fn engines(&self) -> Vec<u32> {
        processes::engines_of(&self.cluster.data_dir())
    }

    /// Kills the engine's process and waits until it is gone.
    pub fn kill_engine(&self) -> u32 {
        let pid = self.engine();
        assert!(process::send(pid, Signal::Kill), "no engine {pid} to kill");
        eventually("the engine is gone", START, || !process::is_alive(pid));
        pid
    }
}

/// The process of a session.
///
/// # Panics
/// The session is gone.
pub fn backend_of(client: &mut Client) -> u32 {
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).expect("a session").get(0);
    u32::try_from(pid).expect("a process id")
}

/// A counter of `grnet.stat_engine`.
///
/// # Panics
/// The engine does not answer.
pub fn counter(client: &mut Client, name: &str) -> i64 {
    let row = client.query_one(&format!("SELECT {name} FROM grnet.stat_engine"), &[]).expect("the view works");
    row.get::<_, Option<i64>>(0).expect("the engine answers")
}

/// The features of an image, as the bytes that are sent and stored.
///
/// # Panics
/// The image is refused.
pub fn features(client: &mut Client, image: &[u8]) -> Vec<u8> {
    try_features(client, image).unwrap_or_else(|error| panic!("{error:?}"))
}

/// The features of an image, or why there are none.
///
/// # Errors
/// What the server says.
pub fn try_features(client: &mut Client, image: &[u8]) -> Result<Vec<u8>, postgres::Error> {
    Ok(client.query_one("SELECT grnet_features_send(grnet_embed($1))", &[&image])?.get(0))
}
