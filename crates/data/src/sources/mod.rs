//! The images that a command is given.
//!
//! A path leads to a source of one kind: `folders`, `annotated` (a table) and `deepfashion` read one each. `training`
//! and
//! `search` read all that a command is given, and check it before anybody works for an hour on it.

mod annotated;
mod check;
mod folders;
pub mod search;
mod seen;
mod source;
pub mod training;
