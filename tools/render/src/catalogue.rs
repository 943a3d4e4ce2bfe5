//! Catalogues: endless lists of items in which many resemble one another.

use crate::colour::{DENIMS, DYES, Dye, LEATHERS};
use crate::cut::{Closure, Collar, Cut, Hem, Pocket, Sleeve};
use crate::dice::Dice;
use crate::item::{Item, MOTIFS, Print, WORDS};
use crate::kind::Kind;
use crate::pattern::Pattern;

/// Items of one family.
const FAMILY: u64 = 4;
const DRAW: u64 = 1;

/// An endless list of items, fixed by its seed.
///
/// Item `n` is of kind `n % 12`. Every 48 items hold 12 families of four siblings; siblings share
/// kind, colours and most of the cut, and each differs from the others in a detail of its own
/// (pocket, collar, print, width of the stripes …).
#[derive(Clone, Copy, Debug)]
pub struct Catalogue {
    seed: u64,
}

impl Catalogue {
    /// The catalogue of a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The item of the given number.
    pub fn item(&self, number: u64) -> Item {
        let kinds = Kind::ALL.len() as u64;
        let (block, place) = (number / (kinds * FAMILY), number % (kinds * FAMILY));
        let family = block * kinds + place % kinds;
        let member = place / kinds;
        let kind = Kind::ALL[(place % kinds) as usize];
        let mut dice = Dice::new(self.seed, DRAW, family, 0);
        let mut item = first(kind, family, &mut dice);
        item.number = number;
        item.member = member;
        item.seed = self.seed;
        if member > 0 {
            // The order of the aspects is the family's own, so no two siblings change the same one.
            let mut aspects = aspects(&item);
            dice.shuffle(&mut aspects);
            let mut own = Dice::new(self.seed, DRAW, family, member);
            let turn = (member - 1) as usize % aspects.len();
            alter(&mut item, aspects[turn], &mut own);
            item.tone = own.range(0.97, 1.03);
        }
        item
    }
}

/// The founder of a family.
fn first(kind: Kind, family: u64, dice: &mut Dice) -> Item {
    let dyes: &[Dye] = match kind {
        Kind::Trousers | Kind::Shorts => &DENIMS,
        Kind::Shoe | Kind::Bag => &LEATHERS,
        _ => &DYES,
    };
    let colour = dice.pick(dyes);
    let second = contrast(colour, dice);
    let pattern = pattern(kind, dice);
    let print = match kind {
        Kind::TShirt if pattern == Pattern::Plain && dice.chance(0.75) => print(dice),
        Kind::Hoodie | Kind::Sweater if pattern == Pattern::Plain && dice.chance(0.5) => print(dice),
        _ => Print::None,
    };
    let trimmed = !matches!(kind, Kind::Trousers | Kind::Coat | Kind::Shorts) && dice.chance(0.3);
    let cut = cut(kind, dice);
    Item { number: 0, family, member: 0, kind, colour, second, tone: 1.0, pattern, print, cut, trimmed, seed: 0 }
}

/// A dye that shows on another.
fn contrast(on: Dye, dice: &mut Dice) -> Dye {
    for _ in 0..16 {
        let other = dice.pick(&DYES);
        if (other.rgb.luma() - on.rgb.luma()).abs() > 0.3 {
            return other;
        }
    }
    if on.rgb.luma() > 0.5 { DYES[2] } else { DYES[11] }
}

