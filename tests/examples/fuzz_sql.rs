//! Random SQL against a throwaway server:
//! `GRNET_TEST_PG=PG_CONFIG cargo run --release -p grnet-tests --example fuzz_sql -- --seconds 1800 --seed 1`.
//!
//! `--replay NUMBER` runs that case of the seed alone, `--first NUMBER` begins there, `--cases COUNT` ends after so many,
//! `--only WORD` keeps to functions with WORD in their names, `--verbose` prints every statement before it runs.

use std::process::ExitCode;
use std::time::Duration;

use grnet_tests::fuzz::{Options, runner};
use grnet_tests::server::Server;

fn options() -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        if name == "--verbose" {
            options.verbose = true;
            continue;
        }
        let text = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        let number = text.parse::<u64>().map_err(|_| format!("{name}: {text:?} is not a number"));
        match name.as_str() {
            "--seconds" => options.time = Duration::from_secs(number?),
            "--seed" => options.seed = number?,
            "--first" => options.first = number?,
            "--cases" => options.cases = number?,
            "--replay" => (options.first, options.cases, options.verbose) = (number?, 1, true),
            "--only" => options.only = Some(text),
            _ => return Err(format!("{name} is not known")),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let server = Server::build(runner::settings);
    let report = runner::run(&server, &options);
    println!("seed {}: {report}", options.seed);
    if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
