//! The command line.

use clap::{Parser, Subcommand};
use grnet_data::output::progress;

/// The engine of grnet_pg: images in, region features out.
#[derive(Debug, Parser)]
#[command(name = "grnet-engine", version, propagate_version = true)]
pub struct Cli {
    /// How train and eval tell how far they are: bars, or json lines on standard output with the report as the last
    /// one.
    #[arg(long, global = true, value_enum, default_value_t, hide_possible_values = true)]
    pub progress: progress::Style,
    /// The process that has started this one for a job: this one ends with it, and gives way to it.
    #[arg(long, global = true, hide = true, value_name = "PID")]
    pub child_of: Option<u32>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the engine can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve images to PostgreSQL backends over a Unix socket.
    Serve(grnet_serve::args::Args),
    /// Turn images and folders of images into features.
    Embed(crate::embed::Args),
    /// Train the backbone's last stages, the reduction and the graph on images of garments.
    Train(Box<grnet_train::arguments::TrainArgs>),
    /// Measure how well models rank.
    Eval(grnet_eval::arguments::EvalArgs),
    /// Measure what a smaller dtype costs a model's rankings.
    Quantize(grnet_eval::quantize::QuantizeArgs),
    /// Make a model file from a backbone's weights.
    Import(crate::import::ImportArgs),
    /// Write what scores, and regions of images, as files that NumPy reads.
    Export(crate::export::ExportArgs),
    /// Show a model file: configuration, id, tensors.
    Info(crate::info::Args),
    /// Show what `--device auto` picks, and why.
    Device,
}
