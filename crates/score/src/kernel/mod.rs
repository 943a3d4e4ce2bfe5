//! The scoring kernel: what one pair of images costs, done with the instructions that the processor has.
//!
//! - `pair`: one pair from regions to logit; `i16`: the same with 16-bit integers in the large products.
//! - `regions`: stored values to f32; `squares`: the nodes' operand; `softmax`: the attention; `last`: the last layer's row.
//! - `weights`: a model's matrices as the tiles read them; `edges`: what an edge's logit starts from; `workspace`: buffers
//!   that are kept between pairs.
//!
//! Savings that change nothing, in all of it:
//! - Nodes are made from differences: expanding the square would save 0.5 % of the work and cost three digits (relative
//!   node error grows with (‖x‖/‖x−y‖)²).
//! - `T_outᵀ T_in` is one matrix, the bias beside T_in drops out of the softmax, and log₂ e is in the matrix: one product
//!   instead of two, and powers of two instead of e.
//! - Of the last layer only the global row is computed: 0.12 MFLOP instead of 14.6 at N = 98, D = 128.
//! - A block of rows goes through a whole layer before the next one: nothing of N × C or N × N is ever stored.

mod edges;
pub(crate) mod i16;
mod last;
mod pair;
mod regions;
mod softmax;
mod squares;
mod weights;
mod workspace;

pub(crate) use pair::{Sides, global_node};
pub(crate) use regions::{Normalise, Read};
pub(crate) use weights::Weights;
pub(crate) use workspace::Buffers;
pub use workspace::Workspace;
