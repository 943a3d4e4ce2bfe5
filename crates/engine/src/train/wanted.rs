//! Photos that a training looks at as they are: only theirs are the maps that it computes before the first step.

use std::collections::BTreeSet;

use super::batch::Sampler;
use super::start::Beginning;
use super::validate::HeldOut;

/// The validation's photos, the faces by which garments are found alike, and what a new network is made of. There are at
/// most 1,800, 16,000 and 4,096 of them, however many photos there are.
pub fn wanted(held_out: &HeldOut, sampler: &Sampler, beginning: &Beginning) -> BTreeSet<usize> {
    held_out.photos().chain(sampler.faces()).chain(beginning.photos()).collect()
}
