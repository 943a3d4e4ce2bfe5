//! Features, pyramid, similarity graph, score and metrics of the Graph Reasoning Network (GRNet, Kuang et al.,
//! ICCV 2019). No I/O, no Postgres, no torch: backends and engine share it, so a score is the same everywhere.

pub mod config;
mod dtype;
pub mod error;
pub mod features;
pub mod head;
pub mod kernel;
pub mod metrics;
pub mod model;
pub mod oracle;
pub mod pyramid;
pub mod query;
pub mod relation;
pub mod score;
pub mod scorer;
pub mod work;
