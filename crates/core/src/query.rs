//! One photo against many: the scores of a ranking.

use std::sync::Arc;

use crate::error::ScoreError;
use crate::features::Features;
use crate::kernel::{Room, Scratch};
use crate::scorer::{Kernel, Precision, Prepared};

/// One side of many pairs, ready to be scored against the others.
#[derive(Debug, Clone)]
pub struct Query {
    kernel: Arc<Kernel>,
    precision: Precision,
    query: Prepared,
}

/// The other side of a pair.
#[derive(Debug, Clone, Copy)]
pub enum Item<'a> {
    /// A value as it is stored: it is converted where it is scored, one at a time.
    Features(Features<'a>),
    /// An image that was made ready before.
    Prepared(&'a Prepared),
}

impl<'a> From<Features<'a>> for Item<'a> {
    fn from(features: Features<'a>) -> Self {
        Self::Features(features)
    }
}

impl<'a> From<&'a Prepared> for Item<'a> {
    fn from(prepared: &'a Prepared) -> Self {
        Self::Prepared(prepared)
    }
}

impl Query {
    /// Of a kernel and an image that was made ready by it.
    pub(crate) fn new(kernel: Arc<Kernel>, precision: Precision, query: Prepared) -> Self {
        Self { kernel, precision, query }
    }

    /// Writes every item's logit to the same place of `logits`. A pair's logit is the same bits in any batch, and those
    /// of [`Scorer::logit`](crate::scorer::Scorer::logit) if the query is in f32. It allocates nothing once `scratch` has scored with a model,
    /// or was [made to fit](crate::scorer::Scorer::fit) it. It neither blocks nor starts threads: for two threads, give
    /// each a scratch and half of the items.
    ///
    /// # Errors
    /// An item's shape is not the model's; then nothing is written. That an item's model is this one is the caller's to
    /// check. No memory for a scratch that is used for the first time.
    ///
    /// # Panics
    /// If there are not as many places as items.
    pub fn score<'a, I: Copy + Into<Item<'a>>>(
        &self,
        items: &[I],
        logits: &mut [f64],
        scratch: &mut Scratch,
    ) -> Result<(), ScoreError> {
        assert_eq!(items.len(), logits.len(), "items and places for logits");
        for item in items {
            match (*item).into() {
                Item::Features(features) => self.kernel.check(&features)?,
                Item::Prepared(prepared) => self.kernel.check_prepared(prepared),
            }
        }
        self.kernel.fit(scratch)?;
        let mut room = self.kernel.room(scratch);
        for (item, logit) in items.iter().zip(logits) {
            *logit = self.one((*item).into(), &mut room);
        }
        Ok(())
    }

    /// One image's logit, as [`score`](Self::score) would write it.
    ///
    /// # Panics
    /// If the image was prepared by a model of another shape, or there is no memory for a scratch.
    pub fn logit(&self, item: &Prepared, scratch: &mut Scratch) -> f64 {
        self.kernel.check_prepared(item);
        self.kernel.logit(self.precision, &self.query.windows, &item.windows, &mut self.kernel.room(scratch))
    }

    fn one(&self, item: Item<'_>, room: &mut Room<'_>) -> f64 {
        match item {
            Item::Prepared(item) => self.kernel.logit(self.precision, &self.query.windows, &item.windows, room),
            Item::Features(features) => {
                let regions = std::mem::take(&mut room.regions);
                self.kernel.read(&features, regions);
                let logit = self.kernel.logit(self.precision, &self.query.windows, regions, room);
                room.regions = regions;
                logit
            }
        }
    }
}
