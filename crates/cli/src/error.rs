//! Why a command ends.

use std::io;
use std::path::PathBuf;

use grnet_data::DataError;
use grnet_eval::EvalError;
use grnet_features::error::{FeatureError, ModelError};
use grnet_nn::NnError;
use grnet_score::error::ScoreError;
use grnet_serve::ServeError;
use grnet_train::TrainError;
use thiserror::Error;

/// Everything that a command reports, for the last line on the standard error stream.
#[derive(Debug, Error)]
pub enum CliError {
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
    /// A model's graph cannot score.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// The server.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A training.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// An evaluation.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// What is no file: the tie to a parent, the standard output.
    #[error(transparent)]
    System(#[from] io::Error),
    /// A report cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
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
        /// The model, the image or the folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}
