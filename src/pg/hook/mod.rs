//! The hooks by which the server asks the extension.

pub mod explain;
pub mod planner;
