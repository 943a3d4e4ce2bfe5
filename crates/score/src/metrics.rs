//! Retrieval metrics: top-k accuracy, and how far chance may have moved it.

use serde::Serialize;

/// For each query the rank (counted from 0) of its first right answer, `None` where the gallery holds none.
/// `ranked` yields, best first, whether the item is right.
pub fn first_hit(ranked: impl IntoIterator<Item = bool>) -> Option<usize> {
    ranked.into_iter().position(|hit| hit)
}

/// Share of queries with a right answer among the first `k` (DeepFashion's top-k accuracy). A query without a right
/// answer in the gallery counts as a miss. 0 where there is no query.
pub fn top_k(first_hits: &[Option<usize>], k: usize) -> f64 {
    if first_hits.is_empty() {
        return 0.0;
    }
    let hits = first_hits.iter().filter(|rank| rank.is_some_and(|r| r < k)).count();
    hits as f64 / first_hits.len() as f64
}

/// A figure measured on a sample of queries, with the interval that holds 95 % of its bootstrap resamples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure on the sample itself.
    pub value: f64,
    /// 2.5 % of the resamples are below.
    pub low: f64,
    /// 2.5 % of the resamples are above.
    pub high: f64,
}

/// Resamples of a bootstrap: the ends of a 95 % interval move by less than 2 % of its width between seeds.
const RESAMPLES: usize = 4000;

/// [`top_k`] with its interval over queries.
pub fn top_k_estimate(first_hits: &[Option<usize>], k: usize) -> Estimate {
    let hits: Vec<f64> = first_hits.iter().map(|rank| hit(rank, k)).collect();
    mean_estimate(&hits)
}

/// How much better `other` does than `base` at top-k on the same queries, in the same order. Queries are drawn with both
/// ranks: what is hard for both cancels, so the interval is narrower than that of two shares apart.
pub fn difference_estimate(base: &[Option<usize>], other: &[Option<usize>], k: usize) -> Estimate {
    let gains: Vec<f64> = base.iter().zip(other).map(|(base, other)| hit(other, k) - hit(base, k)).collect();
    mean_estimate(&gains)
}

fn hit(rank: &Option<usize>, k: usize) -> f64 {
    f64::from(u8::from(rank.is_some_and(|rank| rank < k)))
}

/// Efron's percentile bootstrap of a mean, from a fixed seed: the same ranks give the same interval.
fn mean_estimate(values: &[f64]) -> Estimate {
    let n = values.len();
    if n == 0 {
        return Estimate { value: 0.0, low: 0.0, high: 0.0 };
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    // Marsaglia's xorshift*: its high bits are what is used.
    let mut below = |n: usize| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let high = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        ((high * n as u64) >> 32) as usize
    };
    let mut means: Vec<f64> =
        (0..RESAMPLES).map(|_| (0..n).map(|_| values[below(n)]).sum::<f64>() / n as f64).collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[(share * (RESAMPLES - 1) as f64).round() as usize];
    Estimate { value: values.iter().sum::<f64>() / n as f64, low: at(0.025), high: at(0.975) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_as_wide_as_theory_says() {
        // 40 of 100: a binomial share has a standard deviation of 0.049, an interval of 0.304 to 0.496.
        let ranks: Vec<Option<usize>> = (0..100).map(|n| (n % 5 < 2).then_some(0)).collect();
        let Estimate { value, low, high } = top_k_estimate(&ranks, 1);
        assert_eq!(value, 0.4);
        assert!((low - 0.304).abs() < 0.015 && (high - 0.496).abs() < 0.015, "{low} {high}");
        assert_eq!(top_k_estimate(&ranks, 1), top_k_estimate(&ranks, 1));
        assert_eq!(top_k_estimate(&[], 1).high, 0.0);
    }

    #[test]
    fn a_paired_difference_is_narrower_than_two_shares() {
        // The other one finds what the base finds, and 10 more of 100.
        let base: Vec<Option<usize>> = (0..100).map(|n| (n < 50).then_some(0)).collect();
        let other: Vec<Option<usize>> = (0..100).map(|n| (n < 60).then_some(0)).collect();
        let gain = difference_estimate(&base, &other, 1);
        assert!((gain.value - 0.1).abs() < 1e-12);
        assert!(gain.low > 0.03 && gain.high < 0.17, "{gain:?}");
        let same = difference_estimate(&base, &base, 1);
        assert_eq!((same.value, same.low, same.high), (0.0, 0.0, 0.0));
    }

    #[test]
    fn a_hand_made_case() {
        // Two shop images of one item (ranks 1 and 2), a hit at once, and a query whose item is not there.
        let hits = [first_hit([false, true, true]), first_hit([true, false]), first_hit([false, false])];
        assert_eq!(hits, [Some(1), Some(0), None]);
        assert_eq!([top_k(&hits, 1), top_k(&hits, 2), top_k(&hits, 50)], [1.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0]);
        assert_eq!(top_k(&[], 1), 0.0);
    }
}
