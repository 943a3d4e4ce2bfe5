//! Images, boxes and lines on a canvas.

use grnet_data::output::lettering;
use grnet_image::Picture;
use image::{Rgb, RgbImage};
use tiny_skia::{FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform};

use crate::match_map::layout::{Area, Layout};
use crate::match_map::pick::{MOST, Pair};

/// A colour for each pair, all of them dark enough for images on white.
const COLOURS: [[u8; 3]; MOST] =
    [[220, 38, 55], [0, 110, 220], [0, 140, 85], [135, 60, 175], [240, 120, 0], [20, 170, 190]];
const INK: [u8; 3] = [45, 46, 50];
const OUTLINE: [u8; 3] = [214, 214, 214];
/// What separates a stroke from the image below it, in pixels on both sides.
const HALO: f32 = 1.5;
/// A numbered disc at a region's middle, and its figure's size.
const DISC: f32 = 11.5;
const FIGURE: f32 = 18.0;
/// Pixels of the footer's letters.
pub const WORDS: f32 = 21.0;

/// How wide a line is. By the root, since in a match most weights are a percent or two, and elsewhere one may be all.
fn stroke_width(weight: f64) -> f32 {
    (1.5 + 12.0 * weight.clamp(0.0, 1.0).sqrt()).min(10.0) as f32
}

/// Draws a map. `None` where a canvas of its size cannot be had.
pub fn map(layout: &Layout, query: &Picture, item: &Picture, pairs: &[Pair], words: &str) -> Option<RgbImage> {
    let mut canvas = Pixmap::new(layout.width, layout.height)?;
    canvas.fill(tiny_skia::Color::WHITE);
    for (image, place) in [(query, layout.query), (item, layout.item)] {
        put(&mut canvas, image, place);
    }
    let placed: Vec<(Area, Area, f32)> = pairs
        .iter()
        .enumerate()
        .map(|(number, pair)| {
            let width = stroke_width(pair.weight);
            // Boxes of several grids share edges: each lies a little further inside than those before it.
            let inside = |area: Area, image: Area| area.within(image).shrunk(width / 2.0 + 4.0 * number as f32);
            (inside(pair.query, layout.query), inside(pair.item, layout.item), width)
        })
        .collect();
    // What decided most comes last and lies above.
    let ordered = || placed.iter().zip(COLOURS).rev();
    for ((query, item, width), colour) in ordered() {
        for area in [query, item] {
            stroke(&mut canvas, outline(*area).as_ref(), width.min(5.0), colour);
        }
    }
    for ((query, item, width), colour) in ordered() {
        stroke(&mut canvas, curve(query.middle(), item.middle()).as_ref(), *width, colour);
    }
    for ((query, item, _), colour) in ordered() {
        for middle in [query.middle(), item.middle()] {
            disc(&mut canvas, middle, DISC + HALO, [255; 3]);
            disc(&mut canvas, middle, DISC, colour);
        }
    }
    let mut picture = opaque(&canvas);
    for (number, (query, item, _)) in placed.iter().enumerate().rev() {
        let figure = (number + 1).to_string();
        for (x, y) in [query.middle(), item.middle()] {
            // Twice, a little apart: the font is a light one.
            for left in [x - 0.8, x] {
                let corner = (left - lettering::width(&figure, FIGURE) / 2.0 + 0.4, y - FIGURE / 2.0);
                lettering::write(&mut picture, &figure, corner, FIGURE, [255; 3], FIGURE);
            }
        }
    }
    let (left, middle) = layout.footer;
    lettering::write(&mut picture, words, (left, middle - WORDS / 2.0), WORDS, INK, layout.width as f32);
    Some(picture)
}

/// Puts an image at its place, with a thin line around it.
fn put(canvas: &mut Pixmap, image: &Picture, place: Area) {
    let (left, top, line) = (place.left as usize, place.top as usize, canvas.width() as usize);
    let rows = image.pixels().chunks_exact(image.width() as usize * 3);
    for (row, pixels) in rows.enumerate() {
        let start = ((top + row) * line + left) * 4;
        let target = &mut canvas.data_mut()[start..start + pixels.len() / 3 * 4];
        for (target, source) in target.as_chunks_mut::<4>().0.iter_mut().zip(pixels.as_chunks::<3>().0) {
            *target = [source[0], source[1], source[2], 255];
        }
    }
    let around =
        Area { left: place.left - 0.5, top: place.top - 0.5, width: place.width + 1.0, height: place.height + 1.0 };
    if let Some(path) = outline(around) {
        canvas.stroke_path(&path, &paint(OUTLINE), &Stroke::default(), Transform::identity(), None);
    }
}

fn paint(colour: [u8; 3]) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(colour[0], colour[1], colour[2], 255);
    paint
}

fn outline(area: Area) -> Option<Path> {
    Rect::from_xywh(area.left, area.top, area.width, area.height).map(PathBuilder::from_rect)
}

