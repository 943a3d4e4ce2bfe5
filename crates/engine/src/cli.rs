//! The command line.

mod compute;
mod device;
mod info;

use clap::{Parser, Subcommand};

use crate::print::print;
use crate::progress;
pub use compute::Compute;

/// The engine of grnet_pg: photos in, region features out.
#[derive(Debug, Parser)]
#[command(name = "grnet-engine", version, propagate_version = true)]
pub struct Cli {
    /// How train and eval tell how far they are: bars, or json lines on standard output with the report as the last one.
    #[arg(long, global = true, value_enum, default_value_t, hide_possible_values = true)]
    pub progress: progress::Style,
    /// The process that has started this one for a study: this one ends with it, and gives way to it.
    #[arg(long, global = true, hide = true, value_name = "PID")]
    pub child_of: Option<u32>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the engine can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve photos to PostgreSQL backends over a Unix socket.
    Serve(crate::serve::args::Args),
    /// Turn photos and folders of photos into features.
    Embed(crate::embed::Args),
    /// Train the backbone's last stages, the reduction and the graph on photos of garments.
    Train(Box<crate::train::TrainArgs>),
    /// Measure how well models rank.
    Eval(crate::evaluate::EvalArgs),
    /// Measure what smaller numbers cost a model's rankings.
    Quantize(crate::quantize::QuantizeArgs),
    /// Make a model file from a backbone's weights.
    Import(crate::import::ImportArgs),
    /// Write what scores, and regions of photos, as files that NumPy reads.
    Export(crate::export::ExportArgs),
    /// Show a model file: configuration, id, tensors.
    Info(info::Args),
    /// Show what `--device auto` picks, and why.
    Device,
}

/// How a command ended.
pub enum Outcome {
    /// All was done.
    Done,
    /// Something of what was asked for could not be done, and was named.
    Partly,
}

impl Cli {
    /// Does it.
    ///
    /// # Errors
    /// Whatever the command reports, for the last line on the standard error stream.
    pub fn run(self) -> Result<Outcome, Box<dyn std::error::Error>> {
        if let Some(parent) = self.child_of {
            crate::worker::serve_under(parent)?;
        }
        progress::choose(self.progress);
        match self.command {
            Command::Serve(args) => crate::serve::run(&args)?,
            Command::Embed(args) => return Ok(crate::embed::run(&args)?),
            Command::Train(args) => match &args.show_samples {
                Some(sheet) => crate::train::show_samples(&args, sheet)?,
                None => print(&progress::report(&crate::train::run(&args)?, serde_json::to_string_pretty)?)?,
            },
            Command::Eval(args) => {
                let report = crate::evaluate::run(&args)?;
                print(&progress::report(&report, |report| match args.measure.json {
                    true => serde_json::to_string_pretty(report),
                    false => Ok(crate::evaluate::report_text(report)),
                })?)?;
            }
            Command::Quantize(args) => {
                let report = crate::quantize::run(&args)?;
                print(&progress::report(&report, |report| match args.measure.json {
                    true => serde_json::to_string_pretty(report),
                    false => Ok(crate::quantize::report_text(report)),
                })?)?;
            }
            Command::Import(args) => {
                let (id, config) = crate::import::run(&args)?;
                print(&format!("{id}\n{}", serde_json::to_string_pretty(&config)?))?;
            }
            Command::Export(args) => {
                let done = crate::export::run(&args)?;
                print(&format!("{}: {} tensors, {} photos", done.model, done.tensors, done.photos))?;
            }
            Command::Info(args) => print(&info::run(&args)?)?,
            Command::Device => print(&device::run())?,
        }
        Ok(Outcome::Done)
    }
}

/// The number of threads asked for, or the machine's.
pub fn threads(asked: Option<u16>) -> usize {
    match asked {
        Some(threads) => threads.max(1).into(),
        None => std::thread::available_parallelism().map_or(1, |n| n.get()),
    }
}
