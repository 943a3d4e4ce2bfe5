//! The engine's networks, with libtorch: images to regions, regions to scores.
//!
//! - `backbone` (the trait), `backbones` (the networks and what reads them), `conv`, `weights`: pixels to maps.
//! - `pool`, `embedder`: maps to the pyramid's regions. `maps`: the maps of many images, computed once.
//! - `graph`: pairs of regions to logits, for training. `ranking`: who comes first under both.
//! - `import`: weights of others. `device`, `compute`, `thread_pool`: what it runs on.

pub mod backbone;
pub mod backbones;
pub mod compute;
pub mod conv;
pub mod device;
pub mod embedder;
pub mod error;
pub mod graph;
pub mod import;
pub mod maps;
pub mod pool;
pub mod ranking;
pub mod shape;
mod thread_pool;
pub mod weights;

pub use error::NnError;
