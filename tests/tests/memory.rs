//! Memory: one backend and one engine through 20,000 scores and 2,000 images, good and bad.

use grnet_tests::hostile;
use grnet_tests::images::{bmp, encode, picture};
use grnet_tests::processes::{kilobytes, limit_memory};
use grnet_tests::server::{Server, backend_of, features, try_features};
use postgres::Client;
use postgres::error::SqlState;

const SCORES: i64 = 20_000;
const IMAGES: usize = 2_000;
/// What a flat curve may wander by.
const SLACK_KB: u64 = 8 << 10;
/// libtorch and the decoders keep arenas; the peak of one image is in them.
const ENGINE_SLACK_KB: u64 = 64 << 10;

/// What the server's own memory contexts hold, in kB.
fn contexts(client: &mut Client) -> u64 {
    let sql = "SELECT sum(total_bytes)::bigint / 1024 FROM pg_backend_memory_contexts";
    client.query_one(sql, &[]).expect("a sum").get::<_, i64>(0) as u64
}

#[test]
fn memory_stays_flat() {
    let server = Server::start();
    let mut client = server.session();
    client.batch_execute("CREATE TABLE item (features grnet_features)").expect("a table");
    let images: Vec<Vec<u8>> = (0..100).map(bmp).collect();
    client.execute("INSERT INTO item SELECT unnest(grnet_embed_images($1))", &[&images]).expect("an insert");
    let files: Vec<Vec<u8>> = hostile::cases().into_iter().map(|case| case.bytes).collect();
    let backend = backend_of(&mut client);

    let score = "SELECT count(grnet_score(a.features, b.features)) FROM item a, item b";
    let scores = |client: &mut Client, wanted: i64| {
        let mut done = 0;
        while done < wanted {
            done += client.query_one(score, &[]).expect("scores").get::<_, i64>(0);
        }
    };
    let embed = |client: &mut Client, from: usize, to: usize| {
        let (mut accepted, mut refused) = (0, 0);
        for n in from..to {
            // Every other one is good and new: nothing that is remembered helps.
            let good = bmp(1_000_000 + n as u64);
            let image = if n % 2 == 0 { &good } else { &files[n / 2 % files.len()] };
            match try_features(client, image) {
                Ok(_) => accepted += 1,
                Err(error) => {
                    assert!(error.as_db_error().is_some(), "the session was lost: {error:?}");
                    refused += 1;
                }
            }
        }
        (accepted, refused)
    };

    // Every file once: caches, arenas and thread pools are filled.
    scores(&mut client, 10_000);
    embed(&mut client, 0, 2 * files.len());
    let engine = server.engine();
    let before = (kilobytes(backend, "VmRSS"), contexts(&mut client), kilobytes(engine, "VmRSS"));
    scores(&mut client, SCORES);
    let (accepted, refused) = embed(&mut client, 0, IMAGES);
    let after = (kilobytes(backend, "VmRSS"), contexts(&mut client), kilobytes(engine, "VmRSS"));
    println!(
        "{SCORES} scores, {accepted} images embedded, {refused} refused; kB before and after: backend {} {}, \
         its contexts {} {}, engine {} {}",
        before.0, after.0, before.1, after.1, before.2, after.2
    );
    assert!(after.0 < before.0 + SLACK_KB, "the backend grew");
    assert!(after.1 < before.1 + SLACK_KB / 4, "the backend's contexts grew");
    assert!(after.2 < before.2 + ENGINE_SLACK_KB, "the engine grew");
    assert_eq!(server.engine(), engine);
}

#[test]
fn a_long_statement_frees_as_it_goes() {
    let server = Server::start();
    let mut client = server.session();
    client.batch_execute("CREATE TABLE item (features grnet_features); LOAD 'grnet_pg'").expect("a table");
    let images: Vec<Vec<u8>> = (0..100).map(bmp).collect();
    client.execute("INSERT INTO item SELECT unnest(grnet_embed_images($1))", &[&images]).expect("an insert");
    features(&mut client, &bmp(1));
    let backend = backend_of(&mut client);
    // 100,000 rows through every function that reads a value, in one statement each.
    for call in [
        "grnet_score(a.features, b.features)",
        "a.features <-> b.features",
        "grnet_global_similarity(a.features, b.features)",
        "grnet_info(a.features)",
        "grnet_global(a.features)",
        "grnet_region(a.features, 0, 0, 0)",
        "a.features = b.features",
        "grnet_features_send(a.features)",
        "a.features::text::grnet_features",
        "(SELECT count(*) FROM grnet_explain(a.features, b.features))",
        "(SELECT count(*) FROM grnet_regions(a.features))",
    ] {
        let sql = |rows: i32| format!("SELECT count({call}) FROM item a, item b, generate_series(1, {rows})");
        client.query_one(&sql(1), &[]).unwrap_or_else(|error| panic!("{call}: {error:?}"));
        let before = kilobytes(backend, "VmHWM");
        client.query_one(&sql(10), &[]).unwrap_or_else(|error| panic!("{call}: {error:?}"));
        let grown = kilobytes(backend, "VmHWM") - before;
        println!("{call}: {grown} kB more for ten times as many rows");
        // A set costs the server itself a row descriptor a call until the statement ends (json_each: 0.4 kB, two columns).
        let limit = SLACK_KB + if call.starts_with('(') { 90_000 } else { 0 };
        assert!(grown < limit, "{call}: {grown} kB");
    }
}

