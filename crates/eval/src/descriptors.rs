//! One vector of the backbone's map, before any learned reduction.

use grnet_features::config::Pooling;
use grnet_nn::maps::map_set::Maps;
use grnet_nn::pool::normalise;
use grnet_nn::{NnError, pool};
use tch::{Kind, Tensor};

/// Images whose maps are brought to f32 at one time.
const IMAGES: usize = 64;

/// How a map becomes one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Descriptor {
    /// Mean of the cells: the backbone's own global vector.
    Mean,
    /// Generalised mean with exponent 3 (Radenović et al., TPAMI 2019).
    Gem,
    /// Sum of the normalised maxima of square regions at three scales (Tolias et al., ICLR 2016); its whitening needs
    /// training and is left out.
    Rmac,
}

impl Descriptor {
    /// Vectors `[n, Cb]` of images, each of unit norm.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn of(self, maps: &Maps, images: &[usize]) -> Result<Tensor, NnError> {
        let whole = pool::shares(&[1], maps.height, maps.width)?;
        let vectors = images.chunks(IMAGES).map(|chunk| {
            let map = map(maps, chunk)?;
            let vectors = match self {
                Self::Mean => pool::pool(&map, &[1], Pooling::Average, &whole)?.f_select(1, 0)?,
                Self::Gem => pool::pool(&map, &[1], Pooling::Gem { p: 3.0 }, &whole)?.f_select(1, 0)?,
                Self::Rmac => rmac(&map)?,
            };
            normalise(&vectors)
        });
        Ok(Tensor::f_cat(&vectors.collect::<Result<Vec<_>, NnError>>()?, 0)?)
    }
}

/// Maps `[n, Cb, h, w]` in f32.
fn map(maps: &Maps, images: &[usize]) -> Result<Tensor, NnError> {
    let index: Vec<i64> = images.iter().map(|&p| p as i64).collect();
    let cells = maps.cells.f_index_select(0, &Tensor::f_from_slice(&index)?)?.f_to_kind(Kind::Float)?;
    let (n, _, channels) = cells.size3()?;
    Ok(cells.f_transpose(1, 2)?.f_reshape([n, channels, maps.height as i64, maps.width as i64])?)
}

fn rmac(map: &Tensor) -> Result<Tensor, NnError> {
    let (n, channels, height, width) = map.size4()?;
    let mut sum = Tensor::f_zeros([n, channels], (Kind::Float, tch::Device::Cpu))?;
    for (top, left, side) in squares(height, width) {
        let part = map.f_narrow(2, top, side)?.f_narrow(3, left, side)?;
        sum = sum.f_add(&normalise(&part.f_amax([2, 3], false)?)?)?;
    }
    Ok(sum)
}

/// Squares (top, left, side) at three scales: at scale l, l along the shorter side of a map, and more along the longer
/// one where that brings their overlap nearer to 40 %.
fn squares(height: i64, width: i64) -> Vec<(i64, i64, i64)> {
    let (short, long) = (height.min(width), height.max(width));
    let apart = |side: i64, length: i64, count: i64| {
        (0..count).map(move |i| if count == 1 { 0 } else { i * (length - side) / (count - 1) })
    };
    // Further squares along the longer side, as the whole map's squares overlap.
    let overlap = |more: i64| {
        let step = (long - short) as f64 / more as f64;
        ((short as f64 - step) / short as f64 - 0.4).abs()
    };
    let more = if long > short { (1..=6).min_by(|&a, &b| overlap(a).total_cmp(&overlap(b))).unwrap_or(1) } else { 0 };
    let mut squares = Vec::new();
    for l in 1..=3 {
        let side = (2 * short / (l + 1)).max(1);
        let (down, across) = if height < width { (l, l + more) } else { (l + more, l) };
        squares.extend(
            apart(side, height, down).flat_map(|top| apart(side, width, across).map(move |left| (top, left, side))),
        );
    }
    squares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_lie_inside_the_map_cover_it_and_are_the_paper_s_in_number() {
        // 1 + 4 + 9 on a square map.
        assert_eq!(squares(7, 7).len(), 14);
        for (height, width) in [(7, 7), (7, 10), (12, 5), (1, 1), (2, 9)] {
            let all = squares(height, width);
            let inside =
                |(top, left, side): &(i64, i64, i64)| *side > 0 && top + side <= height && left + side <= width;
            assert!(all.iter().all(inside), "{height} x {width}: {all:?}");
            let side = height.min(width);
            let whole: Vec<_> = all.iter().filter(|(_, _, s)| *s == side).collect();
            assert!(whole.iter().any(|(t, l, _)| (*t, *l) == (0, 0)));
            assert!(
                whole.iter().any(|(t, l, _)| (t + side, l + side) == (height, width)),
                "{height} x {width}: {all:?}"
            );
        }
    }

    #[test]
    fn vectors_are_means_generalised_means_and_sums_of_maxima() {
        tch::manual_seed(1);
        let cells = Tensor::rand([70, 12, 3], (Kind::Float, tch::Device::Cpu)).to_kind(Kind::Half);
        let maps = Maps { cells, height: 3, width: 4, unreadable: Vec::new() };
        let image = maps.cells.get(66).to_kind(Kind::Float);
        let unit = |v: Tensor| Vec::<f32>::try_from(&v / v.norm()).unwrap();
        let near = |got: Descriptor, expected: Vec<f32>| {
            let all: Vec<usize> = (0..70).collect();
            let got = Vec::<f32>::try_from(got.of(&maps, &all).unwrap().get(66)).unwrap();
            assert!(got.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5), "{got:?} {expected:?}");
        };
        near(Descriptor::Mean, unit(image.mean_dim([0i64].as_slice(), false, Kind::Float)));
        near(
            Descriptor::Gem,
            unit(
                image
                    .pow_tensor_scalar(3.0)
                    .mean_dim([0i64].as_slice(), false, Kind::Float)
                    .pow_tensor_scalar(1.0 / 3.0),
            ),
        );
        let mut sum = Tensor::zeros([3], (Kind::Float, tch::Device::Cpu));
        let grid = image.view([3, 4, 3]);
        for (top, left, side) in squares(3, 4) {
            let most = grid.narrow(0, top, side).narrow(1, left, side).amax([0, 1], false);
            sum += &most / most.norm();
        }
        near(Descriptor::Rmac, unit(sum));
    }
}
