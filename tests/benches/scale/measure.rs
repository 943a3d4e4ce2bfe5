//! Times, buffers and what is found.

use std::thread;
use std::time::{Duration, Instant};

use grnet_tests::plans::rows;
use grnet_tests::server::Server;
use postgres::Client;

use crate::LIMIT;
use crate::items::Value;

/// How a ranking is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By the graph, all rows.
    Exact,
    /// The same with `grnet.score_precision = i16`.
    ExactI16,
    /// By the graph, with `grnet.shortlist`.
    Shortlist(usize),
    /// By the global vectors alone, through pgvector's index.
    Pgvector,
}

/// A query of the benchmark.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    /// How it ranks.
    pub kind: Kind,
    /// Per cent of the rows that pass its filter.
    pub passing: usize,
}

impl Query {
    /// For tables and progress.
    pub fn name(self) -> String {
        let kind = match self.kind {
            Kind::Exact => "exact".to_owned(),
            Kind::ExactI16 => "exact, i16".to_owned(),
            Kind::Shortlist(length) => format!("shortlist {length}"),
            Kind::Pgvector => "pgvector alone".to_owned(),
        };
        if self.passing == 100 { kind } else { format!("{kind}, {} % pass", self.passing) }
    }

    fn setting(self) -> String {
        let length = if let Kind::Shortlist(length) = self.kind { length } else { 0 };
        let precision = if self.kind == Kind::ExactI16 { "i16" } else { "f32" };
        format!("SET grnet.shortlist = {length}; SET grnet.score_precision = {precision}")
    }

    fn sql(self, table: &str) -> String {
        let filter = if self.passing == 100 { String::new() } else { format!(" WHERE bucket < {}", self.passing) };
        let order = match self.kind {
            Kind::Pgvector => "(grnet_global(features)::halfvec(256)) <#> (SELECT grnet_global($1)::halfvec(256))",
            _ => "features <-> $1",
        };
        format!("SELECT id FROM {table}{filter} ORDER BY {order} LIMIT {LIMIT}")
    }
}

/// What one query costs one client, and what it finds.
#[derive(Debug)]
pub struct Figures {
    /// Which.
    pub query: Query,
    /// Milliseconds from asking to the last row.
    pub p50: f64,
    /// The same that 95 % stay below.
    pub p95: f64,
    /// The share of the exact ranking's first rows that is among the first rows here.
    pub recall: f64,
    /// Rows that came, of [`LIMIT`], on average.
    pub rows: f64,
    /// Buffers of 8 kB that were looked at, on average.
    pub buffers: f64,
}

/// The first ids of each query.
pub type Truth = Vec<Vec<i32>>;

/// The exact ranking: its figures, and what it finds.
pub fn reference(client: &mut Client, query: Query, values: &[Value]) -> (Figures, Truth) {
    let (times, found) = ask(client, query, "item", values);
    (figures(client, query, values, &times, &found, &found), found)
}

/// Another ranking, against what the exact one finds.
pub fn against(client: &mut Client, query: Query, values: &[Value], truth: &Truth) -> Figures {
    let (times, found) = ask(client, query, "item", values);
    figures(client, query, values, &times, &found, truth)
}

fn ask(client: &mut Client, query: Query, table: &str, values: &[Value]) -> (Vec<f64>, Truth) {
    client.batch_execute(&query.setting()).expect("a setting");
    let statement = client.prepare(&query.sql(table)).expect("a query");
    let (mut times, mut found) = (Vec::new(), Vec::new());
    // The first one loads the model and fills caches.
    client.query(&statement, &[&values[0]]).expect("rows");
    for value in values {
        let started = Instant::now();
        let rows = client.query(&statement, &[value]).expect("rows");
        times.push(1e3 * started.elapsed().as_secs_f64());
        found.push(rows.iter().map(|row| row.get(0)).collect());
    }
    (times, found)
}

