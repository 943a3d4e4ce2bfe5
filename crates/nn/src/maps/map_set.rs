//! Maps of images, as they are cached in memory.

use tch::{Kind, Tensor};

use crate::error::NnError;

/// Maps of images, f16 on the CPU: 125 kB an image for 7 × 7 cells of 1,280 channels, 44 kB for 14 × 14 of 112.
#[derive(Debug)]
pub struct Maps {
    /// `[n, h·w, c]`.
    pub cells: Tensor,
    /// Rows of a map.
    pub height: usize,
    /// Columns of a map.
    pub width: usize,
    /// Positions (in the list given) of images that could not be read.
    pub unreadable: Vec<usize>,
}

impl Maps {
    /// Maps `[B, c, h, w]` of some images, f32 on a device; strides are channels-last, as they are cached.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn maps(&self, images: &[usize], device: tch::Device) -> Result<Tensor, NnError> {
        let index: Vec<i64> = images.iter().map(|&p| p as i64).collect();
        let cells = self.cells.f_index_select(0, &Tensor::f_from_slice(&index)?)?.f_to_device(device)?;
        let (n, _, channels) = cells.size3()?;
        let map = cells.f_to_kind(Kind::Float)?.f_view([n, self.height as i64, self.width as i64, channels])?;
        Ok(map.f_permute([0, 3, 1, 2])?)
    }
}
