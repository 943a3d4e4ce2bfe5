//! What preloading costs a connection: `pgbench -C` with the extension preloaded against without.
//!
//! `GRNET_TEST_PG=/path/to/pg_config cargo bench -p grnet-tests`; prints the ratio, asserts nothing.

use grnet_tests::server::Server;

const ROUNDS: usize = 5;
const TRANSACTIONS: &str = "2000";

/// Connections a second, each with one trivial query.
fn rate(server: &Server) -> f64 {
    let script = server.dir().join("select.sql");
    std::fs::write(&script, "SELECT 1;\n").expect("the folder is writable");
    let output =
        server.command("pgbench").args(["-n", "-C", "-c", "1", "-t", TRANSACTIONS, "-f"]).arg(&script).output();
    let text = String::from_utf8(output.expect("pgbench runs").stdout).expect("pgbench writes text");
    let line = text.lines().find(|line| line.starts_with("tps")).unwrap_or_else(|| panic!("no rate in {text}"));
    line.split_whitespace().nth(2).and_then(|rate| rate.parse().ok()).expect("a rate")
}

fn main() {
    // `cargo test --benches` runs this too, and has no use for it.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let plain = Server::bare(|builder| builder);
    let preloaded = Server::start();
    preloaded.engine();
    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let (without, with) = (rate(&plain), rate(&preloaded));
            println!("connections a second: {without:.0} without, {with:.0} preloaded");
            without / with
        })
        .collect();
    ratios.sort_unstable_by(f64::total_cmp);
    println!(
        "a connection costs {:.3} times as much with grnet_pg preloaded (median of {ROUNDS} rounds)",
        ratios[ROUNDS / 2]
    );
}
