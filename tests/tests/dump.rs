//! Dumps, restores, standbys and base backups: models, values and triggers come along, the engine does not.

use std::path::{Path, PathBuf};
use std::process::Command;

use grnet_cluster::Cluster;
use grnet_tests::eventually;
use grnet_tests::images::bmp;
use grnet_tests::refusal::assert_refused;
use grnet_tests::server::{START, Server, counter, features};
use postgres::Client;

/// A catalogue in a database whose extension lies off the search path.
fn catalogue(server: &Server) -> Client {
    server.session().batch_execute("CREATE DATABASE shop").expect("a database");
    server.add_extension("shop", "far");
    let mut client = server.session_in("shop");
    client
        .batch_execute(
            "CREATE TABLE item (id int PRIMARY KEY, image bytea, area box, features far.grnet_features); \
             CREATE TRIGGER item_features BEFORE INSERT OR UPDATE OF image, area, features ON item FOR EACH ROW \
             EXECUTE FUNCTION far.grnet_features_trigger('image', 'features', 'area'); \
             CREATE INDEX item_features ON item USING hash (features); \
             CREATE VIEW pair AS SELECT a.id AS a, b.id AS b, a.features OPERATOR(far.<->) b.features AS distance \
             FROM item a, item b;",
        )
        .expect("a catalogue");
    for id in 0..20 {
        let area = (id % 2 == 0).then_some("(1,1),(20,20)");
        client
            .execute("INSERT INTO item VALUES ($1, $2, $3::text::box)", &[&id, &bmp(id as u64), &area])
            .expect("an insert");
    }
    client.execute("INSERT INTO item VALUES (100)", &[]).expect("a row without an image");
    client
}

/// All there is to compare: rows, scores, models, trigger, index.
fn contents(client: &mut Client) -> Vec<String> {
    let sql = "SELECT 'item ' || item::text FROM item \
               UNION ALL SELECT 'pair ' || pair::text FROM pair \
               UNION ALL SELECT 'model ' || m::text || md5(f.file) FROM grnet.model m JOIN grnet.model_file f USING (id) \
               UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'item'::regclass \
               UNION ALL SELECT indexdef FROM pg_indexes WHERE tablename = 'item' \
               UNION ALL SELECT extname || ' in ' || extnamespace::regnamespace FROM pg_extension WHERE extname LIKE 'grnet%' \
               ORDER BY 1";
    let rows = client.query(sql, &[]).expect("the contents");
    rows.iter().map(|row| row.get::<_, Option<String>>(0).unwrap_or_default()).collect()
}

fn run(command: &mut Command) {
    let output = command.output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

/// Restores a dump of `shop` into a fresh database of a server without an engine and compares.
fn restores(what: &str, dump: &[&str], restore: impl Fn(&Server, &Path)) {
    let server = Server::bare(|builder| builder.preload(true));
    let mut client = catalogue(&server);
    let expected = contents(&mut client);
    assert_eq!(expected.len(), 21 + 21 * 21 + 1 + 1 + 2 + 1);
    let place: PathBuf = server.dir().join("dump");
    run(server.command("pg_dump").args(dump).args(["-d", "shop", "-f"]).arg(&place));

    let other = Server::bare(|builder| builder.setting("grnet.engine_program", "/nonexistent/grnet-engine"));
    other.session().batch_execute("CREATE DATABASE shop").expect("a database");
    restore(&other, &place);
    let mut copy = other.session_in("shop");
    assert_eq!(contents(&mut copy), expected, "{what}");
    assert!(other.engines().is_empty(), "{what}: something asked for the engine");
    // Another column, the same image: the trigger is there and needs no engine.
    copy.batch_execute("UPDATE item SET id = id + 1000").expect("no image changed");
    println!("{what}: {} rows, scores, models and triggers equal", expected.len());

    // With an engine the copy embeds: the model came along.
    other.set("grnet.engine_program", "");
    other.session().batch_execute("ALTER DATABASE shop SET grnet.model = 'tiny'").expect("a setting");
    let mut copy = other.session_in("shop");
    copy.execute("INSERT INTO item VALUES (7, $1)", &[&bmp(7)]).expect("an insert");
    let sql = "SELECT a.features OPERATOR(far.=) b.features FROM item a, item b WHERE a.id = 7 AND b.id = 1007";
    assert!(copy.query_one(sql, &[]).expect("both rows").get::<_, bool>(0), "{what}: other features");
}

#[test]
fn a_plain_dump_restores() {
    restores("pg_dump, plain", &["--format=plain"], |server, place| {
        run(server.command("psql").args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "shop", "-f"]).arg(place));
    });
}

#[test]
fn a_custom_dump_restores_with_4_jobs() {
    restores("pg_dump, custom, 4 jobs", &["--format=custom"], |server, place| {
        run(server.command("pg_restore").args(["--exit-on-error", "-j4", "-d", "shop"]).arg(place));
    });
}

#[test]
fn a_directory_dump_restores_with_4_jobs() {
    restores("pg_dump, directory, 4 jobs", &["--format=directory", "-j4"], |server, place| {
        run(server.command("pg_restore").args(["--exit-on-error", "-j4", "-d", "shop"]).arg(place));
    });
}

