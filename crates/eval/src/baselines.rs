//! Rankings that need no training beyond the regions: what a graph must beat to earn its place.

use grnet_features::pyramid::{regions, scale};
use grnet_nn::maps::regions::Regions;
use grnet_nn::pool::normalise;
use grnet_nn::ranking::protocol::rows;
use tch::{Kind, Tensor};

use crate::error::EvalError;

/// Images of a gallery that are matched at one time: the cosines of 64 × 49 cells with 49 are 0.6 MB.
const IMAGES: usize = 64;

/// Scores of a gallery for every query.
pub type Scores = Vec<Vec<f32>>;

/// Mean over the regions of the cosine with the region at the same place, for regions `[Q, M, C]` and `[G, M, C]`:
/// every scale counts alike. It says what the regions know while the garment stays where it is.
///
/// # Errors
/// What libtorch refuses.
pub fn pyramid_mean(x: &Tensor, y: &Tensor, grids: &[u8]) -> Result<Scores, EvalError> {
    // One long vector for each image: a cosine a scale is the mean of its regions' products.
    let roots: Vec<f32> = weights(grids).iter().map(|weight| weight.sqrt()).collect();
    let roots = Tensor::f_from_slice(&roots)?.f_view([1, -1, 1])?;
    let weighted = |regions: &Tensor| Ok::<_, EvalError>(normalise(regions)?.f_mul(&roots)?.f_flatten(1, 2)?);
    let (x, y) = (weighted(x)?, weighted(y)?);
    Ok(rows(&x.f_matmul(&y.f_tr()?)?)?)
}

/// Mean over the query's regions of the best cosine with any region of the same scale, every scale alike: the
/// correspondence that the graph has to learn, taken greedily.
///
/// # Errors
/// What libtorch refuses.
pub fn max_sim(x: &Tensor, y: &Tensor, grids: &[u8]) -> Result<Scores, EvalError> {
    let (x, y) = (normalise(x)?, normalise(y)?);
    let (queries, _, channels) = x.size3()?;
    let mut scores: Scores = (0..queries).map(|_| Vec::new()).collect();
    for chunk in y.f_split(IMAGES as i64, 0)? {
        let images = chunk.size()[0];
        for (q, scores) in scores.iter_mut().enumerate() {
            let mut sum = Tensor::f_zeros([images], (Kind::Float, tch::Device::Cpu))?;
            for index in 0..grids.len() {
                let regions = scale(grids, index);
                let (start, length) = (regions.start as i64, regions.len() as i64);
                let query = x.f_select(0, q as i64)?.f_narrow(0, start, length)?;
                let others = chunk.f_narrow(1, start, length)?.f_reshape([images * length, channels])?;
                let best = others.f_matmul(&query.f_tr()?)?.f_view([images, length, length])?.f_amax([1], false)?;
                sum = sum.f_add(&best.f_mean_dim([1i64].as_slice(), false, Kind::Float)?)?;
            }
            scores.extend(Vec::<f32>::try_from(sum / grids.len() as f64)?);
        }
    }
    Ok(scores)
}

/// Kronecker-product matching as far as it needs no training (Shen et al., CVPR 2018): each cell of a gallery's image
/// gathers the query's cells by a softmax over their cosines, and the score is minus the squared mean difference of
/// what was gathered and what is there. Its classifier on that difference is trained, and left out.
///
/// # Errors
/// What libtorch refuses.
pub fn attention_matching(regions: &Regions<'_>, queries: &[usize], gallery: &[usize]) -> Result<Scores, EvalError> {
    let x = normalise(&regions.reduced(queries)?)?;
    let (count, cells, channels) = x.size3()?;
    let mut scores: Scores = (0..count).map(|_| Vec::with_capacity(gallery.len())).collect();
    for chunk in gallery.chunks(IMAGES) {
        let y = normalise(&regions.reduced(chunk)?)?;
        let images = chunk.len() as i64;
        let means = y.f_mean_dim([1i64].as_slice(), false, Kind::Float)?;
        let flat = y.f_reshape([images * cells, channels])?;
        for (q, scores) in scores.iter_mut().enumerate() {
            let query = x.f_select(0, q as i64)?;
            let shares = flat.f_matmul(&query.f_tr()?)?.f_softmax(-1, Kind::Float)?.f_view([images, cells, cells])?;
            // The mean of what all cells gather takes the query's cells by their mean shares.
            let gathered = shares.f_mean_dim([1i64].as_slice(), false, Kind::Float)?.f_matmul(&query)?;
            let apart = gathered.f_sub(&means)?.f_square()?.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Float)?;
            scores.extend(Vec::<f32>::try_from(apart.f_neg()?)?);
        }
    }
    Ok(scores)
}

