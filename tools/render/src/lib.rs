//! Garments drawn from a seed: shop photos and consumer photos with annotations.
//!
//! A [`Catalogue`] deals out [`Item`]s, cheap descriptions of garments of which many resemble one
//! another. Each item can be photographed any number of times: by a shop ([`Item::shop_photo`]) or
//! by a consumer ([`Item::consumer_photo`]). Every [`Photo`] carries an [`Annotation`] with what the
//! data set FindFashion records: bounding box, view, occlusion and cropping.
//!
//! The same seed gives the same photos, in any order and on any number of threads.
//!
//! ```
//! use grnet_render::{Catalogue, Difficulty};
//!
//! let item = Catalogue::new(7).item(0);
//! let shop = item.shop_photo(0, 128);
//! let worn = item.consumer_photo(0, Difficulty::Mixed, 128);
//! assert_eq!(shop.annotation.item, worn.annotation.item);
//! assert!(worn.jpeg(worn.annotation.quality)?.starts_with(&[0xff, 0xd8]));
//! # Ok::<(), grnet_render::EncodeError>(())
//! ```

mod annotation;
mod backdrop;
mod blur;
mod camera;
mod canvas;
mod catalogue;
mod colour;
mod consumer;
mod cut;
mod dice;
mod difficulty;
mod drape;
mod finish;
mod folds;
mod garment;
mod item;
mod kind;
mod lettering;
mod occluder;
mod outline;
mod part;
mod pattern;
mod person;
mod photo;
mod pose;
mod sheet;
mod shop;
mod stage;
mod surface;
mod turn;

pub use annotation::{Annotation, BoundingBox, Domain, Level, View};
pub use catalogue::Catalogue;
pub use colour::{Dye, Rgb};
pub use cut::{Closure, Collar, Cut, Hem, Pocket, Sleeve};
pub use difficulty::Difficulty;
pub use item::{Item, Motif, Print};
pub use kind::Kind;
pub use pattern::Pattern;
pub use photo::{EncodeError, Photo};
pub use sheet::{SheetError, contact_sheet};