fn figures(
    client: &mut Client,
    query: Query,
    values: &[Value],
    times: &[f64],
    found: &Truth,
    truth: &Truth,
) -> Figures {
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF) {}", query.sql("item"));
    let few = &values[..values.len().min(4)];
    let buffers = few.iter().map(|value| {
        let plan = client.query(&explain, &[value]).expect("a plan");
        // The first line is of the whole query.
        let line = plan.iter().map(|row| row.get::<_, String>(0)).find(|line| line.contains("Buffers:"));
        let numbers = line.unwrap_or_default();
        let counted =
            numbers.split_whitespace().filter_map(|word| word.strip_prefix("hit=").or(word.strip_prefix("read=")));
        counted.filter_map(|number| number.parse::<f64>().ok()).sum::<f64>()
    });
    let buffers = buffers.sum::<f64>() / few.len() as f64;
    let count = found.iter().map(Vec::len).sum::<usize>() as f64;
    Figures {
        query,
        p50: quantile(times, 0.5),
        p95: quantile(times, 0.95),
        recall: recall(found, truth),
        rows: count / found.len() as f64,
        buffers,
    }
}

/// The share of the rows of `truth` that were found.
fn recall(found: &Truth, truth: &Truth) -> f64 {
    let hits = found.iter().zip(truth).map(|(found, truth)| truth.iter().filter(|id| found.contains(id)).count());
    hits.sum::<usize>() as f64 / truth.iter().map(Vec::len).sum::<usize>() as f64
}

fn quantile(times: &[f64], share: f64) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable_by(f64::total_cmp);
    times[((times.len() as f64 * share).ceil() as usize).clamp(1, times.len()) - 1]
}

/// Several clients at once.
#[derive(Debug)]
pub struct Crowd {
    /// What they ask.
    pub query: Query,
    /// How many they are.
    pub clients: usize,
    /// Answers in a second, all together.
    pub rate: f64,
    /// Milliseconds to an answer.
    pub p50: f64,
    /// The same that 95 % stay below.
    pub p95: f64,
}

/// Has `clients` sessions ask one query after the other for some seconds, each at least three times.
pub fn crowd(server: &Server, query: Query, clients: usize, values: &[Value], seconds: f64) -> Crowd {
    let (enough, started) = (Duration::from_secs_f64(seconds), Instant::now());
    let times: Vec<f64> = thread::scope(|scope| {
        let all: Vec<_> = (0..clients)
            .map(|first| {
                scope.spawn(move || {
                    let mut client = server.session();
                    client.batch_execute(&query.setting()).expect("a setting");
                    let statement = client.prepare(&query.sql("item")).expect("a query");
                    let mut times = Vec::new();
                    for value in values.iter().cycle().skip(7 * first) {
                        let asked = Instant::now();
                        client.query(&statement, &[value]).expect("rows");
                        times.push(1e3 * asked.elapsed().as_secs_f64());
                        if times.len() > 2 && started.elapsed() > enough {
                            break;
                        }
                    }
                    times
                })
            })
            .collect();
        all.into_iter().flat_map(|one| one.join().expect("a client")).collect()
    });
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    Crowd { query, clients, rate, p50: quantile(&times, 0.5), p95: quantile(&times, 0.95) }
}

/// What eight bits a number cost and save.
#[derive(Debug)]
pub struct EightBits {
    /// Bytes of the table in eight bits.
    pub bytes: u64,
    /// Of the same rows with the same columns in half precision.
    pub half_bytes: u64,
    /// Recall of its exact ranking against that in half precision.
    pub recall: f64,
    /// Its exact ranking.
    pub p50: f64,
}

/// Ranks a copy of the table in eight bits a number.
pub fn eight_bits(client: &mut Client, values: &[Value]) -> EightBits {
    client
        .batch_execute(
            "CREATE TABLE half AS SELECT id, bucket, features FROM item;
             CREATE TABLE byte AS SELECT id, bucket, grnet_quantize(features) AS features FROM item;",
        )
        .expect("tables");
    client.batch_execute("VACUUM ANALYZE byte").expect("an owner may");
    let mut size = |table: &str| {
        rows(client, &format!("SELECT pg_table_size('{table}')"))[0].parse::<u64>().expect("a number of bytes")
    };
    let (bytes, half_bytes) = (size("byte"), size("half"));
    let exact = Query { kind: Kind::Exact, passing: 100 };
    let (_, truth) = ask(client, exact, "item", values);
    let (times, found) = ask(client, exact, "byte", values);
    client.batch_execute("DROP TABLE byte, half").expect("an owner may");
    EightBits { bytes, half_bytes, recall: recall(&found, &truth), p50: quantile(&times, 0.5) }
}
