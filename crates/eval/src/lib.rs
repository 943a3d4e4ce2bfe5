//! How well models rank: `grnet-engine eval`, and what a smaller dtype costs a model: `grnet-engine quantize`.

pub mod arguments;
mod baselines;
mod descriptors;
pub mod error;
mod html;
mod image_features;
pub mod quantize;
pub mod report;
pub mod run;
mod set;
mod shortlist;
mod tables;
pub mod text;

pub use error::EvalError;
