//! Several models at once: each session gets the features of its own, however few the engine keeps loaded.

use std::thread;

use grnet_tests::images::bmp;
use grnet_tests::refusal::Refusal;
use grnet_tests::server::{Server, installation};
use postgres::Client;

/// More than the engine keeps loaded (4).
const MODELS: u8 = 8;
const ROUNDS: u64 = 60;

/// A model that differs from tiny in the last bits of one weight: another id, nearly equal features.
fn variant(n: u8) -> Vec<u8> {
    let path = installation().sharedir().join("grnet_pg/models/tiny.safetensors");
    let mut file = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // The last number of the file, little-endian: its lowest byte.
    let at = file.len() - 4;
    file[at] ^= n + 1;
    file
}

fn register(client: &mut Client) {
    for n in 0..MODELS {
        client.execute("SELECT grnet_register_model($1, $2)", &[&format!("m{n}"), &variant(n)]).expect("a model");
    }
}

fn features_by(client: &mut Client, image: u64, model: &str) -> Result<Vec<u8>, postgres::Error> {
    let sql = "SELECT grnet_features_send(grnet_embed($1, $2::text))";
    Ok(client.query_one(sql, &[&bmp(image), &model])?.get(0))
}

#[test]
fn more_models_than_the_engine_keeps() {
    let server = Server::start();
    register(&mut server.session());
    let engine = server.engine();
    let sessions: Vec<_> = (0..MODELS)
        .map(|n| {
            let mut client = server.session();
            thread::spawn(move || {
                let (mut made, mut refused) = (Vec::new(), Vec::new());
                for image in 0..ROUNDS {
                    match features_by(&mut client, image, &format!("m{n}")) {
                        Ok(value) => made.push((image, value)),
                        Err(error) => refused.push(Refusal::of(&error)),
                    }
                }
                (n, made, refused)
            })
        })
        .collect();
    let mut client = server.session();
    let (mut all, mut errors) = (0, Vec::new());
    for session in sessions {
        let (n, made, refused) = session.join().expect("no panic");
        errors.extend(refused);
        for (image, value) in made {
            assert!(value == features_by(&mut client, image, &format!("m{n}")).expect("a quiet engine"), "model m{n}");
            all += 1;
        }
    }
    println!("{MODELS} models, {all} images embedded, {} errors", errors.len());
    assert!(errors.is_empty(), "{} errors, such as {:?}", errors.len(), errors[0]);
    assert_eq!(server.engine(), engine);
}

#[test]
fn a_dropped_model_is_an_error_that_names_it() {
    let server = Server::start();
    let mut client = server.session();
    register(&mut client);
    client.batch_execute("CREATE TABLE item (features grnet_features); SET grnet.model = 'm1'").expect("a table");
    client
        .execute("INSERT INTO item VALUES (grnet_embed($1)), (grnet_embed($1, 'm2'::text))", &[&bmp(1)])
        .expect("rows");
    let mut other = server.session();
    let own = "SELECT count(grnet_score(features, features)) FROM item";
    assert_eq!(other.query_one(own, &[]).expect("scores").get::<_, i64>(0), 2);
    let pairs = "SELECT grnet_score(a.features, b.features) FROM item a, item b";
    grnet_tests::refusal::assert_refused(&mut other, pairs, "55000", "features of different models");

    client.batch_execute("SELECT grnet_drop_model('m1', force => true)").expect("a superuser may");
    // A session that scored with it notices, in mid-transaction too; it comes back with the same file.
    grnet_tests::refusal::assert_refused(&mut other, own, "42704", "is not in this database");
    let mut fresh = server.session();
    grnet_tests::refusal::assert_refused(&mut fresh, own, "42704", "is not in this database");
    // The same file is the same model, whatever its name: the values are good again.
    client.execute("SELECT grnet_register_model('again', $1)", &[&variant(1)]).expect("a model");
    for client in [&mut fresh, &mut other] {
        assert_eq!(client.query_one(own, &[]).expect("scores").get::<_, i64>(0), 2);
    }
    // Without grnet_drop_model as well, and where the place in a query has seen the pair before.
    other
        .batch_execute(
            "CREATE FUNCTION itself(f grnet_features) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RETURN grnet_score(f, f); END $$;
             PREPARE itself AS SELECT itself(features) FROM item; EXECUTE itself;",
        )
        .expect("scores");
    client
        .batch_execute("DELETE FROM grnet.model_file WHERE id <> (SELECT id FROM grnet.model WHERE name = 'tiny')")
        .expect("an owner may");
    grnet_tests::refusal::assert_refused(&mut other, "EXECUTE itself", "42704", "is not in this database");
}
