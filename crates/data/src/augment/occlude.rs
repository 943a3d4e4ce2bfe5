//! Things in the way: flat ones, or pieces of other images.

use crate::augment::canvas::{Canvas, Plane};
use crate::augment::focus::Focus;
use crate::augment::rng::AugmentRng;
use crate::augment::scene;

/// What may be in the way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Occluders {
    /// How many.
    pub(super) count: usize,
    /// Their sides, as shares of the picture's.
    pub(super) side: [f64; 2],
    /// The most that all of them together hide, of the area and of what there is to see.
    pub(super) most: f64,
    /// Share of them that are flat, where there are other images.
    pub(super) flat: f64,
}

/// A rectangle or the ellipse in it; it may reach beyond the picture.
#[derive(Debug, Clone, Copy)]
struct Shape {
    middle: (f64, f64),
    half: (f64, f64),
    round: bool,
}

impl Shape {
    /// Columns of a row that it covers.
    fn span(&self, y: usize, width: usize) -> std::ops::Range<usize> {
        let off = (y as f64 + 0.5 - self.middle.1) / self.half.1;
        let reach = match self.round {
            false => self.half.0,
            true => self.half.0 * (1.0 - off * off).max(0.0).sqrt(),
        };
        let column = |x: f64| (x.round().max(0.0) as usize).min(width);
        let (from, to) = (column(self.middle.0 - reach), column(self.middle.0 + reach));
        if off.abs() > 1.0 { 0..0 } else { from..to.max(from) }
    }

    /// Rows that it may cover.
    fn rows(&self, height: usize) -> std::ops::Range<usize> {
        let row = |y: f64| (y.max(0.0) as usize).min(height);
        row((self.middle.1 - self.half.1).floor())..row((self.middle.1 + self.half.1).ceil())
    }
}

/// Puts them there; what is hidden stays below the most. Returns which pixels are.
pub(super) fn occlude(
    canvas: &mut Canvas,
    others: &[Plane<'_>],
    occluders: &Occluders,
    rng: &mut AugmentRng,
) -> Vec<bool> {
    let (width, height) = (canvas.width, canvas.height);
    let mut hidden = vec![false; width * height];
    if occluders.count == 0 {
        return hidden;
    }
    let focus = Focus::of(canvas.plane());
    let mut budget = [occluders.most; 2];
    for _ in 0..occluders.count {
        let (w, h) = (rng.between(occluders.side) * width as f64, rng.between(occluders.side) * height as f64);
        let middle = (rng.unit() * width as f64, rng.unit() * height as f64);
        let mut shape = Shape { middle, half: (w / 2.0, h / 2.0), round: rng.chance(0.5) };
        // One that hides too much is made smaller.
        let mut cost = hides(&shape, &hidden, &focus, width, height);
        for _ in 0..12 {
            if cost[0] <= budget[0] && cost[1] <= budget[1] {
                break;
            }
            shape.half = (shape.half.0 * 0.8, shape.half.1 * 0.8);
            cost = hides(&shape, &hidden, &focus, width, height);
        }
        if cost[0] > budget[0] || cost[1] > budget[1] {
            continue;
        }
        budget = [budget[0] - cost[0], budget[1] - cost[1]];
        paint(canvas, &mut hidden, &shape, others, occluders.flat, rng);
    }
    hidden
}

/// The share of the area and of what there is to see that a shape would hide anew.
fn hides(shape: &Shape, hidden: &[bool], focus: &Focus, width: usize, height: usize) -> [f64; 2] {
    let (mut pixels, mut seen) = (0u32, 0.0);
    for y in shape.rows(height) {
        let weights = focus.row(y, width, height);
        for x in shape.span(y, width) {
            if !hidden[y * width + x] {
                pixels += 1;
                seen += f64::from(weights.at(x));
            }
        }
    }
    [f64::from(pixels) / (width * height) as f64, seen]
}

fn paint(
    canvas: &mut Canvas,
    hidden: &mut [bool],
    shape: &Shape,
    others: &[Plane<'_>],
    flat: f64,
    rng: &mut AugmentRng,
) {
    let (width, height) = (canvas.width, canvas.height);
    let rows = shape.rows(height);
    let left = (shape.middle.0 - shape.half.0).max(0.0) as usize;
    let right = ((shape.middle.0 + shape.half.0).ceil().max(0.0) as usize).min(width);
    if right <= left || rows.is_empty() {
        return;
    }
    let other = if rng.chance(flat) { None } else { rng.below(others.len()).map(|n| others[n]) };
    let patch = match other {
        Some(other) => scene::piece(other, (right - left, rows.len()), [0.3, 1.0], rng),
        None => {
            let colour: [u8; 3] = std::array::from_fn(|_| (rng.unit() * 256.0) as u8);
            Canvas { rgb: colour.repeat((right - left) * rows.len()), width: right - left, height: rows.len() }
        }
    };
    for (row, y) in rows.enumerate() {
        let span = shape.span(y, width);
        let (from, to) = (span.start.max(left), span.end.min(right));
        if to > from {
            let source = &patch.rgb[(row * patch.width + from - left) * 3..][..(to - from) * 3];
            canvas.rgb[(y * width + from) * 3..][..(to - from) * 3].copy_from_slice(source);
            hidden[y * width + from..y * width + to].fill(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_stays_below_the_most_and_everything_else_stays() {
        let rgb: Vec<u8> = (0..60 * 90 * 3).map(|i| (i * i % 251) as u8).collect();
        let other = [9; 12];
        let other = Plane { rgb: &other, width: 2, height: 2 };
        let mut counts = 0;
        for seed in 0..300 {
            let occluders = Occluders { count: 2, side: [0.5, 0.9], most: 0.4, flat: 0.5 };
            let mut canvas = Canvas { rgb: rgb.clone(), width: 60, height: 90 };
            let hidden = occlude(&mut canvas, &[other], &occluders, &mut AugmentRng::new(seed));
            let count = hidden.iter().filter(|h| **h).count();
            counts += count;
            assert!(count as f64 <= 0.4 * 5400.0, "{count}");
            for (at, hidden) in hidden.iter().enumerate() {
                assert!(*hidden || canvas.rgb[at * 3..at * 3 + 3] == rgb[at * 3..at * 3 + 3]);
            }
        }
        assert!(counts > 300 * 500, "{counts}");
    }

    #[test]
    fn a_small_garment_on_much_paper_is_not_hidden_wholly() {
        let mut rgb = vec![255; 64 * 64 * 3];
        for at in (0..64 * 64).filter(|at| (24..40).contains(&(at % 64)) && (24..40).contains(&(at / 64))) {
            rgb[at * 3] = (at * 37 % 255) as u8;
        }
        let occluders = Occluders { count: 2, side: [0.3, 0.6], most: 0.5, flat: 1.0 };
        for seed in 0..300 {
            let mut canvas = Canvas { rgb: rgb.clone(), width: 64, height: 64 };
            let hidden = occlude(&mut canvas, &[], &occluders, &mut AugmentRng::new(seed));
            let garment = (0..64 * 64).filter(|at| (24..40).contains(&(at % 64)) && (24..40).contains(&(at / 64)));
            assert!(garment.filter(|at| !hidden[*at]).count() > 60, "seed {seed}");
        }
    }
}
