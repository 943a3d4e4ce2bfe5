//! The throwaway cluster and the run's database in it.

use crate::arguments::Place;
use crate::failure::{Failure, Result};
use crate::fingerprint;
use crate::plan::Plan;
use crate::statements;
use grnet_cluster::{Cluster, Installation};
use postgres::error::SqlState;
use postgres::{Client, Config, NoTls};

/// The database of a run; its server goes on running when this is dropped.
pub struct Database {
    cluster: Cluster,
    name: &'static str,
    /// Whether pgvector is there.
    pub has_vector: bool,
    /// C, the length of the model's global vector.
    pub channels: i32,
}

impl Database {
    /// Starts the cluster if it does not run, and makes the database, or anew what belongs to other parameters.
    ///
    /// # Errors
    /// No server, no extension, or a statement that failed.
    pub fn open(place: &Place, plan: &mut Plan) -> Result<Self> {
        let installation = Installation::new(&place.pg_config)?;
        plan.parameters.extend(fingerprint::parameters(&installation)?);
        let cluster = start(&installation, place)?;
        say!("{} runs in {}", installation.version(), cluster.dir().display());
        if !is_complete(&cluster, plan)? {
            make(&cluster, plan)?;
        }
        let mut database = Self { cluster, name: plan.database, has_vector: false, channels: 0 };
        let row =
            database.connect()?.query_one(statements::ABOUT, &[]).map_err(Failure::sql("looking at the model"))?;
        (database.has_vector, database.channels) = (row.get(0), row.get(1));
        Ok(database)
    }

    /// How to connect.
    pub fn config(&self) -> Config {
        let mut config = self.cluster.config();
        config.dbname(self.name).application_name("grnet-demo");
        config
    }

    /// A connection.
    ///
    /// # Errors
    /// The server does not answer.
    pub fn connect(&self) -> Result<Client> {
        self.config().connect(NoTls).map_err(Failure::sql("connecting"))
    }

    /// A shell command that opens a session.
    pub fn psql(&self) -> String {
        let port = match self.cluster.port() {
            5432 => String::new(),
            port => format!(" -p {port}"),
        };
        format!(
            "{} -h {}{port} -U postgres {}",
            quoted(&self.cluster.installation().bindir().join("psql").display().to_string()),
            quoted(&self.cluster.socket_dir().display().to_string()),
            self.name
        )
    }

    /// The server's log.
    pub fn log(&self) -> String {
        self.cluster.log_path().display().to_string()
    }
}

fn start(installation: &Installation, place: &Place) -> Result<Cluster> {
    let cluster = Cluster::builder()
        .installation(installation)
        .dir(&place.dir)
        .setting("shared_buffers", "256MB")
        // Compiling takes longer than ranking a few hundred rows.
        .setting("jit", "off")
        .setting("max_connections", 100)
        .keep()
        .start()?;
    let pid_file = cluster.data_dir().join("postmaster.pid");
    let started = pid_file.metadata().and_then(|file| file.modified());
    if started.is_ok_and(|started| fingerprint::is_newer_than(installation, started)) {
        say!("The extension was installed after the server's start: starting it again");
        cluster.restart()?;
    }
    Ok(cluster)
}

