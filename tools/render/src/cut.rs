//! The cut of a garment: everything about its shape and fittings.

/// How the neck is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collar {
    /// A round neck.
    Crew,
    /// A V-shaped neck.
    Vee,
    /// A wide, deep round neck.
    Scoop,
    /// A folded knit collar with a short placket.
    Polo,
    /// A folded shirt collar.
    Fold,
    /// A short standing collar.
    Stand,
    /// A tall rolled collar.
    Roll,
    /// A hood.
    Hood,
    /// Notched lapels.
    Lapel,
}

/// How far the sleeves reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleeve {
    /// No sleeves.
    None,
    /// Above the elbow.
    Short,
    /// Below the elbow.
    Half,
    /// To the wrist.
    Long,
}

/// How the front closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closure {
    /// It does not.
    None,
    /// One row of buttons.
    Buttons(u8),
    /// Two rows of buttons.
    Double(u8),
    /// A zip.
    Zip,
    /// Laces (shoes).
    Laces,
    /// A strap (shoes) or a flap (bags).
    Strap,
}

/// The pockets to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pocket {
    /// None.
    None,
    /// One on the chest.
    Chest,
    /// Two on the chest, with flaps.
    TwoChest,
    /// One across the belly.
    Kangaroo,
    /// Slanted openings at the hips.
    Slant,
    /// Two sewn-on pockets at the hips.
    Patch,
    /// Large pockets with flaps on the thighs.
    Cargo,
}

/// How the lower edge (or, for shoes, the toe) is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hem {
    /// Straight, with two rows of stitches.
    Straight,
    /// Rounded, longer at the middle.
    Curved,
    /// A ribbed band.
    Ribbed,
    /// A turned-up cuff or a ruffle.
    Turned,
}

/// The cut of an item; lengths are in body units (a person is about 1.75 tall).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut {
    /// Where the lower edge lies below the neck (tops) or the waist (bottoms).
    pub length: f32,
    /// Room beyond the body on either side.
    pub ease: f32,
    /// How much the lower edge is wider than the waist, on either side.
    pub flare: f32,
    /// The neck.
    pub collar: Collar,
    /// The sleeves.
    pub sleeve: Sleeve,
    /// The front.
    pub closure: Closure,
    /// The pockets.
    pub pocket: Pocket,
    /// The lower edge.
    pub hem: Hem,
    /// Elbow patches, a belt, a side stripe: one more thing to tell twins apart.
    pub extra: bool,
}
