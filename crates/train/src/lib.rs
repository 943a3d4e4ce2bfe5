//! `grnet-engine train`: the backbone's last stages, the reduction and the graph, on freshly augmented images.

mod alike;
pub mod arguments;
mod batch;
mod checkpoint;
mod curve;
mod damaged;
pub mod error;
mod initial;
mod learn;
mod learner;
mod loader;
mod loss;
mod optimiser;
mod pca;
mod rng;
pub mod run;
pub mod samples;
mod split;
mod start;
mod validate;
mod wanted;

pub use error::TrainError;
