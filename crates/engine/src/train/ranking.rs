//! Who comes first: ranks of the right photo under the graph and under the cosine of the global vectors.

use std::fmt;

use serde::Serialize;
use tch::Tensor;

use super::graph::{TorchGraph, cosines};
use crate::network::EngineError;

/// The k of top-k.
pub const TOP: [usize; 4] = [1, 5, 20, 50];

/// Pairs scored at one time: 98 nodes × 64 values × 4 bytes × 512 = 13 MB.
const PAIRS: usize = 512;

/// Shares of queries with the right garment among the first k.
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
    /// Top-k of the cosine of the first regions.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn globals(&self) -> Result<TopK, EngineError> {
        let cosine = cosines(&self.queries.f_select(1, 0)?, &self.gallery.f_select(1, 0)?)?;
        let mut ranks = Vec::new();
        for (q, item) in self.asked.iter().enumerate() {
            let right: Vec<bool> = self.shown.iter().map(|s| s.as_ref() == Some(item)).collect();
            ranks.push(rank(&Vec::<f32>::try_from(cosine.f_select(0, q as i64)?)?, &right));
        }
        Ok(top(&ranks))
    }

    /// Top-k of the cosine and of the graph. The graph scores the first `shortlist` of the cosine; what it does not
    /// score keeps its order behind.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn compare(&self, graph: &TorchGraph, shortlist: usize) -> Result<(TopK, TopK), EngineError> {
        tch::no_grad(|| {
            let cosine = cosines(&self.queries.f_select(1, 0)?, &self.gallery.f_select(1, 0)?)?;
            let keep = shortlist.min(self.shown.len()) as i64;
            let (_, first) = cosine.f_topk(keep, 1, true, true)?;
            let mut logits = Vec::with_capacity(self.asked.len());
            for q in 0..self.asked.len() as i64 {
                let short = self.gallery.f_index_select(0, &first.f_select(0, q)?)?;
                let query = self.queries.f_narrow(0, q, 1)?;
                let mut row = Vec::new();
                for chunk in short.f_split(PAIRS as i64, 0)? {
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
            Ok((top(&ranks.0), top(&ranks.1)))
        })
    }
}

/// Rank of the best right photo, from 1; a tie with a wrong one counts against it.
fn rank(scores: &[f32], right: &[bool]) -> usize {
    let best = scores.iter().zip(right).filter(|(_, r)| **r).map(|(s, _)| *s).fold(f32::NEG_INFINITY, f32::max);
    1 + scores.iter().zip(right).filter(|(s, r)| !**r && **s >= best).count()
}

fn top(ranks: &[usize]) -> TopK {
    let share = |k: usize| ranks.iter().filter(|&&r| r <= k).count() as f64 / ranks.len().max(1) as f64;
    TopK { queries: ranks.len(), top: TOP.map(share) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_count_wrong_photos_that_are_no_worse() {
        assert_eq!(rank(&[0.9, 0.5, 0.7], &[false, true, false]), 3);
        assert_eq!(rank(&[0.9, 0.9, 0.7], &[false, true, false]), 2);
        assert_eq!(rank(&[0.9, 0.5, 0.7], &[true, true, false]), 1);
        assert_eq!(rank(&[0.9, 0.5], &[false, false]), 3);
        assert_eq!(top(&[1, 3, 30, 100]).top, [0.25, 0.5, 0.5, 0.75]);
    }
}
