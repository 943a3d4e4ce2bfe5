//! Options of `grnet-engine train`.

use std::path::PathBuf;

use clap::Args;

use crate::network::{Device, EngineError};

/// Trains reduction and graph on photos of a dataset folder, with the backbone left as it is.
#[derive(Debug, Clone, Args)]
pub struct TrainArgs {
    /// Photos; may be given several times. A table (CSV or Parquet: file, item, domain, ...) or a folder with an
    /// annotations.csv or annotations.parquet, DeepFashion's Consumer-to-Shop folder, a folder with one folder for each
    /// item, or a folder of photos without identity (each is paired with imitated snapshots of itself). What it is is
    /// found out, or said before it: table:, deepfashion: or folders:. docs/training.md says more.
    #[arg(long, required = true)]
    pub data: Vec<PathBuf>,
    /// A model file whose backbone and input are used (grnet-engine import makes one).
    #[arg(long)]
    pub backbone: PathBuf,
    /// The model file to write.
    #[arg(long, required_unless_present = "show_samples", default_value = "unwritten", hide_default_value = true)]
    pub out: PathBuf,
    /// Write a PNG that shows what training would see, a row of snapshots for each of a dozen photos, and train nothing.
    #[arg(long, value_name = "SHEET")]
    pub show_samples: Option<PathBuf>,
    /// Steps; each compares 16 photos with 16. 0 writes the untrained start: principal components and the cosine.
    #[arg(long, default_value_t = 400)]
    pub steps: usize,
    /// Steps between two validations.
    #[arg(long, default_value_t = 50)]
    pub every: usize,
    /// Validations without improvement after which training stops.
    #[arg(long, default_value_t = 6)]
    pub patience: usize,
    /// Seed of every choice.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Sides of the pyramid's grids.
    #[arg(long, value_delimiter = ',', default_values_t = [1u8, 2, 3])]
    pub grids: Vec<u8>,
    /// C, channels of a region after the reduction.
    #[arg(long, default_value_t = 256)]
    pub channels: usize,
    /// D, length of a node.
    #[arg(long, default_value_t = 64)]
    pub dim: usize,
    /// L, reasoning layers.
    #[arg(long, default_value_t = 2)]
    pub layers: usize,
    /// Learning rate of the graph (AdamW).
    #[arg(long, default_value_t = 3e-4)]
    pub rate: f64,
    /// Learning rate of the reduction; 0 keeps the principal components.
    #[arg(long, default_value_t = 0.0)]
    pub reduction_rate: f64,
    /// Exponent of whitening: 0 keeps the components' variances, 1 makes them equal.
    #[arg(long, default_value_t = 0.5)]
    pub whiten: f64,
    /// Imitated snapshots of each photo in a folder without identities.
    #[arg(long, default_value_t = 3)]
    pub snapshots: usize,
    /// Percentage of items held out for validation, where the data has no split of its own.
    #[arg(long, default_value_t = 12)]
    pub held_out: u32,
    /// A folder that keeps the backbone's maps (125 kB a photo), for another run on the same photos.
    #[arg(long)]
    pub cache: Option<PathBuf>,
    /// auto, cpu or cuda:N: where the backbone runs. The graph is trained on the CPU.
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// libtorch's threads.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
}

impl TrainArgs {
    /// Refuses what could not be trained.
    ///
    /// # Errors
    /// [`EngineError::Option`] with the option, its value and what is allowed.
    pub fn check(&self) -> Result<(), EngineError> {
        let refuse = |option, got: String, allowed| Err(EngineError::Option { option, got, allowed });
        if self.every == 0 {
            return refuse("--every", self.every.to_string(), "1 or more");
        }
        if self.patience == 0 {
            return refuse("--patience", self.patience.to_string(), "1 or more");
        }
        if !(1..=50).contains(&self.held_out) {
            return refuse("--held-out", self.held_out.to_string(), "1 to 50 percent");
        }
        if self.snapshots > 64 {
            return refuse("--snapshots", self.snapshots.to_string(), "0 to 64");
        }
        for (option, rate) in [("--rate", self.rate), ("--reduction-rate", self.reduction_rate)] {
            if !(0.0..=1.0).contains(&rate) {
                return refuse(option, rate.to_string(), "0 to 1");
            }
        }
        if !(0.0..=1.0).contains(&self.whiten) {
            return refuse("--whiten", self.whiten.to_string(), "0 to 1");
        }
        Ok(())
    }
}
