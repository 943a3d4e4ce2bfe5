//! Images that a training looks at as they are: only theirs are the maps that it computes before the first step.

use std::collections::BTreeSet;

use crate::batch::Sampler;
use crate::start::Beginning;
use crate::validate::HeldOut;

/// The validation's images, the faces by which garments are found alike, and what a new network is made of. There are
/// at most 1,800, 16,000 and 4,096 of them, however many images there are.
pub fn wanted(held_out: &HeldOut, sampler: &Sampler, beginning: &Beginning) -> BTreeSet<usize> {
    held_out.images().chain(sampler.faces()).chain(beginning.images()).collect()
}