/// Whether the database is there and belongs to this run's parameters.
fn is_complete(cluster: &Cluster, plan: &Plan) -> Result<bool> {
    let exists = cluster
        .connect()?
        .query_opt("SELECT FROM pg_database WHERE datname = $1", &[&plan.database])
        .map_err(Failure::sql("looking for the database"))?;
    if exists.is_none() {
        return Ok(false);
    }
    let mut client = match cluster.connect_to(plan.database, "postgres") {
        Ok(client) => client,
        // The server died while it dropped it, say: dropping it again is all that is possible.
        Err(grnet_cluster::Error::Sql(error)) if is_for_good(error.code()) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    // Without its table it was interrupted while it was made.
    let Ok(rows) = client.query("SELECT name, value FROM demo_parameter", &[]) else {
        return Ok(false);
    };
    let before: Vec<_> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    Ok(match plan.changes(&before) {
        None => true,
        Some(changes) => {
            say!("Beginning anew: {changes}");
            false
        }
    })
}

/// Whether a server that refuses a connection means the database and not the moment. The classes 08, 28, 53 and 57 are about
/// the connection, rights, what is used up and what an operator does; without a code nobody answered.
fn is_for_good(code: Option<&SqlState>) -> bool {
    let class = code.map(|code| code.code().get(..2).unwrap_or_default());
    class.is_some_and(|class| !["08", "28", "53", "57"].contains(&class))
}

fn make(cluster: &Cluster, plan: &Plan) -> Result<()> {
    let mut client = cluster.connect()?;
    for statement in statements::new_database(plan.database) {
        client.batch_execute(&statement).map_err(Failure::sql("making the database"))?;
    }
    drop(client);
    let mut client = cluster.connect_to(plan.database, "postgres")?;
    // All or nothing: a database with parameters is a complete one.
    let mut whole = client.transaction().map_err(Failure::sql("making the tables"))?;
    whole.batch_execute(statements::EXTENSIONS).map_err(Failure::sql("CREATE EXTENSION"))?;
    whole.batch_execute(statements::MODEL).map_err(Failure::sql("installing the model"))?;
    whole.batch_execute(statements::TABLES).map_err(Failure::sql("making the tables"))?;
    for (name, value) in &plan.parameters {
        whole
            .execute("INSERT INTO demo_parameter VALUES ($1, $2)", &[name, value])
            .map_err(Failure::sql("noting the parameters"))?;
    }
    whole.commit().map_err(Failure::sql("making the tables"))
}

/// A word for the shell, in quotes where it needs some.
pub fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+=:@%,".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_can_only_be_dropped_is_made_anew() {
        let installation = Installation::for_tests().unwrap_or_else(|error| panic!("{error}")).remove(0);
        let cluster = Cluster::builder().installation(&installation).start().unwrap();
        let mut client = cluster.connect().unwrap();
        let plan = Plan {
            database: "photos",
            heading: String::new(),
            items: Vec::new(),
            queries: Vec::new(),
            parameters: Vec::new(),
            notes: Vec::new(),
        };
        assert!(!is_complete(&cluster, &plan).unwrap(), "not made yet");
        client.batch_execute("CREATE DATABASE photos").unwrap();
        assert!(!is_complete(&cluster, &plan).unwrap(), "without its table");
        // What a server leaves that dies within DROP DATABASE.
        client.batch_execute("UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'photos'").unwrap();
        assert!(!is_complete(&cluster, &plan).unwrap(), "invalid");
        for statement in statements::new_database("photos") {
            client.batch_execute(&statement).unwrap();
        }
        let parameters = "CREATE TABLE demo_parameter (name text, value text)";
        cluster.connect_to("photos", "postgres").unwrap().batch_execute(parameters).unwrap();
        assert!(is_complete(&cluster, &plan).unwrap());
    }

    #[test]
    fn a_server_that_is_full_has_no_broken_database() {
        assert!(is_for_good(Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE)));
        assert!(is_for_good(Some(&SqlState::INVALID_CATALOG_NAME)));
        assert!(!is_for_good(Some(&SqlState::TOO_MANY_CONNECTIONS)));
        assert!(!is_for_good(Some(&SqlState::CANNOT_CONNECT_NOW)));
        assert!(!is_for_good(None));
    }

    #[test]
    fn words_for_the_shell() {
        assert_eq!(quoted("/srv/demo-1.0/data"), "/srv/demo-1.0/data");
        assert_eq!(quoted("/home/ann's photos"), r"'/home/ann'\''s photos'");
        assert_eq!(quoted(""), "''");
    }
}
