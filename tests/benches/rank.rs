//! `ORDER BY features <-> q LIMIT 20` with the node and without: against the time of its kernel and of reading the same
//! rows, with two workers, without a limit.
//!
//! `GRNET_TEST_PG=/path/to/pg_config cargo bench -p grnet-tests --bench rank`; `GRNET_RANK_ROWS` says how many rows
//! (20,000). Rounds take turns, so that a busy machine slows all alike; prints medians, asserts nothing. The features are
//! numbers by chance in the shape of the model `base`: what a pair costs does not depend on them.

use grnet_tests::plans::{custom, rows};
use grnet_tests::server::Server;
use postgres::Client;
use serde_json::Value;

const ROUNDS: usize = 7;

/// What one run of a query took.
#[derive(Default)]
struct Timed {
    milliseconds: Vec<f64>,
    /// Of these in the kernel, in fetching values, and in what lies below the node; one process's.
    parts: Vec<[f64; 3]>,
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn run(client: &mut Client, settings: &str, sql: &str, timed: &mut Timed) {
    client.batch_execute(settings).expect("settings");
    let text = rows(client, &format!("EXPLAIN (ANALYZE, TIMING ON, FORMAT JSON) {sql}")).concat();
    let plan: Value = serde_json::from_str(&text).expect("JSON");
    timed.milliseconds.push(plan[0]["Execution Time"].as_f64().expect("a time"));
    if let Some(ours) = custom(&plan[0]["Plan"], "GrnetScore") {
        let figure = |value: &Value| value.as_f64().unwrap_or(0.0);
        let below = figure(&ours["Plans"][0]["Actual Total Time"]);
        timed.parts.push([figure(&ours["Score Time"]), figure(&ours["Fetch Time"]), below]);
    }
}

fn main() {
    // `cargo test --benches` runs this too, and has no use for it.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let items: u32 = std::env::var("GRNET_RANK_ROWS").map_or(20_000, |text| text.parse().expect("a number of rows"));
    let server = Server::build(|builder| builder.preload(true));
    let mut client = server.session();
    client
        .batch_execute(&format!(
            "SELECT grnet_install_model('base');
             CREATE FUNCTION chance() RETURNS real[] LANGUAGE sql VOLATILE AS
                 'SELECT array_agg((random() - 0.5)::real) FROM generate_series(1, 14 * 256)';
             CREATE TABLE seed AS SELECT g AS n, grnet_make_features(chance(), 'base') AS f FROM generate_series(1, 500) g;
             CREATE TABLE item (id int, features grnet_features);
             INSERT INTO item SELECT g, f FROM generate_series(1, {items}) g JOIN seed ON n = 1 + g % 500"
        ))
        .expect("a table");
    // Not beside other statements.
    client.batch_execute("VACUUM ANALYZE item").expect("an owner may");
    let sql = "SELECT id FROM item ORDER BY features <-> (SELECT f FROM seed WHERE n = 1)";
    let (limited, all) = (format!("{sql} LIMIT 20"), sql.to_owned());
    let settings = |node: bool, workers: u32| {
        // Both cores work: the leader is one of the processes.
        format!(
            "SET grnet.enable_batch_scoring = {node}; SET max_parallel_workers_per_gather = {workers}; SET jit = off; \
                 SET grnet.score_precision = f32"
        )
    };
    let short = "SET grnet.score_precision = i16";
    let runs = [
        ("plain plan", settings(false, 0), &limited),
        ("node", settings(true, 0), &limited),
        ("node, leader and a worker", settings(true, 1), &limited),
        ("node, i16", format!("{}; {short}", settings(true, 0)), &limited),
        ("plain plan, no limit", settings(false, 0), &all),
        ("node, no limit", settings(true, 0), &all),
    ];
    let mut timed: Vec<Timed> = runs.iter().map(|_| Timed::default()).collect();
    for round in 0..ROUNDS {
        for ((_, settings, sql), timed) in runs.iter().zip(&mut timed) {
            run(&mut client, settings, sql, timed);
        }
        println!("round {} of {ROUNDS}", round + 1);
    }
    for ((name, ..), timed) in runs.iter().zip(&timed) {
        let time = median(timed.milliseconds.iter().copied());
        println!("{name:28} {time:8.1} ms, {:6.2} µs a row", 1e3 * time / f64::from(items));
    }
    let ratio =
        |a: usize, b: usize| median(timed[a].milliseconds.iter().zip(&timed[b].milliseconds).map(|(a, b)| a / b));
    let over = timed[1].milliseconds.iter().zip(&timed[1].parts).map(|(time, parts)| time / parts.iter().sum::<f64>());
    println!("node against kernel + fetching + the scan below it: {:.3}", median(over));
    println!("plain plan against the node: {:.3}; without a limit {:.3}", ratio(0, 1), ratio(4, 5));
    println!("one process against two: {:.3}", ratio(1, 2));
    println!("f32 against i16: {:.3}", ratio(1, 3));
}
