//! What is known of an image: whose garment it shows, how hard it is, and what it is used for.

pub mod found;
pub mod image;
pub mod role;
pub mod strata;
pub(crate) mod words;
