//! Random SQL against a throwaway server:
//! `GRNET_TEST_PG=PG_CONFIG cargo run --release -p grnet-tests --example fuzz_sql -- --seconds 1800 --seed 1`.
//!
//! `--replay NUMBER` runs that case of the seed alone, `--first NUMBER` begins there, `--cases COUNT` ends after so many,
//! `--only WORD` keeps to functions with WORD in their names, `--neighbour` has another session change definitions
//! meanwhile, `--verbose` prints every statement before it runs.

use std::process::ExitCode;
use std::time::Duration;

use grnet_tests::fuzz::{Options, ground, runner};
use grnet_tests::server::Server;

fn options() -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        match name.as_str() {
            "--verbose" => options.verbose = true,
            "--neighbour" => options.neighbour = true,
            _ => valued(&mut options, &name, arguments.next())?,
        }
    }
    Ok(options)
}

/// An option that has a value.
fn valued(options: &mut Options, name: &str, text: Option<String>) -> Result<(), String> {
    let text = text.ok_or_else(|| format!("{name} needs a value"))?;
    let number = text.parse::<u64>().map_err(|_| format!("{name}: {text:?} is not a number"));
    match name {
        "--seconds" => options.time = Duration::from_secs(number?),
        "--seed" => options.seed = number?,
        "--first" => options.first = number?,
        "--cases" => options.cases = number?,
        "--replay" => (options.first, options.cases, options.verbose) = (number?, 1, true),
        "--only" => options.only = Some(text),
        _ => return Err(format!("{name} is not known")),
    }
    Ok(())
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let server = Server::build(ground::settings);
    let report = runner::run(&server, &options);
    println!("seed {}: {report}", options.seed);
    if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
