//! Rankings by what PostgreSQL runs.

use std::thread;

use grnet_nn::ranking::rerank::{Reranked, order};
use grnet_score::scorer::{PreparedFeatures, Scorer, Workspace, cosine};

use crate::error::EvalError;
use crate::quantize::stored::Stored;

/// Who ranks what.
#[derive(Debug)]
pub struct Ranking<'a> {
    /// The model's scorer.
    pub scorer: &'a Scorer,
    /// All images, as queries are stored.
    pub queries: &'a Stored,
    /// All images, as what is searched is stored.
    pub items: &'a Stored,
    /// Images of the global's ranking that are scored.
    pub shortlist: usize,
}

impl Ranking<'_> {
    /// Both stages of every query, on some threads.
    ///
    /// # Errors
    /// There is no memory to score.
    pub fn all(&self, asked: &[usize], gallery: &[usize], threads: usize) -> Result<Vec<Reranked>, EvalError> {
        let share = asked.len().div_ceil(threads.max(1)).max(1);
        thread::scope(|scope| {
            let part = |asked: &[usize]| {
                let mut workspace = Workspace::default();
                asked
                    .iter()
                    .map(|&query| self.one(query, gallery, &mut workspace))
                    .collect::<Result<Vec<_>, EvalError>>()
            };
            let parts: Vec<_> = asked.chunks(share).map(|asked| scope.spawn(move || part(asked))).collect();
            let mut all = Vec::with_capacity(asked.len());
            for part in parts {
                // A thread that panicked has said so; its panic goes on here.
                all.extend(part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok(all)
        })
    }

    fn one(&self, query: usize, gallery: &[usize], workspace: &mut Workspace) -> Result<Reranked, EvalError> {
        let global = &self.queries.globals[query];
        let first: Vec<f32> = gallery.iter().map(|&item| cosine(global, &self.items.globals[item]) as f32).collect();
        let order = order(&first, self.shortlist);
        let items: Vec<&PreparedFeatures> = order.iter().map(|&at| &self.items.prepared[gallery[at]]).collect();
        let mut logits = vec![0.0; items.len()];
        self.scorer.query(&self.queries.prepared[query]).score(&items, &mut logits, workspace)?;
        Ok(Reranked { first, order, second: logits.into_iter().map(|logit| logit as f32).collect() })
    }
}
