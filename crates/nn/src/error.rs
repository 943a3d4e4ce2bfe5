//! What can go wrong between a model file, an image and libtorch, with the figures.

use std::path::PathBuf;

use grnet_data::DataError;
use grnet_features::error::ModelError;
use thiserror::Error;

/// Everything that this crate reports.
#[derive(Debug, Error)]
pub enum NnError {
    /// A file or data set.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model file is not acceptable: a tensor is missing, ill-shaped or not finite, or a field is out of its
    /// limits.
    #[error(transparent)]
    Model(#[from] ModelError),
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
    /// The pixels of an image have the wrong length.
    #[error("image {index} of the batch has {got} bytes of pixels, {size} x {size} RGB takes {expected}")]
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
        /// Images in the batch.
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
    #[error("region {region} of image {image} is not finite: the model's weights do not suit this image or precision")]
    NotFinite {
        /// Position in the batch, counted from 0.
        image: usize,
        /// The region, counted from 0.
        region: usize,
    },
    /// A weights file that cannot be imported.
    #[error("{path}: {reason}")]
    Import {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
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

impl From<tch::TchError> for NnError {
    fn from(error: tch::TchError) -> Self {
        let text = error.to_string();
        Self::Torch(text.lines().find(|l| !l.trim().is_empty()).unwrap_or("unknown error").trim().to_owned())
    }
}
