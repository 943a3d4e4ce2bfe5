//! Commands to what does them.

use grnet_data::output::print::print;
use grnet_data::output::progress;

use crate::arguments::{Cli, Command};
use crate::error::CliError;
use crate::job_commands::COMMANDS;
use crate::outcome::Outcome;
use crate::{device, embed, export, import, info, job_process};

/// Does what the command line says.
///
/// # Errors
/// Whatever the command reports, for the last line on the standard error stream.
pub fn run(cli: Cli) -> Result<Outcome, CliError> {
    if let Some(parent) = cli.child_of {
        job_process::serve_under(parent)?;
    }
    progress::choose(cli.progress);
    match cli.command {
        Command::Serve(args) => grnet_serve::run::run(&args, COMMANDS)?,
        Command::Embed(args) => return embed::run(&args),
        Command::Train(args) => match &args.show_samples {
            Some(sheet) => grnet_train::samples::show(&args, sheet)?,
            None => print(&progress::report(&grnet_train::run::run(&args)?, serde_json::to_string_pretty)?)?,
        },
        Command::Eval(args) => {
            let report = grnet_eval::run::run(&args)?;
            print(&progress::report(&report, |report| match args.measure.json {
                true => serde_json::to_string_pretty(report),
                false => Ok(grnet_eval::text::text(report)),
            })?)?;
        }
        Command::Quantize(args) => {
            let report = grnet_eval::quantize::run(&args)?;
            print(&progress::report(&report, |report| match args.measure.json {
                true => serde_json::to_string_pretty(report),
                false => Ok(grnet_eval::quantize::text::text(report)),
            })?)?;
        }
        Command::Import(args) => {
            let (id, config) = import::run(&args)?;
            print(&format!("{id}\n{}", serde_json::to_string_pretty(&config)?))?;
        }
        Command::Export(args) => {
            let done = export::run(&args)?;
            print(&format!("{}: {} tensors, {} images", done.model, done.tensors, done.images))?;
        }
        Command::Info(args) => print(&info::run(&args)?)?,
        Command::Device => print(&device::run())?,
    }
    Ok(Outcome::Done)
}
