//! Retrieval metrics: top-k accuracy.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_made_case() {
        // Two shop photos of one item (ranks 1 and 2), a hit at once, and a query whose item is not there.
        let hits = [first_hit([false, true, true]), first_hit([true, false]), first_hit([false, false])];
        assert_eq!(hits, [Some(1), Some(0), None]);
        assert_eq!([top_k(&hits, 1), top_k(&hits, 2), top_k(&hits, 50)], [1.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0]);
        assert_eq!(top_k(&[], 1), 0.0);
    }
}
