//! The node `GrnetShortlist` as the server sees it: the index, the path and the plan, the running node.

pub mod index;
pub mod node;
pub mod order;
mod pgvector;
pub mod plan;
mod rows;
