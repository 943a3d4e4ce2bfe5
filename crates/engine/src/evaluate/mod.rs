//! `grnet-engine eval`: how well models rank.

pub(crate) mod arguments;
mod baselines;
mod descriptors;
mod html;
pub(crate) mod kept;
pub(crate) mod ranking;
pub mod report;
pub(crate) mod rerank;
mod run;
mod set;
mod shortlist;
pub(crate) mod tables;
pub(crate) mod text;

pub use arguments::EvalArgs;
pub use run::run;
pub use text::text as report_text;
