//! Two stages of a ranking: the first puts the whole gallery in order, the second scores the first few again.
//!
//! What was scored again stands before everything that was not, whatever its score: a second stage may be of another
//! scale, and what it has seen is known better. Behind it the first stage's order stays.

/// What decides an image's place. Greater comes first: scored again before not, then by score.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Key {
    /// Whether the second stage has scored it.
    pub rescored: bool,
    /// The score of the last stage that saw it.
    pub score: f32,
}

impl Key {
    /// A place by one stage alone.
    pub fn single(score: f32) -> Self {
        Self { rescored: false, score }
    }

    /// As far in front as a wrong image can claim: what is not a number comes first among its own kind.
    fn claim(self) -> (bool, f32) {
        (self.rescored, if self.score.is_finite() { self.score } else { f32::INFINITY })
    }
}

/// The best right image's place, and the wrong ones in front of it.
///
/// A wrong image with an equal score stands in front of a right one. What is not a number is on nobody's side: a right
/// image with such a score is not found, a wrong one comes first. A graph that has diverged must not look like a good
/// one.
fn best(keys: &[Key], right: &[bool]) -> Option<(bool, f32)> {
    let found = keys.iter().zip(right).filter(|(key, right)| **right && key.score.is_finite());
    found.map(|(key, _)| key.claim()).reduce(|a, b| if b > a { b } else { a })
}

/// Rank of the best right image, from 0; `None` where there is none, or none with a score.
pub fn rank(keys: &[Key], right: &[bool]) -> Option<usize> {
    let best = best(keys, right)?;
    Some(keys.iter().zip(right).filter(|(key, right)| !**right && key.claim() >= best).count())
}

/// The first `most` wrong images in front of the best right one, the first one first.
pub fn ahead(keys: &[Key], right: &[bool], most: usize) -> Vec<usize> {
    let Some(best) = best(keys, right) else { return Vec::new() };
    let mut wrong: Vec<usize> = (0..keys.len()).filter(|&i| !right[i] && keys[i].claim() >= best).collect();
    wrong.sort_by(|&a, &b| {
        let (a, b) = (keys[a].claim(), keys[b].claim());
        b.0.cmp(&a.0).then(b.1.total_cmp(&a.1))
    });
    wrong.truncate(most);
    wrong
}

/// One query's gallery under both stages.
#[derive(Debug, Clone)]
pub struct Reranked {
    /// The first stage's scores.
    pub first: Vec<f32>,
    /// The gallery in the first stage's order, as far as the second stage goes.
    pub order: Vec<usize>,
    /// The second stage's scores of `order`.
    pub second: Vec<f32>,
}

impl Reranked {
    /// Keys of the whole gallery where the second stage scores the first `n` of the first stage, as far as it went.
    pub fn keys(&self, n: usize) -> Vec<Key> {
        let mut keys: Vec<Key> = self.first.iter().map(|&score| Key::single(score)).collect();
        for (&image, &score) in self.order.iter().zip(&self.second).take(n) {
            keys[image] = Key { rescored: true, score };
        }
        keys
    }
}

/// The first `most` of a gallery by score, best first; equal scores in the gallery's order, what is no number last.
pub fn order(scores: &[f32], most: usize) -> Vec<usize> {
    let value = |i: usize| if scores[i].is_nan() { f32::NEG_INFINITY } else { scores[i] };
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| value(b).total_cmp(&value(a)));
    order.truncate(most);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(scores: &[f32]) -> Vec<Key> {
        scores.iter().map(|&score| Key::single(score)).collect()
    }

    #[test]
    fn ranks_count_wrong_images_that_are_no_worse() {
        assert_eq!(rank(&single(&[0.9, 0.5, 0.7]), &[false, true, false]), Some(2));
        assert_eq!(rank(&single(&[0.9, 0.9, 0.7]), &[false, true, false]), Some(1));
        assert_eq!(rank(&single(&[0.9, 0.5, 0.7]), &[true, true, false]), Some(0));
        assert_eq!(rank(&single(&[0.9, 0.5]), &[false, false]), None);
    }

    #[test]
    fn scores_that_are_no_numbers_never_help() {
        let nan = f32::NAN;
        assert_eq!(rank(&single(&[nan, nan, nan]), &[false, true, false]), None);
        assert_eq!(rank(&single(&[nan, 0.5, 0.1]), &[false, true, false]), Some(1));
        assert_eq!(rank(&single(&[0.9, f32::INFINITY]), &[false, true]), None);
        assert_eq!(rank(&single(&[0.9, nan, 0.95]), &[false, true, true]), Some(0));
        assert_eq!(ahead(&single(&[0.9, nan, 0.5, 0.7]), &[false, false, true, false], 2), [1, 0]);
    }

    /// Six images; the first stage likes them in their order, the second scores the first three and likes none.
    fn two() -> Reranked {
        let first = vec![0.9, 0.8, 0.7, 0.6, 0.5, 0.4];
        Reranked { order: order(&first, 3), second: vec![-9.0, -7.0, -8.0], first }
    }

    #[test]
    fn what_is_scored_again_never_stands_behind_what_is_not() {
        let only = |image: usize| (0..6).map(|i| i == image).collect::<Vec<_>>();
        // 1, 2, 0 by the second stage, then 3, 4, 5 as they were, though every score of theirs is greater.
        let ranks: Vec<_> = (0..6).map(|image| rank(&two().keys(3), &only(image)).unwrap()).collect();
        assert_eq!(ranks, [2, 0, 1, 3, 4, 5]);
        // Nothing is scored again.
        assert_eq!(
            (0..6).map(|image| rank(&two().keys(0), &only(image)).unwrap()).collect::<Vec<_>>(),
            [0, 1, 2, 3, 4, 5]
        );
        // For any scores at all: the rank within the shortlist is below its length, behind it the first stage's own.
        let mut rng = grnet_data::rng::Rng::new(5);
        for _ in 0..200 {
            let first: Vec<f32> = (0..40).map(|_| (rng.unit() * 6.0).round()).collect();
            let order = order(&first, 15);
            let second = order.iter().map(|_| (rng.unit() * 3.0).round() * 1e6).collect();
            let both = Reranked { first: first.clone(), order: order.clone(), second };
            for image in 0..40 {
                let right: Vec<bool> = (0..40).map(|i| i == image).collect();
                let rank = rank(&both.keys(15), &right).unwrap();
                if order.contains(&image) {
                    assert!(rank < 15);
                } else {
                    assert!(rank >= 15);
                    assert_eq!(Some(rank), super::rank(&single(&first), &right));
                }
            }
        }
    }

    #[test]
    fn ties_and_lost_numbers_of_the_second_stage_stay_within_the_shortlist() {
        let mut both = two();
        both.second = vec![f32::NAN, 1.0, 1.0];
        let rank = |images: [usize; 2]| rank(&both.keys(3), &(0..6).map(|i| images.contains(&i)).collect::<Vec<_>>());
        // A wrong image without a number and one with an equal score stand in front.
        assert_eq!(rank([1, 1]), Some(2));
        // A right image without a number is not found, and one behind the shortlist stays there.
        assert_eq!(rank([0, 0]), None);
        assert_eq!(rank([0, 3]), Some(2));
        assert_eq!(rank([3, 4]), Some(3));
    }

    #[test]
    fn equal_scores_keep_the_gallery_s_order_and_lost_numbers_come_last() {
        assert_eq!(order(&[0.5, f32::NAN, 0.9, 0.5], 9), [2, 0, 3, 1]);
        assert_eq!(order(&[0.5, 0.7], 1), [1]);
    }
}
