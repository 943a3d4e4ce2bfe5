//! The node `GrnetShortlist` as the server sees it: the index, the path and the plan, the running node.

pub mod index;
pub mod node;
mod pgvector;
pub mod plan;
mod rows;