fn pattern(kind: Kind, dice: &mut Dice) -> Pattern {
    let stripes = Pattern::Stripes { pitch: dice.pick(&[0.035, 0.05, 0.085]), share: dice.pick(&[0.3, 0.5]) };
    let checks = Pattern::Checks { pitch: dice.range(0.03, 0.05) };
    let plaid = Pattern::Plaid { pitch: dice.range(0.09, 0.14) };
    let dots = Pattern::Dots { pitch: dice.range(0.04, 0.075), radius: dice.range(0.18, 0.28) };
    let floral = Pattern::Floral { pitch: dice.range(0.07, 0.11) };
    let lines = Pattern::Pinstripes { pitch: dice.range(0.025, 0.04) };
    let plain = Pattern::Plain;
    match kind {
        Kind::TShirt => dice.pick(&[plain, plain, plain, stripes, stripes, dots]),
        Kind::Dress => dice.pick(&[plain, floral, floral, dots, stripes, checks]),
        Kind::Shirt => dice.pick(&[plain, checks, plaid, lines, floral]),
        Kind::Skirt => dice.pick(&[plain, plaid, floral, dots, checks]),
        Kind::Sweater => dice.pick(&[plain, plain, stripes, stripes]),
        Kind::Jacket => dice.pick(&[plain, plain, plain, plaid]),
        Kind::Coat => dice.pick(&[plain, plain, plaid, lines]),
        Kind::Bag => dice.pick(&[plain, plain, plain, checks]),
        Kind::Trousers | Kind::Shorts => dice.pick(&[plain, plain, plain, lines]),
        Kind::Hoodie | Kind::Shoe => plain,
    }
}

fn print(dice: &mut Dice) -> Print {
    if dice.chance(0.55) {
        Print::Motif(dice.pick(&MOTIFS), dice.range(0.11, 0.19))
    } else {
        Print::Word(dice.pick(&WORDS), dice.range(0.19, 0.26))
    }
}

