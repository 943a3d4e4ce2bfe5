//! `grnet-engine eval`: how well models rank.

mod arguments;
mod baselines;
mod descriptors;
mod html;
mod kept;
pub(crate) mod ranking;
pub mod report;
pub(crate) mod rerank;
mod run;
mod set;
mod shortlist;
mod tables;
mod text;

pub use arguments::EvalArgs;
pub use run::run;
pub use text::text as report_text;
