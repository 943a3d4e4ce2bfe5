//! Photos to regions: backbones, 1×1 reduction, pooling to the pyramid. Inference only.

mod backbone;
mod conv;
mod crew;
mod device;
mod direct;
mod efficientnet;
mod embedder;
mod error;
mod fit;
mod googlenet;
pub mod graph;
mod mobilenet;
mod patches;
pub(crate) mod pool;
mod resnet;
mod torchscript;
mod weights;

pub use backbone::{Backbone, channels as backbone_channels};
pub use conv::Conv;
pub use device::{Device, Precision, set_threads, share_cores, wait_asleep};
pub use embedder::{Embedder, backbone_id};
pub use error::EngineError;
pub use fit::fit;
pub(crate) use weights::{named, read as read_tensor};
