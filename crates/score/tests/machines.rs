//! What another processor computes: which bits are the same everywhere, and how far the others are apart.

mod common;

use common::{heads, image};
use grnet_features::model_file::ModelId;
use grnet_features::value::{Dtype, Features, ImageDigest, encode};
use grnet_score::probability::probability;
use grnet_score::scorer::{Precision, Scorer, Workspace, cosine};
use grnet_simd::Isa;

/// Logits of some pairs on a path.
fn logits(path: Isa, precision: Precision) -> Vec<f64> {
    let mut all = Vec::new();
    for head in heads() {
        let scorer = Scorer::on(path, head.clone()).expect("a path of this processor");
        for pair in 0..4 {
            let [x, y] = [100 + pair, 200 + pair].map(|seed| scorer.prepare_values(image(seed, &head)));
            all.push(scorer.logit_in(precision, &x, &y, &mut Workspace::default()));
        }
    }
    all
}

#[test]
fn paths_differ_by_less_than_anybody_sees_and_a_path_never_from_itself() {
    let paths: Vec<Isa> = Isa::available().collect();
    for precision in [Precision::F32, Precision::I16] {
        let own: Vec<Vec<f64>> = paths.iter().map(|path| logits(*path, precision)).collect();
        for (path, first) in paths.iter().zip(&own) {
            let again = logits(*path, precision);
            assert!(first.iter().zip(&again).all(|(a, b)| a.to_bits() == b.to_bits()), "{path}");
        }
        for (a, left) in paths.iter().zip(&own) {
            for (b, right) in paths.iter().zip(&own) {
                let pairs = left.iter().zip(right);
                let others = pairs.clone().filter(|(x, y)| x.to_bits() != y.to_bits()).count();
                let apart = pairs.map(|(x, y)| (probability(*x) - probability(*y)).abs()).fold(0.0, f64::max);
                println!(
                    "{precision:?}: {a} and {b}: {others} of {} in other bits, at most {apart:.1e} apart",
                    left.len()
                );
                if precision == Precision::F32 {
                    assert!(apart < 1e-5, "{a}, {b}: {apart}");
                }
                // The same instructions for floats: VNNI is for integers.
                if precision == Precision::F32 && *a >= Isa::Avx512 && *b >= Isa::Avx512 {
                    assert_eq!(others, 0, "{a}, {b}");
                }
            }
        }
    }
}

#[test]
fn vectors_and_cosines_have_these_bits_on_every_machine() {
    let values: Vec<f32> = (0..5 * 16).map(|n| ((n * 37 % 101) as f32 - 50.0) / 7.0).collect();
    let other: Vec<f32> = values.iter().map(|v| v * v - 3.0).collect();
    let made = |values: &[f32], dtype| {
        let bytes = encode(ModelId([7; 8]), ImageDigest([1; 16]), &[1, 2], 16, Dtype::F16, values).expect("a value");
        Features::parse(&bytes).expect("a value").stored_as(dtype).expect("a value")
    };
    let mut bits = Vec::new();
    for dtype in [Dtype::F16, Dtype::I8] {
        let (left, right) = (made(&values, dtype), made(&other, dtype));
        let [left, right] = [&left, &right].map(|bytes| Features::parse(bytes).expect("a value").global());
        bits.extend([left[0].to_bits(), left[9].to_bits(), (cosine(&left, &right) as f32).to_bits()]);
    }
    let everywhere = [0xbed8_7ae9, 0xbe2d_2912, 0xbecb_c024, 0xbed8_6909, 0xbe2d_cf52, 0xbecb_4a4a];
    assert_eq!(bits, everywhere, "{bits:#x?}");
}
