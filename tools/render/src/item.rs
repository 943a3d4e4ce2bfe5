//! Items: what a garment is, before it is drawn.

use crate::colour::Dye;
use crate::cut::{Closure, Collar, Cut, Hem, Pocket, Sleeve};
use crate::kind::Kind;
use crate::pattern::Pattern;

/// A pictogram that can be printed on a garment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Motif {
    /// The English noun.
    pub name: &'static str,
    pub(crate) glyph: &'static str,
}

const fn motif(name: &'static str, glyph: &'static str) -> Motif {
    Motif { name, glyph }
}

/// The pictograms.
pub const MOTIFS: [Motif; 14] = [
    motif("cat", "\u{1F431}"),
    motif("rocket", "\u{1F680}"),
    motif("cactus", "\u{1F335}"),
    motif("wave", "\u{1F30A}"),
    motif("mushroom", "\u{1F344}"),
    motif("bear", "\u{1F43B}"),
    motif("palm", "\u{1F334}"),
    motif("guitar", "\u{1F3B8}"),
    motif("anchor", "\u{2693}"),
    motif("cherry", "\u{1F352}"),
    motif("whale", "\u{1F433}"),
    motif("bicycle", "\u{1F6B2}"),
    motif("sun", "\u{2600}"),
    motif("star", "\u{2B50}"),
];

/// The words that can be printed on a garment.
pub const WORDS: [&str; 14] = [
    "HELLO", "OSLO", "1987", "SURF", "MILANO", "NOPE", "WILD", "PARIS", "ALOHA", "23", "NORTH", "LUCKY", "DISCO",
    "SLOW",
];

/// What is printed on the chest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Print {
    /// Nothing.
    None,
    /// A pictogram, and its height in body units.
    Motif(Motif, f32),
    /// A word, and its width in body units.
    Word(&'static str, f32),
}

/// One garment of a catalogue: a description from which every photo of it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its number in the catalogue.
    pub number: u64,
    /// Items of one family share kind, colour and most of the cut, and differ in a detail or two.
    pub family: u64,
    /// Its place in the family, from 0.
    pub member: u64,
    /// What it is.
    pub kind: Kind,
    /// The main colour.
    pub colour: Dye,
    /// The colour of the pattern, the print and contrasting fittings.
    pub second: Dye,
    /// Brightness relative to the dye: siblings differ a little.
    pub tone: f32,
    /// The repeat of the cloth.
    pub pattern: Pattern,
    /// What is printed on the chest.
    pub print: Print,
    /// The cut.
    pub cut: Cut,
    /// Whether collar, cuffs and hems are in the second colour.
    pub trimmed: bool,
    /// Seeds the item's photos.
    pub(crate) seed: u64,
}

impl Item {
    /// A line such as "navy striped T-shirt with a chest pocket".
    pub fn title(&self) -> String {
        let mut words = vec![self.colour.name];
        if self.pattern == Pattern::Plain {
            words.push(match (self.kind, self.cut.sleeve) {
                (Kind::TShirt, Sleeve::Long) => "long-sleeved",
                (Kind::Dress, Sleeve::None) => "sleeveless",
                _ => "",
            });
        } else {
            words.push(self.pattern.adjective());
        }
        words.push(match (self.kind, self.cut.collar) {
            (Kind::TShirt, Collar::Polo) => "polo shirt",
            (Kind::Shoe, _) if self.cut.length > 0.3 => "high-top shoe",
            (kind, _) => kind.name(),
        });
        words.retain(|word| !word.is_empty());
        let mut title = words.join(" ");
        for (index, detail) in self.details().into_iter().take(3).enumerate() {
            title.push_str(if index == 0 { " with " } else { ", " });
            title.push_str(&detail);
        }
        title
    }

    /// The details that tell this item from its siblings, the most striking first.
    pub fn details(&self) -> Vec<String> {
        let mut list = Vec::new();
        match self.print {
            Print::None => {}
            Print::Motif(motif, _) => list.push(format!("{} print", motif.name)),
            Print::Word(word, _) => list.push(format!("\"{word}\"")),
        }
        let worn = self.kind.is_top();
        let pocket = match (self.kind, self.cut.pocket) {
            (_, Pocket::None) => "",
            (Kind::Bag, _) => "front pocket",
            (_, Pocket::Chest) => "chest pocket",
            (_, Pocket::TwoChest) => "two chest pockets",
            (_, Pocket::Kangaroo) => "kangaroo pocket",
            (_, Pocket::Slant) => {
                if worn {
                    "slant pockets"
                } else {
                    ""
                }
            }
            (_, Pocket::Patch) => "patch pockets",
            (_, Pocket::Cargo) => "cargo pockets",
        };
        let collar = match self.cut.collar {
            _ if !worn => "",
            Collar::Vee => "V-neck",
            Collar::Scoop => "scoop neck",
            Collar::Stand => "stand collar",
            Collar::Roll => "roll neck",
            _ => "",
        };
        let closure = match (self.kind, self.cut.closure) {
            (Kind::Hoodie | Kind::Jacket | Kind::Bag, Closure::Zip) => "zip",
            (Kind::Skirt | Kind::Dress | Kind::Sweater | Kind::Jacket, Closure::Buttons(_)) => "buttons",
            (Kind::Jacket | Kind::Coat | Kind::Dress, Closure::Double(_)) => "double row of buttons",
            (Kind::Shoe, Closure::Strap) => "strap",
            (Kind::Bag, Closure::Strap) => "flap",
            _ => "",
        };
        let extra = match self.kind {
            _ if !self.cut.extra => "",
            Kind::Dress | Kind::Coat | Kind::Skirt => "belt",
            Kind::Sweater | Kind::Jacket => "elbow patches",
            Kind::Trousers | Kind::Shorts | Kind::Shoe => "side stripes",
            Kind::TShirt | Kind::Hoodie | Kind::Shirt | Kind::Bag => "",
        };
        let hem = match (self.kind, self.cut.hem) {
            (Kind::Dress | Kind::Skirt, Hem::Turned) => "ruffle",
            (Kind::Trousers | Kind::Shorts, Hem::Turned) => "turn-ups",
            _ => "",
        };
        for word in [pocket, closure, extra, collar, hem] {
            if !word.is_empty() {
                list.push(word.to_owned());
            }
        }
        if self.trimmed {
            list.push(format!("{} trim", self.second.name));
        }
        list
    }
}

impl core::fmt::Display for Item {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.title())
    }
}
