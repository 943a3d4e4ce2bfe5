//! Whether a ranking begins with the same images: in 16-bit integers as in floats, or by other features of the same images.

use std::fs;
use std::path::Path;

use grnet_features::model_file::ModelFile;
use grnet_features::value::{Features, from_text};
use grnet_score::head::Head;
use grnet_score::scorer::{Precision, Scorer, Workspace};
use serde_json::{Value, json};

use super::Failure;

/// How far a ranking is looked at.
const TOP: usize = 20;

/// Images that rank the others, at most, evenly spread: a few seconds' work.
const QUERIES: usize = 400;

/// The values that `grnet-engine embed` wrote into a file.
fn values(file: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let mut values = Vec::new();
    for line in fs::read_to_string(file)?.lines() {
        let line: Value = serde_json::from_str(line)?;
        values.extend(line["features"].as_str().map(from_text).transpose()?);
    }
    Ok(values)
}

fn parsed(values: &[Vec<u8>]) -> Result<Vec<Features<'_>>, Failure> {
    Ok(values.iter().map(|value| Features::parse(value)).collect::<Result<_, _>>()?)
}

/// Images rank all others twice: in both precisions, or, with `other` features of the same images, by those.
pub fn agree(model: &Path, features: &Path, other: Option<&Path>) -> Result<Value, Failure> {
    let file = fs::read(model)?;
    let scorer = Scorer::new(Head::read(&ModelFile::parse(&file)?)?)?;
    let stored = [values(features)?, values(other.unwrap_or(features))?];
    let (parsed, others) = (parsed(&stored[0])?, parsed(&stored[1])?);
    if parsed.len() != others.len() {
        return Err(format!("{} and {} images", parsed.len(), others.len()).into());
    }
    let second = if other.is_some() { Precision::F32 } else { Precision::I16 };
    let (mut workspace, mut same, mut first, mut order_same, mut kept) = (Workspace::default(), 0, 0, 0, 0);
    let (mut largest, mut squares, mut pairs) = (0.0f64, 0.0f64, 0usize);
    let step = parsed.len().div_ceil(QUERIES).max(1);
    for (number, query) in parsed.iter().enumerate().step_by(step) {
        let mut logits = [vec![0.0; parsed.len()], vec![0.0; parsed.len()]];
        scorer.query_in(Precision::F32, &scorer.prepare(query)?).score(&parsed, &mut logits[0], &mut workspace)?;
        scorer.query_in(second, &scorer.prepare(&others[number])?).score(&others, &mut logits[1], &mut workspace)?;
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
        let overlap = exact.iter().filter(|image| short.contains(image)).count();
        kept += overlap;
        same += usize::from(overlap == TOP);
    }
    let n = parsed.len().div_ceil(step);
    Ok(json!({
        "images": parsed.len(), "queries": n, "same_top_20": same, "same_order": order_same, "same_first": first,
        "share_of_top_20": kept as f64 / (n * TOP) as f64,
        "largest_error": largest, "rms_error": (squares / pairs as f64).sqrt(),
    }))
}