/// From one region to the other: level at both ends, so that lines which end close to each other keep apart.
fn curve((ax, ay): (f32, f32), (bx, by): (f32, f32)) -> Option<Path> {
    let middle = (ax + bx) / 2.0;
    let mut path = PathBuilder::new();
    path.move_to(ax, ay);
    path.cubic_to(middle, ay, middle, by, bx, by);
    path.finish()
}

/// A stroke with a thin white edge.
fn stroke(canvas: &mut Pixmap, path: Option<&Path>, width: f32, colour: [u8; 3]) {
    let Some(path) = path else { return };
    for (width, colour) in [(width + 2.0 * HALO, [255; 3]), (width, colour)] {
        let stroke = Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        canvas.stroke_path(path, &paint(colour), &stroke, Transform::identity(), None);
    }
}

fn disc(canvas: &mut Pixmap, (x, y): (f32, f32), radius: f32, colour: [u8; 3]) {
    if let Some(path) = PathBuilder::from_circle(x, y, radius) {
        canvas.fill_path(&path, &paint(colour), FillRule::Winding, Transform::identity(), None);
    }
}

/// A canvas without any transparent pixel as RGB.
fn opaque(canvas: &Pixmap) -> RgbImage {
    let mut picture = RgbImage::new(canvas.width(), canvas.height());
    for (target, source) in picture.pixels_mut().zip(canvas.pixels()) {
        *target = Rgb([source.red(), source.green(), source.blue()]);
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: u32, height: u32) -> Picture {
        Picture::new(width, height, vec![128; (width * height * 3) as usize]).unwrap()
    }

    fn pair(left: f32, top: f32, weight: f64) -> Pair {
        let region = |left, top| Area { left, top, width: 100.0, height: 100.0 };
        Pair { query: region(left, top), item: region(300.0 - left, top + 50.0), weight }
    }

    /// Pixels of about a colour, of one image or of what is between them.
    fn count(map: &RgbImage, colour: [u8; 3], columns: std::ops::Range<u32>) -> usize {
        let near = |pixel: &Rgb<u8>| pixel.0.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 6);
        map.enumerate_pixels().filter(|(x, _, pixel)| columns.contains(x) && near(pixel)).count()
    }

    #[test]
    fn every_pair_has_its_colour_on_both_images_and_between_them() {
        let (query, item) = (grey(400, 512), grey(500, 400));
        let layout = Layout::of((400, 512), (500, 400), 0.0);
        let pairs: Vec<Pair> = (0..MOST).map(|n| pair(10.0 + 40.0 * n as f32, 60.0 * n as f32, 0.02)).collect();
        let map = map(&layout, &query, &item, &pairs, "").unwrap();
        assert_eq!(map.dimensions(), (layout.width, layout.height));
        let (end, begin) = (layout.query.left as u32 + 400, layout.item.left as u32);
        for colour in COLOURS {
            let found = [0..end, end..begin, begin..layout.width].map(|columns| count(&map, colour, columns));
            assert!(found.iter().all(|found| *found > 100), "{colour:?}: {found:?}");
        }
        // The image is where nothing lies above it.
        assert_eq!(map.get_pixel(layout.query.left as u32 + 2, 14 + 505).0, [128; 3]);
        assert_eq!(map.get_pixel(layout.item.left as u32 + 2, 14 + 56 + 395).0, [128; 3]);
        assert_eq!(map.get_pixel(layout.item.left as u32 + 2, 14 + 2).0, [255; 3]);
    }

    #[test]
    fn what_weighs_more_is_wider() {
        assert!([0.0, 0.01, 0.02, 0.1, 0.4].is_sorted_by(|a, b| stroke_width(*a) < stroke_width(*b)));
        assert!(stroke_width(f64::from(f32::MAX)) <= 10.0 && stroke_width(0.0) > 1.0);
        let (image, layout) = (grey(400, 512), Layout::of((400, 512), (400, 512), 0.0));
        let between = |weight| {
            let map = map(&layout, &image, &image, &[pair(10.0, 10.0, weight)], "").unwrap();
            count(&map, COLOURS[0], 414..490)
        };
        assert!(between(0.3) > 2 * between(0.01));
    }

    #[test]
    fn without_pairs_there_are_the_images_and_the_words() {
        let (image, layout) = (grey(400, 512), Layout::of((400, 512), (400, 512), 300.0));
        let words = |words: &str| map(&layout, &image, &image, &[], words).unwrap();
        let dark = |map: &RgbImage| map.pixels().filter(|pixel| pixel.0[0] < 100).count();
        assert_eq!(dark(&words("")), 0);
        assert!(dark(&words("probability 0.5")) > 100);
    }

    #[test]
    fn the_thinnest_images_are_drawn() {
        let (thin, flat) = (grey(1, 512), grey(512, 1));
        let layout = Layout::of((1, 512), (512, 1), 0.0);
        let sliver = |width, height| Area { left: 0.0, top: 0.0, width, height };
        let pairs = [Pair { query: sliver(1.0, 256.0), item: sliver(256.0, 1.0), weight: 1.0 }];
        assert!(map(&layout, &thin, &flat, &pairs, "words").is_some());
    }
}
