//! `grnet-engine`: see `grnet-engine --help`.

use std::process::ExitCode;

use clap::Parser;
use grnet_engine::cli::{Cli, Outcome};

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Partly) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("grnet-engine: {error}");
            ExitCode::FAILURE
        }
    }
}
