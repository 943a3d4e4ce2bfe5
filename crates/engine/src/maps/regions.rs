//! Cached maps to regions, with the reduction being learned, and with crops made on the map itself.

use grnet_core::config::{Pooling, Pyramid};
use grnet_core::pyramid::window;
use tch::{Kind, Tensor};

use super::cache::Maps;
use crate::network::{EngineError, pool};
use crate::numbers::Sequence;

/// Photos whose maps are brought to f32 at one time: 16 MB of 7 × 7 cells of 1,280 channels.
const PHOTOS: usize = 64;

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

/// A part of a map, and whether it is mirrored: an augmentation that costs nothing and is new at every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    top: usize,
    left: usize,
    height: usize,
    width: usize,
    mirrored: bool,
}

impl View {
    /// A random part of at least 4 of 7 cells a side; mirrored half of the time.
    pub fn random(numbers: &mut Sequence, height: usize, width: usize) -> Self {
        let mut below = |n: usize| ((f64::from(numbers.unit()) + 1.0) / 2.0 * n as f64) as usize;
        let mut side = |n: usize| {
            let least = (n * 4).div_ceil(7);
            let length = least + below(n - least + 1);
            (length, below(n - length + 1))
        };
        let ((rows, top), (columns, left)) = (side(height), side(width));
        Self { top, left, height: rows, width: columns, mirrored: numbers.unit() < 0.0 }
    }

    /// Shares of the map's cells in each region of the part, `M·h·w` values.
    fn shares(&self, grids: &[u8], height: usize, width: usize) -> Vec<f32> {
        let mut values = Vec::new();
        for g in grids.iter().map(|&g| usize::from(g)) {
            for (r, c) in (0..g).flat_map(|r| (0..g).map(move |c| (r, c))) {
                let start = values.len();
                values.resize(start + height * width, 0.0);
                let c = if self.mirrored { g - 1 - c } else { c };
                let (rows, columns) = (window(self.height, g, r), window(self.width, g, c));
                let share = 1.0 / (rows.len() * columns.len()) as f32;
                for row in rows {
                    let at = start + (self.top + row) * width + self.left;
                    values[at + columns.start..at + columns.end].fill(share);
                }
            }
        }
        values
    }
}

impl<'m> Regions<'m> {
    /// Regions under a reduction.
    ///
    /// # Errors
    /// The map is too small for the grids.
    pub fn new(maps: &'m Maps, pyramid: &Pyramid, weight: Tensor, bias: Tensor) -> Result<Self, EngineError> {
        let whole = pool::shares(&pyramid.grids, maps.height, maps.width)?;
        Ok(Self { maps, pyramid: pyramid.clone(), whole, weight, bias })
    }

    /// Regions `[B, M, C]` of photos as they are, as the model's own network makes them.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn whole(&self, photos: &[usize]) -> Result<Tensor, EngineError> {
        self.chunked(photos, |cells| match self.pyramid.pooling {
            // Means and linear maps commute.
            Pooling::Average => self.finish(&self.reduce(&self.whole.f_matmul(&cells)?)?),
            _ => self.finish(&self.pool(&self.reduce(&cells)?)?),
        })
    }

    /// Regions `[B, M, C]` of a part of each photo: means, and of unit norm where the pyramid says so.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn parts(&self, photos: &[usize], views: &[View]) -> Result<Tensor, EngineError> {
        let (h, w) = (self.maps.height, self.maps.width);
        let shares: Vec<f32> = views.iter().flat_map(|v| v.shares(&self.pyramid.grids, h, w)).collect();
        let shares = Tensor::f_from_slice(&shares)?.f_view([views.len() as i64, -1, (h * w) as i64])?;
        self.finish(&self.reduce(&shares.f_bmm(&self.cells(photos)?)?)?)
    }

    /// Regions of the backbone `[B, M, Cb]`, before reduction.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn raw(&self, photos: &[usize]) -> Result<Tensor, EngineError> {
        self.chunked(photos, |cells| self.pool(&cells))
    }

    /// Sides of the pyramid's grids.
    pub fn grids(&self) -> &[u8] {
        &self.pyramid.grids
    }

    /// Cells `[B, h·w, C]` under the reduction, before any pooling.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn reduced(&self, photos: &[usize]) -> Result<Tensor, EngineError> {
        self.chunked(photos, |cells| self.reduce(&cells))
    }

    /// A part of the map that is all of it.
    pub fn all(&self) -> View {
        View { top: 0, left: 0, height: self.maps.height, width: self.maps.width, mirrored: false }
    }

    /// A random part.
    pub fn random(&self, numbers: &mut Sequence) -> View {
        View::random(numbers, self.maps.height, self.maps.width)
    }

    fn cells(&self, photos: &[usize]) -> Result<Tensor, EngineError> {
        let index: Vec<i64> = photos.iter().map(|&p| p as i64).collect();
        Ok(self.maps.cells.f_index_select(0, &Tensor::f_from_slice(&index)?)?.f_to_kind(Kind::Float)?)
    }

    fn chunked(
        &self,
        photos: &[usize],
        regions: impl Fn(Tensor) -> Result<Tensor, EngineError>,
    ) -> Result<Tensor, EngineError> {
        let parts = photos.chunks(PHOTOS).map(|chunk| regions(self.cells(chunk)?)).collect::<Result<Vec<_>, _>>()?;
        Ok(Tensor::f_cat(&parts, 0)?)
    }

    /// Cells `[B, h·w, C]` to regions `[B, M, C]`.
    fn pool(&self, cells: &Tensor) -> Result<Tensor, EngineError> {
        let (photos, _, channels) = cells.size3()?;
        let size = [photos, channels, self.maps.height as i64, self.maps.width as i64];
        let map = cells.f_transpose(1, 2)?.f_reshape(size)?;
        pool::pool(&map, &self.pyramid.grids, self.pyramid.pooling, &self.whole)
    }

    /// The reduction, applied to the last dimension.
    fn reduce(&self, x: &Tensor) -> Result<Tensor, EngineError> {
        Ok(x.f_matmul(&self.weight.f_tr()?)?.f_add(&self.bias)?)
    }

    fn finish(&self, regions: &Tensor) -> Result<Tensor, EngineError> {
        if self.pyramid.normalise { pool::normalise(regions) } else { Ok(regions.shallow_clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_of_everything_is_the_pyramid_itself() {
        let view = View { top: 0, left: 0, height: 7, width: 7, mirrored: false };
        let expected = Vec::<f32>::try_from(pool::shares(&[1, 2, 3], 7, 7).unwrap().view([-1])).unwrap();
        assert_eq!(view.shares(&[1, 2, 3], 7, 7), expected);
    }

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

    #[test]
    fn every_view_s_shares_sum_to_one_inside_its_part() {
        let mut numbers = Sequence::new(3);
        for _ in 0..500 {
            let view = View::random(&mut numbers, 7, 6);
            assert!(view.top + view.height <= 7 && view.left + view.width <= 6);
            let shares = view.shares(&[1, 2, 3], 7, 6);
            for row in shares.chunks_exact(42) {
                assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            }
            let outside = (0..42).filter(|i| !(view.top..view.top + view.height).contains(&(i / 6)));
            assert!(outside.into_iter().all(|i| shares[i] == 0.0));
        }
    }
}
