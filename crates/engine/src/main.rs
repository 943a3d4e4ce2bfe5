//! `grnet-engine`: see `grnet-engine --help`.

use std::process::ExitCode;

use clap::Parser;
use grnet_engine::cli::{Cli, Outcome};
use grnet_engine::print::say;

fn main() -> ExitCode {
    // Before libtorch's threads exist.
    grnet_engine::network::wait_asleep();
    match Cli::parse().run() {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Partly) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("grnet-engine: {error}"));
            ExitCode::FAILURE
        }
    }
}
