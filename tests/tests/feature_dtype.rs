//! Features in eight bits, in a table as users have one: converted under its trigger, searched while they are mixed.

use grnet_tests::images::bmp;
use grnet_tests::server::{Server, features};
use postgres::Client;

const ITEMS: i64 = 60;

fn embedded(client: &mut Client) -> i64 {
    client.query_one("SELECT images FROM grnet.stat_engine", &[]).expect("the view works").get(0)
}

/// The whole table by its distance to an image of item 7.
fn ranking(client: &mut Client) -> Vec<(i64, f64)> {
    let sql = "SELECT id, features <-> grnet_embed($1) FROM item ORDER BY features <-> grnet_embed($1), id";
    let rows = client.query(sql, &[&bmp(7)]).expect("it is searched");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// The largest difference of a distance.
fn apart(a: &[(i64, f64)], b: &[(i64, f64)]) -> f64 {
    assert_eq!(a.len(), b.len());
    let other = |id: i64| b.iter().find(|(known, _)| *known == id).expect("the same items").1;
    a.iter().map(|&(id, distance)| (distance - other(id)).abs()).fold(0.0, f64::max)
}

#[test]
fn a_catalogue_is_converted_and_goes_on_being_searched() {
    let server = Server::start();
    let mut client = server.session();
    client
        .batch_execute(
            "CREATE TABLE item (id bigint PRIMARY KEY, image bytea, features grnet_features); \
             CREATE TRIGGER current BEFORE INSERT OR UPDATE ON item FOR EACH ROW \
                 EXECUTE FUNCTION grnet_features_trigger('image', 'features')",
        )
        .expect("a table");
    for item in 0..ITEMS {
        client.execute("INSERT INTO item VALUES ($1, $2)", &[&item, &bmp(item as u64)]).expect("a row");
    }
    let halves = ranking(&mut client);

    // Half of the rows, then all: nobody is asked for an image, and every distance is near what it was.
    let before = embedded(&mut client);
    let bytes = |client: &mut Client| -> i64 {
        client.query_one("SELECT sum(length(grnet_features_send(features))) FROM item", &[]).expect("a sum").get(0)
    };
    let large = bytes(&mut client);
    client.execute("UPDATE item SET features = grnet_quantize(features) WHERE id % 2 = 0", &[]).expect("converted");
    assert_eq!(embedded(&mut client), before);
    for rank in ["on", "off"] {
        client.batch_execute(&format!("SET grnet.enable_batch_scoring = {rank}")).expect("it is set");
        let mixed = ranking(&mut client);
        let moved = apart(&halves, &mixed);
        assert!(moved > 0.0 && moved < 0.05, "{moved}");
        // What was not converted did not move.
        let odd = |ranking: &[(i64, f64)]| ranking.iter().copied().filter(|(id, _)| id % 2 == 1).collect::<Vec<_>>();
        assert_eq!(apart(&odd(&halves), &odd(&mixed)), 0.0);
        client
            .batch_execute(&format!(
                "CREATE TABLE mixed_{rank} AS SELECT i.id, features <-> q AS distance FROM item i, \
            (SELECT features AS q FROM item WHERE id = 9) one ORDER BY features <-> q, i.id"
            ))
            .expect("a ranking");
    }
    let sql = "SELECT count(*) FROM mixed_on JOIN mixed_off USING (id, distance)";
    assert_eq!(client.query_one(sql, &[]).expect("a count").get::<_, i64>(0), ITEMS, "bit by bit, in batches or alone");
    client.execute("UPDATE item SET features = grnet_quantize(features)", &[]).expect("converted");
    let small = bytes(&mut client);
    assert!(
        (small as f64) < 0.85 * large as f64,
        "{small} of {large}: with 8 channels a scale weighs as much as 4 numbers"
    );

    // Who embeds from now on stores eight bits, and finds what is there unchanged.
    client.batch_execute("ALTER DATABASE postgres SET grnet.feature_dtype = 'i8'").expect("it is set");
    let mut other = server.session();
    let before = embedded(&mut other);
    other.batch_execute("UPDATE item SET image = image, features = features").expect("nothing changes");
    assert_eq!(embedded(&mut other), before);
    other.execute("INSERT INTO item VALUES ($1, $2)", &[&ITEMS, &bmp(ITEMS as u64)]).expect("a row");
    let kinds = "SELECT DISTINCT grnet_info(features) ->> 'dtype' FROM item";
    let kinds: Vec<String> = other.query(kinds, &[]).expect("kinds").iter().map(|row| row.get(0)).collect();
    assert_eq!(kinds, ["i8"]);
    assert_eq!(ranking(&mut other).len() as i64, ITEMS + 1);
    assert_eq!(features(&mut other, &bmp(7)), {
        let sql = "SELECT grnet_features_send(features) FROM item WHERE id = 7";
        other.query_one(sql, &[]).expect("a value").get::<_, Vec<u8>>(0)
    });
}

#[test]
fn rankings_in_sixteen_bits_are_asked_for_and_near_those_in_floats_which_every_call_gives() {
    let server = Server::start();
    let mut client = server.session();
    client
        .batch_execute("SELECT grnet_install_model('base'); CREATE TABLE item (id bigint, features grnet_features)")
        .expect("a table");
    for item in 0..40i64 {
        let sql = "INSERT INTO item SELECT $1, grnet_embed($2, model => 'base')";
        client.execute(sql, &[&item, &bmp(item as u64)]).expect("a row");
    }
    let mut ranking = |precision: &str, node: bool| -> Vec<(i64, f64)> {
        let settings = format!("SET grnet.score_precision = {precision}; SET grnet.enable_batch_scoring = {node}");
        client.batch_execute(&settings).expect("settings");
        let sql = "SELECT id, features <-> (SELECT features FROM item WHERE id = 7) FROM item ORDER BY 2, id";
        client.query(sql, &[]).expect("a ranking").iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    let (floats, short) = (ranking("f32", true), ranking("i16", true));
    let difference = apart(&floats, &short);
    println!("distances differ by at most {difference:.1e}");
    assert!(difference > 0.0 && difference < 0.02, "{difference}");
    // Only the node does: what is IMMUTABLE knows no setting.
    assert_eq!(floats, ranking("i16", false), "bit by bit");
    assert_eq!(floats, ranking("f32", false), "bit by bit");
}
