//! What the node computes: logits of a batch of values with one query.

use grnet_core::features::Features;
use grnet_core::model::ModelId;
use grnet_core::query::Query;
use grnet_core::score::{distance, probability};
use grnet_core::scorer::Scratch;

use crate::error::Error;
use crate::ffi::rank::batch::BatchScorer;
use crate::ffi::rank::plan::Kind;
use crate::model;

/// A scorer for one node of a plan.
pub fn make(item_is_left: bool) -> Box<dyn BatchScorer> {
    Box::new(Scoring { item_is_left, asked: None, scratch: Scratch::default(), scores: Vec::new() })
}

struct Scoring {
    item_is_left: bool,
    asked: Option<Asked>,
    scratch: Scratch,
    /// Logits of a batch's values without its NULLs.
    scores: Vec<f64>,
}

/// The query's side, ready to be scored.
struct Asked {
    /// By which it is recognised in the next scan: a join may ask with the same value ten thousand times.
    bytes: Vec<u8>,
    model: ModelId,
    query: Query,
}

impl BatchScorer for Scoring {
    fn take_query(&mut self, value: &[u8]) -> Result<(), Error> {
        if self.asked.as_ref().is_none_or(|asked| asked.bytes != value) {
            let features = Features::parse(value)?;
            let (scorer, prepared) = model::prepare(&features)?;
            let query = scorer.query(&prepared);
            self.asked = Some(Asked { bytes: value.to_vec(), model: features.model(), query });
        }
        Ok(())
    }

    fn taken(&self) -> &[u8] {
        self.asked.as_ref().map_or(&[], |asked| &asked.bytes)
    }

    fn score(&mut self, items: &[Option<&[u8]>], logits: &mut Vec<Option<f64>>) -> Result<(), Error> {
        let Some(Asked { model: asked, query, .. }) = &self.asked else {
            logits.extend(items.iter().map(|_| None));
            return Ok(());
        };
        let mut values = Vec::with_capacity(items.len());
        for item in items.iter().flatten() {
            let features = Features::parse(item)?;
            let model = features.model();
            if model != *asked {
                let (left, right) = if self.item_is_left { (model, *asked) } else { (*asked, model) };
                return Err(Error::DifferentModels(left, right));
            }
            values.push(features);
        }
        self.scores.clear();
        self.scores.resize(values.len(), 0.0);
        query.score(&values, &mut self.scores, &mut self.scratch)?;
        let mut scores = self.scores.iter();
        logits.extend(items.iter().map(|item| item.and_then(|_| scores.next().copied())));
        Ok(())
    }

    fn shown(&self, logit: f64, kind: Kind) -> f64 {
        match kind {
            Kind::Distance => distance(logit),
            Kind::Probability => probability(logit),
        }
    }
}
