//! What is known about an image.

use std::path::PathBuf;

use grnet_image::Region;

use crate::augment::preset::Preset;
use crate::dataset::strata::Strata;
use crate::dataset::words::words;

/// An image to be embedded.
#[derive(Debug, Clone)]
pub struct Image {
    /// The file.
    pub path: PathBuf,
    /// The garment's box, where it is annotated.
    pub region: Option<Region>,
    /// The garment, a number across all sources.
    pub item: usize,
    /// Whether it is a seller's image.
    pub shop: bool,
    /// The source that it came from: garments of one source are compared with each other, never across.
    pub source: usize,
    /// An augmented copy of the image; `None` takes it as it is.
    pub augmented: Option<Augmented>,
    /// View, occlusion and cropping, as far as they are annotated.
    pub strata: Strata,
    /// What the data wants the image used for; `None` where it does not say.
    pub split: Option<Split>,
}

/// How an image is made as somebody might have taken it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Augmented {
    /// What happens to it.
    pub preset: Preset,
    /// What decides how.
    pub seed: u64,
}

impl Image {
    /// A consumer's image of garment 0 of source 0, with nothing annotated: what a reader does not know stays so.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            region: None,
            item: 0,
            shop: false,
            source: 0,
            augmented: None,
            strata: Strata::default(),
            split: None,
        }
    }
}

words! {
    /// What an image is there for.
    Split {
        /// To learn from.
        Train = "train",
        /// To say when learning has gone far enough.
        Val = "val",
        /// To be measured on, and never seen by a training.
        Test = "test",
    }
}
