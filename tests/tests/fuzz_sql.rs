//! Random SQL for a short time; `tests/examples/fuzz_sql.rs` does it for as long as one likes.
//!
//! `GRNET_FUZZ_SECONDS` says how long (20), `GRNET_FUZZ_SEED` which.

use std::time::Duration;

use grnet_tests::differential::number;
use grnet_tests::fuzz::{Options, runner};
use grnet_tests::server::Server;

#[test]
fn random_statements_end_in_answers_and_ordinary_errors() {
    let (seconds, seed) = (number("GRNET_FUZZ_SECONDS", 20), number("GRNET_FUZZ_SEED", 1));
    let server = Server::build(runner::settings);
    let report = runner::run(&server, &Options { time: Duration::from_secs(seconds), seed, ..Options::default() });
    println!("seed {seed}: {report}");
    assert!(report.failures.is_empty(), "{}", report.failures.join("\n"));
    // What is always refused shows nothing.
    assert!(report.answered * 3 > report.statements, "only {} of {} were answered", report.answered, report.statements);
    assert!(report.nodes.contains_key("Custom Scan (GrnetScore)"), "no plan has the node: {:?}", report.nodes);
}
