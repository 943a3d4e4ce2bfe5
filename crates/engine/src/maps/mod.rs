//! The backbone's maps of many photos, computed once, and regions made of them.

pub(crate) mod cache;
pub(crate) mod chosen;
pub(crate) mod regions;
pub(crate) mod stream;
