//! Who comes first: ranks of the right photo under the graph and under the cosine of the global vectors.

use std::fmt;

use grnet_core::metrics::{self, Estimate};
use serde::Serialize;
use tch::Tensor;

use crate::network::EngineError;
use crate::network::graph::{TorchGraph, cosines};

/// The k of top-k.
pub const TOP: [usize; 4] = [1, 5, 20, 50];

/// Shares of queries with the right garment among the first k. A query whose garment is not in the gallery is a miss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
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
    /// Ranks under the cosine of the first regions.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn globals(&self) -> Result<Ranks, EngineError> {
        let cosine = cosines(&self.queries.f_select(1, 0)?, &self.gallery.f_select(1, 0)?)?;
        let mut ranks = Vec::new();
        for (q, item) in self.asked.iter().enumerate() {
            let right: Vec<bool> = self.shown.iter().map(|s| s.as_ref() == Some(item)).collect();
            ranks.push(rank(&Vec::<f32>::try_from(cosine.f_select(0, q as i64)?)?, &right));
        }
        Ok(Ranks(ranks))
    }

    /// Ranks under the cosine and under the graph. The graph scores the first `shortlist` of the cosine; what it does not
    /// score keeps its order behind.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn compare(&self, graph: &TorchGraph, shortlist: usize) -> Result<(Ranks, Ranks), EngineError> {
        tch::no_grad(|| {
            let cosine = cosines(&self.queries.f_select(1, 0)?, &self.gallery.f_select(1, 0)?)?;
            let keep = shortlist.min(self.shown.len()) as i64;
            let (_, first) = cosine.f_topk(keep, 1, true, true)?;
            let pairs = graph.pairs_at_once() as i64;
            let mut logits = Vec::with_capacity(self.asked.len());
            for q in 0..self.asked.len() as i64 {
                let short = self.gallery.f_index_select(0, &first.f_select(0, q)?)?;
                let query = self.queries.f_narrow(0, q, 1)?;
                let mut row = Vec::new();
                for chunk in short.f_split(pairs, 0)? {
                    row.extend(Vec::<f32>::try_from(graph.logits(&query, &chunk)?.f_view([-1])?)?);
                }
                logits.push(row);
            }
            let mut ranks = (Vec::new(), Vec::new());
            for (q, item) in self.asked.iter().enumerate() {
                let cosine = Vec::<f32>::try_from(cosine.f_select(0, q as i64)?)?;
                let right: Vec<bool> = self.shown.iter().map(|s| s.as_ref() == Some(item)).collect();
                let by_cosine = rank(&cosine, &right);
                let first = Vec::<i64>::try_from(first.f_select(0, q as i64)?)?;
                let right: Vec<bool> = first.iter().map(|&i| right[i as usize]).collect();
                // Outside the shortlist the cosine's rank stands.
                ranks.1.push(if right.contains(&true) { rank(&logits[q], &right) } else { by_cosine });
                ranks.0.push(by_cosine);
            }
            Ok((Ranks(ranks.0), Ranks(ranks.1)))
        })
    }
}

/// Rank of the best right photo, from 0; a tie with a wrong one counts against it. `None` where there is no right photo.
/// What is not a number is on nobody's side: a right photo with such a score is a miss, a wrong one comes first. A graph
/// that has diverged must not look like a good one.
fn rank(scores: &[f32], right: &[bool]) -> Option<usize> {
    let scored = || scores.iter().copied().zip(right.iter().copied());
    let best =
        scored().filter(|(score, right)| *right && score.is_finite()).map(|(score, _)| score).reduce(f32::max)?;
    let worse = |score: f32| score < best;
    Some(scored().filter(|(score, right)| !right && !worse(*score)).count())
}

/// For every query the rank of the right garment, from 0; `None` is a miss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranks(pub Vec<Option<usize>>);

impl Ranks {
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

    /// Share of queries whose garment is among the first `n`: what a shortlist of that length keeps within reach.
    pub fn recall(&self, n: usize) -> f64 {
        metrics::top_k(&self.0, n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_count_wrong_photos_that_are_no_worse() {
        assert_eq!(rank(&[0.9, 0.5, 0.7], &[false, true, false]), Some(2));
        assert_eq!(rank(&[0.9, 0.9, 0.7], &[false, true, false]), Some(1));
        assert_eq!(rank(&[0.9, 0.5, 0.7], &[true, true, false]), Some(0));
        assert_eq!(Ranks(vec![Some(0), Some(2), Some(29), Some(99)]).top().top, [0.25, 0.5, 0.5, 0.75]);
    }

    #[test]
    fn a_garment_that_is_not_in_the_gallery_is_a_miss_however_small_the_gallery() {
        assert_eq!(rank(&[0.9, 0.5], &[false, false]), None);
        assert_eq!(Ranks(vec![None]).top().top, [0.0; 4]);
    }

    #[test]
    fn scores_that_are_no_numbers_never_help() {
        let nan = f32::NAN;
        assert_eq!(rank(&[nan, nan, nan], &[false, true, false]), None);
        assert_eq!(rank(&[nan, 0.5, 0.1], &[false, true, false]), Some(1));
        assert_eq!(rank(&[0.9, f32::INFINITY], &[false, true]), None);
        assert_eq!(rank(&[0.9, nan, 0.95], &[false, true, true]), Some(0));
    }
}
