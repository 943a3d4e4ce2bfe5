//! Cached maps of the whole backbone to regions.

use grnet_features::config::{Pooling, Pyramid};
use tch::{Kind, Tensor};

use crate::error::NnError;
use crate::maps::map_set::Maps;
use crate::pool;

/// Images whose maps are brought to f32 at one time: 16 MB of 7 × 7 cells of 1,280 channels.
const IMAGES: usize = 64;

/// How a cached map becomes regions.
#[derive(Debug)]
pub struct Regions<'m> {
    maps: &'m Maps,
    pyramid: Pyramid,
    /// Means over the whole map, `[M, h·w]`.
    whole: Tensor,
    /// `[C, Cb]`.
    pub weight: Tensor,
    /// `[C]`.
    pub bias: Tensor,
}

impl<'m> Regions<'m> {
    /// Regions under a reduction.
    ///
    /// # Errors
    /// The map is too small for the grids.
    pub fn new(maps: &'m Maps, pyramid: &Pyramid, weight: Tensor, bias: Tensor) -> Result<Self, NnError> {
        let whole = pool::shares(&pyramid.grids, maps.height, maps.width)?;
        Ok(Self { maps, pyramid: pyramid.clone(), whole, weight, bias })
    }

    /// Regions `[B, M, C]` of images as they are, as the model's own network makes them.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn whole(&self, images: &[usize]) -> Result<Tensor, NnError> {
        self.chunked(images, |cells| match self.pyramid.pooling {
            // Means and linear maps commute.
            Pooling::Average => self.finish(&self.reduce(&self.whole.f_matmul(&cells)?)?),
            _ => self.finish(&self.pool(&self.reduce(&cells)?)?),
        })
    }

    /// Cells `[B, h·w, C]` under the reduction, before any pooling.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn reduced(&self, images: &[usize]) -> Result<Tensor, NnError> {
        self.chunked(images, |cells| self.reduce(&cells))
    }

    fn cells(&self, images: &[usize]) -> Result<Tensor, NnError> {
        let index: Vec<i64> = images.iter().map(|&p| p as i64).collect();
        Ok(self.maps.cells.f_index_select(0, &Tensor::f_from_slice(&index)?)?.f_to_kind(Kind::Float)?)
    }

    fn chunked(
        &self,
        images: &[usize],
        regions: impl Fn(Tensor) -> Result<Tensor, NnError>,
    ) -> Result<Tensor, NnError> {
        let parts = images.chunks(IMAGES).map(|chunk| regions(self.cells(chunk)?)).collect::<Result<Vec<_>, _>>()?;
        Ok(Tensor::f_cat(&parts, 0)?)
    }

    /// Cells `[B, h·w, C]` to regions `[B, M, C]`.
    fn pool(&self, cells: &Tensor) -> Result<Tensor, NnError> {
        let (images, _, channels) = cells.size3()?;
        let size = [images, channels, self.maps.height as i64, self.maps.width as i64];
        let map = cells.f_transpose(1, 2)?.f_reshape(size)?;
        pool::pool(&map, &self.pyramid.grids, self.pyramid.pooling, &self.whole)
    }

    /// The reduction, applied to the last dimension.
    fn reduce(&self, x: &Tensor) -> Result<Tensor, NnError> {
        Ok(x.f_matmul(&self.weight.f_tr()?)?.f_add(&self.bias)?)
    }

    fn finish(&self, regions: &Tensor) -> Result<Tensor, NnError> {
        if self.pyramid.normalise { pool::normalise(regions) } else { Ok(regions.shallow_clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooling_and_norm_are_the_pyramid_s() {
        tch::manual_seed(2);
        let random = |shape: &[i64]| Tensor::randn(shape, (Kind::Float, tch::Device::Cpu));
        let cells = random(&[3, 42, 5]).to_kind(Kind::Half);
        let maps = Maps { cells, height: 7, width: 6, unreadable: Vec::new() };
        let (weight, bias) = (random(&[4, 5]), random(&[4]));
        let map = (maps.cells.to_kind(Kind::Float).matmul(&weight.tr()) + &bias).transpose(1, 2).reshape([3, 4, 7, 6]);
        for pooling in [Pooling::Average, Pooling::Max, Pooling::Gem { p: 3.0 }] {
            for normalise in [true, false] {
                let pyramid = Pyramid { grids: vec![1, 2, 3], pooling, normalise };
                let shares = pool::shares(&pyramid.grids, 7, 6).unwrap();
                let mut expected = pool::pool(&map, &pyramid.grids, pooling, &shares).unwrap();
                if normalise {
                    expected = pool::normalise(&expected).unwrap();
                }
                let regions = Regions::new(&maps, &pyramid, weight.shallow_clone(), bias.shallow_clone()).unwrap();
                let apart = f64::try_from((regions.whole(&[0, 1, 2]).unwrap() - expected).abs().max()).unwrap();
                assert!(apart < 1e-5, "{pooling:?}, {normalise}: {apart}");
            }
        }
    }
}
