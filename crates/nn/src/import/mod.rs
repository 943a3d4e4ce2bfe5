//! Weights of others as tensors of ours, and what a model has before it has learned anything.

mod assemble;
pub mod defaults;
mod legacy;
mod pickle;
pub mod state_dict;
pub mod tensors;
mod value;
