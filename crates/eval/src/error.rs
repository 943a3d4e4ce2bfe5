//! Why an evaluation ends before its report.

use grnet_data::DataError;
use grnet_features::error::{FeatureError, ModelError};
use grnet_nn::NnError;
use grnet_score::error::ScoreError;
use tch::TchError;
use thiserror::Error;

/// Everything that this crate reports.
#[derive(Debug, Error)]
pub enum EvalError {
    /// A file or data set.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The network.
    #[error(transparent)]
    Nn(#[from] NnError),
    /// The model file is not acceptable.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Features that cannot be stored as they are asked for.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// The variable that names the scoring kernel's instructions is wrong, or there is no memory to score.
    #[error(transparent)]
    Score(#[from] ScoreError),
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

impl From<TchError> for EvalError {
    fn from(error: TchError) -> Self {
        Self::Nn(error.into())
    }
}
