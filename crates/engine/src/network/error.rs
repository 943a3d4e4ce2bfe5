//! What can go wrong between a model file, a photo and libtorch, with the figures.

use std::path::PathBuf;

use grnet_core::error::{FeatureError, ModelError, ScoreError};
use thiserror::Error;

/// Everything the network, the trainer and the importer report.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The model file is not acceptable: a tensor is missing, ill-shaped or not finite, or a field is out of its limits.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Features that cannot be stored as they are asked for.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// The variable that names the scoring kernel's path is wrong, or there is no memory to score.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// libtorch refused an operation. Only the first line of its message: the rest is a C++ stack.
    #[error("libtorch: {0}")]
    Torch(String),
    /// A device setting that is none of the three forms.
    #[error("device `{0}` is not known, allowed are auto, cpu and cuda:N")]
    DeviceName(String),
    /// A GPU was asked for and libtorch has none, or fewer.
    #[error("device cuda:{index} is not available, libtorch sees {available} GPUs")]
    NoGpu {
        /// The number asked for.
        index: usize,
        /// GPUs that libtorch sees.
        available: i64,
    },
    /// A precision setting that is neither of the two.
    #[error("precision `{0}` is not known, allowed are f32 and bf16")]
    PrecisionName(String),
    /// The pixels of a photo have the wrong length.
    #[error("photo {index} of the batch has {got} bytes of pixels, {size} x {size} RGB takes {expected}")]
    Pixels {
        /// Position in the batch, counted from 0.
        index: usize,
        /// Bytes given.
        got: usize,
        /// Side of the input in pixels.
        size: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// The backbone's map has another shape than the configuration says: possible with TorchScript only.
    #[error("the backbone returned a map of shape {got:?}, expected is [{batch}, {channels}, h, w]")]
    Map {
        /// Shape of the returned tensor.
        got: Vec<i64>,
        /// Photos in the batch.
        batch: usize,
        /// Channels that the configuration asks for.
        channels: usize,
    },
    /// The map is smaller than the finest grid.
    #[error("the backbone's map is {height} x {width} cells, too few for a grid of side {grid}")]
    MapTooSmall {
        /// Rows of the map.
        height: usize,
        /// Columns of the map.
        width: usize,
        /// The finest grid's side.
        grid: usize,
    },
    /// A region came out as NaN or infinite.
    #[error("region {region} of photo {photo} is not finite: the model's weights do not suit this photo or precision")]
    NotFinite {
        /// Position in the batch, counted from 0.
        photo: usize,
        /// The region, counted from 0.
        region: usize,
    },
    /// A file that cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A weights file that cannot be imported.
    #[error("{path}: {reason}")]
    Import {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// What cannot be exported, or where to.
    #[error("{path}: {reason}")]
    Export {
        /// The model, the photo or the folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A dataset that cannot be trained on or evaluated with.
    #[error("{path}: {reason}")]
    Dataset {
        /// The folder or table.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Training left the numbers.
    #[error("{what} is {value} at step {step}: try a lower --rate")]
    Diverged {
        /// The loss, or the gradients' length.
        what: &'static str,
        /// The step.
        step: usize,
        /// Its value.
        value: f64,
    },
    /// A thread of the training is gone.
    #[error("a thread that makes snapshots has ended without a word")]
    LoaderEnded,
    /// An option outside its limits.
    #[error("{option} is {got}, allowed is {allowed}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// Its value.
        got: String,
        /// What is allowed.
        allowed: &'static str,
    },
}

impl From<tch::TchError> for EngineError {
    fn from(error: tch::TchError) -> Self {
        let text = error.to_string();
        Self::Torch(text.lines().find(|l| !l.trim().is_empty()).unwrap_or("unknown error").trim().to_owned())
    }
}

impl EngineError {
    /// An [`Io`](Self::Io) error of `path`.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
