//! The scoring kernel: what one pair of photos costs, done with the instructions that the processor has.
//!
//! - `path`: which instructions, chosen once; `lanes` and one file for each set: vectors of floats.
//! - `regions`: stored values to f32; `squares`: the nodes' operand; `softmax`: the attention; `transpose`.
//! - `product` over `tile`: matrix products; `weights`: a model's matrices as the tiles read them; `edges`.
//! - `pair`: one pair from windows to logit; `last`: the last layer's row; `scratch`: its room.
//! - `convolve`: a network of inverted residuals, from pixels to its map, over the same tiles.
//! - `short`: the same with 16-bit integers in the large products.
//!
//! Savings that change nothing, in all of it:
//! - Nodes are made from differences: expanding the square would save 0.5 % of the work and cost three digits (relative
//!   node error grows with (‖x‖/‖x−y‖)²).
//! - `T_outᵀ T_in` is one matrix, the bias beside T_in drops out of the softmax, and log₂ e is in the matrix: one product
//!   instead of two, and powers of two instead of e.
//! - Of the last layer only the global row is computed: 0.12 MFLOP instead of 14.6 at N = 98, D = 128.
//! - A block of rows goes through a whole layer before the next one: nothing of N × C or N × N is ever stored.

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "instructions that not every processor has; every block says why it is sound")]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "instructions that not every processor has; every block says why it is sound")]
mod avx512;
pub mod convolve;
mod edges;
mod lanes;
mod last;
mod pair;
mod path;
mod portable;
mod product;
mod regions;
mod scratch;
pub(crate) mod short;
mod softmax;
mod squares;
#[allow(unsafe_code, reason = "the inner loop of the products; every block says why it is sound")]
mod tile;
mod transpose;
mod weights;

pub(crate) use lanes::Lanes;
pub(crate) use pair::{Sides, global_node};
pub(crate) use path::{Machine, with_lanes};
pub use path::{Path, VARIABLE};
pub(crate) use regions::{Normalise, Read};
pub(crate) use scratch::Room;
pub use scratch::Scratch;
pub(crate) use tile::{CHUNK, PANEL};
pub(crate) use weights::{Weights, up};
