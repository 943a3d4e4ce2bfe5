//! Numbers from a seed, the same on every machine.

/// Numbers from a seed, the same on every machine and easy to repeat in another language: `x ← 6364136223846793005·x +
/// 1442695040888963407 mod 2⁶⁴`, of which the upper 24 bits count; Knuth's MMIX generator.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, evenly in [−1, 1): exact in f32.
    pub fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / 8_388_608.0 - 1.0
    }

    /// `n` numbers, evenly in [−amplitude, amplitude).
    pub fn take(&mut self, n: usize, amplitude: f32) -> Vec<f32> {
        (0..n).map(|_| self.unit() * amplitude).collect()
    }
}
