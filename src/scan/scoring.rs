//! What the node computes: logits of a batch of values with one query.

use grnet_features::model_file::ModelId;
use grnet_features::value::Features;
use grnet_score::prepared_query::PreparedQuery;
use grnet_score::probability::{distance, probability};
use grnet_score::scorer::Workspace;

use super::recognise::Kind;
use crate::error::Error;
use crate::pg::interrupt;
use crate::{model, settings};

/// Pairs that are scored before a cancel is looked for. The widest model that a file may hold takes 60 ms a pair: without
/// this a batch of 64 was seen to go on for 4 s after its timeout. `base` takes 0.08 ms a pair.
const BETWEEN_CANCELS: usize = 4;

/// What scores the rows of one node.
pub struct Scoring {
    item_is_left: bool,
    /// The query's side. By its bytes it is recognised in the next scan: a join may ask with the same ten thousand times.
    bytes: Vec<u8>,
    /// The same, ready to be scored: made for the first value that is scored with it.
    asked: Option<PreparedQuery>,
    workspace: Workspace,
    /// Logits of a batch's values without its NULLs.
    scores: Vec<f64>,
}

impl Scoring {
    /// For rows whose value is the left argument, or the right one.
    pub fn new(item_is_left: bool) -> Self {
        let (bytes, scores) = (Vec::new(), Vec::new());
        Self { item_is_left, bytes, asked: None, workspace: Workspace::default(), scores }
    }

    fn pair_of_models(&self, item: ModelId, asked: ModelId) -> Error {
        let (left, right) = if self.item_is_left { (item, asked) } else { (asked, item) };
        Error::DifferentModels(left, right)
    }

    /// The values of a batch without its NULLs, all of the query's model.
    fn values<'v>(&self, items: &[Option<&'v [u8]>], asked: ModelId) -> Result<Vec<Features<'v>>, Error> {
        let mut values = Vec::with_capacity(items.len());
        for item in items.iter().flatten() {
            let features = Features::parse(item)?;
            if features.model() != asked {
                return Err(self.pair_of_models(features.model(), asked));
            }
            values.push(features);
        }
        Ok(values)
    }

    /// Takes the query's side for the rows that follow. Nobody looks at it before there is something to score: what is
    /// wrong with it is no error of a query without rows.
    pub fn take_query(&mut self, value: &[u8]) {
        if self.bytes != value {
            self.asked = None;
            self.bytes.clear();
            self.bytes.extend_from_slice(value);
        }
    }

    /// The value that was taken last.
    pub fn taken(&self) -> &[u8] {
        &self.bytes
    }

    /// How many numbers the global vector of the value that was taken has; `None` where it is no value.
    pub fn channels(&self) -> Option<usize> {
        Features::parse(&self.bytes).ok().map(|features| features.channels())
    }

    /// Logits of rows with the query that was taken, `None` for a NULL.
    ///
    /// # Errors
    /// The query's side or one of them is no value that can be scored, or they are of different models.
    pub fn score(&mut self, items: &[Option<&[u8]>], logits: &mut Vec<Option<f64>>) -> Result<(), Error> {
        if items.iter().all(Option::is_none) {
            logits.extend(items.iter().map(|_| None));
            return Ok(());
        }
        let asked = Features::parse(&self.bytes)?;
        let values = self.values(items, asked.model())?;
        let query = match &mut self.asked {
            Some(query) => query,
            none => {
                let (scorer, prepared) = model::prepare(&asked)?;
                none.insert(scorer.query_in(settings::score_precision(), &prepared))
            }
        };
        self.scores.clear();
        self.scores.resize(values.len(), 0.0);
        for (values, scores) in values.chunks(BETWEEN_CANCELS).zip(self.scores.chunks_mut(BETWEEN_CANCELS)) {
            interrupt::check();
            query.score(values, scores, &mut self.workspace)?;
        }
        let mut scores = self.scores.iter();
        logits.extend(items.iter().map(|item| item.and_then(|_| scores.next().copied())));
        Ok(())
    }
}

impl Kind {
    /// A logit as a user sees it.
    pub fn of_logit(self, logit: f64) -> f64 {
        match self {
            Self::Distance => distance(logit),
            Self::Probability => probability(logit),
        }
    }
}
