//! How well a network in training ranks garments that it does not learn from.

use std::collections::HashSet;

use grnet_nn::maps::chosen::Chosen;
use grnet_nn::ranking::protocol::{Protocol, TopK};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::learner::Learner;

/// Images of the validation, and their items.
#[derive(Debug)]
pub struct HeldOut {
    /// Query images.
    pub queries: Vec<usize>,
    /// Items of the queries.
    pub asked: Vec<usize>,
    /// Gallery images.
    pub gallery: Vec<usize>,
    /// Items of the gallery.
    pub shown: Vec<Option<usize>>,
}

impl HeldOut {
    /// All its images.
    pub fn images(&self) -> impl Iterator<Item = usize> {
        self.queries.iter().chain(&self.gallery).copied()
    }

    /// Itself without images that cannot be read, and without queries that nothing in the gallery answers any more.
    pub fn without(self, unreadable: &HashSet<usize>) -> Self {
        let (gallery, shown): (Vec<_>, Vec<_>) =
            self.gallery.into_iter().zip(self.shown).filter(|(image, _)| !unreadable.contains(image)).unzip();
        let there: HashSet<usize> = shown.iter().flatten().copied().collect();
        let asked = self.queries.into_iter().zip(self.asked);
        let (queries, asked) =
            asked.filter(|(image, item)| !unreadable.contains(image) && there.contains(item)).unzip();
        Self { queries, asked, gallery, shown }
    }
}

/// One validation.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Validation {
    /// Steps done.
    pub step: usize,
    /// Mean loss since the validation before; `None` before any step.
    pub loss: Option<f64>,
    /// The model's own global vector.
    pub global: TopK,
    /// The graph over the first 100 of the global.
    pub graph: TopK,
}

impl Validation {
    /// What is kept best: the sum of the graph's top-1, top-5 and top-20.
    pub fn merit(&self) -> f64 {
        self.graph.top[..3].iter().sum()
    }

    /// A line for people.
    pub fn line(&self) -> String {
        let loss = self.loss.map_or_else(|| "-".to_owned(), |loss| format!("{loss:.4}"));
        format!("{:>6} {loss:>8}  {}   {}", self.step, self.global, self.graph)
    }
}

/// What stands above the lines.
pub fn header() -> String {
    format!("{:>6} {:>8}   global 1/5/20/50          graph 1/5/20/50", "step", "loss")
}

/// Images that the graph reorders in a validation.
const SHORTLIST: usize = 100;

/// Validates a network as it is.
///
/// # Errors
/// What libtorch refuses.
pub fn validate(
    learner: &Learner,
    maps: &Chosen,
    held_out: &HeldOut,
    step: usize,
    loss: Option<f64>,
) -> Result<Validation, TrainError> {
    let device = learner.graph.device();
    let protocol = Protocol {
        queries: learner.regions_of(&held_out.queries, |images| maps.maps(images, device))?,
        gallery: learner.regions_of(&held_out.gallery, |images| maps.maps(images, device))?,
        asked: held_out.asked.clone(),
        shown: held_out.shown.clone(),
    };
    let (global, graph) = protocol.compare(&learner.graph, SHORTLIST)?;
    Ok(Validation { step, loss, global: global.top(), graph: graph.top() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_neither_asked_nor_shown_and_what_it_answered_is_not_asked() {
        let held_out = HeldOut {
            queries: vec![10, 11, 12, 13],
            asked: vec![0, 1, 1, 2],
            gallery: vec![20, 21, 22, 23],
            shown: vec![Some(0), Some(1), Some(2), None],
        };
        let held_out = held_out.without(&HashSet::from([12, 22, 99]));
        assert_eq!((held_out.queries, held_out.asked), (vec![10, 11], vec![0, 1]));
        assert_eq!((held_out.gallery, held_out.shown), (vec![20, 21, 23], vec![Some(0), Some(1), None]));
    }
}
