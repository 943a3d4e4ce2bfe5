//! A match map: both images of a pair side by side, the regions that decided its score boxed and joined.

mod layout;
mod paint;
mod pick;

use std::fmt::Write as _;

use grnet_data::output::lettering;
use grnet_features::config::Fit;
use grnet_features::value::Features;
use grnet_image::Picture;
use grnet_score::probability::probability;
use grnet_score::scorer::{Scorer, Workspace};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use layout::Layout;
use pick::Pair;

pub use layout::SIDE;

/// One image of a pair: how it looks, no side longer than [`SIDE`], and what the model made of it.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    /// The image, upright.
    pub picture: &'a Picture,
    /// The bytes of its feature value.
    pub features: &'a [u8],
}

/// Draws the map of a query and an item as PNG; `fit` is how the model brings an image to its square.
///
/// # Errors
/// A sentence: the features are not this model's, or there is no memory for the picture.
pub fn png(scorer: &Scorer, fit: Fit, query: Image<'_>, item: Image<'_>) -> Result<Vec<u8>, String> {
    let prepare = |image: Image<'_>| {
        let features = Features::parse(image.features).map_err(|e| e.to_string())?;
        scorer.prepare(&features).map_err(|e| e.to_string())
    };
    let (left, right) = (prepare(query)?, prepare(item)?);
    let mut workspace = Workspace::default();
    scorer.fit(&mut workspace).map_err(|e| e.to_string())?;
    let score = probability(scorer.logit(&left, &right, &mut workspace));
    let edges = scorer.explain(&left, &right, &mut workspace);
    let pairs = pick::pairs(&edges, &scorer.head().grids, fit, query.picture, item.picture);
    let words = words(score, &pairs);
    let size = |image: Image<'_>| (image.picture.width(), image.picture.height());
    let layout = Layout::of(size(query), size(item), lettering::width(&words, paint::WORDS));
    let map = paint::map(&layout, query.picture, item.picture, &pairs, &words)
        .ok_or_else(|| format!("no picture of {} x {} pixels can be had", layout.width, layout.height))?;
    encode(&map)
}

/// The footer: the score, and how much of the graph's attention the drawn pairs have.
fn words(score: f64, pairs: &[Pair]) -> String {
    let mut words = match score {
        // Rounded it would be 1, which it never is.
        score if score > 0.999 => "probability above 0.999".to_owned(),
        score if score < 0.001 => "probability below 0.001".to_owned(),
        score => format!("probability {score:.3}"),
    };
    let share: f64 = pairs.iter().map(|pair| pair.weight).sum::<f64>() * 100.0;
    let count = pairs.len();
    // Writing into a string does not fail.
    let _ = match count {
        0 => write!(words, " · no pair of regions to show"),
        1 => write!(words, " · 1 pair of regions, {share:.0} % of the weight"),
        _ => write!(words, " · {count} pairs of regions, {share:.0} % of the weight"),
    };
    words
}

fn encode(map: &RgbImage) -> Result<Vec<u8>, String> {
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Default, FilterType::Adaptive)
        .write_image(map, map.width(), map.height(), ExtendedColorType::Rgb8)
        .map_err(|e| format!("the picture cannot be encoded: {e}"))?;
    Ok(png)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_footer_never_says_that_something_is_certain() {
        let pair = |weight| {
            let area = layout::Area { left: 0.0, top: 0.0, width: 1.0, height: 1.0 };
            Pair { query: area, item: area, weight }
        };
        for (score, expected) in [
            (1.0, "probability above 0.999"),
            (0.9994, "probability above 0.999"),
            (0.9985, "probability 0.999"),
            (0.5, "probability 0.500"),
            (0.0004, "probability below 0.001"),
            (0.0, "probability below 0.001"),
        ] {
            assert_eq!(words(score, &[]), format!("{expected} · no pair of regions to show"));
        }
        assert_eq!(words(0.25, &[pair(0.071)]), "probability 0.250 · 1 pair of regions, 7 % of the weight");
        let two = words(0.25, &[pair(0.071), pair(0.032)]);
        assert_eq!(two, "probability 0.250 · 2 pairs of regions, 10 % of the weight");
    }
}
