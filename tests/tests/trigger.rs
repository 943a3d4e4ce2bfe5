//! `grnet_features_trigger`: when it computes, when it keeps, and how it refuses.

use grnet_cluster::process::{self, Signal};
use grnet_tests::images::bmp;
use grnet_tests::refusal::assert_refused;
use grnet_tests::server::{Server, counter, features};
use postgres::Client;
use postgres::types::ToSql;

fn catalogue(server: &Server) -> Client {
    let mut client = server.session();
    client
        .batch_execute(
            "CREATE TABLE item (id int PRIMARY KEY, name text, image bytea, area box, features grnet_features); \
             CREATE TRIGGER item_features BEFORE INSERT OR UPDATE ON item FOR EACH ROW \
             EXECUTE FUNCTION grnet_features_trigger('image', 'features');",
        )
        .expect("a table");
    client
}

fn stored(client: &mut Client, id: i32) -> Option<Vec<u8>> {
    client.query_one("SELECT grnet_features_send(features) FROM item WHERE id = $1", &[&id]).expect("a row").get(0)
}

#[test]
fn it_computes_what_is_missing_or_from_another_image_and_nothing_else() {
    let server = Server::start();
    let mut client = catalogue(&server);
    let (one, two) = (bmp(1), bmp(2));
    let (of_one, of_two) = (features(&mut client, &one), features(&mut client, &two));
    assert_ne!(of_one, of_two);
    let mut asked = counter(&mut client, "requests");
    let mut asks = |client: &mut Client, expected: i64, what: &str| {
        let now = counter(client, "requests");
        assert_eq!(now - asked, expected, "{what}");
        asked = now;
    };

    client.execute("INSERT INTO item VALUES (1, 'a', $1)", &[&one]).expect("an insert");
    assert_eq!(stored(&mut client, 1), Some(of_one.clone()));
    asks(&mut client, 1, "an insert");

    client.execute("UPDATE item SET name = 'b'", &[]).expect("an update");
    client.execute("UPDATE item SET image = image, features = features", &[]).expect("an update");
    client.execute("UPDATE item SET image = image || ''", &[]).expect("an update to equal bytes");
    assert_eq!(stored(&mut client, 1), Some(of_one.clone()));
    asks(&mut client, 0, "updates that change no image");

    client.execute("UPDATE item SET image = $1", &[&two]).expect("an update");
    assert_eq!(stored(&mut client, 1), Some(of_two.clone()));
    asks(&mut client, 1, "another image");

    client.execute("UPDATE item SET features = NULL", &[]).expect("an update");
    assert_eq!(stored(&mut client, 1), Some(of_two.clone()));
    asks(&mut client, 1, "features set to NULL");

    client.execute("UPDATE item SET image = NULL", &[]).expect("an update");
    assert_eq!(stored(&mut client, 1), None);
    client.execute("INSERT INTO item VALUES (2, 'no image')", &[]).expect("an insert");
    assert_eq!(stored(&mut client, 2), None);
    asks(&mut client, 0, "no image");

    let given = "INSERT INTO item SELECT $1::int, 'given', $2, NULL, features FROM made WHERE number = $3";
    client.batch_execute("CREATE TABLE made (number int, features grnet_features)").expect("a table");
    client
        .execute("INSERT INTO made VALUES (1, grnet_embed($1)), (2, grnet_embed($2))", &[&one, &two])
        .expect("values");
    asks(&mut client, 2, "two values made beside the trigger");
    client.execute(given, &[&3, &one, &1]).expect("an insert");
    assert_eq!(stored(&mut client, 3), Some(of_one.clone()));
    asks(&mut client, 0, "a value that was made from this image");
    client.execute(given, &[&4, &one, &2]).expect("an insert");
    assert_eq!(stored(&mut client, 4), Some(of_one.clone()));
    asks(&mut client, 1, "a value that was made from another image");
    client
        .execute("UPDATE item SET features = made.features FROM made WHERE id = 4 AND number = 2", &[])
        .expect("an update");
    assert_eq!(stored(&mut client, 4), Some(of_one));
    asks(&mut client, 1, "an update to a value that was made from another image");
}