fn cut(kind: Kind, dice: &mut Dice) -> Cut {
    use Closure as C;
    use Collar::{Crew, Fold, Lapel, Polo, Roll, Scoop, Stand, Vee};
    use Hem::{Curved, Ribbed, Straight, Turned};
    use Pocket as P;
    use Sleeve as S;
    let base = |length, ease, flare| Cut {
        length,
        ease,
        flare,
        collar: Crew,
        sleeve: S::None,
        closure: C::None,
        pocket: P::None,
        hem: Straight,
        extra: false,
    };
    let mut r = |low: f32, high: f32| dice.range(low, high);
    let mut cut = match kind {
        Kind::TShirt => base(r(0.58, 0.66), r(0.015, 0.045), r(-0.005, 0.015)),
        Kind::Dress => base(r(0.9, 1.2), r(0.005, 0.02), r(0.06, 0.2)),
        Kind::Shirt => base(r(0.66, 0.74), r(0.02, 0.045), r(0.0, 0.015)),
        Kind::Trousers => base(r(0.93, 1.0), r(0.01, 0.04), r(-0.02, 0.05)),
        Kind::Hoodie => base(r(0.62, 0.68), r(0.035, 0.06), r(0.0, 0.01)),
        Kind::Skirt => base(r(0.34, 0.72), r(0.005, 0.02), r(0.03, 0.2)),
        Kind::Jacket => base(r(0.58, 0.66), r(0.035, 0.055), r(-0.01, 0.01)),
        Kind::Shoe => base(r(0.2, 0.38), r(0.0, 0.03), r(0.0, 0.03)),
        Kind::Sweater => base(r(0.6, 0.67), r(0.03, 0.055), r(-0.01, 0.01)),
        Kind::Shorts => base(r(0.34, 0.46), r(0.02, 0.045), r(0.0, 0.04)),
        Kind::Bag => base(r(0.26, 0.36), r(0.0, 0.06), r(-0.03, 0.04)),
        Kind::Coat => base(r(0.9, 1.08), r(0.04, 0.06), r(0.02, 0.06)),
    };
    match kind {
        Kind::TShirt => {
            cut.collar = dice.pick(&[Crew, Crew, Vee, Scoop, Polo]);
            cut.sleeve = dice.pick(&[S::Short, S::Short, S::Short, S::Half, S::Long]);
            cut.pocket = dice.pick(&[P::None, P::None, P::Chest]);
        }
        Kind::Dress => {
            cut.collar = dice.pick(&[Crew, Vee, Scoop, Fold]);
            cut.sleeve = dice.pick(&[S::None, S::Short, S::Short, S::Long]);
            cut.hem = dice.pick(&[Straight, Straight, Turned]);
            cut.closure = dice.pick(&[C::None, C::None, C::Buttons(9)]);
            cut.extra = dice.chance(0.4);
        }
        Kind::Shirt => {
            cut.collar = dice.pick(&[Fold, Fold, Stand]);
            cut.sleeve = dice.pick(&[S::Long, S::Long, S::Short]);
            cut.closure = C::Buttons(dice.pick(&[6, 7]));
            cut.pocket = dice.pick(&[P::None, P::Chest, P::TwoChest]);
            cut.hem = Curved;
        }
        Kind::Trousers | Kind::Shorts => {
            cut.pocket = dice.pick(&[P::Slant, P::Slant, P::Cargo]);
            cut.closure = C::Buttons(1);
            cut.hem = dice.pick(&[Straight, Straight, Turned]);
        }
        Kind::Hoodie => {
            cut.collar = Collar::Hood;
            cut.sleeve = S::Long;
            cut.pocket = P::Kangaroo;
            cut.hem = Ribbed;
            cut.closure = dice.pick(&[C::None, C::None, C::Zip]);
        }
        Kind::Skirt => {
            cut.closure = dice.pick(&[C::None, C::None, C::Buttons(6)]);
            cut.hem = dice.pick(&[Straight, Straight, Turned]);
            cut.pocket = dice.pick(&[P::None, P::None, P::Patch]);
        }
        Kind::Jacket => {
            cut.collar = dice.pick(&[Stand, Fold, Lapel]);
            cut.sleeve = S::Long;
            cut.closure = dice.pick(&[C::Zip, C::Buttons(6)]);
            cut.pocket = dice.pick(&[P::Slant, P::TwoChest, P::Patch]);
            cut.hem = Ribbed;
            if cut.collar == Lapel {
                (cut.closure, cut.hem, cut.pocket) = (C::Buttons(2), Straight, P::Patch);
            }
        }
        Kind::Shoe => cut.closure = dice.pick(&[C::Laces, C::Laces, C::Strap]),
        Kind::Sweater => {
            cut.collar = dice.pick(&[Crew, Crew, Vee, Roll]);
            cut.sleeve = S::Long;
            cut.hem = Ribbed;
        }
        Kind::Bag => {
            cut.closure = dice.pick(&[C::Zip, C::Strap]);
            cut.pocket = dice.pick(&[P::None, P::Patch]);
        }
        Kind::Coat => {
            cut.collar = Lapel;
            cut.sleeve = S::Long;
            cut.closure = dice.pick(&[C::Buttons(3), C::Double(3)]);
            cut.pocket = dice.pick(&[P::Patch, P::Slant]);
            cut.extra = dice.chance(0.4);
        }
    }
    cut
}

/// Something siblings can differ in.
#[derive(Clone, Copy)]
enum Aspect {
    Pocket,
    Collar,
    Print,
    Repeat,
    Closure,
    Trim,
    Extra,
    Hem,
}

fn aspects(item: &Item) -> Vec<Aspect> {
    use Aspect::{Closure, Collar, Extra, Hem, Pocket, Print, Repeat, Trim};
    let mut list = match item.kind {
        Kind::TShirt => vec![Pocket, Collar, Print, Trim],
        Kind::Dress => vec![Collar, Closure, Hem, Extra],
        Kind::Shirt => vec![Pocket, Collar, Trim],
        Kind::Trousers | Kind::Shorts => vec![Pocket, Hem, Extra],
        Kind::Hoodie => vec![Closure, Print, Trim],
        Kind::Skirt => vec![Closure, Pocket, Hem],
        Kind::Jacket => vec![Pocket, Closure, Trim],
        Kind::Shoe => vec![Extra, Trim, Closure],
        Kind::Sweater => vec![Collar, Print, Trim, Extra],
        Kind::Bag => vec![Closure, Pocket, Trim],
        Kind::Coat => vec![Closure, Pocket, Extra],
    };
    if item.pattern != Pattern::Plain {
        list.retain(|aspect| !matches!(aspect, Print));
        list.push(Repeat);
    }
    list
}

