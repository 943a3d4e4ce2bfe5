//! Whether a ranking in short integers begins with the same photos as in floats.

use std::fs;
use std::path::Path;

use grnet_core::features::{Features, from_text};
use grnet_core::head::Head;
use grnet_core::model::ModelFile;
use grnet_core::scorer::{Precision, Scorer, Scratch};
use serde_json::{Value, json};

use super::Failure;

/// How far a ranking is looked at.
const TOP: usize = 20;

/// Photos that rank the others, at most, evenly spread: a few seconds' work.
const QUERIES: usize = 400;

/// Photos rank all others in both precisions.
pub fn agree(model: &Path, features: &Path) -> Result<Value, Failure> {
    let file = fs::read(model)?;
    let scorer = Scorer::new(Head::read(&ModelFile::parse(&file)?)?)?;
    let mut values = Vec::new();
    for line in fs::read_to_string(features)?.lines() {
        let line: Value = serde_json::from_str(line)?;
        values.extend(line["features"].as_str().map(from_text).transpose()?);
    }
    let parsed: Vec<Features<'_>> = values.iter().map(|value| Features::parse(value)).collect::<Result<_, _>>()?;
    let (mut scratch, mut same, mut first, mut order_same, mut kept) = (Scratch::default(), 0, 0, 0, 0);
    let (mut largest, mut squares, mut pairs) = (0.0f64, 0.0f64, 0usize);
    let step = parsed.len().div_ceil(QUERIES).max(1);
    for (number, query) in parsed.iter().enumerate().step_by(step) {
        let image = scorer.prepare(query)?;
        let mut logits = [vec![0.0; parsed.len()], vec![0.0; parsed.len()]];
        for (precision, logits) in [Precision::F32, Precision::I16].into_iter().zip(&mut logits) {
            scorer.query_in(precision, &image).score(&parsed, logits, &mut scratch)?;
        }
        for (exact, short) in logits[0].iter().zip(&logits[1]) {
            largest = largest.max((exact - short).abs());
            squares += (exact - short).powi(2);
            pairs += 1;
        }
        let best = |logits: &[f64], n: usize| {
            let mut order: Vec<usize> = (0..logits.len()).filter(|other| *other != number).collect();
            order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
            order.truncate(n);
            order
        };
        let (exact, short) = (best(&logits[0], TOP), best(&logits[1], TOP));
        first += usize::from(exact[0] == short[0]);
        order_same += usize::from(exact == short);
        let overlap = exact.iter().filter(|photo| short.contains(photo)).count();
        kept += overlap;
        same += usize::from(overlap == TOP);
    }
    let n = parsed.len().div_ceil(step);
    Ok(json!({
        "photos": parsed.len(), "queries": n, "same_top_20": same, "same_order": order_same, "same_first": first,
        "share_of_top_20": kept as f64 / (n * TOP) as f64,
        "largest_error": largest, "rms_error": (squares / pairs as f64).sqrt(),
    }))
}
