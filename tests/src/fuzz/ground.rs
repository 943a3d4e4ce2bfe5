//! The database that cases run in: made once, mended now and then, and compared at the end.

use grnet_cluster::Builder;
use postgres::Client;

use super::catalogue::Catalogue;
use super::pool::Pool;
use super::{model, step, tables};
use crate::differential::with_tables;
use crate::growing;
use crate::server::Server;

/// A ranking of rows that no case touches.
const RANKING: &str = "SELECT id, category, features <-> pool.f(1) AS d, grnet_score(pool.f(1), features) \
                       FROM sure ORDER BY features <-> pool.f(1), id LIMIT 30";

/// Before each case, so that it depends on as little as possible.
const CLEAN: &str = "ROLLBACK; SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; CLOSE ALL; DEALLOCATE ALL; \
                     SET statement_timeout = '5s'; SET client_min_messages = warning";

/// What is there.
#[derive(Debug)]
pub struct Ground {
    /// What can be called.
    pub catalogue: Catalogue,
    /// What it can be called with.
    pub pool: Pool,
    /// The setting that has plans run in workers by force.
    pub parallel: &'static str,
    /// The rows of [`RANKING`].
    ranking: Vec<String>,
}

/// Makes the database.
///
/// # Panics
/// The server refuses.
pub fn prepare(server: &Server) -> Ground {
    let mut client = with_tables(server);
    client.batch_execute(growing::TABLES).expect("tables");
    let pool = Pool::fill(&mut client);
    client.batch_execute(tables::BEFORE).expect("functions");
    client.batch_execute(tables::TABLES).expect("tables");
    model::register(&mut client);
    client.batch_execute(tables::INDEXES).expect("indexes");
    let catalogue = Catalogue::read(&mut client);
    let version: i32 =
        client.query_one("SELECT current_setting('server_version_num')::int", &[]).expect("a version").get(0);
    let parallel = if version < 160_000 { "force_parallel_mode" } else { "debug_parallel_query" };
    let ranking = step::rows(&mut client, RANKING).expect("a ranking");
    assert_eq!(ranking.len(), 30, "rows to rank");
    Ground { catalogue, pool, parallel, ranking }
}

impl Ground {
    /// Puts back what cases may have taken away: models, and the rows that most queries rank.
    ///
    /// # Panics
    /// The server refuses.
    pub fn mend(&self, client: &mut Client) {
        let sql = "
            SET statement_timeout = 0;
            SELECT grnet_install_model(m) FROM unnest('{tiny,base}'::text[]) m WHERE m NOT IN (SELECT name FROM grnet.model);
            DELETE FROM near WHERE id > 60; DELETE FROM held WHERE id > 30; DELETE FROM halves WHERE id > 30;
            DELETE FROM by_hash WHERE id > 60; DELETE FROM clothed WHERE id > 60; DELETE FROM private WHERE id > 60;
            DELETE FROM part WHERE id > 60; DELETE FROM leaf WHERE id > 60;
            INSERT INTO near SELECT * FROM item WHERE id NOT IN (SELECT id FROM near);
            INSERT INTO part SELECT * FROM item WHERE (SELECT count(*) < 20 FROM part);
            INSERT INTO leaf SELECT * FROM item WHERE (SELECT count(*) < 20 FROM leaf)";
        // Another session may be in the way.
        let mut done = client.batch_execute(sql);
        for _ in 0..20 {
            if done.is_ok() {
                break;
            }
            done = client.batch_execute(sql);
        }
        if let Err(error) = done {
            panic!("the tables cannot be mended: {error:?}");
        }
    }

    /// What a ranking gives now that it did not give at the beginning.
    pub fn differences(&self, client: &mut Client) -> Option<String> {
        match step::rows(client, RANKING) {
            Ok(now) if now == self.ranking => None,
            Ok(now) => Some(format!("a ranking at the end is another one: {now:?}, before {:?}", self.ranking)),
            Err(error) => Some(format!("a ranking at the end fails: {error:?}")),
        }
    }
}

/// Takes back what a case has set. A timeout of a millisecond, or a cancel that comes late, may end that, too.
///
/// # Errors
/// The session is lost.
pub fn clean(client: &mut Client) -> Result<(), postgres::Error> {
    let mut done = client.batch_execute(CLEAN);
    for _ in 0..100 {
        if done.is_ok() || client.is_closed() {
            break;
        }
        done = client.batch_execute(CLEAN);
    }
    done
}

/// The server for a run.
pub fn settings(builder: Builder) -> Builder {
    // ERRORs are the rule here: the log is for what they do not tell.
    builder.preload(true).setting("log_min_messages", "log").setting("max_parallel_workers", 4)
}
