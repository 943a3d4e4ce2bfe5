//! What is known about a photo.

use std::path::PathBuf;

use grnet_photo::Region;

use super::strata::Strata;
use super::words::words;
use crate::augment::Manner;

/// A photo to be embedded.
#[derive(Debug, Clone)]
pub struct Photo {
    /// The file.
    pub path: PathBuf,
    /// The garment's box, where it is annotated.
    pub region: Option<Region>,
    /// The garment, a number across all sources.
    pub item: usize,
    /// Whether it is a seller's photo.
    pub shop: bool,
    /// The place it came from: garments of one source are compared with each other, never across.
    pub source: usize,
    /// An imitated snapshot of the photo; `None` takes it as it is.
    pub snapshot: Option<Snapshot>,
    /// View, occlusion and cropping, as far as they are annotated.
    pub strata: Strata,
    /// What the data wants the photo used for; `None` where it does not say.
    pub split: Option<Split>,
}

/// How a photo is made somebody's snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Snapshot {
    /// What happens to it.
    pub manner: Manner,
    /// What decides how.
    pub seed: u64,
}

impl Photo {
    /// A consumer's photo of garment 0 of source 0, with nothing annotated: what a reader does not know stays so.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            region: None,
            item: 0,
            shop: false,
            source: 0,
            snapshot: None,
            strata: Strata::default(),
            split: None,
        }
    }
}

words! {
    /// What a photo is there for.
    Split {
        /// To learn from.
        Train = "train",
        /// To say when learning has gone far enough.
        Val = "val",
        /// To be measured on, and never seen by a training.
        Test = "test",
    }
}
