//! The choices of one augmented image, from its seed.

/// SplitMix64 (Steele, Lea, Flood 2014): neighbouring seeds have nothing in common, and every machine draws the same.
#[derive(Debug, Clone)]
pub(super) struct AugmentRng(u64);

impl AugmentRng {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Evenly in [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Evenly between two numbers.
    pub(super) fn between(&mut self, [low, high]: [f64; 2]) -> f64 {
        low + self.unit() * (high - low)
    }

    /// Evenly in [−most, most).
    pub(super) fn around(&mut self, most: f64) -> f64 {
        self.between([-most, most])
    }

    /// True that share of the time.
    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// One of `n`; `None` of none.
    pub(super) fn below(&mut self, n: usize) -> Option<usize> {
        (n > 0).then(|| ((self.unit() * n as f64) as usize).min(n - 1))
    }

    /// Nearly normal, of variance 1: the sum of four even numbers. It never exceeds 3.5, so no image turns upside down.
    pub(super) fn normal(&mut self) -> f64 {
        let sum: f64 = (0..4).map(|_| self.unit()).sum();
        (sum - 2.0) * 3f64.sqrt()
    }
}
