//! Options of `grnet-engine eval`, and those that `quantize` shares.

use std::path::PathBuf;

use clap::Args;
use grnet_nn::device::Device;

use crate::error::EvalError;

/// Measures models on a table of images.
#[derive(Debug, Clone, Args)]
pub struct EvalArgs {
    /// A model file; several are compared on the same queries.
    #[arg(long, required = true)]
    pub model: Vec<PathBuf>,
    /// What they are measured on, and how.
    #[command(flatten)]
    pub measure: Measure,
    /// Ranks by methods without training as well: generalised mean and regional maxima of the backbone's map, the
    /// pyramid's mean, its best matches, and attention matching.
    #[arg(long)]
    pub baselines: bool,
    /// Measures how long PostgreSQL's scorer takes on one core for shortlists of several lengths.
    #[arg(long)]
    pub times: bool,
    /// Writes the report as one page for a browser, with curves and the worst failures; measures times too.
    #[arg(long)]
    pub html: Option<PathBuf>,
}

/// What a measurement by a table of images is told.
#[derive(Debug, Clone, Args)]
pub struct Measure {
    /// Tables (CSV or Parquet) with columns file, item and set and, if you have them, left, top, width, height and
    /// view, occlusion, cropping: files relative to the table's folder; an empty item is a distractor; the set
    /// `gallery` is searched, every other set is a list of queries of its own. An item is one garment within its table:
    /// the same name in another table is another garment. Also any dataset that can be trained on: the shop's images
    /// are searched, the consumers' of its test split (all where it has none) ask. docs/training.md says more.
    #[arg(long, required = true)]
    pub table: Vec<PathBuf>,
    /// Images of the global's ranking that the graph reorders.
    #[arg(long, default_value_t = 100_000)]
    pub shortlist: usize,
    /// Prints the report as JSON instead of a table.
    #[arg(long)]
    pub json: bool,
    /// A folder that keeps the backbones' maps, for another evaluation of the same images.
    #[arg(long)]
    pub cache: Option<PathBuf>,
    /// auto, cpu or cuda:N.
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// libtorch's threads.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
}

impl Measure {
    /// Looks at what clap does not.
    ///
    /// # Errors
    /// [`EvalError::Option`].
    pub fn check(&self) -> Result<(), EvalError> {
        if self.shortlist == 0 {
            return Err(EvalError::Option { option: "--shortlist", got: "0".to_owned(), allowed: "1 or more" });
        }
        Ok(())
    }
}
