//! The kinds of garment that can be drawn.

/// What sort of garment an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A T-shirt.
    TShirt,
    /// A dress.
    Dress,
    /// A button-up shirt.
    Shirt,
    /// Long trousers or jeans.
    Trousers,
    /// A hooded sweatshirt.
    Hoodie,
    /// A skirt.
    Skirt,
    /// A short zipped or buttoned jacket.
    Jacket,
    /// A low shoe.
    Shoe,
    /// A knitted sweater.
    Sweater,
    /// Shorts.
    Shorts,
    /// A handbag.
    Bag,
    /// A long coat.
    Coat,
}

impl Kind {
    /// Every kind, in the order in which a catalogue deals them out.
    pub const ALL: [Self; 12] = [
        Self::TShirt,
        Self::Dress,
        Self::Shirt,
        Self::Trousers,
        Self::Hoodie,
        Self::Skirt,
        Self::Jacket,
        Self::Shoe,
        Self::Sweater,
        Self::Shorts,
        Self::Bag,
        Self::Coat,
    ];

    /// The English noun, as used in titles and in the `kind` column.
    pub fn name(self) -> &'static str {
        match self {
            Self::TShirt => "T-shirt",
            Self::Dress => "dress",
            Self::Shirt => "shirt",
            Self::Trousers => "trousers",
            Self::Hoodie => "hoodie",
            Self::Skirt => "skirt",
            Self::Jacket => "jacket",
            Self::Shoe => "shoe",
            Self::Sweater => "sweater",
            Self::Shorts => "shorts",
            Self::Bag => "bag",
            Self::Coat => "coat",
        }
    }

    /// Worn on the upper body.
    pub(crate) fn is_top(self) -> bool {
        use Kind::{Coat, Dress, Hoodie, Jacket, Shirt, Sweater, TShirt};
        matches!(self, TShirt | Dress | Shirt | Hoodie | Jacket | Sweater | Coat)
    }

    /// Hangs from the waist.
    pub(crate) fn is_bottom(self) -> bool {
        matches!(self, Self::Trousers | Self::Skirt | Self::Shorts)
    }
}

impl core::fmt::Display for Kind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}