#[test]
fn a_region_is_part_of_the_image() {
    let server = Server::start();
    let mut client = catalogue(&server);
    client
        .batch_execute(
            "DROP TRIGGER item_features ON item; CREATE TRIGGER item_features BEFORE INSERT OR UPDATE OF image, area, features \
             ON item FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'features', 'area');",
        )
        .expect("a trigger");
    let image = bmp(5);
    client.execute("INSERT INTO item VALUES (1, 'a', $1, box '(2,3),(14,20)')", &[&image]).expect("an insert");
    let sql = "SELECT grnet_features_send(grnet_embed($1, box '(14,20),(2,3)')), grnet_features_send(grnet_embed($1))";
    let row = client.query_one(sql, &[&image]).expect("features");
    let (part, whole): (Vec<u8>, Vec<u8>) = (row.get(0), row.get(1));
    assert_ne!(part, whole);
    assert_eq!(stored(&mut client, 1), Some(part.clone()));
    client.execute("UPDATE item SET area = NULL", &[]).expect("an update");
    assert_eq!(stored(&mut client, 1), Some(whole));
    client.execute("UPDATE item SET area = box '(2,3),(14,20)'", &[]).expect("an update");
    assert_eq!(stored(&mut client, 1), Some(part));
    let asked = counter(&mut client, "requests");
    client.execute("UPDATE item SET area = area, name = 'b'", &[]).expect("an update");
    assert_eq!(counter(&mut client, "requests"), asked);
    assert_refused(
        &mut client,
        "UPDATE item SET area = box '(500,500),(600,600)'",
        "22000",
        "A region is given in pixels",
    );
    assert_refused(&mut client, "UPDATE item SET area = box '(NaN,0),(1,1)'", "22000", "");
    assert_refused(&mut client, "UPDATE item SET image = '\\x00'", "22000", "");
}

#[test]
fn wrong_use_is_refused_with_an_example() {
    let server = Server::start();
    let mut client = catalogue(&server);
    client
        .batch_execute("DROP TRIGGER item_features ON item; CREATE VIEW items AS SELECT * FROM item")
        .expect("a view");
    let mut with = |trigger: &str, words: &str| {
        let mut transaction = client.transaction().expect("a transaction");
        let created = transaction.batch_execute(trigger);
        created.unwrap_or_else(|error| panic!("{trigger}: {error:?}"));
        let statement = if trigger.contains("DELETE") {
            "DELETE FROM item"
        } else {
            "INSERT INTO item (id, image) VALUES (1, '\\x00')"
        };
        if trigger.contains("DELETE") {
            transaction.batch_execute("INSERT INTO item VALUES (9)").expect("a row");
        }
        let error = transaction.batch_execute(statement).expect_err("it must be refused");
        let refusal = grnet_tests::refusal::Refusal::of(&error).expect("an ERROR");
        assert_eq!(refusal.code, "39P01", "{trigger}: {refusal:?}");
        assert!(refusal.message.contains(words) && refusal.hint.contains("CREATE TRIGGER"), "{trigger}: {refusal:?}");
    };
    let call = "EXECUTE FUNCTION grnet_features_trigger";
    with(
        &format!("CREATE TRIGGER t AFTER INSERT ON item FOR EACH ROW {call}('image', 'features')"),
        "runs as a BEFORE",
    );
    with(
        &format!("CREATE TRIGGER t BEFORE INSERT ON item FOR EACH STATEMENT {call}('image', 'features')"),
        "runs as a BEFORE",
    );
    with(
        &format!("CREATE TRIGGER t BEFORE DELETE ON item FOR EACH ROW {call}('image', 'features')"),
        "runs as a BEFORE",
    );
    for (arguments, words) in [
        ("", "takes 2 or 3 column names, and 'model=...' after them, 0 were given"),
        ("'image'", "1 were given"),
        ("'image', 'model=tiny'", "1 were given"),
        ("'image', 'model=tiny', 'features'", "has no column \"model=tiny\""),
        ("'Image', 'features'", "has no column \"Image\""),
        ("'image', 'features', 'area', 'name'", "4 were given"),
        ("'picture', 'features'", "has no column \"picture\""),
        ("'image', 'feature'", "has no column \"feature\""),
        ("'image', 'features', 'region'", "has no column \"region\""),
        ("'name', 'features'", "column \"name\" of table \"item\" is not of type bytea"),
        ("'image', 'image'", "column \"image\" of table \"item\" is not of type grnet_features"),
        ("'image', 'features', 'name'", "column \"name\" of table \"item\" is not of type box"),
        ("'ctid', 'features'", "has no column"),
    ] {
        with(&format!("CREATE TRIGGER t BEFORE INSERT ON item FOR EACH ROW {call}({arguments})"), words);
    }
    assert_refused(&mut client, "SELECT grnet_features_trigger()", "39P01", "runs as a BEFORE");
}

