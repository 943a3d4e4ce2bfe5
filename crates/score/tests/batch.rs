//! One image against many: a pair's logit is the same bits however it is asked for, on every path.

mod common;

use common::{heads, image};
use grnet_features::value::{Dtype, Features, ImageDigest, encode};
use grnet_score::definition;
use grnet_score::error::ScoreError;
use grnet_score::head::Head;
use grnet_score::prepared_query::Item;
use grnet_score::scorer::{Scorer, Workspace};
use grnet_simd::Isa;

/// A stored value of an image.
fn value(head: &Head, seed: u64, dtype: Dtype) -> Vec<u8> {
    let values = image(seed, head);
    encode(head.id, ImageDigest([0; 16]), &head.grids, head.channels, dtype, &values).expect("values that are finite")
}

fn parse(bytes: &[u8]) -> Features<'_> {
    Features::parse(bytes).expect("what was encoded")
}

#[test]
fn a_pair_has_the_same_bits_alone_and_in_a_batch_of_any_size_and_order() {
    for path in Isa::available() {
        let mut workspace = Workspace::default();
        for (n, head) in heads().into_iter().enumerate() {
            let scorer = Scorer::on(path, head.clone()).expect("a path of this processor");
            let values: Vec<_> =
                (0..9).map(|i| value(&head, i, [Dtype::F32, Dtype::F16, Dtype::I8][(n + i as usize) % 3])).collect();
            let items: Vec<_> = values.iter().map(|value| parse(value)).collect();
            let prepared: Vec<_> = items.iter().map(|item| scorer.prepare(item).expect("the model's shape")).collect();
            let single: Vec<_> = prepared
                .iter()
                .map(|item| scorer.logit(&prepared[4], item, &mut Workspace::default()).to_bits())
                .collect();
            let query = scorer.query(&prepared[4]);
            for size in 1..=items.len() {
                for (part, want) in items.chunks(size).zip(single.chunks(size)) {
                    let mut logits = vec![f64::NAN; part.len()];
                    query.score(part, &mut logits, &mut workspace).expect("the model's shape");
                    assert!(logits.iter().zip(want).all(|(got, want)| got.to_bits() == *want), "{path}, head {n}");
                }
            }
            let backwards: Vec<Item<'_>> = prepared.iter().rev().map(Item::from).collect();
            let mut logits = vec![f64::NAN; backwards.len()];
            query.score(&backwards, &mut logits, &mut workspace).expect("the model's shape");
            assert!(logits.iter().rev().zip(&single).all(|(got, want)| got.to_bits() == *want), "{path}, head {n}");
        }
    }
}

#[test]
fn stored_values_of_every_type_score_as_the_oracle_says_of_what_they_hold() {
    for path in Isa::available() {
        for (n, head) in heads().into_iter().enumerate() {
            let scorer = Scorer::on(path, head.clone()).expect("a path of this processor");
            for dtype in [Dtype::F32, Dtype::F16, Dtype::I8] {
                let (x, y) = (value(&head, 1, dtype), value(&head, 2, dtype));
                let (x, y) = (parse(&x), parse(&y));
                let query = scorer.query(&scorer.prepare(&x).expect("the model's shape"));
                let mut logit = [f64::NAN];
                query.score(&[y], &mut logit, &mut Workspace::default()).expect("the model's shape");
                let want = definition::logit(&head, &x.to_f32(), &y.to_f32());
                assert!((logit[0] - want).abs() < 1e-4, "{path}, head {n}, {}: {} {want}", dtype.name(), logit[0]);
            }
        }
    }
}

#[test]
fn an_item_of_another_shape_is_refused_before_anything_is_written() {
    let heads = heads();
    let scorer = Scorer::new(heads[0].clone()).expect("a path");
    let (fits, does_not) = (value(&heads[0], 1, Dtype::F16), value(&heads[15], 2, Dtype::F16));
    let query = scorer.query(&scorer.prepare(&parse(&fits)).expect("the model's shape"));
    let mut logits = [7.0; 2];
    let error = query.score(&[parse(&fits), parse(&does_not)], &mut logits, &mut Workspace::default());
    assert!(matches!(error, Err(ScoreError::Shape { .. })), "{error:?}");
    assert_eq!(logits, [7.0; 2]);
    assert_eq!(query.score::<Features<'_>>(&[], &mut [], &mut Workspace::default()), Ok(()));
}
