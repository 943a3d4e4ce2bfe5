//! What a cloth looks like close up: dyes, woven or printed repeat, and texture.

use crate::colour::Rgb;
use libm::{cosf, sinf};

/// The repeat of a cloth; lengths are in body units (the shoulders are about 0.4 apart).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pattern {
    /// One colour.
    Plain,
    /// Stripes around the body.
    Stripes {
        /// From one stripe to the next.
        pitch: f32,
        /// Share of the pitch in the second colour.
        share: f32,
    },
    /// Thin lines down the body.
    Pinstripes {
        /// From one line to the next.
        pitch: f32,
    },
    /// Even checks (gingham).
    Checks {
        /// From one check to the next.
        pitch: f32,
    },
    /// Crossing bands with a thin overcheck (tartan).
    Plaid {
        /// From one band to the next.
        pitch: f32,
    },
    /// Round dots in staggered rows.
    Dots {
        /// From one dot to the next.
        pitch: f32,
        /// Radius as a share of the pitch.
        radius: f32,
    },
    /// Scattered five-petalled flowers.
    Floral {
        /// From one flower to the next.
        pitch: f32,
    },
}

impl Pattern {
    /// The word a shop would use, empty for plain cloth.
    pub fn adjective(&self) -> &'static str {
        match *self {
            Self::Plain => "",
            Self::Stripes { pitch, .. } if pitch > 0.07 => "wide-striped",
            Self::Stripes { .. } => "striped",
            Self::Pinstripes { .. } => "pinstriped",
            Self::Checks { .. } => "gingham",
            Self::Plaid { .. } => "plaid",
            Self::Dots { .. } => "dotted",
            Self::Floral { .. } => "floral",
        }
    }
}

/// The surface of a cloth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Weave {
    /// No texture: skin, plastic, painted things.
    Smooth,
    Jersey,
    Twill,
    Knit,
    Fleece,
    Leather,
}

/// A cloth ready to be cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fabric {
    pub(crate) base: Rgb,
    pub(crate) second: Rgb,
    pub(crate) third: Rgb,
    pub(crate) pattern: Pattern,
    pub(crate) weave: Weave,
}

/// The largest whole number not above `x`, which must fit an `i32`. The library call is slow on
/// processors that the default build must support.
#[inline]
pub(crate) fn floorf(x: f32) -> f32 {
    let cut = x as i32 as f32;
    if cut > x { cut - 1.0 } else { cut }
}

/// A small hash of a lattice point in `0.0..1.0`.
pub(crate) fn speckle(x: i32, y: i32) -> f32 {
    let mut h = (x as u32).wrapping_mul(0x8da6_b343) ^ (y as u32).wrapping_mul(0xd816_3841);
    h ^= h >> 15;
    h = h.wrapping_mul(0x2c1b_3c6d);
    h ^= h >> 13;
    (h >> 8) as f32 / 16_777_216.0
}

/// How far `t` lies inside a band of width `share` of the unit repeat, as coverage; `edge` is the
/// width of the soft border in repeats.
#[inline]
fn band(t: f32, share: f32, edge: f32) -> f32 {
    let t = t - floorf(t);
    let inside = (share / 2.0) - (t - 0.5).abs();
    (inside / edge + 0.5).clamp(0.0, 1.0)
}

impl Fabric {
    /// One flat colour without texture.
    pub(crate) fn flat(base: Rgb) -> Self {
        Self { base, second: base, third: base, pattern: Pattern::Plain, weave: Weave::Smooth }
    }

    /// The same cloth in one colour.
    pub(crate) fn plain(&self, base: Rgb) -> Self {
        Self { base, pattern: Pattern::Plain, ..*self }
    }

