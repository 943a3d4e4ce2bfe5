//! Options of `grnet-engine train`.

use std::path::PathBuf;

use clap::Args;
use grnet_nn::device::{Device, Precision};

use crate::error::TrainError;
use crate::optimiser::Pace;

/// Most garments in a batch. All pairs of their augmented images learn together: with grids {1,2,3} a training takes
/// 1.2 GB at 24 garments, 2.4 GB at 48 and 6.3 GB at 96; with {1,2,4} 1.8 GB at 24.
const MOST_IDENTITIES: usize = 96;

/// Trains a model on images of garments: the last stages of the backbone, the reduction and the graph together.
#[derive(Debug, Clone, Args)]
pub struct TrainArgs {
    /// Images; may be given several times, and garments are compared within one. A table (CSV or Parquet: file, item,
    /// domain, ...) or a folder with an annotations.csv or annotations.parquet, DeepFashion's Consumer-to-Shop folder,
    /// a folder with one folder for each item, or a folder of images without identity. What it is is found out, or said
    /// before it: table:, deepfashion: or folders:. docs/training.md says more.
    #[arg(long, required = true)]
    pub data: Vec<PathBuf>,
    /// The model file to begin with. One without a reduction (grnet-engine import makes such) gets a pyramid and a
    /// graph of its own; one with a reduction is trained further as it is. Other --grids, --dim, --layers or
    /// --without-cosine begin the graph anew on the reduction there is, other --channels and --fresh both.
    #[arg(long)]
    pub backbone: PathBuf,
    /// The model file to write. A checkpoint lies beside it until the training is done: the same command goes on from
    /// it.
    #[arg(long, required_unless_present = "show_samples", default_value = "unwritten", hide_default_value = true)]
    pub out: PathBuf,
    /// Write a PNG that shows what training would see, a row of augmented images for each of a dozen images, and train
    /// nothing.
    #[arg(long, value_name = "SHEET")]
    pub show_samples: Option<PathBuf>,
    /// Steps; each compares --identities consumers' images with as many of the shop. 0 writes the untrained start.
    #[arg(long, default_value_t = 400)]
    pub steps: usize,
    /// Garments in a batch, 96 at most: all their pairs learn together, in memory that grows with its square.
    #[arg(long, default_value_t = 24)]
    pub identities: usize,
    /// Steps between two validations, at which a checkpoint is written and look-alikes are found anew.
    #[arg(long, default_value_t = 50)]
    pub every: usize,
    /// Validations without improvement after which training stops.
    #[arg(long, default_value_t = 6)]
    pub patience: usize,
    /// Seed of every choice.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Begins with a new reduction, pyramid and graph, whatever the model file has.
    #[arg(long)]
    pub fresh: bool,
    /// Begins with a new graph, on the reduction that the model file has.
    #[arg(long)]
    pub fresh_graph: bool,
    /// Sides of the pyramid's grids; without it the model file's, or 1,2,3 where that has no reduction.
    #[arg(long, value_delimiter = ',')]
    pub grids: Option<Vec<u8>>,
    /// C, channels of a region after the reduction; without it the model file's, or 256.
    #[arg(long)]
    pub channels: Option<usize>,
    /// D, length of a node; without it the model file's, or 64.
    #[arg(long)]
    pub dim: Option<usize>,
    /// L, reasoning layers; without it the model file's, or 2.
    #[arg(long)]
    pub layers: Option<usize>,
    /// Leaves the cosine of the global vectors out of the score; the graph begins anew.
    #[arg(long)]
    pub without_cosine: bool,
    /// Stages of the backbone that stay as they are: 12 of EfficientNet-Lite0's 18, all of another's.
    #[arg(long)]
    pub frozen: Option<usize>,
    /// Learning rate of the graph (AdamW).
    #[arg(long, default_value_t = 1e-3)]
    pub rate: f64,
    /// Learning rate of the reduction; 0 keeps it.
    #[arg(long, default_value_t = 3e-4)]
    pub reduction_rate: f64,
    /// Learning rate of the backbone's other stages; 0 keeps them all.
    #[arg(long, default_value_t = 1e-4)]
    pub backbone_rate: f64,
    /// Weight of the regions' own loss beside the global vector's and the graph's.
    #[arg(long, default_value_t = 0.5)]
    pub local: f64,
    /// Exponent of whitening in a new reduction, which begins as principal components: 0 keeps their variances, 1 makes
    /// them equal; 0.5 without it.
    #[arg(long)]
    pub whiten: Option<f64>,
    /// augmented copies of each shop's image held out.
    #[arg(long, default_value_t = 2)]
    pub snapshots: usize,
    /// Percentage of items held out for validation, where the data has no split of its own.
    #[arg(long, default_value_t = 12)]
    pub held_out: u32,
    /// A folder that keeps the maps behind the frozen stages (44 kB an image), for another run with the same images and
    /// seed.
    #[arg(long)]
    pub cache: Option<PathBuf>,
    /// An SVG of loss and validations, drawn anew at each of them.
    #[arg(long, value_name = "SVG")]
    pub curve: Option<PathBuf>,
    /// auto, cpu or cuda:N.
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// f32 or bf16: the maps of the stages that learn. Weights stay in f32.
    #[arg(long, default_value = "f32")]
    pub precision: Precision,
    /// f32 or bf16: the frozen stages on augmented images. Without it bf16 where the machine has instructions for it.
    #[arg(long)]
    pub frozen_precision: Option<Precision>,
    /// libtorch's threads.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// Threads that make augmented images; without it the machine's others.
    #[arg(long)]
    pub loaders: Option<usize>,
}

