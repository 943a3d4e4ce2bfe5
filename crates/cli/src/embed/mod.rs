//! `grnet-engine embed`: images and folders of images to features, from the shell.

mod output;
mod parquet;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use grnet_data::DataError;
use grnet_data::decode::decoder::ImageDecoder;
use grnet_data::files::list;
use grnet_data::output::print::say;
use grnet_features::model_file::ModelFile;
use grnet_features::value::Dtype;
use grnet_image::Limits;
use grnet_nn::compute::Compute;
use grnet_nn::device::share_cores;
use grnet_nn::embedder::Embedder;
use grnet_nn::shape::ModelShape;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::embed::output::Output;
use crate::error::CliError;
use crate::outcome::Outcome;
use crate::pipeline::{MAX_BYTES, MAX_PIXELS, Pipeline};

/// A bar for what is over in a moment would only flicker.
const BAR_AFTER: Duration = Duration::from_secs(2);

/// Turn images and folders of images into features.
#[derive(Debug, Clone, Parser)]
pub struct Args {
    /// The model file.
    #[arg(long)]
    pub model: PathBuf,
    /// Where to write: FILE.jsonl (a line an image), FILE.safetensors or FILE.parquet; without it lines go to the
    /// standard output.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Where to write a Parquet table, whatever its name ends in.
    #[arg(long, conflicts_with = "out")]
    pub parquet: Option<PathBuf>,
    /// The dtype of stored features: f32, f16, or i8 with one scale a region.
    #[arg(long, default_value = "f16")]
    pub dtype: Dtype,
    /// What `--dtype` was called; an error that says so.
    #[arg(long, hide = true, value_name = "DTYPE", value_parser = renamed)]
    pub numbers: Option<Dtype>,
    /// What to compute on.
    #[command(flatten)]
    pub compute: Compute,
    /// Largest image in bytes.
    #[arg(long, default_value_t = MAX_BYTES)]
    pub max_image_bytes: u64,
    /// Largest image in pixels.
    #[arg(long, default_value_t = MAX_PIXELS)]
    pub max_image_pixels: u64,
    /// Stop at the first image that is refused.
    #[arg(long)]
    pub strict: bool,
    /// Images, and folders that are searched for images.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
}

/// Embeds what the paths name. Images that are refused are named on the standard error stream.
///
/// # Errors
/// The model, the device or the output cannot be used; with `--strict` also the first image's refusal.
pub fn run(args: &Args) -> Result<Outcome, CliError> {
    let compute = &args.compute;
    let threads = compute.threads();
    share_cores(threads);
    let bytes = std::fs::read(&args.model).map_err(DataError::io(&args.model))?;
    let file = ModelFile::parse(&bytes)?;
    let mut embedder = Embedder::load(&file, compute.device, compute.precision)?;
    let files = list(&args.paths);
    let mut output = Output::create(args.out.as_deref(), args.parquet.as_deref(), &file, args.dtype)?;
    let (model, shape) = (file.id, ModelShape::of(&file.config));
    drop(file);
    drop(bytes);

    let limits = Limits { max_bytes: args.max_image_bytes, max_pixels: args.max_image_pixels };
    let (dtype, batch) = (args.dtype, compute.max_batch.into());
    let pipeline = Pipeline { files: &files, shape: &shape, model, dtype, limits, threads, batch };
    let bar = Bar::new(files.len() as u64);
    let (mut refused, mut gone) = (0usize, false);
    pipeline.run(&ImageDecoder::default(), &mut embedder, |path, result| {
        bar.step();
        match result {
            Ok(value) => {
                gone = !output.add(path, &value)?;
                Ok(!gone)
            }
            Err(reason) => {
                refused += 1;
                bar.say(&format!("{}: {reason}", path.display()));
                Ok(!args.strict)
            }
        }
    })?;
    let count = output.count();
    // The reader of the lines has seen enough (`| head`): nothing is left to say.
    if gone || !output.finish()? {
        bar.end();
        return Ok(Outcome::Done);
    }
    let (total, seconds) = (files.len(), bar.start.elapsed().as_secs_f64());
    bar.end();
    say(&format!("{count} of {total} images embedded in {seconds:.1} s, {refused} refused"));
    Ok(if refused > 0 || total == 0 { Outcome::Partly } else { Outcome::Done })
}

/// Refuses an option by its old name.
fn renamed(_: &str) -> Result<Dtype, &'static str> {
    Err("the option is called --dtype")
}

/// A progress bar that shows itself after a while.
struct Bar {
    bar: ProgressBar,
    start: Instant,
}

impl Bar {
    fn new(total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} images, {per_sec}, {eta} left");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self { bar, start: Instant::now() }
    }

    fn step(&self) {
        if self.bar.is_hidden() && self.start.elapsed() > BAR_AFTER {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(1);
    }

    fn say(&self, line: &str) {
        self.bar.suspend(|| say(line));
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