#[test]
fn rows_without_their_table_restore_through_the_trigger_and_without_an_engine() {
    let server = Server::bare(|builder| builder.preload(true));
    let mut client = catalogue(&server);
    let expected = contents(&mut client);
    let place = server.dir().join("rows.sql");
    run(server.command("pg_dump").args(["--data-only", "--table=item", "-d", "shop", "-f"]).arg(&place));
    client.batch_execute("DELETE FROM item").expect("a superuser may");
    let engine = server.engine_in("shop");
    server.set("grnet.engine_program", "/nonexistent/grnet-engine");
    eventually("the engine ends", START, || !server.engines().contains(&engine));
    run(server.command("psql").args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "shop", "-f"]).arg(&place));
    assert_eq!(contents(&mut client), expected);
}

#[test]
fn a_hot_standby_scores_and_embeds() {
    let primary = Server::start();
    let mut client = primary.session();
    client.batch_execute("CREATE TABLE item (id int, features grnet_features)").expect("a table");
    let images: Vec<Vec<u8>> = (0..10).map(bmp).collect();
    let insert = "INSERT INTO item SELECT n, f FROM unnest(grnet_embed_images($1)) WITH ORDINALITY AS t (f, n)";
    client.execute(insert, &[&images]).expect("an insert");

    let standby = Server::of(Cluster::builder().standby_of(&primary).preload(true));
    let mut reader = standby.session();
    assert!(reader.query_one("SELECT pg_is_in_recovery()", &[]).expect("a standby").get::<_, bool>(0));
    let engine = standby.engine();
    assert_ne!(engine, primary.engine());
    let ranking = "SELECT id, (features <-> grnet_embed($1))::text FROM item ORDER BY features <-> grnet_embed($1), id";
    let rows = |client: &mut Client, image: &[u8]| -> Vec<(i32, String)> {
        let rows = client.query(ranking, &[&image]).expect("a ranking");
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    assert_eq!(rows(&mut reader, &bmp(3)), rows(&mut client, &bmp(3)));
    assert!(counter(&mut reader, "requests") >= 1);

    // A model that is registered later comes by WAL alone: the standby's engine is sent what the log brought.
    client.batch_execute("SELECT grnet_install_model('base')").expect("a model");
    let sql = "SELECT count(*) FROM grnet.model_file";
    eventually("the model arrives", START, || reader.query_one(sql, &[]).expect("a count").get::<_, i64>(0) == 2);
    reader.batch_execute("SET grnet.model = 'base'").expect("a setting");
    client.batch_execute("SET grnet.model = 'base'").expect("a setting");
    assert_eq!(features(&mut reader, &bmp(5)), features(&mut client, &bmp(5)));

    // What would write says so, and nothing else.
    for sql in
        ["SELECT grnet_drop_model('tiny')", "SELECT grnet_drop_model('nobody')", "SELECT grnet_install_model('base')"]
    {
        let refusal = assert_refused(&mut reader, sql, "25006", "read-only");
        assert!(refusal.message.contains("grnet_"), "{refusal:?}");
    }
    for sql in ["SELECT grnet_register_model('x', 'no model')", "SELECT grnet_train('x', 'SELECT 1')"] {
        assert_refused(&mut reader, sql, "25006", "read-only");
    }
    // A model that is dropped over there is gone here, also for a session that scored with it.
    reader.batch_execute("SELECT grnet_score(a.features, b.features) FROM item a, item b").expect("scores");
    client.batch_execute("BEGIN; SELECT grnet_drop_model('tiny', force => true)").expect("a superuser may");
    reader.batch_execute("SELECT grnet_score(a.features, b.features) FROM item a, item b").expect("it is there still");
    client.batch_execute("COMMIT").expect("a commit");
    let score = "SELECT count(grnet_score(a.features, b.features)) FROM item a, item b";
    eventually("the drop arrives", START, || reader.query(score, &[]).is_err());
    assert_refused(&mut reader, score, "42704", "is not in this database");
    client.batch_execute("SELECT grnet_install_model('tiny')").expect("a model");
    eventually("the model is back", START, || reader.query(score, &[]).is_ok());

    // Promoted, it goes on with the engine it has.
    drop(client);
    standby.promote().unwrap_or_else(|error| panic!("{error}"));
    let mut writer = standby.session();
    writer.execute("INSERT INTO item VALUES (11, grnet_embed($1))", &[&bmp(11)]).expect("an insert");
    assert_eq!(standby.engine(), engine);
}

#[test]
fn a_standby_without_preload_starts_its_own_engine() {
    let primary = Server::start();
    primary.engine();
    let standby = Server::of(Cluster::builder().standby_of(&primary).preload(false));
    assert!(standby.engines().is_empty());
    assert!(!features(&mut standby.session(), &bmp(1)).is_empty());
    assert_eq!(standby.engines(), [standby.engine()]);
}

#[test]
fn a_base_backup_leaves_the_engines_folder_out() {
    let server = Server::start();
    server.engine();
    let folder = "pgsql_tmp_grnet";
    assert!(server.data_dir().join(folder).join("engine.sock").exists());
    let backup = server.dir().join("backup");
    run(server.command("pg_basebackup").args(["--checkpoint=fast", "--no-sync", "-D"]).arg(&backup));
    assert!(backup.join("PG_VERSION").exists() && !backup.join(folder).exists());
}