/// Each region's share in a mean over scales of means over regions.
fn weights(grids: &[u8]) -> Vec<f32> {
    let mut weights = Vec::with_capacity(regions(grids));
    for index in 0..grids.len() {
        let regions = scale(grids, index).len();
        weights.extend(std::iter::repeat_n(1.0 / (regions * grids.len()) as f32, regions));
    }
    weights
}

#[cfg(test)]
mod tests {
    use grnet_features::config::{Pooling, Pyramid};
    use grnet_nn::maps::map_set::Maps;

    use super::*;

    const GRIDS: [u8; 2] = [1, 2];

    fn random(shape: &[i64]) -> Tensor {
        Tensor::randn(shape, (Kind::Float, tch::Device::Cpu))
    }

    fn cosine(a: &Tensor, b: &Tensor) -> f32 {
        f32::try_from(a.dot(b) / (a.norm() * b.norm())).unwrap()
    }

    #[test]
    fn the_mean_and_the_best_of_windows_are_what_their_sentences_say() {
        tch::manual_seed(4);
        let (x, y) = (random(&[2, 5, 7]), random(&[70, 5, 7]));
        let (mean, best) = (pyramid_mean(&x, &y, &GRIDS).unwrap(), max_sim(&x, &y, &GRIDS).unwrap());
        for (q, g) in (0..2).flat_map(|q| (0..70).map(move |g| (q, g))) {
            let at = |i, j| cosine(&x.get(q).get(i), &y.get(g).get(j));
            let aligned = (1..5).map(|i| at(i, i)).sum::<f32>() / 4.0;
            assert!((mean[q as usize][g as usize] - (at(0, 0) + aligned) / 2.0).abs() < 1e-5);
            let greedy = (1..5).map(|i| (1..5).map(|j| at(i, j)).reduce(f32::max).unwrap()).sum::<f32>() / 4.0;
            assert!((best[q as usize][g as usize] - (at(0, 0) + greedy) / 2.0).abs() < 1e-5);
        }
    }

    #[test]
    fn attention_matching_gathers_by_softmax_and_prefers_the_image_itself() {
        tch::manual_seed(5);
        let maps = Maps { cells: random(&[70, 6, 5]).to_kind(Kind::Half), height: 2, width: 3, unreadable: Vec::new() };
        let pyramid = Pyramid { grids: vec![1, 2], pooling: Pooling::Average, normalise: true };
        let regions = Regions::new(&maps, &pyramid, random(&[4, 5]), random(&[4])).unwrap();
        let all: Vec<usize> = (0..70).collect();
        let scores = attention_matching(&regions, &[3, 69], &all).unwrap();
        let cells = normalise(&regions.reduced(&all).unwrap()).unwrap();
        for (row, q) in [(0, 3), (1, 69)] {
            for g in 0..70 {
                let mut sum = Tensor::zeros([4], (Kind::Float, tch::Device::Cpu));
                for i in 0..6 {
                    let weight = cells.get(q).matmul(&cells.get(g).get(i)).softmax(0, Kind::Float);
                    sum += weight.unsqueeze(0).matmul(&cells.get(q)).squeeze() - cells.get(g).get(i);
                }
                let expected = -f32::try_from((sum / 6.0).square().sum(Kind::Float)).unwrap();
                assert!((scores[row][g as usize] - expected).abs() < 1e-5);
            }
        }
    }
}
