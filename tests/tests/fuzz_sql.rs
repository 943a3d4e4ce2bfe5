//! Random SQL for a short time; `tests/examples/fuzz_sql.rs` does it for as long as one likes.
//!
//! `GRNET_FUZZ_SECONDS` says how long (20), `GRNET_FUZZ_SEED` which.

use std::time::Duration;

use grnet_tests::differential::number;
use grnet_tests::fuzz::{Options, ground, runner};
use grnet_tests::server::Server;

#[test]
fn random_statements_end_in_answers_and_ordinary_errors() {
    let (seconds, seed) = (number("GRNET_FUZZ_SECONDS", 20), number("GRNET_FUZZ_SEED", 1));
    let server = Server::build(ground::settings);
    let report = runner::run(&server, &Options { time: Duration::from_secs(seconds), seed, ..Options::default() });
    println!("seed {seed}: {report}");
    assert!(report.failures.is_empty(), "{}", report.failures.join("\n"));
    // What is always refused shows nothing.
    assert!(report.answered * 3 > report.statements, "only {} of {} were answered", report.answered, report.statements);
    assert!(report.nodes.contains_key("Custom Scan (GrnetScore)"), "no plan has the node: {:?}", report.nodes);
}

#[test]
fn a_planted_fault_and_a_planted_crash_are_found() {
    // A number where the server expects a pointer: the session's process ends by SIGSEGV.
    const CRASH: &str =
        "CREATE FUNCTION grnet_planted(n bigint DEFAULT 7) RETURNS int STRICT LANGUAGE internal AS 'textlen'";
    const FAULT: &str = "CREATE FUNCTION grnet_planted() RETURNS int LANGUAGE plpgsql AS \
                         $$ BEGIN RAISE 'unheard of' USING ERRCODE = 'XX000'; END $$";
    for (plant, signature, found) in
        [(FAULT, "grnet_planted()", "SQLSTATE XX000"), (CRASH, "grnet_planted(bigint)", "terminated by signal 11")]
    {
        let server = Server::build(ground::settings);
        let mut client = server.session();
        client.batch_execute(plant).expect("a function");
        client.batch_execute(&format!("ALTER EXTENSION grnet_pg ADD FUNCTION {signature}")).expect("a member");
        let only = Some("grnet_planted".to_owned());
        let options = Options { time: Duration::from_secs(60), cases: 8, only, ..Options::default() };
        let failures = runner::run(&server, &options).failures;
        assert!(failures.iter().any(|failure| failure.contains(found)), "{found} is not among {failures:?}");
    }
}
