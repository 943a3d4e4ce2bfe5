//! `grnet-engine`: see `grnet-engine --help`.

mod arguments;
mod device;
mod embed;
mod error;
mod export;
mod import;
mod info;
mod job_commands;
mod job_process;
mod outcome;
mod pipeline;
mod run;

use std::process::ExitCode;

use clap::Parser;
use grnet_data::output::print::say;

use crate::arguments::Cli;
use crate::outcome::Outcome;

fn main() -> ExitCode {
    // Before libtorch's threads exist.
    grnet_nn::device::wait_asleep();
    match run::run(Cli::parse()) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Partly) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("grnet-engine: {error}"));
            ExitCode::FAILURE
        }
    }
}
