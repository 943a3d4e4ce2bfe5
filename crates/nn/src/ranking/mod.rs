//! Who comes first, under one stage and under two.

pub mod protocol;
pub mod rerank;