#[test]
fn it_works_whatever_the_search_path_and_the_role() {
    let server = Server::bare(|builder| builder.preload(true));
    server.add_extension("postgres", "far");
    let mut client = server.session();
    client
        .batch_execute(
            "CREATE ROLE anna LOGIN; CREATE SCHEMA shop AUTHORIZATION anna; GRANT USAGE ON SCHEMA far TO anna; \
             SET ROLE anna; CREATE TABLE shop.item (id int, image bytea, f far.grnet_features); \
             CREATE TRIGGER t BEFORE INSERT OR UPDATE ON shop.item FOR EACH ROW \
             EXECUTE FUNCTION far.grnet_features_trigger('image', 'f');",
        )
        .expect("a table");
    let mut anna = server.connect_to("postgres", "anna").expect("a session");
    anna.batch_execute("SET search_path = ''").expect("a setting");
    anna.execute("INSERT INTO shop.item VALUES (1, $1), (2, $2)", &[&bmp(1), &bmp(1)]).expect("an insert");
    let sql = "SELECT a.f OPERATOR(far.=) b.f, far.grnet_score(a.f, b.f) > 0, \
               far.grnet_embed_images(ARRAY[a.image, NULL]) IS NOT NULL FROM shop.item a, shop.item b WHERE a.id = 1 AND b.id = 2";
    let row = anna.query_one(sql, &[]).expect("a score");
    assert!(row.get::<_, bool>(0) && row.get::<_, bool>(1) && row.get::<_, bool>(2));
}

