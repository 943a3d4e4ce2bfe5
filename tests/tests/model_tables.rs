//! `grnet.model` and `grnet.model_file`, read below SQL: only the extension's own tables, and only what is in both.

use grnet_tests::images::bmp;
use grnet_tests::refusal::{assert_refused, refused};
use grnet_tests::server::{Server, counter, features};
use postgres::Client;

/// A row of `grnet.model` for a model whose file is elsewhere.
const ROW: &str = "INSERT INTO grnet.model (name, id, backbone, grids, channels, bytes, config) \
                   VALUES ('theirs', $1, 'patches', '{1}', 8, 1, '{}')";

#[test]
fn a_row_opens_no_model_of_another_database() {
    let server = Server::start();
    let mut client = server.session();
    // The engine has it: it has just embedded with it.
    assert!(!features(&mut client, &bmp(1)).is_empty());
    let id: String = client.query_one("SELECT id FROM grnet.model WHERE name = 'tiny'", &[]).expect("a model").get(0);
    client.batch_execute("CREATE DATABASE other").expect("a superuser may");
    client.batch_execute("CREATE ROLE clerk LOGIN").expect("a superuser may");
    let mut owner = server.session_in("other");
    owner.batch_execute("CREATE EXTENSION grnet_pg; GRANT INSERT ON grnet.model TO clerk").expect("a superuser may");
    let mut clerk = server.connect_to("other", "clerk").expect("a session");
    clerk.execute(ROW, &[&id]).expect("he may write there");
    let requests = counter(&mut client, "requests");
    clerk.batch_execute("SET grnet.model = 'theirs'").expect("a setting");
    for sql in [
        "SELECT grnet_embed('x')",
        "SELECT grnet_embed('x', 'theirs')",
        "SELECT grnet_embed_images('{x}')",
        "SELECT grnet_match_map('x', 'x')",
        "SELECT grnet_make_features('{1}', 'theirs')",
    ] {
        let refusal = assert_refused(&mut clerk, sql, "42704", &format!("model {id} is not in this database"));
        assert!(refusal.hint.contains("grnet_register_model"), "{refusal:?}");
    }
    assert_eq!(counter(&mut client, "requests"), requests, "the engine was not asked");
    // With the file it is a model like any other.
    assert_refused(&mut owner, "SELECT grnet_install_model('tiny')", "42710", "in this database already");
    owner
        .batch_execute(
            "SELECT grnet_drop_model('theirs'); SELECT grnet_install_model('tiny'); SET grnet.model = 'tiny'",
        )
        .expect("a model");
    assert!(!features(&mut owner, &bmp(1)).is_empty());
}

/// Puts something else into the place of a table, and has it looked at.
fn in_its_place(client: &mut Client, table: &str, instead: &str, words: &str) {
    client
        .batch_execute(&format!("BEGIN; ALTER EXTENSION grnet_pg DROP TABLE grnet.{table}; ALTER TABLE grnet.{table} RENAME TO moved; {instead}"))
        .unwrap_or_else(|error| panic!("{instead}: {error:?}"));
    for sql in ["SELECT grnet_embed('x', 'tiny')", "SELECT grnet_score(f, f) FROM kept"] {
        client.batch_execute("SAVEPOINT s").expect("a savepoint");
        // Scores read no names.
        if table == "model" && sql.contains("score") {
            continue;
        }
        let refusal = refused(client, sql, &[]);
        let said = (refusal.code.as_str(), refusal.message.as_str(), refusal.detail.contains(words));
        let message = format!("grnet.{table} is not the table that the extension made");
        assert_eq!(said, ("55000", message.as_str(), true), "{instead}: {sql}: {refusal:?}");
        client.batch_execute("ROLLBACK TO s").expect("the session lives");
    }
    client.batch_execute("ROLLBACK").expect("the session lives");
}

#[test]
fn what_only_has_a_table_s_name_is_refused() {
    let server = Server::start();
    let mut client = server.session();
    client
        .batch_execute(
            "CREATE TABLE kept AS SELECT grnet_make_features(array_agg(n::real), 'tiny') AS f FROM generate_series(1, 40) n;
             CREATE FOREIGN DATA WRAPPER nobody; CREATE SERVER nowhere FOREIGN DATA WRAPPER nobody;
             SELECT grnet_score(f, f) FROM kept;",
        )
        .expect("a value");
    for table in ["model", "model_file"] {
        for (instead, words) in [
            (format!("CREATE VIEW grnet.{table} AS TABLE grnet.moved"), "a view"),
            (format!("CREATE MATERIALIZED VIEW grnet.{table} AS TABLE grnet.moved"), "a materialised view"),
            (format!("CREATE FOREIGN TABLE grnet.{table} (id text, file bytea) SERVER nowhere"), "a foreign table"),
            (format!("CREATE TABLE grnet.{table} (LIKE grnet.moved) PARTITION BY LIST (id)"), "a partitioned table"),
            (format!("CREATE SEQUENCE grnet.{table}"), "no table"),
            (format!("CREATE TABLE grnet.{table} AS TABLE grnet.moved"), "no member of the extension"),
            (
                format!(
                    "CREATE TABLE grnet.{table} (id int, file int); ALTER EXTENSION grnet_pg ADD TABLE grnet.{table}"
                ),
                "column 1 is not",
            ),
            (
                format!("CREATE TABLE grnet.{table} (); ALTER EXTENSION grnet_pg ADD TABLE grnet.{table}"),
                "column 1 is not",
            ),
        ] {
            in_its_place(&mut client, table, &instead, words);
        }
    }
    // The table itself, in hands that it should not be in.
    client.batch_execute("CREATE ROLE clerk; ALTER TABLE grnet.model_file OWNER TO clerk").expect("a superuser may");
    assert_refused(&mut client, "SELECT grnet_embed('x', 'tiny')", "55000", "It belongs to \"clerk\"");
    client
        .batch_execute("ALTER TABLE grnet.model_file OWNER TO postgres; SELECT grnet_score(f, f) FROM kept")
        .expect("it is right again");
}

#[test]
fn sql_of_another_version_is_one_clear_error() {
    let server = Server::start();
    let mut client = server.session();
    client
        .batch_execute(
            "CREATE FUNCTION older(OUT state text, OUT pid integer) RETURNS SETOF record AS '$libdir/grnet_pg', 'grnet_stat_engine' LANGUAGE C;
             CREATE FUNCTION older(query text, OUT a text, OUT b text) RETURNS SETOF record AS '$libdir/grnet_pg', 'grnet_evaluate' LANGUAGE C;
             CREATE FUNCTION older(grnet_features, OUT scale integer) RETURNS SETOF integer AS '$libdir/grnet_pg', 'grnet_regions' LANGUAGE C;",
        )
        .expect("a superuser may");
    let value = "grnet_make_features(array_fill(1::real, '{40}'), 'tiny')";
    for sql in ["SELECT * FROM older()".to_owned(), format!("SELECT * FROM older({value})")] {
        let refusal = assert_refused(&mut client, &sql, "55000", "do not belong together");
        assert!(refusal.message.contains("0.1.0") && refusal.hint.contains("ALTER EXTENSION"), "{refusal:?}");
    }
}
