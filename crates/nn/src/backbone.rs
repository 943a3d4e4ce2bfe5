//! The convolutional network in front of the pyramid, whichever it is.

use std::ops::Range;

use grnet_features::config::Input;
use tch::{Device, Tensor};

use crate::conv::Conv;
use crate::device::Precision;
use crate::error::NnError;

/// A network that maps `[B, 3, H, W]` to `[B, channels, h, w]`, for inference.
pub trait Backbone: Send {
    /// The map. Input and output have the number type that the weights were placed in.
    ///
    /// # Errors
    /// What libtorch refuses.
    fn forward(&self, x: &Tensor) -> Result<Tensor, NnError>;

    /// The map of images, `S · S · 3` bytes each, where this is computed without libtorch; `None` elsewhere.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    fn direct(&self, _images: &[&[u8]], _input: &Input) -> Option<Result<Tensor, NnError>> {
        None
    }

    /// Stages, which run one after another. What is not trained can run once an image and be kept.
    fn stages(&self) -> usize {
        1
    }

    /// Some of the stages: [`forward`](Self::forward) is all of them.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    fn run(&self, x: &Tensor, stages: Range<usize>) -> Result<Tensor, NnError> {
        if stages.is_empty() { Ok(x.shallow_clone()) } else { self.forward(x) }
    }

    /// The convolutions of the stages from `first` on, for training; none where the network cannot be trained.
    fn learnable(&mut self, first: usize) -> Vec<&mut Conv>;

    /// Moves the weights.
    ///
    /// # Errors
    /// What libtorch refuses.
    fn move_to(&mut self, device: Device, precision: Precision) -> Result<(), NnError>;
}

/// A network made of convolutions alone.
pub(crate) trait Convolutions {
    /// Every convolution.
    fn convolutions(&mut self) -> Vec<&mut Conv>;

    /// [`Backbone::move_to`], for every convolution.
    fn move_all_to(&mut self, device: Device, precision: Precision) -> Result<(), NnError> {
        self.convolutions().into_iter().try_for_each(|conv| conv.move_to(device, precision.kind()))
    }

    /// [`Backbone::learnable`] of a network that is one stage.
    fn learn_all(&mut self, first: usize) -> Vec<&mut Conv> {
        if first == 0 { self.convolutions() } else { Vec::new() }
    }
}