impl TrainArgs {
    /// Refuses what could not be trained.
    ///
    /// # Errors
    /// [`TrainError::Option`] with the option, its value and what is allowed.
    pub fn check(&self) -> Result<(), TrainError> {
        let refuse = |option, got: String, allowed| Err(TrainError::Option { option, got, allowed });
        if self.every == 0 {
            return refuse("--every", self.every.to_string(), "1 or more");
        }
        if self.patience == 0 {
            return refuse("--patience", self.patience.to_string(), "1 or more");
        }
        if !(4..=MOST_IDENTITIES).contains(&self.identities) {
            return refuse("--identities", self.identities.to_string(), "4 to 96: memory grows with its square");
        }
        if !(1..=50).contains(&self.held_out) {
            return refuse("--held-out", self.held_out.to_string(), "1 to 50 percent");
        }
        if self.snapshots > 64 {
            return refuse("--snapshots", self.snapshots.to_string(), "0 to 64");
        }
        if self.loaders.is_some_and(|n| !(1..=256).contains(&n)) {
            return refuse("--loaders", self.loaders().to_string(), "1 to 256");
        }
        for (option, rate) in
            [("--rate", self.rate), ("--reduction-rate", self.reduction_rate), ("--backbone-rate", self.backbone_rate)]
        {
            if !(0.0..=1.0).contains(&rate) {
                return refuse(option, rate.to_string(), "0 to 1");
            }
        }
        if !(0.0..=100.0).contains(&self.local) {
            return refuse("--local", self.local.to_string(), "0 to 100");
        }
        if let Some(whiten) = self.whiten.filter(|whiten| !(0.0..=1.0).contains(whiten)) {
            return refuse("--whiten", whiten.to_string(), "0 to 1");
        }
        if let (Some(frozen), true) = (self.frozen, self.backbone_rate == 0.0) {
            let allowed = "a --backbone-rate above 0 beside it: with 0 every stage stays as it is";
            return refuse("--frozen", frozen.to_string(), allowed);
        }
        Ok(())
    }

    /// Threads that make augmented images.
    pub fn loaders(&self) -> usize {
        let others = || std::thread::available_parallelism().map_or(1, |n| n.get().saturating_sub(self.threads)).max(1);
        self.loaders.unwrap_or_else(others)
    }

    /// The precision of the frozen stages on augmented images. bf16 has 86 images a second on one core where f32 has 36
    /// (EfficientNet-Lite0's first 12 stages), and trains as well; without instructions for it, it is far slower.
    pub fn frozen_precision(&self) -> Precision {
        #[cfg(target_arch = "x86_64")]
        let fast = std::arch::is_x86_feature_detected!("avx512bf16");
        #[cfg(not(target_arch = "x86_64"))]
        let fast = false;
        self.frozen_precision.unwrap_or(if fast { Precision::Bf16 } else { Precision::F32 })
    }

    /// Paces of the backbone, the reduction and the graph. A weight that is known to be good loses less of itself.
    pub fn paces(&self) -> [Pace; 3] {
        let pace = |rate, decay| Pace { rate, decay };
        [pace(self.backbone_rate, 1e-4), pace(self.reduction_rate, 1e-4), pace(self.rate, 0.02)]
    }
}
