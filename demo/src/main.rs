//! The main job from end to end: photos into a catalogue, features by a trigger, `ORDER BY features <-> query`, and the
//! answer as a table, a contact sheet and a page.

/// Prints a line. Nobody may be there to read it (`| head`): the work goes on.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

mod arguments;
mod catalogue;
mod database;
mod drawing;
mod evaluation;
mod failure;
mod fingerprint;
mod folder;
mod job;
mod page;
mod picture;
mod plan;
mod progress;
mod ranking;
mod report;
mod sheet;
mod shop;
mod statements;
mod strata;
mod text;
mod thumbnails;

use crate::arguments::{Arguments, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match (arguments.command, arguments.place) {
        (Some(Command::Evaluate(evaluate)), _) => evaluation::run(&evaluate),
        (None, Some(place)) => job::run(&place, &arguments.run),
        // Clap asks for one of the two.
        (None, None) => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("grnet-demo: {failure}");
            ExitCode::FAILURE
        }
    }
}
