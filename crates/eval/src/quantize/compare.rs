//! Rankings of the same queries in two number types.

use grnet_features::value::Dtype;
use grnet_nn::ranking::protocol::{Ranks, right};
use grnet_nn::ranking::rerank::{Key, Reranked, rank};

use crate::quantize::report::{Against, Moved, Variant};

/// How many of a ranking's first are looked at.
const FIRST: usize = 20;

/// How queries and gallery are stored.
#[derive(Debug, Clone, Copy)]
pub struct Storage {
    /// Number type of the queries' values.
    pub query: Dtype,
    /// Number type of the gallery's values.
    pub item: Dtype,
    /// Bytes of a value of the gallery.
    pub bytes: usize,
}

/// Figures of a way to store images, `against` the reference where it is another one.
pub fn variant(
    storage: Storage,
    ranked: &[Reranked],
    against: Option<&Vec<Reranked>>,
    asked: &[usize],
    shown: &[Option<usize>],
) -> Variant {
    let under = |ranked: &[Reranked], n| {
        Ranks(ranked.iter().zip(asked).map(|(q, &item)| rank(&q.keys(n), &right(shown, item))).collect())
    };
    let (global, graph) = (under(ranked, 0), under(ranked, usize::MAX));
    let against = against.map(|reference| {
        let firsts = reference.iter().zip(ranked).map(|(a, b)| shared(&a.keys(usize::MAX), &b.keys(usize::MAX)));
        let (same, common): (Vec<bool>, Vec<f64>) = firsts.unzip();
        let cosines = reference.iter().zip(ranked).flat_map(|(a, b)| a.first.iter().zip(&b.first));
        Against {
            global: global.gains_over(&under(reference, 0)),
            graph: graph.gains_over(&under(reference, usize::MAX)),
            cosine: moved(cosines.map(|(a, b)| (b - a).abs())),
            logit: moved(reference.iter().zip(ranked).flat_map(|(a, b)| logits(a, b))),
            same_first: mean(same.iter().map(|&same| f64::from(u8::from(same)))),
            common_first: mean(common.into_iter()),
        }
    });
    let (query, item) = (storage.query.name(), storage.item.name());
    let name = if query == item { item.to_owned() } else { format!("{item} asked with {query}") };
    Variant { name, query, item, bytes: storage.bytes, global: global.estimates(), graph: graph.estimates(), against }
}

/// Whether two rankings have the same first [`FIRST`] images, in whatever order, and the share that both have.
fn shared(a: &[Key], b: &[Key]) -> (bool, f64) {
    let (a, b) = (first(a), first(b));
    let common = a.iter().filter(|image| b.contains(image)).count();
    (common == a.len(), common as f64 / a.len().max(1) as f64)
}

/// The first images of a ranking; equal ones in the gallery's order.
fn first(keys: &[Key]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|&a, &b| keys[b].rescored.cmp(&keys[a].rescored).then(keys[b].score.total_cmp(&keys[a].score)));
    order.truncate(FIRST);
    order
}

/// How far the logits of pairs lie apart that both have scored.
fn logits<'a>(a: &'a Reranked, b: &'a Reranked) -> impl Iterator<Item = f32> + 'a {
    let mut known = vec![None; a.first.len()];
    a.order.iter().zip(&a.second).for_each(|(&image, &logit)| known[image] = Some(logit));
    b.order.iter().zip(&b.second).filter_map(move |(&image, &logit)| Some((logit - known[image]?).abs()))
}

fn moved(apart: impl Iterator<Item = f32>) -> Moved {
    let (mut count, mut sum, mut largest) = (0usize, 0.0, 0.0f32);
    for apart in apart {
        (count, sum, largest) = (count + 1, sum + f64::from(apart), largest.max(apart));
    }
    Moved { mean: sum / count.max(1) as f64, largest: largest.into() }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1);
    values.sum::<f64>() / count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A query whose gallery of 30 the first stage likes in its order, the second all or the first few by `second`.
    fn query(second: &[f32]) -> Reranked {
        Reranked {
            first: (0..30).map(|i| -(i as f32)).collect(),
            order: (0..second.len()).collect(),
            second: second.to_vec(),
        }
    }

    #[test]
    fn what_moves_is_counted_by_query_and_by_pair() {
        let flat: Vec<f32> = (0..30).map(|i| -(i as f32)).collect();
        // The last comes first: one of the first twenty is another, and every right image falls by one place.
        let mut moved = flat.clone();
        moved[29] = 1.0;
        let shown: Vec<Option<usize>> = (0..30).map(Some).collect();
        let reference = vec![query(&flat), query(&flat)];
        let other = [query(&flat), query(&moved)];
        let storage = Storage { query: Dtype::F16, item: Dtype::I8, bytes: 5 };
        let got = variant(storage, &other, Some(&reference), &[0, 0], &shown);
        assert_eq!(got.name, "i8 asked with f16");
        assert_eq!((got.graph[0].value, got.graph[1].value, got.bytes), (0.5, 1.0, 5));
        let against = got.against.unwrap();
        assert_eq!((against.graph[0].value, against.global[0].value), (-0.5, 0.0));
        assert_eq!((against.same_first, against.common_first), (0.5, 0.975));
        assert_eq!((against.logit.largest, against.logit.mean), (30.0, 0.5));
        assert_eq!((against.cosine.largest, against.cosine.mean), (0.0, 0.0));
    }

    #[test]
    fn only_pairs_that_both_have_scored_count() {
        let (a, mut b) = (query(&[1.0, 2.0]), query(&[5.0, 2.5]));
        b.order = vec![7, 1];
        assert_eq!(logits(&a, &b).collect::<Vec<_>>(), [0.5]);
        // What is scored stands first: images 0 and 1, and 7 and 1, then the first stage's.
        assert_eq!(first(&b.keys(9))[..3], [7, 1, 0]);
        assert_eq!(shared(&a.keys(9), &b.keys(9)), (true, 1.0));
        assert_eq!(moved([].into_iter()).mean, 0.0);
    }
}
