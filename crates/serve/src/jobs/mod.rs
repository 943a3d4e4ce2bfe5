//! Jobs: trainings and evaluations, each in a process of its own beside the server.
//!
//! ```text
//! session ─▶ Job ─▶ Spool (a private folder) ─▶ Child (grnet-engine train | eval) ─▶ runner thread ─▶ client
//! ```
//!
//! A job belongs to its connection. When that ends, for whatever reason, the process is killed and the folder is gone.

pub mod answer;
mod child_guard;
pub mod commands;
pub mod job;
pub mod options;
mod refusal;
pub mod registry;
mod runner;
mod spool;
