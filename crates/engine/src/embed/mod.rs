//! `grnet-engine embed`: photos and folders of photos to features, from the shell.

mod files;
mod output;
mod parquet;
mod pipeline;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use grnet_core::features::Dtype;
use grnet_core::model::ModelFile;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::{Compute, Outcome};
use crate::network::{Embedder, EngineError, share_cores};
use crate::print::say;
use crate::serve::photos::PhotoDecoder;
use crate::serve::work::{PhotoLimits, Shape};
pub use files::{is_photo, list};
use output::Output;
pub(crate) use pipeline::Pipeline;

/// Largest photo in bytes, where nothing else is said.
pub(crate) const MAX_BYTES: u64 = 32 << 20;
/// Largest photo in pixels, where nothing else is said.
pub(crate) const MAX_PIXELS: u64 = 64_000_000;

/// A bar for what is over in a moment would only flicker.
const BAR_AFTER: Duration = Duration::from_secs(2);

/// Turn photos and folders of photos into features.
#[derive(Debug, Clone, Parser)]
pub struct Args {
    /// The model file.
    #[arg(long)]
    pub model: PathBuf,
    /// Where to write: FILE.jsonl (a line a photo), FILE.safetensors or FILE.parquet; without it lines go to the standard
    /// output.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Where to write a Parquet table, whatever its name ends in.
    #[arg(long, conflicts_with = "out")]
    pub parquet: Option<PathBuf>,
    /// How numbers are stored: f32, f16, or i8 with one scale a region.
    #[arg(long, default_value = "f16")]
    pub numbers: Dtype,
    /// What to compute on.
    #[command(flatten)]
    pub compute: Compute,
    /// Largest photo in bytes.
    #[arg(long, default_value_t = MAX_BYTES)]
    pub max_image_bytes: u64,
    /// Largest photo in pixels.
    #[arg(long, default_value_t = MAX_PIXELS)]
    pub max_image_pixels: u64,
    /// Stop at the first photo that is refused.
    #[arg(long)]
    pub strict: bool,
    /// Photos, and folders that are searched for photos.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
}

/// Embeds what the paths name. Photos that are refused are named on the standard error stream.
///
/// # Errors
/// The model, the device or the output cannot be used; with `--strict` also the first photo's refusal.
pub fn run(args: &Args) -> Result<Outcome, EngineError> {
    let compute = &args.compute;
    let threads = compute.threads();
    share_cores(threads);
    let bytes = std::fs::read(&args.model).map_err(EngineError::io(&args.model))?;
    let file = ModelFile::parse(&bytes)?;
    let mut embedder = Embedder::load(&file, compute.device, compute.precision)?;
    let files = list(&args.paths);
    let mut output = Output::create(args.out.as_deref(), args.parquet.as_deref(), &file, args.numbers)?;
    let (model, shape) = (file.id, Shape::of(&file.config));
    drop(file);
    drop(bytes);

    let limits = PhotoLimits { max_bytes: args.max_image_bytes, max_pixels: args.max_image_pixels };
    let (numbers, batch) = (args.numbers, compute.max_batch.into());
    let pipeline = Pipeline { files: &files, shape: &shape, model, numbers, limits, threads, batch };
    let bar = Bar::new(files.len() as u64);
    let (mut refused, mut gone) = (0usize, false);
    pipeline.run(&PhotoDecoder::default(), &mut embedder, |path, result| {
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
    say(&format!("{count} of {total} photos embedded in {seconds:.1} s, {refused} refused"));
    Ok(if refused > 0 || total == 0 { Outcome::Partly } else { Outcome::Done })
}

/// A progress bar that shows itself after a while.
struct Bar {
    bar: ProgressBar,
    start: Instant,
}

impl Bar {
    fn new(total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} photos, {per_sec}, {eta} left");
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
