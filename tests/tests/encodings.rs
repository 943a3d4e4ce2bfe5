//! Text in databases that are not UTF-8: names, options, queries, messages of ours and of the server below us.

use grnet_tests::images::bmp;
use grnet_tests::refusal::{Refusal, assert_refused, refused};
use grnet_tests::server::Server;
use postgres::Client;

/// A session in a new database of an encoding, with the extension and the tiny model.
fn database(server: &Server, encoding: &str) -> Client {
    let name = encoding.to_lowercase();
    let sql = format!("CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0");
    server.session().batch_execute(&sql).expect("a database");
    server.add_extension(&name, "public");
    server.session_in(&name)
}

/// What must work in a database that can say `word` and `other`, two words that differ in a letter outside of ASCII.
fn try_everything(client: &mut Client, word: &str, other: &str) {
    // A name given to a trigger.
    client
        .batch_execute(&format!(
            "CREATE TABLE \"{word}\" (\"{other}\" bytea, f grnet_features);
             CREATE TRIGGER made BEFORE INSERT ON \"{word}\" FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('{other}', 'f');
             CREATE TABLE lacking (image bytea, f grnet_features);
             CREATE TRIGGER made BEFORE INSERT ON lacking FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('{word}', 'f');"
        ))
        .expect("tables");
    client.execute(&format!("INSERT INTO \"{word}\" VALUES (NULL), ($1)"), &[&bmp(1)]).expect("rows");
    let sql = format!("SELECT count(f) FROM \"{word}\"");
    assert_eq!(client.query_one(&sql, &[]).expect("a count").get::<_, i64>(0), 1);
    assert_refused(client, "INSERT INTO lacking VALUES (NULL)", "39P01", &format!("no column \"{word}\""));

    // Names and options that go to the library, or on to the engine and back.
    assert_refused(client, &format!("SELECT grnet_embed('x', '{word}')"), "42704", &format!("\"{word}\""));
    assert_refused(client, &format!("SELECT grnet_install_model('{word}')"), "42602", &format!("\"{word}\""));
    assert_refused(
        client,
        &format!("SELECT grnet_train('x', 'SELECT 1', '{{\"{word}\": 1}}')"),
        "22023",
        &format!("\"{word}\""),
    );
    client.batch_execute(&format!("SET grnet.model = '{word}'")).expect("any text");
    assert_refused(client, "SELECT grnet_embed('x')", "42704", &format!("\"{word}\""));
    client.batch_execute("SET grnet.model = 'tiny'").expect("a setting");
    let sql = format!("SELECT grnet_train('x', 'SELECT 1 AS item, 2 AS image, 3 AS domain, 4 AS \"{word}\"')");
    assert_refused(client, &sql, "42703", &format!("\"{word}\""));

    // An ERROR of the server's below us comes up as the server made it.
    client
        .batch_execute(&format!(
            "CREATE FUNCTION fails() RETURNS int LANGUAGE plpgsql AS $$
             BEGIN RAISE 'no {word}' USING DETAIL = 'D {other}', HINT = 'H {word}', TABLE = '{word}', ERRCODE = '22012'; END $$"
        ))
        .expect("a function");
    let sql = format!("SELECT grnet_evaluate('SELECT fails() AS item, ''''::bytea AS image, ''{word}'' AS domain')");
    let error = client.query(&sql, &[]).expect_err("it fails");
    let said = error.as_db_error().expect("an ERROR");
    let parts = (said.code().code(), said.message(), said.detail(), said.hint(), said.table());
    let (message, detail, hint) = (format!("no {word}"), format!("D {other}"), format!("H {word}"));
    assert_eq!(parts, ("22012", &*message, Some(&*detail), Some(&*hint), Some(word)), "{said:?}");
    let context = said.where_().unwrap_or_default();
    assert!(context.contains("PL/pgSQL function fails()"), "{context}");
    let sql = format!("SELECT grnet_evaluate('SELECT \"{word}\" FROM nowhere')");
    assert_refused(client, &sql, "42P01", "nowhere");

    // Handled inside of the query it stays there, and the query goes on.
    client
        .batch_execute(
            "CREATE FUNCTION tries() RETURNS text LANGUAGE plpgsql AS
             $$ BEGIN RETURN fails(); EXCEPTION WHEN division_by_zero THEN RETURN SQLERRM; END $$",
        )
        .expect("a function");
    let sql = "SELECT grnet_evaluate('SELECT 1 AS item, ''''::bytea AS image, tries() AS domain')";
    assert_refused(client, sql, "22023", &format!("\"no {word}\""));

    // Items are told apart by their names: one query of two has its like in the gallery.
    client.batch_execute("CREATE TABLE pair (item text, domain text, image bytea)").expect("a table");
    for (item, domain) in [(word, "consumer"), (other, "shop"), ("same", "consumer"), ("same", "shop")] {
        client.execute("INSERT INTO pair VALUES ($1, $2, $3)", &[&item, &domain, &bmp(7)]).expect("a row");
    }
    let sql = "SELECT queries, not_in_gallery FROM grnet_evaluate('SELECT * FROM pair') WHERE ranking = 'graph'";
    let row = client.query_one(sql, &[]).expect("an evaluation");
    assert_eq!((row.get::<_, i32>(0), row.get::<_, i32>(1)), (2, 1));
}

