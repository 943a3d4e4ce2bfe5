//! Who comes first: ranks of the right image under scores of every pair, and under the graph on a shortlist of these.

use std::fmt;

use grnet_score::metrics::{self, Estimate};
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::error::NnError;
use crate::graph::{TorchGraph, cosines};
use crate::ranking::rerank::{Key, Reranked, order, rank};

/// The k of top-k.
pub const TOP: [usize; 4] = [1, 5, 20, 50];

/// Shares of queries with the right garment among the first k. A query whose garment is not in the gallery is a miss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TopK {
    /// Queries.
    pub queries: usize,
    /// For each k of 1, 5, 20, 50.
    pub top: [f64; 4],
}

impl fmt::Display for TopK {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.top.iter().try_for_each(|share| write!(f, " {share:.3}"))
    }
}

/// Queries and gallery: regions, and whose garment each shows (`None` is a distractor).
#[derive(Debug)]
pub struct Protocol {
    /// `[Q, M, C]`.
    pub queries: Tensor,
    /// Items of the queries.
    pub asked: Vec<usize>,
    /// `[G, M, C]`.
    pub gallery: Tensor,
    /// Items of the gallery.
    pub shown: Vec<Option<usize>>,
}

impl Protocol {
    /// Ranks under the cosine of the first regions, and under the graph. The graph scores the first `shortlist` of the
    /// cosine; what it does not score keeps its order behind.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn compare(&self, graph: &TorchGraph, shortlist: usize) -> Result<(Ranks, Ranks), NnError> {
        let both = self.rerank(graph, shortlist)?;
        let under = |n: usize| {
            Ranks(both.iter().zip(&self.asked).map(|(q, &item)| rank(&q.keys(n), &right(&self.shown, item))).collect())
        };
        Ok((under(0), under(shortlist)))
    }

    /// Scores of both stages for every query: the cosine of the first regions, and the graph's logits of its first
    /// `shortlist`.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn rerank(&self, graph: &TorchGraph, shortlist: usize) -> Result<Vec<Reranked>, NnError> {
        tch::no_grad(|| {
            let first = rows(&cosines(&self.queries.f_select(1, 0)?, &self.gallery.f_select(1, 0)?)?)?;
            let pairs = graph.pairs_at_once() as i64;
            let reranked = first.into_iter().enumerate().map(|(q, first)| {
                let order = order(&first, shortlist);
                let rows_of_order: Vec<i64> = order.iter().map(|&i| i as i64).collect();
                let listed = self.gallery.f_index_select(0, &Tensor::f_from_slice(&rows_of_order)?)?;
                let query = self.queries.f_narrow(0, q as i64, 1)?;
                let mut second = Vec::with_capacity(order.len());
                for chunk in listed.f_split(pairs, 0)? {
                    second.extend(Vec::<f32>::try_from(graph.logits(&query, &chunk)?.f_view([-1])?)?);
                }
                Ok(Reranked { first, order, second })
            });
            reranked.collect()
        })
    }
}

/// Rows of a matrix.
///
/// # Errors
/// What libtorch refuses.
pub fn rows(matrix: &Tensor) -> Result<Vec<Vec<f32>>, NnError> {
    let (count, length) = matrix.size2()?;
    let values = Vec::<f32>::try_from(matrix.f_contiguous()?.f_view([-1])?)?;
    // A matrix without columns has rows all the same.
    Ok((0..count as usize).map(|row| values[row * length as usize..][..length as usize].to_vec()).collect())
}

/// Which images of the gallery show the garment.
pub fn right(shown: &[Option<usize>], item: usize) -> Vec<bool> {
    shown.iter().map(|s| *s == Some(item)).collect()
}

/// For every query the rank of the right garment, from 0; `None` is a miss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranks(pub Vec<Option<usize>>);

impl Ranks {
    /// Ranks of the items `asked` for, by scores of the gallery for each query.
    pub fn of_scores(scores: &[Vec<f32>], asked: &[usize], shown: &[Option<usize>]) -> Self {
        let ranks = scores.iter().zip(asked).map(|(scores, &item)| {
            let keys: Vec<Key> = scores.iter().map(|&score| Key::single(score)).collect();
            rank(&keys, &right(shown, item))
        });
        Self(ranks.collect())
    }

    /// Those of some queries, by their positions.
    pub fn only(&self, queries: &[usize]) -> Self {
        Self(queries.iter().map(|&q| self.0[q]).collect())
    }

    /// Shares of hits.
    pub fn top(&self) -> TopK {
        TopK { queries: self.0.len(), top: TOP.map(|k| metrics::top_k(&self.0, k)) }
    }

    /// Shares of hits with their intervals.
    pub fn estimates(&self) -> [Estimate; 4] {
        TOP.map(|k| metrics::top_k_estimate(&self.0, k))
    }

    /// What these ranks gain over others of the same queries.
    pub fn gains_over(&self, base: &Self) -> [Estimate; 4] {
        TOP.map(|k| metrics::difference_estimate(&base.0, &self.0, k))
    }

    /// Share of queries whose garment is among the first `n`.
    pub fn recall(&self, n: usize) -> f64 {
        metrics::top_k(&self.0, n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_garment_that_is_not_in_the_gallery_is_a_miss_however_small_the_gallery() {
        let ranks = Ranks::of_scores(&[vec![0.9, 0.5], vec![0.9, 0.5]], &[7, 8], &[Some(8), None]);
        assert_eq!(ranks, Ranks(vec![None, Some(0)]));
        assert_eq!(ranks.top().top, [0.5; 4]);
        assert_eq!(ranks.only(&[0]).top().top, [0.0; 4]);
        assert_eq!(Ranks(vec![Some(0), Some(2), Some(29), Some(99)]).top().top, [0.25, 0.5, 0.5, 0.75]);
    }

    #[test]
    fn rows_are_those_of_the_matrix_also_of_a_view() {
        let matrix = Tensor::arange(6, (tch::Kind::Float, tch::Device::Cpu)).view([2, 3]);
        assert_eq!(rows(&matrix.tr()).unwrap(), [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]);
        assert_eq!(rows(&matrix.narrow(1, 0, 0)).unwrap(), [[0.0; 0], []]);
    }
}