/// Another value than the present one.
fn other<T: Copy + PartialEq>(now: T, from: &[T], dice: &mut Dice) -> T {
    let rest: Vec<T> = from.iter().copied().filter(|value| *value != now).collect();
    if rest.is_empty() { now } else { dice.pick(&rest) }
}

fn alter(item: &mut Item, aspect: Aspect, dice: &mut Dice) {
    let cut = &mut item.cut;
    match aspect {
        Aspect::Pocket => {
            use Pocket::{Cargo, Chest, None, Patch, Slant, TwoChest};
            let choice: &[Pocket] = match item.kind {
                Kind::TShirt => &[None, Chest],
                Kind::Shirt => &[None, Chest, TwoChest],
                Kind::Trousers | Kind::Shorts => &[Slant, Cargo],
                Kind::Jacket => &[Slant, TwoChest, Patch],
                Kind::Coat => &[Patch, Slant],
                _ => &[None, Patch],
            };
            cut.pocket = other(cut.pocket, choice, dice);
        }
        Aspect::Collar => {
            use Collar::{Crew, Fold, Polo, Roll, Scoop, Stand, Vee};
            let choice: &[Collar] = match item.kind {
                Kind::TShirt => &[Crew, Vee, Scoop, Polo],
                Kind::Dress => &[Crew, Vee, Scoop, Fold],
                Kind::Sweater => &[Crew, Vee, Roll],
                _ => &[Fold, Stand],
            };
            cut.collar = other(cut.collar, choice, dice);
        }
        Aspect::Print => {
            let before = item.print;
            while item.print == before {
                item.print = print(dice);
            }
        }
        Aspect::Repeat => {
            let factor = dice.pick(&[0.62, 1.55]);
            item.pattern = match item.pattern {
                Pattern::Plain => Pattern::Plain,
                Pattern::Stripes { pitch, share } => Pattern::Stripes { pitch: pitch * factor, share },
                Pattern::Pinstripes { pitch } => Pattern::Pinstripes { pitch: pitch * factor.max(1.0) * 1.2 },
                Pattern::Checks { pitch } => Pattern::Checks { pitch: pitch * factor },
                Pattern::Plaid { pitch } => Pattern::Plaid { pitch: pitch * factor },
                Pattern::Dots { pitch, radius } => Pattern::Dots { pitch: pitch * factor, radius },
                Pattern::Floral { pitch } => Pattern::Floral { pitch: pitch * factor },
            };
        }
        Aspect::Closure => {
            use Closure::{Buttons, Double, Laces, None, Strap, Zip};
            let choice: &[Closure] = match item.kind {
                Kind::Dress => &[None, Buttons(9), Double(3)],
                Kind::Hoodie => &[None, Zip],
                Kind::Skirt => &[None, Buttons(6), Double(3)],
                Kind::Jacket if cut.collar == Collar::Lapel => &[Buttons(1), Buttons(3), Double(2)],
                Kind::Jacket => &[Zip, Buttons(6)],
                Kind::Shoe => &[Laces, Strap],
                Kind::Bag => &[Zip, Strap],
                _ => &[Buttons(3), Double(3), Buttons(5)],
            };
            cut.closure = other(cut.closure, choice, dice);
        }
        Aspect::Trim => item.trimmed = !item.trimmed,
        Aspect::Extra => cut.extra = !cut.extra,
        Aspect::Hem => {
            cut.hem = if cut.hem == Hem::Turned { Hem::Straight } else { Hem::Turned };
        }
    }
}
