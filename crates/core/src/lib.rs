//! Features, pyramid, similarity graph, score and metrics of the Graph Reasoning Network (GRNet, Kuang et al.,
//! ICCV 2019). No I/O, no Postgres, no torch: backends and engine share it, so a score is the same everywhere.

pub mod config;
pub mod error;
pub mod features;
pub mod head;
#[allow(unsafe_code, reason = "calls the GEMM crate; every block says why it is sound")]
mod kernels;
pub mod metrics;
pub mod model;
pub mod oracle;
pub mod pyramid;
pub mod relation;
pub mod score;
pub mod scorer;
