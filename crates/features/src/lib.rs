//! What is stored of an image and of a model: the feature value, the model file with its configuration, and the pyramid.
//! No I/O, no Postgres, no torch.

pub mod config;
mod dtype;
pub mod error;
pub mod model_file;
pub mod pyramid;
pub mod value;
