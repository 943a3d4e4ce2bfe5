//! `grnet-engine train`: the backbone's last stages, the reduction and the graph, on fresh snapshots.

mod alike;
mod arguments;
mod batch;
mod checkpoint;
mod curve;
mod damaged;
mod dice;
mod initial;
mod learn;
mod learner;
mod loader;
mod loss;
mod optimiser;
mod pca;
mod run;
mod samples;
mod split;
mod start;
mod validate;
mod wanted;

pub use arguments::TrainArgs;
pub use run::{TrainReport, run};
pub use samples::show as show_samples;