/// CONTEXT of an ERROR.
fn context(client: &mut Client, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> String {
    let error = client.execute(sql, parameters).expect_err("it must be refused");
    error.as_db_error().and_then(|error| error.where_()).unwrap_or_default().to_owned()
}

#[test]
fn an_error_says_whose_row_it_was() {
    let server = Server::start();
    let mut client = catalogue(&server);
    let of_row = |key: &str| format!("grnet_features_trigger, table \"item\", row {key}");
    let many = "INSERT INTO item (id, image) SELECT n, CASE n WHEN 17 THEN 'no image' ELSE $1::bytea END FROM generate_series(10, 20) n";
    assert_eq!(context(&mut client, many, &[&bmp(1)]), of_row("(id)=(17)"));
    client.execute("INSERT INTO item VALUES (1, 'a', NULL, NULL, NULL)", &[]).expect("a row");
    assert_eq!(context(&mut client, "UPDATE item SET id = 2, image = 'no image'", &[]), of_row("(id)=(1)"));
    // An ERROR of the server's own, while the row waits for the engine.
    let engine = server.engine();
    assert!(process::send(engine, Signal::Stop));
    // A thread of it may run on for a moment.
    std::thread::sleep(std::time::Duration::from_millis(200));
    client.batch_execute("SET statement_timeout = '300ms'").expect("a setting");
    let waited = context(&mut client, "UPDATE item SET image = $1", &[&bmp(2)]);
    process::send(engine, Signal::Continue);
    assert_eq!(waited, of_row("(id)=(1)"));
    client.batch_execute("RESET statement_timeout").expect("a setting");

    // Several columns, a long value, none; a place where there is no key; names as they are.
    client
        .batch_execute(
            "CREATE TABLE \"Two Keys\" (\"a b\" text, image bytea, n int, f grnet_features, PRIMARY KEY (\"a b\", n)); \
             CREATE TABLE bare (note text, image bytea, f grnet_features); \
             CREATE TRIGGER t BEFORE INSERT OR UPDATE ON \"Two Keys\" FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'f'); \
             CREATE TRIGGER t BEFORE INSERT OR UPDATE ON bare FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'f'); \
             INSERT INTO bare VALUES ('x', NULL);",
        )
        .expect("tables");
    let long = context(&mut client, "INSERT INTO \"Two Keys\" VALUES (repeat('ä', 500), 'no image', 3)", &[]);
    assert_eq!(long, format!("grnet_features_trigger, table \"Two Keys\", row (a b, n)=({}..., 3)", "ä".repeat(32)));
    let new = context(&mut client, "INSERT INTO bare VALUES (NULL, 'no image')", &[]);
    assert_eq!(new, "grnet_features_trigger, table \"bare\", row (note)=(null)");
    let old = context(&mut client, "UPDATE bare SET image = 'no image'", &[]);
    assert_eq!(old, "grnet_features_trigger, table \"bare\", row (ctid)=(0,1)");

    // Who may not read the key is not told it; neither is anybody whom a policy hides rows from.
    let as_clerk = |client: &mut Client, change: &str| {
        client.batch_execute(&format!("RESET ROLE; {change}; SET ROLE clerk")).expect("a superuser may");
        context(client, "INSERT INTO item (id, image) VALUES (99, 'no image')", &[])
    };
    let hidden = "grnet_features_trigger, table \"item\"";
    let grant = "CREATE ROLE clerk; GRANT INSERT ON item TO clerk; GRANT SELECT (name) ON item TO clerk";
    assert_eq!(as_clerk(&mut client, grant), hidden);
    assert_eq!(as_clerk(&mut client, "GRANT SELECT (id) ON item TO clerk"), of_row("(id)=(99)"));
    let policy =
        "ALTER TABLE item ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON item USING (id < 50) WITH CHECK (true)";
    assert_eq!(as_clerk(&mut client, policy), hidden);

    // The line is gone with the row.
    client.batch_execute("RESET ROLE").expect("a role");
    assert_eq!(context(&mut client, "SELECT 1 / 0", &[]), "");
    client.batch_execute("INSERT INTO item (id) VALUES (50)").expect("a row");
    assert_eq!(context(&mut client, "SELECT 1 / 0", &[]), "");
}

#[test]
fn no_setting_of_a_session_role_or_connection_decides_the_model() {
    let server = Server::bare(|builder| builder.preload(false));
    let mut client = server.session();
    client
        .batch_execute(
            "CREATE EXTENSION grnet_pg; SELECT grnet_install_model('tiny'); \
             CREATE TABLE item (id serial PRIMARY KEY, image bytea, features grnet_features); \
             CREATE TRIGGER t BEFORE INSERT OR UPDATE ON item FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'features'); \
             CREATE ROLE anna LOGIN; GRANT ALL ON item, item_id_seq TO anna;",
        )
        .expect("a table");
    let insert = |client: &mut Client| client.execute("INSERT INTO item (image) VALUES ($1)", &[&bmp(1)]);
    let last = "SELECT name FROM item, grnet.model m WHERE m.id = grnet_info(features) ->> 'model' ORDER BY item.id DESC LIMIT 1";
    let model = |client: &mut Client| -> String { client.query_one(last, &[]).expect("a row").get(0) };
    // The database's only model, though the setting names another.
    insert(&mut client).expect("an insert");
    assert_eq!(model(&mut client), "tiny");
    // Of several the server's default, whatever the session has set.
    client.batch_execute("SELECT grnet_install_model('base'); SET grnet.model = 'tiny'").expect("a model");
    insert(&mut client).expect("an insert");
    assert_eq!(model(&mut client), "base");
    // A role's setting hides it.
    client.batch_execute("ALTER ROLE anna SET grnet.model = 'tiny'").expect("a setting");
    let mut anna = server.connect_to("postgres", "anna").expect("a session");
    let error = insert(&mut anna).expect_err("the default is hidden");
    let refusal = grnet_tests::refusal::Refusal::of(&error).expect("an ERROR");
    assert!(refusal.code == "55000" && refusal.hint.contains("model=base"), "{refusal:?}");
    // The database's default is everybody's, in sessions that are there already, too.
    client.batch_execute("ALTER DATABASE postgres SET grnet.model = 'base'; RESET grnet.model").expect("a setting");
    insert(&mut anna).expect("an insert");
    assert_eq!(model(&mut client), "base");
    // A default that is not there is an ERROR and not another model.
    client.batch_execute("ALTER DATABASE postgres SET grnet.model = 'none'").expect("a setting");
    let refused = |client: &mut Client| {
        insert(client).expect_err("there is no such model").code().map(|code| code.code().to_owned())
    };
    assert_eq!(refused(&mut client).as_deref(), Some("42704"));
    // The trigger's argument goes before all of them.
    client
        .batch_execute(
            "DROP TRIGGER t ON item; CREATE TRIGGER t BEFORE INSERT OR UPDATE ON item FOR EACH ROW \
             EXECUTE FUNCTION grnet_features_trigger('image', 'features', 'model=tiny')",
        )
        .expect("a trigger");
    insert(&mut anna).expect("an insert");
    assert_eq!(model(&mut client), "tiny");
}

#[test]
fn it_follows_rows_through_partitions_upserts_merges_and_copies() {
    let server = Server::start();
    let mut client = server.session();
    client
        .batch_execute(
            "CREATE TABLE item (gone int, id int, image bytea, features grnet_features, PRIMARY KEY (id)) PARTITION BY LIST (id); \
             ALTER TABLE item DROP COLUMN gone; \
             CREATE TABLE one (features grnet_features, image bytea, id int NOT NULL); \
             ALTER TABLE item ATTACH PARTITION one FOR VALUES IN (1); CREATE TABLE two PARTITION OF item FOR VALUES IN (2, 3); \
             CREATE TRIGGER t BEFORE INSERT OR UPDATE ON item FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'features');",
        )
        .expect("a table");
    let (first, second) = (bmp(1), bmp(2));
    // The engine counts from its start on.
    features(&mut client, &bmp(3));
    let mut asked = counter(&mut client, "images");
    let mut asks = |client: &mut Client, expected: i64, what: &str| {
        let now = counter(client, "images");
        assert_eq!(now - asked, expected, "{what}");
        asked = now;
        let stale = "SELECT count(*) FROM item WHERE features IS NULL OR grnet_info(features) -> 'digest' <> grnet_info(grnet_embed(image)) -> 'digest'";
        assert_eq!(client.query_one(stale, &[]).expect("a count").get::<_, i64>(0), 0, "{what}");
        asked = counter(client, "images");
    };
    client.execute("INSERT INTO item VALUES (1, $1)", &[&first]).expect("an insert");
    asks(&mut client, 1, "an insert into a partition of other columns");
    client.execute("UPDATE item SET id = 2", &[]).expect("an update");
    asks(&mut client, 0, "a row that moves to another partition");
    client.execute("UPDATE item SET id = 1, image = $1", &[&second]).expect("an update");
    asks(&mut client, 1, "a row that moves with another image");
    let upsert = "INSERT INTO item VALUES (1, $1), (3, $2) ON CONFLICT (id) DO UPDATE SET image = EXCLUDED.image";
    client.execute(upsert, &[&first, &second]).expect("an upsert");
    asks(&mut client, 2, "an upsert of two images");
    let merge = "MERGE INTO item USING (VALUES (1, $1::bytea), (2, $2::bytea)) AS new (id, image) ON item.id = new.id \
                 WHEN MATCHED THEN UPDATE SET image = new.image WHEN NOT MATCHED THEN INSERT (id, image) VALUES (new.id, new.image)";
    client.execute(merge, &[&second, &first]).expect("a merge");
    asks(&mut client, 2, "a merge of two images");
    client.batch_execute("CREATE TABLE plain (id int, image bytea, features grnet_features); \
        CREATE TRIGGER t BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'features')").expect("a table");
    let mut copy = client.copy_in("COPY plain (id, image) FROM STDIN").expect("a copy");
    let hex: String = first.iter().map(|byte| format!("{byte:02x}")).collect();
    std::io::Write::write_all(&mut copy, format!("1\t\\\\x{hex}\n2\t\\N\n").as_bytes()).expect("rows");
    copy.finish().expect("a copy");
    let made: i64 = client.query_one("SELECT count(features) FROM plain", &[]).expect("a count").get(0);
    assert_eq!(made, 1);
}

#[test]
fn a_drop_looks_at_tables_and_runs_no_code_of_their_owners() {
    let server = Server::start();
    let mut client = server.session();
    client.batch_execute("CREATE ROLE mallory; GRANT CREATE ON SCHEMA public TO mallory").expect("a role");
    client.execute("CREATE TABLE made AS SELECT grnet_embed($1) AS f", &[&bmp(1)]).expect("a value");
    client
        .batch_execute(
            "CREATE DOMAIN own AS grnet_features; CREATE DOMAIN owner AS own; GRANT SELECT ON made TO mallory; SET ROLE mallory; \
             CREATE FUNCTION evil(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS \
                 $$ BEGIN IF current_user <> 'mallory' THEN RAISE 'code of the owner ran'; END IF; RETURN true; END $$; \
             CREATE TABLE bait (id int, f owner); INSERT INTO bait SELECT 1, f FROM made; \
             CREATE INDEX ON bait (id) WHERE evil(1); \
             ALTER TABLE bait ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY p ON bait USING (evil(id)); \
             RESET ROLE; DROP TABLE made;",
        )
        .expect("a table with code");
    let drop = "SELECT grnet_drop_model('tiny')";
    let refusal = assert_refused(&mut client, drop, "2BP01", "force => true");
    assert_eq!(refusal.detail, "column f of table bait", "{refusal:?}");
    // Nobody waits for a lock, and what is not looked at is not in the way.
    let mut other = server.session();
    other.batch_execute("BEGIN; LOCK TABLE bait").expect("a lock");
    client.batch_execute("BEGIN; SET LOCAL lock_timeout = '10s'").expect("a transaction");
    client.batch_execute(drop).expect("nothing else is in the way");
    client.batch_execute("ROLLBACK").expect("an end");
    other.batch_execute("ROLLBACK").expect("an end");
    client.batch_execute("SELECT grnet_drop_model('tiny', force => true)").expect("it is meant");
}
