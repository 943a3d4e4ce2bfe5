//! What the engine's commands share without torch: images and what is known about them, augmentation, decoding within a
//! bound on memory, and what a command writes.

pub mod augment;
pub mod dataset;
pub mod decode;
mod deepfashion;
pub mod error;
pub mod files;
pub mod output;
pub mod rng;
pub mod sources;
mod table;

pub use error::DataError;