#[test]
fn a_backend_without_memory_raises_an_error_and_goes_on() {
    let server = Server::start();
    let mut client = server.session();
    // An image's file may hold anything behind its picture: 24 MB that are copied on their way, and decoded at once.
    let mut image = bmp(1);
    image.resize(24 << 20, 0);
    client
        .batch_execute("CREATE TABLE image (image bytea); ALTER TABLE image ALTER image SET STORAGE external")
        .expect("a table");
    client.execute("INSERT INTO image VALUES ($1)", &[&image]).expect("room for an image");
    let embed = "SELECT grnet_embed(image) IS NOT NULL, grnet_score(grnet_embed(image), grnet_embed(image)) FROM image";
    let (mut failed, mut done) = (0, 0);
    // Every step more memory: each copy on the way is the one that fails, in turn, until there is enough for all.
    for more in (1..40).map(|step| step * (6 << 10)) {
        let mut client = server.session();
        client
            .batch_execute("LOAD 'grnet_pg'; SELECT grnet_embed_images('{}')")
            .expect("a session that has all it needs");
        let backend = backend_of(&mut client);
        limit_memory(backend, Some(more));
        match client.query_one(embed, &[]) {
            Ok(_) => done += 1,
            Err(error) => {
                assert_eq!(error.code(), Some(&SqlState::OUT_OF_MEMORY), "with {more} kB more: {error:?}");
                failed += 1;
            }
        }
        limit_memory(backend, None);
        assert_eq!(backend_of(&mut client), backend);
        client.query_one(embed, &[]).expect("the session goes on");
    }
    println!("{failed} times there was too little memory, {done} times enough");
    assert!(failed > 0 && done > 0);
}

#[test]
fn an_image_in_many_places_of_a_statement_is_kept_once_and_many_images_within_a_bound() {
    let server = Server::start();
    let mut client = server.session();
    let backend = backend_of(&mut client);
    client
        .batch_execute("CREATE TABLE p (id int, b bytea); ALTER TABLE p ALTER b SET STORAGE EXTERNAL")
        .expect("a table");
    for id in 0..24 {
        let image = encode(&picture(id, 1700, 1600), image::ImageFormat::Bmp);
        client.execute("INSERT INTO p VALUES ($1, $2)", &[&(id as i32), &image]).expect("a row");
    }
    let select = |calls: Vec<String>| {
        let counted: Vec<String> = calls.iter().map(|call| format!("({call} IS NOT NULL)::int")).collect();
        format!("SELECT {} FROM p WHERE id < 2", counted.join(" + "))
    };
    let peak = |client: &mut Client, sql: &str, count: i32| {
        for row in client.query(sql, &[]).expect("features") {
            assert_eq!(row.get::<_, i32>(0), count);
        }
        kilobytes(backend, "VmHWM")
    };
    let before = peak(&mut client, &select(vec!["grnet_embed(b)".into()]), 1);
    let images = |client: &mut Client| {
        client
            .query_one("SELECT images + requests FROM grnet.stat_engine", &[])
            .expect("the view works")
            .get::<_, i64>(0)
    };
    let asked = images(&mut client);
    // 150 copies of 8 MB would be 1.2 GB.
    let same = peak(&mut client, &select(vec!["grnet_embed(b)".into(); 150]), 150);
    assert_eq!(images(&mut client) - asked, 4, "two rows' images, each in a request of its own");
    let others = (0..24).map(|id| format!("grnet_embed((SELECT b FROM p WHERE id = {id}))")).collect();
    let different = peak(&mut client, &select(others), 24);
    println!("peak with an image of 8 MB: once {before} kB, in 150 places {same} kB, 24 images {different} kB");
    assert!(same < before + (32 << 10), "{same} kB after {before} kB");
    assert!(different < before + (112 << 10), "{different} kB after {before} kB");
}
