//! What is known about a photo: the annotations of FindFashion, measured rather than guessed.

use crate::kind::Kind;
use core::fmt;

/// Where a photo comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Domain {
    /// A seller's photo on a clean background.
    Shop,
    /// Somebody's snapshot.
    Consumer,
}

/// The side of the garment that is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// The front.
    Front,
    /// The side.
    Side,
    /// The back.
    Back,
}

/// How much of the garment is hidden, or cut off by the photo's border.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Less than 6 %.
    None,
    /// Less than 25 %.
    Light,
    /// 25 % or more.
    Heavy,
}

impl Level {
    /// Lowest fraction of [`Level::Light`].
    pub const LIGHT_FROM: f32 = 0.06;
    /// Lowest fraction of [`Level::Heavy`].
    pub const HEAVY_FROM: f32 = 0.25;

    /// The level of a fraction in `0.0..=1.0`.
    pub fn of(fraction: f32) -> Self {
        match fraction {
            f if f < Self::LIGHT_FROM => Self::None,
            f if f < Self::HEAVY_FROM => Self::Light,
            _ => Self::Heavy,
        }
    }
}

macro_rules! words {
    ($type:ident: $($variant:ident = $word:literal),+) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$variant => $word),+ })
            }
        }
    };
}

words!(Domain: Shop = "shop", Consumer = "consumer");
words!(View: Front = "front", Side = "side", Back = "back");
words!(Level: None = "none", Light = "light", Heavy = "heavy");

/// A box in whole pixels of the delivered photo, inside it and never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoundingBox {
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// What is known about one photo.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    /// The item's number in its catalogue.
    pub item: u64,
    /// The item's kind.
    pub kind: Kind,
    /// Shop or consumer.
    pub domain: Domain,
    /// Around every pixel of the garment that lies in the photo, hidden by other things or not.
    pub bounds: BoundingBox,
    /// The side that is seen.
    pub view: View,
    /// Share of the garment within the photo that something hides.
    pub occlusion: f32,
    /// Share of the garment outside the photo.
    pub cropping: f32,
    /// The JPEG quality that suits the photo (1 to 100).
    pub quality: u8,
}

impl Annotation {
    /// [`Annotation::occlusion`] as a level.
    pub fn occlusion_level(&self) -> Level {
        Level::of(self.occlusion)
    }

    /// [`Annotation::cropping`] as a level.
    pub fn cropping_level(&self) -> Level {
        Level::of(self.cropping)
    }
}