    /// The colour at a point of the cloth, with edges softened over `px` (the size of a pixel).
    pub(crate) fn colour(&self, x: f32, y: f32, px: f32) -> Rgb {
        let dyed = match self.pattern {
            Pattern::Plain => self.base,
            Pattern::Stripes { pitch, share } => self.base.mix(self.second, band(y / pitch, share, px / pitch)),
            Pattern::Pinstripes { pitch } => self.base.mix(self.second, band(x / pitch, 0.14, px / pitch) * 0.85),
            Pattern::Checks { pitch } => {
                let edge = px / pitch;
                let cover = band(x / pitch, 0.5, edge) + band(y / pitch, 0.5, edge);
                self.base.mix(self.second, cover * 0.5)
            }
            Pattern::Plaid { pitch } => self.plaid(x / pitch, y / pitch, px / pitch),
            Pattern::Dots { pitch, radius } => {
                let row = floorf(y / pitch);
                let shift = if (row as i32) & 1 == 0 { 0.0 } else { 0.5 };
                let u = x / pitch + shift;
                let (dx, dy) = (u - floorf(u) - 0.5, y / pitch - row - 0.5);
                let inside = radius - (dx * dx + dy * dy).sqrt();
                self.base.mix(self.second, (inside * pitch / px + 0.5).clamp(0.0, 1.0))
            }
            Pattern::Floral { pitch } => self.floral(x / pitch, y / pitch, px / pitch),
        };
        self.texture(dyed, x, y)
    }

    fn plaid(&self, u: f32, v: f32, edge: f32) -> Rgb {
        let broad = band(u, 0.42, edge) + band(v, 0.42, edge);
        let thin = band(u + 0.5, 0.06, edge).max(band(v + 0.5, 0.06, edge));
        let narrow = band(u + 0.32, 0.1, edge) + band(v + 0.32, 0.1, edge);
        self.base.mix(self.second, broad * 0.46).mix(self.second.times(0.5), narrow * 0.28).mix(self.third, thin * 0.8)
    }

    fn floral(&self, u: f32, v: f32, edge: f32) -> Rgb {
        let (cu, cv) = (floorf(u), floorf(v));
        let (iu, iv) = (cu as i32, cv as i32);
        let jitter = (speckle(iu, iv) - 0.5, speckle(iv, iu.wrapping_add(77)) - 0.5);
        let size = 0.26 + 0.1 * speckle(iu.wrapping_add(9), iv);
        let (dx, dy) = (u - cu - 0.5 - jitter.0 * 0.3, v - cv - 0.5 - jitter.1 * 0.3);
        let distance = (dx * dx + dy * dy).sqrt();
        if distance > 0.5 {
            return self.base;
        }
        let turn = libm::atan2f(dy, dx) + jitter.0 * 6.0;
        let petal = size * (0.72 + 0.28 * cosf(turn * 5.0));
        let cover = ((petal - distance) / edge + 0.5).clamp(0.0, 1.0);
        let heart = ((size * 0.32 - distance) / edge + 0.5).clamp(0.0, 1.0);
        let bloom = if speckle(iu, iv.wrapping_add(31)) > 0.3 { self.second } else { self.third };
        self.base.mix(bloom, cover).mix(Rgb::hex(0xf0d57c), heart)
    }

    fn texture(&self, dyed: Rgb, x: f32, y: f32) -> Rgb {
        let grain = |scale: f32| speckle((x * scale) as i32, (y * scale) as i32) - 0.5;
        let factor = match self.weave {
            Weave::Smooth => return dyed,
            Weave::Jersey => 1.0 + 0.045 * grain(420.0),
            Weave::Twill => 1.0 + 0.05 * sinf((x + y * 0.8) * 620.0) + 0.09 * grain(330.0),
            Weave::Knit => {
                let column = x * 62.0;
                let zig = (column - floorf(column) - 0.5).abs();
                let row = (y + zig * 0.016) * 95.0;
                1.0 - 0.20 * (zig - 0.2) + 0.09 * ((row - floorf(row)) - 0.5)
            }
            Weave::Fleece => 1.0 + 0.05 * grain(260.0) + 0.04 * grain(120.0),
            Weave::Leather => 1.0 + 0.05 * grain(200.0),
        };
        dyed.times(factor)
    }
}
