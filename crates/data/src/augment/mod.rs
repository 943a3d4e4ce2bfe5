//! Augmented images: an image as somebody might have taken it, from a seed.
//!
//! An augmented image is made in the order in which a real one comes about: the garment is in another place, something
//! is before it, it is seen from somewhere, lit, and kept by a camera. All of it happens within the picture; the white
//! that letterboxes it for the model stays white, as it does when a consumer's own image is embedded.

pub mod augmentation;
mod background;
mod canvas;
mod focus;
mod light;
mod occlude;
pub mod preset;
mod rng;
mod scene;
pub mod sheet;
mod soften;
mod view;
mod warp;
