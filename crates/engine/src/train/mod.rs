//! A first, modest trainer: the graph's head, and the reduction in front of it, on cached maps of a frozen backbone.

mod arguments;
mod batch;
mod cache;
mod dataset;
mod evaluate;
mod graph;
mod imitate;
mod initial;
mod learn;
mod pca;
mod ranking;
mod regions;
mod report;
mod run;

pub use arguments::TrainArgs;
pub use evaluate::{EvalArgs, EvalReport, run as evaluate};
pub use graph::TorchGraph;
pub use report::text as report_text;
pub use run::{TrainReport, run};
