//! What the server has others do: decode a photo, run a network. The server's own tests bring their own.

use grnet_core::config::{Input, ModelConfig};
use grnet_core::model::ModelFile;
use grnet_core::pyramid;
use grnet_photo::Picture;
use grnet_wire::{PhotoRefusal, Region};

/// A loaded model's network.
pub trait Network {
    /// The regions of each photo, region by region, `M · C` values a photo. Every photo has
    /// `size · size · 3` bytes, rows of RGB.
    ///
    /// # Errors
    /// A sentence: out of memory, a broken device.
    fn embed(&mut self, pixels: &[&[u8]]) -> Result<Vec<Vec<f32>>, String>;
}

/// Makes networks from model files. Lives on the model thread.
pub trait Loader: Send {
    /// What the networks run on: `cpu`, `cuda:0`.
    fn device(&self) -> String;

    /// What the networks compute in: `f32` or `bf16`.
    fn precision(&self) -> String;

    /// Pays what the first computation of a process costs, before anybody waits for it.
    ///
    /// # Errors
    /// Why nothing can be computed here.
    fn warm_up(&mut self) -> Result<(), String>;

    /// Puts a model's weights on the device.
    ///
    /// # Errors
    /// What does not fit: a missing tensor, a wrong shape.
    fn load(&mut self, file: &ModelFile<'_>) -> Result<Box<dyn Network>, String>;
}

/// How large a photo may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhotoLimits {
    /// Bytes of the encoded photo.
    pub max_bytes: u64,
    /// Pixels of the decoded photo.
    pub max_pixels: u64,
}

/// Turns encoded photos into pixels, on many threads at once.
pub trait Decoder: Send + Sync {
    /// A network's input: `size · size · 3` bytes, rows of RGB.
    ///
    /// # Errors
    /// What is wrong with the photo.
    fn prepare(
        &self,
        bytes: &[u8],
        region: Option<Region>,
        input: &Input,
        limits: PhotoLimits,
    ) -> Result<Vec<u8>, PhotoRefusal>;

    /// A photo for people to look at: upright, its longer side `longest` pixels.
    ///
    /// # Errors
    /// What is wrong with the photo.
    fn picture(&self, bytes: &[u8], longest: u32, limits: PhotoLimits) -> Result<Picture, PhotoRefusal>;
}

/// What the rest of the server knows of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// The network's input.
    pub input: Input,
    /// The pyramid's grids.
    pub grids: Vec<u8>,
    /// C.
    pub channels: usize,
}

impl Shape {
    /// The shape of a configuration.
    pub fn of(config: &ModelConfig) -> Self {
        Self { input: config.input.clone(), grids: config.pyramid.grids.clone(), channels: config.channels }
    }

    /// Bytes of a prepared photo.
    pub fn pixel_bytes(&self) -> usize {
        let side = self.input.size as usize;
        side * side * 3
    }

    /// Values of one photo's regions.
    pub fn values(&self) -> usize {
        pyramid::regions(&self.grids) * self.channels
    }

    /// Bytes of one photo's feature value in half precision.
    pub fn value_bytes(&self) -> usize {
        grnet_core::features::HEADER + 2 * self.values()
    }
}
