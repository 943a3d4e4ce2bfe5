//! The node `GrnetScore` as the server sees it: where the planner asks, the path and the plan, the running node.
//!
//! What is decided and what is computed comes from above, as functions: these files know the server, not the model.

pub mod batch;
pub mod counted;
pub mod explain_hook;
pub mod node;
pub mod plan;
pub mod planner_hook;
mod shared;
