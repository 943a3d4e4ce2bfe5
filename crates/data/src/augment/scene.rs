//! Pieces of other images, as surroundings and as things in the way.

use crate::augment::canvas::{Canvas, Plane};
use crate::augment::rng::AugmentRng;
use crate::augment::soften;
use crate::augment::warp::{Beyond, warp};

/// An image whose outermost pixels are mostly as light as this stands on paper: there is no place to see in it.
const PAPER: u8 = 238;

/// A piece of an image at `size`, mirrored half of the time; its sides are `share` of the largest that fits into it.
pub(super) fn piece(image: Plane<'_>, size: (usize, usize), share: [f64; 2], rng: &mut AugmentRng) -> Canvas {
    let at = (rng.unit(), rng.unit());
    cut(image, size, rng.between(share), at, rng)
}

/// Surroundings of `size`: a corner of one of the images, where floors and walls are rather than the garment itself,
/// often out of focus; or a wall, a fifth of the time and where the image shows no place.
pub(super) fn surroundings(images: &[Plane<'_>], size: (usize, usize), rng: &mut AugmentRng) -> Canvas {
    let image = if rng.chance(0.2) { None } else { rng.below(images.len()).map(|n| images[n]) };
    let Some(image) = image.filter(|image| !is_on_paper(*image)) else { return wall(size, rng) };
    let mut corner = || if rng.chance(0.5) { 0.0 } else { 1.0 };
    let at = (corner(), corner());
    let mut scene = cut(image, size, rng.between([0.35, 0.65]), at, rng);
    if rng.chance(0.5) {
        soften::blur(&mut scene, rng.between([1.0, 3.0]));
    }
    scene
}

/// The piece that lies `at` shares of the way from left to right and from top to bottom.
fn cut(image: Plane<'_>, size: (usize, usize), share: f64, at: (f64, f64), rng: &mut AugmentRng) -> Canvas {
    let (width, height) = (image.width as f64, image.height as f64);
    let fits = (width / size.0 as f64).min(height / size.1 as f64) * share;
    let (w, h) = (size.0 as f64 * fits, size.1 as f64 * fits);
    let (x, y) = (at.0 * (width - w), at.1 * (height - h));
    let mut quad = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)];
    if rng.chance(0.5) {
        quad = [quad[1], quad[0], quad[3], quad[2]];
    }
    warp(image, quad, size, Beyond::Edge)
}

fn is_on_paper(image: Plane<'_>) -> bool {
    let is_light = |pixel: &[u8; 3]| pixel.iter().all(|value| *value >= PAPER);
    let count = |row: &[u8]| row.as_chunks::<3>().0.iter().filter(|pixel| is_light(pixel)).count();
    let ends = |y: usize| {
        let row = image.row(y).as_chunks::<3>().0;
        row.first().into_iter().chain(row.last()).filter(|pixel| is_light(pixel)).count()
    };
    let light = count(image.row(0)) + count(image.row(image.height - 1)) + (0..image.height).map(ends).sum::<usize>();
    light > image.width + image.height
}

/// Surroundings without an image: a wall that darkens towards one side.
fn wall((width, height): (usize, usize), rng: &mut AugmentRng) -> Canvas {
    let colour: [f64; 3] = std::array::from_fn(|_| rng.between([60.0, 235.0]));
    let grey = colour.iter().sum::<f64>() / 3.0;
    // Rooms are rarely as colourful as garments.
    let colour = colour.map(|c| grey + (c - grey) * 0.4);
    let (across, down) = (rng.around(0.3) / width as f64, rng.around(0.3) / height as f64);
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let light = 1.0 + across * (x as f64 - width as f64 / 2.0) + down * (y as f64 - height as f64 / 2.0);
            rgb.extend(colour.map(|c| (c * light) as u8));
        }
    }
    Canvas { rgb, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_on_paper_is_no_place_and_another_is() {
        let paper = vec![250; 8 * 8 * 3];
        let room: Vec<u8> = [10, 200, 30].repeat(64);
        let is_room = |canvas: Canvas| canvas.rgb.as_chunks::<3>().0.iter().all(|pixel| *pixel == [10, 200, 30]);
        let rooms = |rgb: &[u8]| {
            let plane = Plane { rgb, width: 8, height: 8 };
            let taken = |seed| is_room(surroundings(&[plane], (9, 5), &mut AugmentRng::new(seed)));
            (0..100).filter(|seed| taken(*seed)).count()
        };
        assert_eq!(rooms(&paper), 0);
        assert!((65..95).contains(&rooms(&room)));
        assert_eq!(surroundings(&[], (9, 5), &mut AugmentRng::new(1)).rgb.len(), 135);
    }
}
