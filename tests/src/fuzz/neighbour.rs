//! Another session that changes what the first one has planned for: statistics, indexes, models, tables.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use postgres::{Client, Config, NoTls};

use super::verdict;
use crate::shapes::Shapes;

const STATEMENTS: [&str; 16] = [
    "ANALYZE item",
    "ANALYZE near",
    "VACUUM near",
    "VACUUM FULL leaf",
    "REINDEX TABLE near",
    "CREATE INDEX CONCURRENTLY fuzz_beside ON near (category, id)",
    "DROP INDEX IF EXISTS fuzz_beside",
    "BEGIN; ALTER TABLE near ADD COLUMN beside int; COMMIT",
    "ALTER TABLE near DROP COLUMN IF EXISTS beside",
    "SELECT grnet_drop_model('tiny')",
    "BEGIN; SELECT grnet_drop_model('odd'); SELECT pg_sleep(0.01); ROLLBACK",
    "BEGIN; UPDATE near SET features = pool.f(id % 6); SELECT pg_sleep(0.01); ROLLBACK",
    "BEGIN; DELETE FROM grnet.model WHERE name = 'tiny'; ROLLBACK",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY seen",
    "ALTER TABLE leaf DETACH PARTITION leaf_a; ALTER TABLE leaf ATTACH PARTITION leaf_a FOR VALUES FROM (0) TO (20)",
    "CREATE OR REPLACE FUNCTION asked(wanted int) RETURNS grnet_features LANGUAGE plpgsql STABLE PARALLEL SAFE AS \
     'BEGIN RETURN (SELECT f FROM question WHERE id = wanted); END'",
];

/// Runs until dropped.
#[derive(Debug)]
pub struct Neighbour {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Neighbour {
    /// Moves in. `complain` is told what must not be.
    pub fn start(config: Config, seed: u64, complain: impl Fn(String) + Send + 'static) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            let mut dice = Shapes::new(seed);
            let mut client: Option<Client> = None;
            while !seen.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(20 + dice.below(60)));
                let sql = dice.one_of(&STATEMENTS);
                let Some(open) = client.as_mut().filter(|client| !client.is_closed()) else {
                    // While the server starts again there is nobody to ask.
                    client = config.connect(NoTls).ok();
                    if let Some(client) = &mut client {
                        let _ = client.batch_execute("SET statement_timeout = '2s'; SET lock_timeout = '200ms'");
                    }
                    continue;
                };
                let Err(error) = open.batch_execute(sql) else { continue };
                match error.as_db_error() {
                    Some(error) => {
                        verdict::of_error(error).into_iter().for_each(|why| complain(format!("beside: {why}: {sql}")))
                    }
                    None => complain(format!("the session beside is lost: {error}: {sql}")),
                }
                let _ = open.batch_execute("ROLLBACK");
            }
        });
        Self { ends, thread: Some(thread) }
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
