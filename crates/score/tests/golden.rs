//! Scores against PyTorch: tests/golden/score.py computes them in f64 from the equations, knowing nothing of this code.

use std::collections::BTreeMap;

use grnet_features::config::ModelConfig;
use grnet_features::model_file::{ModelFile, NamedTensor, Storage, TensorData, write};
use grnet_score::definition;
use grnet_score::head::Head;
use grnet_score::scorer::{Scorer, Workspace};
use grnet_simd::Isa;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    config: ModelConfig,
    tensors: BTreeMap<String, Tensor>,
    pairs: Vec<Pair>,
}

#[derive(Deserialize)]
struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

#[derive(Deserialize)]
struct Pair {
    x: Vec<f32>,
    y: Vec<f32>,
    logit: f64,
}

/// The case's head, through a model file as a backend reads it.
fn head(case: &Case) -> Head {
    let tensors: Vec<NamedTensor> = case
        .tensors
        .iter()
        .map(|(name, t)| (name.clone(), t.shape.clone(), TensorData::Values(Storage::F32, t.values.clone())))
        .collect();
    let file = write(&case.config, &tensors).expect("a valid model");
    Head::read(&ModelFile::parse(&file).expect("what was written")).expect("a head")
}

#[test]
fn logits_agree_with_pytorch() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../../tests/golden/score.json")).expect("the golden file");
    assert!(cases.len() >= 10, "{} cases", cases.len());
    let (mut pairs, mut oracle_error, mut fast_error) = (0, 0.0f64, 0.0f64);
    for case in &cases {
        let head = head(case);
        let paths = Isa::available().map(|path| Scorer::on(path, head.clone()).expect("a path of this processor"));
        let scorers: Vec<Scorer> = paths.collect();
        for pair in &case.pairs {
            let slow = definition::logit(&head, &pair.x, &pair.y);
            assert!((slow - pair.logit).abs() < 1e-6, "{}: oracle {slow}, PyTorch {}", case.name, pair.logit);
            oracle_error = oracle_error.max((slow - pair.logit).abs());
            for scorer in &scorers {
                let (x, y) = (scorer.prepare_values(pair.x.clone()), scorer.prepare_values(pair.y.clone()));
                let fast = scorer.logit(&x, &y, &mut Workspace::default());
                let (name, path) = (&case.name, scorer.path());
                assert!((fast - pair.logit).abs() < 1e-4, "{name}, {path}: fast {fast}, PyTorch {}", pair.logit);
                fast_error = fast_error.max((fast - pair.logit).abs());
            }
            pairs += 1;
        }
    }
    println!("{pairs} pairs: oracle within {oracle_error:.1e} of PyTorch, fast path within {fast_error:.1e}");
}
