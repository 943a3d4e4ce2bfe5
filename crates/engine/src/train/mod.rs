//! A first, modest trainer: the graph's head, and the reduction in front of it, on cached maps of a frozen backbone.

mod arguments;
mod batch;
mod initial;
mod learn;
mod pca;
mod run;
mod samples;

pub use arguments::TrainArgs;
pub use run::{TrainReport, run};
pub use samples::show as show_samples;
