//! Imitated snapshots: a photo as somebody might have taken it, from a seed.
//!
//! A snapshot is made in the order in which a real one comes about: the garment is in another place, something is
//! before it, it is seen from somewhere, lit, and kept by a camera. All of it happens within the picture; the white that
//! letterboxes it for the model stays white, as it does when a consumer's own photo is embedded.

mod background;
mod canvas;
mod dice;
mod focus;
mod imitation;
mod light;
mod manner;
mod occlude;
mod scene;
pub mod sheet;
mod soften;
mod view;
mod warp;

pub use imitation::{Imitation, Kind};
pub use manner::Manner;
