//! `grnet_features_trigger`: when it computes, when it keeps, and how it refuses.

use grnet_tests::photos::bmp;
use grnet_tests::refusal::assert_refused;
use grnet_tests::server::{Server, counter, features};
use postgres::Client;

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
fn it_computes_what_is_missing_or_from_another_photo_and_nothing_else() {
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
    asks(&mut client, 0, "updates that change no photo");

    client.execute("UPDATE item SET image = $1", &[&two]).expect("an update");
    assert_eq!(stored(&mut client, 1), Some(of_two.clone()));
    asks(&mut client, 1, "another photo");

    client.execute("UPDATE item SET features = NULL", &[]).expect("an update");
    assert_eq!(stored(&mut client, 1), Some(of_two.clone()));
    asks(&mut client, 1, "features set to NULL");

    client.execute("UPDATE item SET image = NULL", &[]).expect("an update");
    assert_eq!(stored(&mut client, 1), None);
    client.execute("INSERT INTO item VALUES (2, 'no photo')", &[]).expect("an insert");
    assert_eq!(stored(&mut client, 2), None);
    asks(&mut client, 0, "no photo");

    let given = "INSERT INTO item SELECT $1::int, 'given', $2, NULL, features FROM made WHERE photo = $3";
    client.batch_execute("CREATE TABLE made (photo int, features grnet_features)").expect("a table");
    client
        .execute("INSERT INTO made VALUES (1, grnet_embed($1)), (2, grnet_embed($2))", &[&one, &two])
        .expect("values");
    asks(&mut client, 2, "two values made beside the trigger");
    client.execute(given, &[&3, &one, &1]).expect("an insert");
    assert_eq!(stored(&mut client, 3), Some(of_one.clone()));
    asks(&mut client, 0, "a value that was made from this photo");
    client.execute(given, &[&4, &one, &2]).expect("an insert");
    assert_eq!(stored(&mut client, 4), Some(of_one.clone()));
    asks(&mut client, 1, "a value that was made from another photo");
    client
        .execute("UPDATE item SET features = made.features FROM made WHERE id = 4 AND photo = 2", &[])
        .expect("an update");
    assert_eq!(stored(&mut client, 4), Some(of_one));
    asks(&mut client, 1, "an update to a value that was made from another photo");
}

#[test]
fn a_region_is_part_of_the_photo() {
    let server = Server::start();
    let mut client = catalogue(&server);
    client
        .batch_execute(
            "DROP TRIGGER item_features ON item; CREATE TRIGGER item_features BEFORE INSERT OR UPDATE OF image, area, features \
             ON item FOR EACH ROW EXECUTE FUNCTION grnet_features_trigger('image', 'features', 'area');",
        )
        .expect("a trigger");
    let photo = bmp(5);
    client.execute("INSERT INTO item VALUES (1, 'a', $1, box '(2,3),(14,20)')", &[&photo]).expect("an insert");
    let sql = "SELECT grnet_features_send(grnet_embed($1, box '(14,20),(2,3)')), grnet_features_send(grnet_embed($1))";
    let row = client.query_one(sql, &[&photo]).expect("features");
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
        ("", "takes 2 or 3 column names, 0 were given"),
        ("'image'", "takes 2 or 3 column names, 1 were given"),
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