#[test]
fn latin1_and_euc_jp_are_converted() {
    let server = Server::start();
    try_everything(&mut database(&server, "LATIN1"), "größe", "grüße");
    try_everything(&mut database(&server, "EUC_JP"), "大きさ", "大きい");
    // The control.
    try_everything(&mut server.session(), "größe", "大きさ");
}

/// A file that is no model, with a word in its header that stands in the message.
fn odd_file(word: &str) -> Vec<u8> {
    let header = format!("{{\"__metadata__\":{{\"grnet\":\"{{\\\"{word}\\\":1}}\"}}}}");
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.bytes());
    file
}

#[test]
fn what_the_encoding_lacks_is_answered_all_the_same() {
    let server = Server::start();
    let mut client = server.session();
    let ask = |client: &mut Client| -> Refusal {
        let error = client.query("SELECT grnet_register_model('x', $1)", &[&odd_file("ö大")]).expect_err("no model");
        Refusal::of(&error).expect("an ERROR")
    };
    let whole = ask(&mut client);
    assert!(whole.detail.contains("ö大"), "the word is in the message: {whole:?}");
    let mut latin1 = database(&server, "LATIN1");
    let said = ask(&mut latin1);
    assert_eq!(said.detail, whole.detail.replace('大', "?"), "{said:?}");
    assert_eq!((said.code, said.message), (whole.code, whole.message));
}

#[test]
fn sql_ascii_has_bytes_as_they_are_or_one_clear_error() {
    let server = Server::start();
    let mut client = database(&server, "SQL_ASCII");
    try_everything(&mut client, "größe", "大きさ");
    // Bytes that are no UTF-8, which only the server reads.
    client
        .batch_execute("CREATE FUNCTION odd() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT convert_from('\\x67f6df65', 'SQL_ASCII') $$")
        .expect("a function");
    let sql = "SELECT grnet_evaluate('SELECT ''' || odd() || '''::bytea AS image, NULL AS item, ''x'' AS domain')";
    assert_refused(&mut client, sql, "22023", "the domain \"x\"");
    for sql in [
        "SELECT grnet_embed('x', odd())",
        "SELECT grnet_train(odd(), 'SELECT 1')",
        "SELECT grnet_evaluate('SELECT 1 AS \"' || odd() || '\"')",
        "SELECT grnet_evaluate('SELECT odd() AS domain, 1 AS item, ''''::bytea AS image')",
        "SELECT odd()::grnet_features",
    ] {
        let refusal = refused(&mut client, sql, &[]);
        assert_eq!(refusal.code, "22021", "{sql}: {refusal:?}");
    }
}
