//! The score of the Graph Reasoning Network (GRNet, Kuang et al., ICCV 2019): its definition, the graph head of a model,
//! the kernels that compute it fast, and the metrics of a ranking. Backends and engine share it, so a score is the same
//! everywhere.

pub mod definition;
pub mod edge_bias;
pub mod error;
pub mod head;
mod kernel;
pub mod metrics;
pub mod operations;
pub mod prepared_query;
pub mod probability;
pub mod scorer;
