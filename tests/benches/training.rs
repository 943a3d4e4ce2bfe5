//! What a training beside it costs serving: images embedded in a second, alone and while a model is trained.
//!
//! `GRNET_TEST_PG=/path/to/pg_config cargo bench -p grnet-tests --bench training`; prints the ratio, asserts nothing.

use std::thread;
use std::time::{Duration, Instant};

use grnet_render::{Catalogue, Difficulty};
use grnet_tests::eventually;
use grnet_tests::server::{START, Server, backend_of};
use postgres::Client;

const ITEMS: i32 = 40;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(8);

/// Images that one session embeds in a second.
fn rate(client: &mut Client, images: &[Vec<u8>]) -> f64 {
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < ROUND {
        client.query_one("SELECT grnet_embed($1)::text", &[&images[count % images.len()]]).expect("features");
        count += 1;
    }
    count as f64 / start.elapsed().as_secs_f64()
}

fn main() {
    // `cargo test --benches` runs this too, and has no use for it.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let server = Server::start();
    let mut client = server.session();
    let set = "SELECT grnet_install_model('base'); CREATE TABLE image (item integer, image bytea, domain text);";
    client.batch_execute(set).expect("a table");
    client.batch_execute("SET grnet.model = 'base'").expect("a setting");
    let catalogue = Catalogue::new(7);
    let mut images = Vec::new();
    for item in 0..ITEMS {
        let garment = catalogue.item(item.unsigned_abs().into());
        let shop = garment.shop_photo(0, 256);
        let snapshots = (0..2).map(|number| (garment.consumer_photo(number, Difficulty::Easy, 256), "consumer"));
        for (image, domain) in std::iter::once((shop, "shop")).chain(snapshots) {
            let bytes = image.jpeg(90).expect("a small image");
            let row = "INSERT INTO image VALUES ($1, $2, $3)";
            client.execute(row, &[&item, &bytes, &domain]).expect("a row");
            images.push(bytes);
        }
    }
    rate(&mut client, &images);
    for round in 1..=ROUNDS {
        let alone = rate(&mut client, &images);
        let mut other = server.session();
        let backend = backend_of(&mut other);
        let training = thread::spawn(move || {
            let sql = "SET grnet.model = 'base'; SELECT grnet_train('ours', 'SELECT item, image, domain FROM image', \
                       '{\"steps\": 100000, \"every\": 100000, \"held_out\": 40}')";
            other.batch_execute(sql).expect_err("it is cancelled").to_string()
        });
        let phase = "SELECT count(*) FROM grnet.stat_progress_train WHERE phase = 'training' AND loss IS NOT NULL";
        eventually("it trains", START, || client.query_one(phase, &[]).expect("the view").get::<_, i64>(0) == 1);
        let beside = rate(&mut client, &images);
        client.execute("SELECT pg_cancel_backend($1)", &[&(backend as i32)]).expect("a superuser may");
        training.join().expect("the thread ends");
        println!(
            "round {round}: {alone:.1} images/s alone, {beside:.1} beside a training, {:.2} of it",
            beside / alone
        );
    }
}
