//! The choices of a step, from the seed and its number.

use grnet_data::rng::Rng;

/// Numbers that a seed and a step decide.
pub struct StepRng(Rng);

impl StepRng {
    /// Those of a step.
    pub fn of(seed: u64, step: usize) -> Self {
        let mut rng = Rng::new((seed ^ (step as u64) << 20).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        // The first of neighbouring seeds are alike.
        rng.unit();
        Self(rng)
    }

    /// Evenly in [0, 1).
    pub fn share(&mut self) -> f64 {
        (f64::from(self.0.unit()) + 1.0) / 2.0
    }

    /// One of `n`, of which there must be one.
    pub fn below(&mut self, n: usize) -> usize {
        (self.share() * n as f64) as usize
    }

    /// A seed of 24 bits.
    pub fn seed(&mut self) -> u64 {
        (f64::from(self.0.unit()) * 8_388_608.0 + 8_388_608.0) as u64
    }
}
