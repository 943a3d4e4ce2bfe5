//! Cuts out the parts of an item for a pose.

mod bag;
mod bottoms;
mod collar;
mod fittings;
mod shoe;
mod skirt;
mod sleeves;
mod top;

use crate::annotation::View;
use crate::colour::Rgb;
use crate::item::Item;
use crate::kind::Kind;
use crate::part::Part;
use crate::pattern::{Fabric, Weave};
use crate::pose::Pose;

pub(crate) use sleeves::reach as sleeve_reach;

/// The parts of a garment in painting order, in body units with the neck (or the middle) at 0.
#[derive(Default)]
pub(crate) struct Garment {
    /// Sleeves and linings, below the trunk.
    pub(crate) under: Vec<Part>,
    /// The trunk: in a side view this is what is wrapped around the body.
    pub(crate) trunk: Vec<Part>,
    /// Sleeves that cross in front, or the near sleeve of a side view.
    pub(crate) over: Vec<Part>,
}

impl Garment {
    /// All parts, the lowest first.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.under.iter().chain(&self.trunk).chain(&self.over)
    }
}

/// The cloths an item is made of.
pub(crate) struct Cloths {
    /// The main cloth with its pattern.
    pub(crate) main: Fabric,
    /// Collars, cuffs and bands.
    pub(crate) trim: Fabric,
    /// The second colour, plain.
    pub(crate) second: Fabric,
    /// Stitches and seams on the main cloth.
    pub(crate) seam: Rgb,
}

impl Cloths {
    fn of(item: &Item) -> Self {
        let base = item.colour.rgb.times(item.tone);
        let second = item.second.rgb;
        let weave = match item.kind {
            Kind::Trousers | Kind::Shorts | Kind::Jacket => Weave::Twill,
            Kind::Hoodie | Kind::Coat => Weave::Fleece,
            Kind::Sweater => Weave::Knit,
            Kind::Shoe | Kind::Bag => Weave::Leather,
            _ => Weave::Jersey,
        };
        let third = if base.luma() > 0.5 { base.times(0.55) } else { base.mix(Rgb::hex(0xffffff), 0.6) };
        let main = Fabric { base, second, third, pattern: item.pattern, weave };
        let trim = if item.trimmed { main.plain(second) } else { main.plain(base.times(0.93)) };
        Self { main, trim, second: main.plain(second), seam: base.seam() }
    }
}

/// What the tailors of this module share.
pub(crate) struct Job<'a> {
    pub(crate) item: &'a Item,
    pub(crate) pose: &'a Pose,
    pub(crate) cloths: Cloths,
}

impl Job<'_> {
    fn front(&self) -> bool {
        self.pose.view != View::Back
    }
}

/// Cuts an item out for a pose. In a side view, kinds that [`wraps`] must be asked for their front
/// and back instead; only `over` differs then.
pub(crate) fn assemble(item: &Item, pose: &Pose) -> Garment {
    let job = Job { item, pose, cloths: Cloths::of(item) };
    match item.kind {
        Kind::Trousers | Kind::Shorts => bottoms::cut(&job),
        Kind::Skirt => skirt::cut(&job),
        Kind::Shoe => shoe::cut(&job),
        Kind::Bag => bag::cut(&job),
        _ => top::cut(&job),
    }
}

/// Whether the side of this kind is its front and back wrapped around a body; the number is the
/// body's depth relative to its width.
pub(crate) fn wraps(kind: Kind) -> Option<f32> {
    match kind {
        Kind::Trousers | Kind::Shorts | Kind::Shoe => None,
        Kind::Bag => Some(0.42),
        Kind::Skirt | Kind::Dress => Some(0.78),
        _ => Some(0.68),
    }
}
