//! A table with an index for shortlists, and its rows by the node.

use postgres::Client;

use crate::plans::{analyzed, custom, rows};
use crate::server::Server;

/// Rows of `item`: one in 50 has no features, and no index of vectors has such a row.
pub const ITEMS: usize = 2_000;

/// A server with tables `item` (with an index for shortlists) and `question`, values by chance, of the model tiny.
pub fn server() -> (Server, Client) {
    let server = Server::start();
    let mut client = server.session();
    client
        .batch_execute(&format!(
            "CREATE EXTENSION vector;
             SELECT setseed(0.25);
             CREATE FUNCTION chance() RETURNS grnet_features LANGUAGE sql VOLATILE AS
                 $$ SELECT grnet_make_features(array_agg((random() - 0.5)::real), 'tiny') FROM generate_series(1, 40) $$;
             CREATE TABLE item (id int PRIMARY KEY, bucket int, features grnet_features);
             INSERT INTO item SELECT g, g % 1000, CASE WHEN g % 50 > 0 THEN chance() END FROM generate_series(1, {ITEMS}) g;
             CREATE TABLE question AS SELECT g AS n, chance() AS f FROM generate_series(1, 5) g;
             SELECT grnet_create_index('item');"
        ))
        .expect("tables");
    client.batch_execute("VACUUM ANALYZE item").expect("an owner may");
    client.batch_execute("SET grnet.shortlist = 100").expect("a setting");
    (server, client)
}

/// The order of question 1.
pub const ORDER: &str = "ORDER BY features <-> (SELECT f FROM question WHERE n = 1)";

/// The rows of a query, which must be run by the node.
pub fn by_the_node(client: &mut Client, sql: &str) -> Vec<String> {
    let plan = analyzed(client, sql);
    assert!(custom(&plan, "GrnetShortlist").is_some(), "{sql}\n{plan:#}");
    rows(client, sql)
}
