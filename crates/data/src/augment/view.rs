//! Which part of an image is seen, and from where.

use grnet_image::Fit;

use crate::augment::canvas::Plane;
use crate::augment::focus::Focus;
use crate::augment::rng::AugmentRng;
use crate::augment::warp::Point;

/// A crop is taken that shows this much more than its share of the area.
const ENOUGH: f64 = 1.2;
/// Crops that are tried before the best of them is taken.
const TRIES: usize = 12;

/// How a view is chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Viewpoint {
    /// The crop's sides as shares of the image's.
    pub(super) crop: [f64; 2],
    /// Most by which its aspect ratio changes, as a logarithm.
    pub(super) aspect: f64,
    /// Most by which a corner moves, as a share of the crop's sides.
    pub(super) perspective: f64,
    /// Standard deviation of the rotation, in degrees.
    pub(super) rotation: f64,
    /// Share of the views that are mirrored.
    pub(super) mirror: f64,
}

/// A quadrilateral of an image and the size at which it is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// Upper left, upper right, lower right and lower left corner of what is shown, in the image's pixels.
    pub(super) quad: [Point; 4],
    /// Pixels within the model's square.
    pub(super) size: (usize, usize),
}

/// Chooses one. The crop shows more than its share of what there is to see, so that the garment is in it.
pub(super) fn choose(image: Plane<'_>, viewpoint: &Viewpoint, size: u32, fit: Fit, rng: &mut AugmentRng) -> View {
    let [left, top, w, h] = crop(image, viewpoint, rng);
    let target = target(w, h, size, fit);
    let mut quad = [(left, top), (left + w, top), (left + w, top + h), (left, top + h)];
    let most = viewpoint.perspective;
    for (x, y) in &mut quad {
        *x += rng.around(most) * w;
        *y += rng.around(most) * h;
    }
    let angle = rng.normal() * viewpoint.rotation.to_radians();
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    let middle = (left + w / 2.0, top + h / 2.0);
    for (x, y) in &mut quad {
        let (dx, dy) = (*x - middle.0, *y - middle.1);
        (*x, *y) = (middle.0 + dx * cos - dy * sin, middle.1 + dx * sin + dy * cos);
    }
    let (right, down) = (inwards(quad.map(|p| p.0), image.width), inwards(quad.map(|p| p.1), image.height));
    for (x, y) in &mut quad {
        (*x, *y) = (*x + right, *y + down);
    }
    if rng.chance(viewpoint.mirror) {
        quad = [quad[1], quad[0], quad[3], quad[2]];
    }
    View { quad, size: target }
}

/// How far corners are to be moved so that none lies beyond an image of that length: real images show no beyond. 0
/// where they reach further than the image.
fn inwards(corners: [f64; 4], length: usize) -> f64 {
    let (first, last) = (corners.into_iter().fold(f64::MAX, f64::min), corners.into_iter().fold(f64::MIN, f64::max));
    if last - first > length as f64 { 0.0 } else { (-first).max(0.0) - (last - length as f64).max(0.0) }
}

/// Left, top, width and height.
fn crop(image: Plane<'_>, viewpoint: &Viewpoint, rng: &mut AugmentRng) -> [f64; 4] {
    let (width, height) = (image.width as f64, image.height as f64);
    let share = rng.between(viewpoint.crop);
    let aspect = libm::exp(rng.around(viewpoint.aspect));
    let (w, h) = ((share * aspect).min(1.0), (share / aspect).min(1.0));
    let mut best = ([0.0; 2], f64::MIN);
    let focus = (w * h < 0.95).then(|| Focus::of(image).centred());
    for _ in 0..TRIES {
        let (x, y) = (rng.unit() * (1.0 - w), rng.unit() * (1.0 - h));
        let seen = focus.as_ref().map_or(1.0, |focus| focus.share([x, y, x + w, y + h]));
        if seen > best.1 {
            best = ([x, y], seen);
        }
        if best.1 >= ENOUGH * w * h {
            break;
        }
    }
    let [x, y] = best.0;
    [x * width, y * height, w * width, h * height]
}

/// The size that a crop takes within the square, as the image crate has it.
fn target(width: f64, height: f64, size: u32, fit: Fit) -> (usize, usize) {
    let side = |length: f64| {
        let share = length / width.max(height);
        ((share * f64::from(size)).round() as u32).clamp(1, size) as usize
    };
    match fit {
        Fit::Stretch => (size as usize, size as usize),
        Fit::Letterbox => (side(width), side(height)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Viewpoint = Viewpoint { crop: [1.0, 1.0], aspect: 0.0, perspective: 0.0, rotation: 0.0, mirror: 0.0 };

    #[test]
    fn without_any_change_the_whole_image_is_seen_at_the_size_that_it_is_fitted_to() {
        let image = Plane { rgb: &[9; 40 * 30 * 3], width: 40, height: 30 };
        let view = choose(image, &PLAIN, 20, Fit::Letterbox, &mut AugmentRng::new(1));
        assert_eq!(view.quad, [(0.0, 0.0), (40.0, 0.0), (40.0, 30.0), (0.0, 30.0)]);
        assert_eq!(view.size, (20, 15));
        assert_eq!(choose(image, &PLAIN, 20, Fit::Stretch, &mut AugmentRng::new(1)).size, (20, 20));
    }

    #[test]
    fn a_window_that_fits_into_the_image_stays_in_it_and_on_the_garment() {
        let mut rgb = vec![255; 100 * 100 * 3];
        for at in (0..10_000).filter(|at| (60..90).contains(&(at % 100)) && (10..40).contains(&(at / 100))) {
            rgb[at * 3] = (at * 31 % 200) as u8;
        }
        let image = Plane { rgb: &rgb, width: 100, height: 100 };
        let viewpoint = Viewpoint { crop: [0.35, 0.5], aspect: 0.25, perspective: 0.1, rotation: 8.0, mirror: 0.5 };
        let mut lost = 0;
        for seed in 0..500 {
            let quad = choose(image, &viewpoint, 224, Fit::Letterbox, &mut AugmentRng::new(seed)).quad;
            assert!(quad.iter().all(|(x, y)| (-1e-9..100.0 + 1e-9).contains(x) && (-1e-9..100.0 + 1e-9).contains(y)));
            let [left, right] = [f64::min, f64::max].map(|f| f(quad[0].0, quad[1].0));
            lost += usize::from(right < 65.0 || left > 85.0 || quad[0].1.min(quad[1].1) > 35.0);
        }
        // Crops from anywhere would lose it two times in three.
        assert!(lost < 50, "{lost}");
    }
}
