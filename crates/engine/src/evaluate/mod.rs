//! `grnet-engine eval`: how well a model ranks.

pub(crate) mod ranking;
mod report;
mod run;

pub use report::text as report_text;
pub use run::{EvalArgs, EvalReport, run};
