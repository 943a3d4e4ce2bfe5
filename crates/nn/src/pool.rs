//! A map's cells to the pyramid's regions.

use grnet_features::config::{Pooling, Pyramid};
use grnet_features::pyramid::{regions, window};
use tch::Tensor;

use crate::error::NnError;

/// Added to a squared norm before its root, so that a region of zeros stays zero.
pub const NORM_EPS: f64 = 1e-12;

/// Least value of a cell under generalised-mean pooling.
const GEM_FLOOR: f64 = 1e-6;

/// Share of every cell in every region's mean: `[M, h·w]`, each row sums to 1.
///
/// # Errors
/// [`NnError::MapTooSmall`] where a region would hold less than a cell of its own.
pub fn shares(grids: &[u8], height: usize, width: usize) -> Result<Tensor, NnError> {
    let finest = grids.iter().copied().max().map_or(1, usize::from);
    if height < finest || width < finest {
        return Err(NnError::MapTooSmall { height, width, grid: finest });
    }
    let mut values = vec![0f32; regions(grids) * height * width];
    for (row, (rows, cols)) in region_cells(grids, height, width).enumerate() {
        let share = 1.0 / (rows.len() * cols.len()) as f32;
        for cell in rows.flat_map(|r| cols.clone().map(move |c| r * width + c)) {
            values[row * height * width + cell] = share;
        }
    }
    Ok(Tensor::f_from_slice(&values)?.f_view([-1, (height * width) as i64])?)
}

type Cells = std::ops::Range<usize>;

/// Rows and columns of every region, in region order.
fn region_cells(grids: &[u8], height: usize, width: usize) -> impl Iterator<Item = (Cells, Cells)> + '_ {
    grids
        .iter()
        .map(|&g| usize::from(g))
        .flat_map(move |g| (0..g).flat_map(move |r| (0..g).map(move |c| (window(height, g, r), window(width, g, c)))))
}

/// A reduction, applied to the last dimension.
pub type Reduce<'a> = dyn Fn(&Tensor) -> Result<Tensor, NnError> + 'a;

/// The pyramid's regions `[B, M, C]` of a backbone's maps `[B, Cb, h, w]`: reduced, pooled, and of unit norm where the
/// pyramid says so. `reduce` is the reduction, applied to the last dimension; `None` where there is none.
///
/// # Errors
/// What libtorch refuses.
pub fn regions_of(
    map: &Tensor,
    pyramid: &Pyramid,
    shares: &Tensor,
    reduce: Option<&Reduce<'_>>,
) -> Result<Tensor, NnError> {
    let pooled = |map: &Tensor| pool(map, &pyramid.grids, pyramid.pooling, shares);
    let regions = match (reduce, pyramid.pooling) {
        (None, _) => pooled(map)?,
        // Means and linear maps commute: 14 vectors to reduce instead of 49.
        (Some(reduce), Pooling::Average) => reduce(&pooled(map)?)?,
        (Some(reduce), _) => pooled(&reduce(&map.f_permute([0, 2, 3, 1])?)?.f_permute([0, 3, 1, 2])?)?,
    };
    if pyramid.normalise { normalise(&regions) } else { Ok(regions) }
}

/// Regions `[B, M, C]` of maps `[B, C, h, w]`, both f32 on the same device. `shares` is [`shares`]' matrix for that
/// size.
///
/// # Errors
/// What libtorch refuses.
pub fn pool(map: &Tensor, grids: &[u8], pooling: Pooling, shares: &Tensor) -> Result<Tensor, NnError> {
    let (batch, channels, height, width) = map.size4()?;
    // Cells in front of channels: a view where the network ran channels-last.
    let cells = map.f_permute([0, 2, 3, 1])?.f_reshape([batch, height * width, channels])?;
    Ok(match pooling {
        Pooling::Average => shares.f_matmul(&cells)?,
        Pooling::Gem { p } => {
            let powers = cells.f_clamp_min(GEM_FLOOR)?.f_pow_tensor_scalar(f64::from(p))?;
            shares.f_matmul(&powers)?.f_pow_tensor_scalar(1.0 / f64::from(p))?
        }
        Pooling::Max => {
            let (h, w) = (height as usize, width as usize);
            let largest = region_cells(grids, h, w).map(|(rows, cols)| {
                map.f_narrow(2, rows.start as i64, rows.len() as i64)?
                    .f_narrow(3, cols.start as i64, cols.len() as i64)?
                    .f_amax([2, 3], false)
            });
            Tensor::f_stack(&largest.collect::<Result<Vec<_>, _>>()?, 1)?
        }
    })
}

/// Divides every region (last dimension) by its Euclidean norm.
///
/// # Errors
/// What libtorch refuses.
pub fn normalise(regions: &Tensor) -> Result<Tensor, NnError> {
    let square = regions.f_square()?.f_sum_dim_intlist([-1i64].as_slice(), true, None)?;
    Ok(regions.f_div(&square.f_add_scalar(NORM_EPS)?.f_sqrt()?)?)
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;

    /// One image, two channels, 7 × 7 cells: channel 0 counts cells, channel 1 is its square.
    fn map() -> Tensor {
        let first = Tensor::arange(49, (Kind::Float, tch::Device::Cpu)).view([1, 1, 7, 7]);
        Tensor::cat(&[&first, &first.square()], 1)
    }

    fn regions_of(pooling: Pooling) -> Vec<f32> {
        let grids = [1, 2, 3];
        let pooled = pool(&map(), &grids, pooling, &shares(&grids, 7, 7).unwrap()).unwrap();
        assert_eq!(pooled.size(), [1, 14, 2]);
        Vec::try_from(pooled.view([-1])).unwrap()
    }

    #[test]
    fn windows_are_averaged_as_the_core_cuts_them() {
        let got = regions_of(Pooling::Average);
        // Rows and columns 3 to 6 for the last region of the 2-grid, 4 to 6 for that of the 3-grid.
        assert!((got[0] - 24.0).abs() < 1e-5);
        assert!((got[2 * 4] - 36.0).abs() < 1e-4);
        assert!((got[2 * 13] - 40.0).abs() < 1e-4);
    }

    #[test]
    fn largest_cell_and_generalised_mean() {
        let got = regions_of(Pooling::Max);
        assert_eq!((got[0], got[1], got[2]), (48.0, 2304.0, 24.0));
        let mean = regions_of(Pooling::Average);
        let gem = regions_of(Pooling::Gem { p: 1.0 });
        assert!(mean.iter().zip(&gem).all(|(a, b)| (a - b).abs() < 1e-3));
        let cubic = regions_of(Pooling::Gem { p: 3.0 });
        let expected = ((0..49).map(|v| f64::from(v).powi(3)).sum::<f64>() / 49.0).cbrt();
        assert!((f64::from(cubic[0]) - expected).abs() < 1e-3);
    }

    #[test]
    fn a_map_smaller_than_the_finest_grid_is_refused() {
        let error = shares(&[1, 4], 3, 7).unwrap_err().to_string();
        assert!(error.contains("3 x 7") && error.contains('4'), "{error}");
    }

    #[test]
    fn a_region_of_zeros_stays_zero() {
        let zero = normalise(&Tensor::zeros([1, 2, 4], (Kind::Float, tch::Device::Cpu))).unwrap();
        assert_eq!(f64::try_from(zero.abs().max()).unwrap(), 0.0);
    }
}
