//! A catalogue that grows: what a ranking costs and finds at 1,000, 10,000 and 100,000 items, exact and with shortlists,
//! filtered, for one client and for eight, beside pgvector alone on the global vectors.
//!
//! `bench/scale` runs it; prints figures and draws plots, asserts nothing.

mod items;
mod measure;
mod options;
mod plot;
mod report;

use std::time::Instant;

use grnet_tests::plans::rows;
use grnet_tests::server::Server;
use postgres::Client;

use items::Items;
use measure::{Figures, Kind, Query};
use options::Options;
use report::Step;

/// Rows that a query asks for.
pub const LIMIT: usize = 20;
/// Lengths of shortlists.
const SHORTLISTS: [usize; 3] = [100, 200, 1_000];
/// Per cent of the rows that a filter lets pass.
const FILTERS: [usize; 3] = [50, 10, 1];

fn main() {
    // `cargo test --benches` runs this too, and has no use for it.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(reason) => {
            eprintln!("{reason}");
            std::process::exit(2);
        }
    };
    let server = Server::build(|builder| {
        builder.preload(true).setting("shared_buffers", "1500MB").setting("maintenance_work_mem", "1GB")
    });
    let mut client = server.session();
    client
        .batch_execute("SET client_min_messages = warning; CREATE EXTENSION vector; SELECT grnet_install_model('base')")
        .expect("extensions");
    let said = |text: &str| println!("{text}");
    let mut items = Items::embed(&mut client, &options, &said);
    client
        .batch_execute("CREATE TABLE item (id int PRIMARY KEY, bucket int, features grnet_features)")
        .expect("a table");
    let mut steps: Vec<Step> = Vec::new();
    for &size in &options.sizes {
        steps.push(step(&server, &mut client, &mut items, size, &options));
    }
    print!("{}", report::text(&steps));
    std::fs::create_dir_all(&options.out).expect("a folder for the results");
    std::fs::write(options.out.join("scale.csv"), report::csv(&steps)).expect("a file");
    let picture = options.out.join("scale.svg");
    plot::draw(&picture, &steps).expect("a picture");
    println!("{} and scale.csv beside it", picture.display());
}

/// Fills the table up to `size` rows and measures everything with it.
fn step(server: &Server, client: &mut Client, items: &mut Items, size: usize, options: &Options) -> Step {
    let began = Instant::now();
    let say = |what: &str| println!("{size:>7} items, {:>4.0} s: {what}", began.elapsed().as_secs_f64());
    say("filling the table");
    // Made anew: row by row an index takes several times as long.
    for index in rows(client, "SELECT grnet.global_index('item', 'features')").iter().filter(|name| *name != "NULL") {
        client.batch_execute(&format!("DROP INDEX {index}")).expect("an owner may");
    }
    items.fill(client, size);
    say("building the index");
    let started = Instant::now();
    let index = rows(client, "SELECT grnet_create_index('item')").concat();
    let built = started.elapsed();
    client.batch_execute("VACUUM ANALYZE item").expect("an owner may");
    let bytes = |client: &mut Client, sql: &str| rows(client, sql)[0].parse::<u64>().expect("a number of bytes");
    let table = bytes(client, "SELECT pg_table_size('item')");
    let index_bytes = bytes(client, &format!("SELECT pg_relation_size('{index}')"));

    let mut figures: Vec<Figures> = Vec::new();
    for passing in [100].iter().chain(&FILTERS).copied() {
        let exact = Query { kind: Kind::Exact, passing };
        say(&exact.name());
        let (figure, truth) = measure::reference(client, exact, &items.queries[..options.queries]);
        figures.push(figure);
        let mut others: Vec<Kind> = if passing == 100 {
            let shortlists = SHORTLISTS.iter().filter(|length| **length < size).map(|length| Kind::Shortlist(*length));
            [Kind::ExactI16].into_iter().chain(shortlists).collect()
        } else if size > 200 {
            vec![Kind::Shortlist(200)]
        } else {
            Vec::new()
        };
        others.push(Kind::Pgvector);
        for kind in others {
            let query = Query { kind, passing };
            say(&query.name());
            figures.push(measure::against(client, query, &items.queries[..options.queries], &truth));
        }
    }
    let mut crowds = Vec::new();
    for kind in [Kind::Exact, Kind::Shortlist(200), Kind::Pgvector] {
        for clients in [1, 8] {
            let query = Query { kind, passing: 100 };
            say(&format!("{}, {clients} at once", query.name()));
            crowds.push(measure::crowd(server, query, clients, &items.queries, options.seconds));
        }
    }
    let eight_bits = (size <= 10_000).then(|| {
        say("features in eight bits");
        measure::eight_bits(client, &items.queries[..options.queries])
    });
    Step { size, built, table, index: index_bytes, figures, crowds, eight_bits }
}
