//! Why a training ends before its model.

use grnet_data::DataError;
use grnet_features::error::ModelError;
use grnet_nn::NnError;
use grnet_score::error::ScoreError;
use tch::TchError;
use thiserror::Error;

/// Everything that this crate reports.
#[derive(Debug, Error)]
pub enum TrainError {
    /// A file or data set.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The network.
    #[error(transparent)]
    Nn(#[from] NnError),
    /// The model file is not acceptable.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The graph that was made cannot score.
    #[error(transparent)]
    Score(#[from] ScoreError),
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
    #[error("a thread that augments images has ended without a word")]
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

impl From<TchError> for TrainError {
    fn from(error: TchError) -> Self {
        Self::Nn(error.into())
    }
}
