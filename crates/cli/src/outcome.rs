//! How a command ended.

/// How a command ended.
pub enum Outcome {
    /// All was done.
    Done,
    /// Something of what was asked for could not be done, and was named.
    Partly,
}
