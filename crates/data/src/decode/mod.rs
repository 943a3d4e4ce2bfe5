//! Image files to pixels, within a bound on memory.

pub mod decoder;
pub mod fit;
pub mod memory_budget;
