//! Colours and the palette that garments are dyed from.

/// A colour in display (sRGB) values, each channel in `0.0..=1.0`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rgb(pub [f32; 3]);

impl Rgb {
    /// From `0xRRGGBB`.
    pub const fn hex(value: u32) -> Self {
        Self([(value >> 16 & 255) as f32 / 255.0, (value >> 8 & 255) as f32 / 255.0, (value & 255) as f32 / 255.0])
    }

    /// Part of the way towards another colour (`0.0`: this one, `1.0`: the other).
    pub fn mix(self, other: Self, share: f32) -> Self {
        let mut out = self.0;
        for (a, b) in out.iter_mut().zip(other.0) {
            *a += (b - *a) * share;
        }
        Self(out)
    }

    /// Every channel multiplied, kept within range.
    pub fn times(self, factor: f32) -> Self {
        Self(self.0.map(|channel| (channel * factor).clamp(0.0, 1.0)))
    }

    /// Perceived lightness in `0.0..=1.0`.
    pub fn luma(self) -> f32 {
        let [r, g, b] = self.0;
        0.299 * r + 0.587 * g + 0.114 * b
    }

    /// A darker tone for seams: dark cloth gets a lighter one, or its seams would vanish.
    pub fn seam(self) -> Self {
        if self.luma() < 0.22 { self.mix(Self::hex(0xffffff), 0.24) } else { self.times(0.62) }
    }

    /// The nearest 8-bit colour with the given opacity, for the 2-D library.
    pub(crate) fn paint(self, alpha: f32) -> tiny_skia::Color {
        let [r, g, b] = self.0.map(|channel| channel.clamp(0.0, 1.0));
        tiny_skia::Color::from_rgba(r, g, b, alpha.clamp(0.0, 1.0)).unwrap_or(tiny_skia::Color::BLACK)
    }
}

/// A dye with the name a shop would give it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dye {
    /// The name, in lower case.
    pub name: &'static str,
    /// The colour under neutral light.
    pub rgb: Rgb,
}

const fn dye(name: &'static str, hex: u32) -> Dye {
    Dye { name, rgb: Rgb::hex(hex) }
}

/// The dyes of tops, dresses and skirts.
pub const DYES: [Dye; 20] = [
    dye("black", 0x26262a),
    dye("white", 0xf1efea),
    dye("navy", 0x26365e),
    dye("grey", 0x9a9ca1),
    dye("red", 0xb8323a),
    dye("sage", 0x93a88c),
    dye("sky blue", 0x8fb6d9),
    dye("mustard", 0xd3a03a),
    dye("burgundy", 0x6d2439),
    dye("blush", 0xe3b7b3),
    dye("olive", 0x6b6c42),
    dye("cream", 0xe9dfc6),
    dye("teal", 0x2f7378),
    dye("lilac", 0xb6a3d0),
    dye("rust", 0xb35c34),
    dye("forest green", 0x2f5240),
    dye("cobalt", 0x2d52a8),
    dye("camel", 0xbf9767),
    dye("coral", 0xe57f68),
    dye("charcoal", 0x47494f),
];

/// The dyes of denim and trousers cloth.
pub const DENIMS: [Dye; 9] = [
    dye("blue denim", 0x4a668d),
    dye("dark denim", 0x2c3a56),
    dye("light denim", 0x8fa9c6),
    dye("black", 0x2a2a2d),
    dye("khaki", 0xb8a27c),
    dye("stone", 0xcfc4b0),
    dye("olive", 0x66683f),
    dye("grey", 0x85878c),
    dye("navy", 0x2a3756),
];

/// The dyes of leather.
pub const LEATHERS: [Dye; 9] = [
    dye("black", 0x2b2a2b),
    dye("white", 0xeeece8),
    dye("tan", 0xb07f4f),
    dye("brown", 0x6a4630),
    dye("navy", 0x2c3855),
    dye("red", 0xb03a3c),
    dye("sage", 0x9cab90),
    dye("blush", 0xdcb0a8),
    dye("grey", 0x9b9da1),
];
