//! How hard an image is to match: FindFashion's strata, from three annotations.
//!
//! The paper names the strata and not their bounds. Ours are those that grnet-render draws by, and the words are those
//! that it writes: view front, side or back; occlusion and cropping none (less than 6 % of the garment), light (less
//! than 25 %) or heavy.

use crate::dataset::words::words;

words! {
    /// The side of the garment that is seen.
    View {
        /// The front.
        Front = "front",
        /// The side.
        Side = "side",
        /// The back.
        Back = "back",
    }
}

words! {
    /// How much of the garment is hidden, or cut off by the image's border.
    Level {
        /// Less than 6 %.
        None = "none",
        /// Less than 25 %.
        Light = "light",
        /// 25 % or more.
        Heavy = "heavy",
    }
}

impl Level {
    /// Lowest share of [`Level::Light`].
    pub const LIGHT_FROM: f64 = 0.06;
    /// Lowest share of [`Level::Heavy`].
    pub const HEAVY_FROM: f64 = 0.25;

    /// The level of a share from 0 to 1; `None` for any other number.
    pub fn of_share(share: f64) -> Option<Self> {
        match share {
            s if !(0.0..=1.0).contains(&s) => None,
            s if s < Self::LIGHT_FROM => Some(Self::None),
            s if s < Self::HEAVY_FROM => Some(Self::Light),
            _ => Some(Self::Heavy),
        }
    }
}

words! {
    /// A stratum. An image may belong to several hard ones; one with light flaws only belongs to none.
    Difficulty {
        /// The front, neither hidden nor cropped: all three annotated.
        Easy = "easy",
        /// The side or the back.
        HardView = "hard-view",
        /// Heavily hidden.
        HardOcclusion = "hard-occlusion",
        /// Heavily cropped.
        HardCropping = "hard-cropping",
    }
}

/// What is annotated of an image's hardness. `None` is not annotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Strata {
    /// The side that is seen.
    pub view: Option<View>,
    /// How much something hides.
    pub occlusion: Option<Level>,
    /// How much lies outside the image.
    pub cropping: Option<Level>,
}

impl Strata {
    /// What a table's words say; an empty one is not annotated. Occlusion and cropping may be shares from 0 to 1.
    ///
    /// # Errors
    /// A word that is none of the known, with these.
    pub fn of(view: &str, occlusion: &str, cropping: &str) -> Result<Self, String> {
        let level = |word: &str| Level::of(word).or_else(|| Level::of_share(word.parse().ok()?));
        let levels = "none, light, heavy and shares from 0 to 1";
        Ok(Self {
            view: known(view, View::of, "view", "front, side and back")?,
            occlusion: known(occlusion, level, "occlusion", levels)?,
            cropping: known(cropping, level, "cropping", levels)?,
        })
    }

    /// Whether the image belongs to a stratum. What is not annotated makes an image neither easy nor hard.
    pub fn is(self, difficulty: Difficulty) -> bool {
        match difficulty {
            Difficulty::Easy => {
                self.view == Some(View::Front)
                    && self.occlusion == Some(Level::None)
                    && self.cropping == Some(Level::None)
            }
            Difficulty::HardView => matches!(self.view, Some(View::Side | View::Back)),
            Difficulty::HardOcclusion => self.occlusion == Some(Level::Heavy),
            Difficulty::HardCropping => self.cropping == Some(Level::Heavy),
        }
    }

    /// The strata the image belongs to.
    pub fn difficulties(self) -> impl Iterator<Item = Difficulty> {
        Difficulty::ALL.iter().copied().filter(move |&difficulty| self.is(difficulty))
    }

    /// Whether anything is annotated.
    pub fn known(self) -> bool {
        self != Self::default()
    }
}

/// A word as `of` understands it; `None` where there is none.
fn known<T>(word: &str, of: impl Fn(&str) -> Option<T>, what: &str, words: &str) -> Result<Option<T>, String> {
    match word {
        "" => Ok(None),
        word => of(word).map(Some).ok_or_else(|| format!("has the {what} `{word}`, known are {words}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strata(view: View, occlusion: Level, cropping: Level) -> Strata {
        Strata { view: Some(view), occlusion: Some(occlusion), cropping: Some(cropping) }
    }

    #[test]
    fn an_image_may_be_hard_in_several_ways_easy_in_one_and_neither() {
        let of = |strata: Strata| strata.difficulties().map(Difficulty::word).collect::<Vec<_>>();
        assert_eq!(of(strata(View::Front, Level::None, Level::None)), ["easy"]);
        assert_eq!(
            of(strata(View::Back, Level::Heavy, Level::Heavy)),
            ["hard-view", "hard-occlusion", "hard-cropping"]
        );
        assert_eq!(of(strata(View::Side, Level::Light, Level::None)), ["hard-view"]);
        assert!(of(strata(View::Front, Level::Light, Level::None)).is_empty());
    }

    #[test]
    fn what_is_not_annotated_is_neither_easy_nor_hard() {
        assert!(!Strata::default().known());
        assert_eq!(Strata::default().difficulties().count(), 0);
        let view = Strata { view: Some(View::Front), ..Strata::default() };
        assert!(view.known() && view.difficulties().count() == 0);
    }

    #[test]
    fn shares_have_levels_and_other_numbers_have_none() {
        let levels = [0.0, 0.059, 0.06, 0.249, 0.25, 1.0].map(|share| Level::of_share(share).unwrap());
        assert_eq!(levels.map(Level::word), ["none", "none", "light", "light", "heavy", "heavy"]);
        assert!([-0.1, 1.1, f64::NAN].iter().all(|&share| Level::of_share(share).is_none()));
    }

    #[test]
    fn words_and_bounds_are_the_renderer_s() {
        let renderer = include_str!("../../../../tools/render/src/annotation.rs");
        let writes = |variant: String, word: &str| renderer.contains(&format!("{variant} = \"{word}\""));
        assert!(View::ALL.iter().all(|view| writes(format!("{view:?}"), view.word())));
        assert!(Level::ALL.iter().all(|level| writes(format!("{level:?}"), level.word())));
        for (name, bound) in [("LIGHT_FROM", Level::LIGHT_FROM), ("HEAVY_FROM", Level::HEAVY_FROM)] {
            assert!(renderer.contains(&format!("{name}: f32 = {bound};")), "{name}");
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        assert!(Level::ALL.iter().all(|&level| Level::of(level.word()) == Some(level)));
        assert_eq!(View::of("Front"), None);
    }
}
