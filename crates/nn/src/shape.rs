//! What is known of a model without its weights.

use grnet_features::config::{Input, ModelConfig};
use grnet_features::pyramid;

/// What goes into a model's network and comes out of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelShape {
    /// The network's input.
    pub input: Input,
    /// The pyramid's grids.
    pub grids: Vec<u8>,
    /// C.
    pub channels: usize,
}

impl ModelShape {
    /// The shape of a configuration.
    pub fn of(config: &ModelConfig) -> Self {
        Self { input: config.input.clone(), grids: config.pyramid.grids.clone(), channels: config.channels }
    }

    /// Bytes of a prepared image.
    pub fn pixel_bytes(&self) -> usize {
        let side = self.input.size as usize;
        side * side * 3
    }

    /// Values of one image's regions.
    pub fn values(&self) -> usize {
        pyramid::regions(&self.grids) * self.channels
    }

    /// Bytes of one image's feature value in half precision.
    pub fn value_bytes(&self) -> usize {
        grnet_features::value::HEADER + 2 * self.values()
    }
}
