//! One image against many: the scores of a ranking.

use std::sync::Arc;

use crate::error::ScoreError;
use crate::kernel::{Buffers, Workspace};
use crate::scorer::{Kernel, Precision, PreparedFeatures};
use grnet_features::value::Features;

/// One side of many pairs, ready to be scored against the others.
#[derive(Debug, Clone)]
pub struct PreparedQuery {
    kernel: Arc<Kernel>,
    precision: Precision,
    query: PreparedFeatures,
}

/// The other side of a pair.
#[derive(Debug, Clone, Copy)]
pub enum Item<'a> {
    /// A value as it is stored: it is converted where it is scored, one at a time.
    Features(Features<'a>),
    /// An image that was made ready before.
    Prepared(&'a PreparedFeatures),
}

impl<'a> From<Features<'a>> for Item<'a> {
    fn from(features: Features<'a>) -> Self {
        Self::Features(features)
    }
}

impl<'a> From<&'a PreparedFeatures> for Item<'a> {
    fn from(prepared: &'a PreparedFeatures) -> Self {
        Self::Prepared(prepared)
    }
}

impl PreparedQuery {
    /// Of a kernel and an image that was made ready by it.
    pub(crate) fn new(kernel: Arc<Kernel>, precision: Precision, query: PreparedFeatures) -> Self {
        Self { kernel, precision, query }
    }

    /// Writes every item's logit to the same element of `logits`. A pair's logit is the same bits in any batch, and those
    /// of [`Scorer::logit`](crate::scorer::Scorer::logit) if the query is in f32. It allocates nothing once `workspace` has scored with a model,
    /// or was [made to fit](crate::scorer::Scorer::fit) it. It neither blocks nor starts threads: for two threads, give
    /// each a workspace and half of the items.
    ///
    /// # Errors
    /// An item's shape is not the model's; then nothing is written. That an item's model is this one is the caller's to
    /// check. No memory for a workspace that is used for the first time.
    ///
    /// # Panics
    /// If there are not as many elements as items.
    pub fn score<'a, I: Copy + Into<Item<'a>>>(
        &self,
        items: &[I],
        logits: &mut [f64],
        workspace: &mut Workspace,
    ) -> Result<(), ScoreError> {
        assert_eq!(items.len(), logits.len(), "items and elements for logits");
        for item in items {
            match (*item).into() {
                Item::Features(features) => self.kernel.check(&features)?,
                Item::Prepared(prepared) => self.kernel.check_prepared(prepared),
            }
        }
        self.kernel.fit(workspace)?;
        let mut buffers = self.kernel.buffers(workspace);
        for (item, logit) in items.iter().zip(logits) {
            *logit = self.one((*item).into(), &mut buffers);
        }
        Ok(())
    }

    /// One image's logit, as [`score`](Self::score) would write it.
    ///
    /// # Panics
    /// If the image was prepared by a model of another shape, or there is no memory for a workspace.
    pub fn logit(&self, item: &PreparedFeatures, workspace: &mut Workspace) -> f64 {
        self.kernel.check_prepared(item);
        self.kernel.logit(self.precision, &self.query.regions, &item.regions, &mut self.kernel.buffers(workspace))
    }

    fn one(&self, item: Item<'_>, buffers: &mut Buffers<'_>) -> f64 {
        match item {
            Item::Prepared(item) => self.kernel.logit(self.precision, &self.query.regions, &item.regions, buffers),
            Item::Features(features) => {
                let regions = std::mem::take(&mut buffers.regions);
                self.kernel.read(&features, regions);
                let logit = self.kernel.logit(self.precision, &self.query.regions, regions, buffers);
                buffers.regions = regions;
                logit
            }
        }
    }
}
