//! The backbone's maps of many images, computed once, and regions made of them.

pub mod cache;
pub mod chosen;
pub mod map_set;
pub mod regions;
pub mod stream;
