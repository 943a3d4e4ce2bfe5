//! Vector instructions chosen at run time, and the matrix products over them that the score and the default backbone share.
//!
//! - `isa`: which instructions, chosen once; `simd`: what each set has to offer; one file for each set.
//! - `product`: matrix products, over `element`: f32 (`tile`) or 16-bit integers (`tile_i16`).
//! - `transpose`: a right operand from rows; `aligned`: memory that begins at a cache line.

mod aligned;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "instructions that not every processor has; every block says why it is sound")]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "instructions that not every processor has; every block says why it is sound")]
mod avx512;
mod element;
mod isa;
mod portable;
mod product;
mod simd;
#[allow(unsafe_code, reason = "the inner loop of the products; every block says why it is sound")]
mod tile;
#[allow(unsafe_code, reason = "the inner loop of the products; every block says why it is sound")]
mod tile_i16;
mod transpose;

pub use aligned::{AlignedBuffer, LINE};
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512Bf16;
pub use element::{Element, F32, I16, Scales};
pub use isa::{Detected, Isa, IsaError, VARIABLE};
pub use product::{Out, Product, Right, tile_columns};
pub use simd::{Simd, WithSimd, up};
pub use tile::{PANEL_DEPTH, PANEL_LEN, PANEL_ROWS, PANEL_STRIDE, Tile};
pub use tile_i16::{PANEL_LEN_I16, PANEL_STRIDE_I16};
pub use transpose::Transpose;
