//! What the server has others do: decode an image, run a network. The server's own tests bring their own.

use grnet_features::config::Input;
use grnet_features::model_file::ModelFile;
use grnet_image::{Limits, Picture};
use grnet_wire::{ImageRefusal, Region};

/// A loaded model's network.
pub trait Network {
    /// The regions of each image, region by region, `M · C` values an image. Every image has
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

/// Turns encoded images into pixels, on many threads at once.
pub trait Decoder: Send + Sync {
    /// A network's input: `size · size · 3` bytes, rows of RGB.
    ///
    /// # Errors
    /// What is wrong with the image.
    fn prepare(
        &self,
        bytes: &[u8],
        region: Option<Region>,
        input: &Input,
        limits: Limits,
    ) -> Result<Vec<u8>, ImageRefusal>;

    /// An image for people to look at: upright, its longer side `longest` pixels.
    ///
    /// # Errors
    /// What is wrong with the image.
    fn picture(&self, bytes: &[u8], longest: u32, limits: Limits) -> Result<Picture, ImageRefusal>;
}
