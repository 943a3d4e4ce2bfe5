//! Encoded images to pixels.

use grnet_features::config::Input;
use grnet_image::{Error, Fit, Limits, Picture, Plan, Region};

use crate::decode::fit::fit;
use crate::decode::memory_budget::MemoryBudget;

/// Bytes in which images are decoded at one time, all threads together: one of the 64 million pixels that the default
/// limit allows in the costliest coding (a TIFF of 16-bit RGBA, 16 bytes a pixel), two of them as a PNG, 14 progressive
/// JPEGs of 12 million, 300 with one scan.
const DECODING: u64 = 1 << 30;
/// Bytes beside those for images that take little: an ordinary image does not wait while giants of another session are
/// decoded one after another.
const ORDINARY: u64 = 128 << 20;
/// Little: an image of 12 million pixels, in most codings.
const LITTLE: u64 = 64 << 20;

/// Decodes images on any number of threads, within a bound on what they take together.
#[derive(Debug)]
pub struct ImageDecoder {
    budget: MemoryBudget,
    ordinary: MemoryBudget,
}

impl Default for ImageDecoder {
    fn default() -> Self {
        Self { budget: MemoryBudget::new(DECODING), ordinary: MemoryBudget::new(ORDINARY) }
    }
}

impl ImageDecoder {
    /// A network's input: `size · size · 3` bytes, rows of RGB.
    ///
    /// # Errors
    /// What is wrong with the image.
    pub fn prepare(
        &self,
        bytes: &[u8],
        region: Option<&Region>,
        input: &Input,
        limits: &Limits,
    ) -> Result<Vec<u8>, Error> {
        let plan = grnet_image::plan(bytes, region, fit(input.fit), input.size, limits);
        self.run(plan, |plan| Ok(plan.run()?.pixels))
    }

    /// An image for people to look at: upright, its longer side `longest` pixels.
    ///
    /// # Errors
    /// What is wrong with the image.
    pub fn picture(&self, bytes: &[u8], longest: u32, limits: &Limits) -> Result<Picture, Error> {
        self.run(grnet_image::plan(bytes, None, Fit::Letterbox, longest, limits), |plan| plan.picture())
    }

    /// Runs a plan when the budget has what it takes.
    fn run<T>(
        &self,
        plan: Result<Plan<'_>, Error>,
        run: impl FnOnce(Plan<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let plan = plan?;
        let bytes = plan.memory();
        let budget = if bytes <= LITTLE { &self.ordinary } else { &self.budget };
        let _reserved = budget.reserve(bytes);
        run(plan)
    }
}
