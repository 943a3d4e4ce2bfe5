//! Every shape that a model file may have: the oracle, every path, both precisions and every stored type agree.

#[allow(dead_code, reason = "its other users need the rest")]
mod common;
#[path = "common/shapes.rs"]
mod shapes;

use common::{Random, image};
use grnet_features::config::Graph;
use grnet_features::value::{Dtype, Features, ImageDigest, encode};
use grnet_score::definition;
use grnet_score::head::Head;
use grnet_score::scorer::{Precision, Scorer, Workspace};
use grnet_simd::Isa;
use shapes::Shape;

/// Multiplications of a drawn shape's score at most: what the oracle does in a thirtieth of a second.
const WORK: usize = 20_000_000;

/// How far the oracle's answer moves where the image's numbers move by as much as 16-bit integers may miss them: a graph
/// whose nodes lie near zero before they are brought to unit norm turns small errors into large ones.
fn sensitivity(head: &Head, x: &[f32], y: &[f32], want: f64) -> f64 {
    let moved = |seed| {
        let mut random = Random(seed);
        let x: Vec<f32> = x.iter().map(|v| v * (1.0 + 2e-4 * random.next())).collect();
        (definition::logit(head, &x, y) - want).abs()
    };
    moved(1).max(moved(2))
}

fn stored(head: &Head, seed: u64, dtype: Dtype) -> Vec<u8> {
    encode(head.id, ImageDigest([0; 16]), &head.grids, head.channels, dtype, &image(seed, head)).expect("finite")
}

/// Scores two stored images by all paths in both precisions, against the oracle.
fn agree(shape: &Shape, head: &Head, dtype: Dtype, workspace: &mut Workspace) -> [f64; 2] {
    let (x, y) = (stored(head, 1, dtype), stored(head, 2, dtype));
    let (x, y) = (Features::parse(&x).expect("encoded"), Features::parse(&y).expect("encoded"));
    let want = definition::logit(head, &x.to_f32(), &y.to_f32());
    assert!(want.is_finite(), "{shape:?}: {want}");
    let moved = sensitivity(head, &x.to_f32(), &y.to_f32(), want);
    let mut largest = [0.0; 2];
    for path in Isa::available() {
        let scorer = Scorer::on(path, head.clone()).expect("a path of this processor");
        let (first, second) = (scorer.prepare(&x).expect("its shape"), scorer.prepare(&y).expect("its shape"));
        let size = 1.0 + want.abs();
        let precisions = [(Precision::F32, 1e-4 * size + 0.1 * moved), (Precision::I16, 3e-3 * size + 4.0 * moved)];
        for ((precision, allowed), largest) in precisions.into_iter().zip(&mut largest) {
            let mut logit = [f64::NAN];
            scorer.query_in(precision, &first).score(&[y], &mut logit, workspace).expect("its shape");
            let error = (logit[0] - want).abs();
            let said = || format!("{path} {precision:?} {}: {} not {want}, {shape:?}", dtype.name(), logit[0]);
            assert!(error < allowed, "{}, {error:.1e} off, {allowed:.1e} allowed", said());
            *largest = (error / allowed).max(*largest);
            let swapped = scorer.query_in(precision, &second).logit(&first, workspace);
            assert_eq!(swapped.to_bits(), logit[0].to_bits(), "{path} {precision:?}, {shape:?}");
        }
    }
    largest
}

#[test]
fn drawn_shapes_score_as_the_oracle_says() {
    let (grids, mut random, mut workspace) = (shapes::grids(), Random(2026), Workspace::default());
    assert_eq!(grids.len(), 64);
    let mut largest = [0.0f64; 2];
    for number in 0..192 {
        // Each list of grids once, then those that are drawn.
        let lists = if number < grids.len() { &grids[number..=number] } else { &grids[..] };
        let shape = random.shape(lists, WORK);
        shape.config().check().expect("a shape that a model file may have");
        let dtype = [Dtype::F32, Dtype::F16, Dtype::I8][number % 3];
        let errors = agree(&shape, &shape.head(number as u64), dtype, &mut workspace);
        largest.iter_mut().zip(errors).for_each(|(largest, error)| *largest = error.max(*largest));
    }
    println!("largest share of the difference that is allowed: f32 {:.2}, i16 {:.2}", largest[0], largest[1]);
}

/// Dimensions, channels and nodes of several pieces each, alone and together; channels as many as dimensions.
#[test]
fn shapes_at_the_edges_of_pieces_score_as_the_oracle_says() {
    let two = Graph { layers: 2, ..Graph::default() };
    let mut workspace = Workspace::default();
    for (grids, channels, dim) in [
        (&[1u8, 2, 3, 4][..], 64, 320),
        (&[1, 3, 4], 64, 288),
        (&[1, 2, 4], 16, 257),
        (&[1, 4], 300, 512),
        (&[1, 2, 3], 16, 16),
        (&[1, 2, 3], 48, 48),
        (&[1, 2, 3], 272, 272),
        (&[1, 2], 1024, 1024),
        (&[1], 4096, 1),
        (&[1, 2, 3, 5], 1, 1),
    ] {
        let graph = Graph { dim, edge_bias: dim % 3 == 0, ..two.clone() };
        let shape = Shape { grids: grids.to_vec(), channels, normalise: true, graph };
        agree(&shape, &shape.head(5), if dim % 2 == 0 { Dtype::F32 } else { Dtype::I8 }, &mut workspace);
    }
}

/// Too large for the oracle: all of a model's sizes at the end of their range, on the fastest path.
#[test]
fn the_largest_model_scores_the_same_in_both_precisions() {
    let graph = Graph { dim: 1024, layers: 2, edge_bias: true, residual: true, ..Graph::default() };
    let shape = Shape { grids: vec![1, 6, 7, 8], channels: 4096, normalise: true, graph };
    shape.config().check().expect("a shape that a model file may have");
    let scorer = Scorer::new(shape.head(1)).expect("a path");
    let mut workspace = Workspace::default();
    let (x, y) = (image(1, scorer.head()), image(2, scorer.head()));
    let (x, y) = (scorer.prepare_values(x), scorer.prepare_values(y));
    let [float, short] =
        [Precision::F32, Precision::I16].map(|precision| scorer.logit_in(precision, &x, &y, &mut workspace));
    assert!((float - short).abs() < 4e-3 * (1.0 + float.abs()), "f32 {float}, i16 {short}");
}

/// What is outside of the range is refused where a model is read, so nothing larger reaches a scorer.
#[test]
fn shapes_outside_of_the_range_are_refused() {
    let shape =
        Shape { grids: vec![1, 8], channels: 4096, normalise: true, graph: Graph { dim: 1024, ..Graph::default() } };
    let refused = |change: fn(&mut Shape)| {
        let mut shape = shape.clone();
        change(&mut shape);
        shape.config().check().is_err()
    };
    assert!(shape.config().check().is_ok());
    assert!(refused(|shape| shape.channels = 4097) && refused(|shape| shape.channels = 0));
    assert!(refused(|shape| shape.graph.dim = 1025) && refused(|shape| shape.graph.dim = 0));
    assert!(refused(|shape| shape.graph.layers = 9) && refused(|shape| shape.grids = vec![1, 9]));
    assert!(refused(|shape| shape.grids = vec![1, 2, 3, 4, 5]) && refused(|shape| shape.grids = vec![2]));
}
