//! Why two values cannot be scored, with the figures.

use grnet_simd::IsaError;
use thiserror::Error;

/// Two values that cannot be scored against each other.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ScoreError {
    /// Shape of the value and shape of the model's pyramid differ.
    #[error(
        "features have grids {got_grids:?} and {got_channels} channels, the model expects {grids:?} and {channels}"
    )]
    Shape {
        /// Grids of the value.
        got_grids: Vec<u8>,
        /// Channels of the value.
        got_channels: usize,
        /// Grids of the model.
        grids: Vec<u8>,
        /// Channels of the model.
        channels: usize,
    },
    /// The environment variable names no instruction set that is here.
    #[error(transparent)]
    Isa(#[from] IsaError),
    /// There is no memory for the intermediate values.
    #[error("no memory for the {bytes} bytes of a score's intermediate values")]
    Memory {
        /// What was asked for.
        bytes: usize,
    },
}
