//! Contact sheets: one row an item, its shop photo first.

use crate::canvas::{Canvas, Frame};
use crate::catalogue::Catalogue;
use crate::colour::Rgb;
use crate::difficulty::Difficulty;
use crate::kind::Kind;
use crate::lettering::{self, Style};
use crate::outline::Outline;
use crate::part::{Mark, Part};
use crate::photo::Photo;
use image::RgbImage;
use image::imageops::{self, FilterType};

const TILE: u32 = 168;
const GAP: u32 = 8;
const CAPTION: u32 = 30;
const MARGIN: u32 = 28;
const GUTTER: u32 = 36;

/// Draws `items` items with `consumer` consumer photos each. Siblings stand side by side, in two
/// columns. `draw` is called with the index of every finished item.
pub fn contact_sheet(
    catalogue: &Catalogue,
    items: u64,
    consumer: u64,
    difficulty: Difficulty,
    mut drawn: impl FnMut(u64),
) -> RgbImage {
    let kinds = Kind::ALL.len() as u64;
    let columns: u64 = if items > 1 { 2 } else { 1 };
    let rows = items.div_ceil(columns);
    let strip = (consumer as u32 + 1) * (TILE + GAP) - GAP;
    let width = 2 * MARGIN + columns as u32 * (strip + GUTTER) - GUTTER;
    let height = 2 * MARGIN + rows as u32 * (TILE + CAPTION + GAP) - GAP;
    let mut paper = Canvas::new(width, height, Frame { origin: (0.0, 0.0), scale: 1.0 });
    paper.pixels.fill(Rgb::hex(0xfbfaf8).paint(1.0));
    for index in 0..items {
        // Row by row, the two columns hold members 0 and 1 (then 2 and 3) of a family.
        let (row, column) = (index / columns, index % columns);
        let number = row / kinds * kinds * columns + column * kinds + row % kinds;
        let item = catalogue.item(number);
        let left = MARGIN + column as u32 * (strip + GUTTER);
        let top = MARGIN + row as u32 * (TILE + CAPTION + GAP);
        caption(&mut paper, &item.title(), (left as f32, top as f32), strip as f32);
        let shop = item.shop_photo(0, TILE * 2);
        tile(&mut paper, &shop, left, top + CAPTION);
        for variant in 0..consumer {
            let photo = item.consumer_photo(variant, difficulty, TILE * 2);
            tile(&mut paper, &photo, left + (variant as u32 + 1) * (TILE + GAP), top + CAPTION);
        }
        drawn(index);
    }
    let pixels = paper.pixels.data().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    RgbImage::from_raw(width, height, pixels).unwrap_or_else(|| RgbImage::new(width, height))
}

fn caption(paper: &mut Canvas, text: &str, (left, top): (f32, f32), limit: f32) {
    let (contours, width) = lettering::contours(text, 11.0, Style::Caption);
    let squeeze = (limit / width.max(1.0)).min(1.0);
    let place = |shape: &Outline| shape.map(|(x, y)| (left + x * squeeze, top + 20.0 + y));
    let contours = contours.iter().map(place).collect();
    let line = Outline::block(left, top, limit, CAPTION as f32, 0.0);
    let ink = Mark::Fill { contours, colour: Rgb::hex(0x3b3a38), alpha: 1.0 };
    paper.lay(&Part::flat(line, Rgb::hex(0xfbfaf8)).volume(0.0, 0.0).shadow(0.0).mark(ink));
}

/// A square cut from a photo, with rounded corners.
fn tile(paper: &mut Canvas, photo: &Photo, left: u32, top: u32) {
    let (width, height) = photo.rgb.dimensions();
    let side = width.min(height);
    let bounds = photo.annotation.bounds;
    // A portrait photo loses its top or bottom; the garment's middle stays.
    let middle = bounds.top + bounds.height / 2;
    let y = middle.saturating_sub(side / 2).min(height - side);
    let square = imageops::crop_imm(&photo.rgb, (width - side) / 2, y, side, side).to_image();
    let small = imageops::resize(&square, TILE, TILE, FilterType::CatmullRom);
    let round = 7.0;
    let stride = paper.pixels.width();
    let data = paper.pixels.data_mut();
    for (x, y, pixel) in small.enumerate_pixels() {
        let inset = |v: u32| (round - (v as f32 + 0.5)).max((v as f32 + 0.5) - (TILE as f32 - round)).max(0.0);
        let (dx, dy) = (inset(x), inset(y));
        let cover = (round + 0.5 - (dx * dx + dy * dy).sqrt()).clamp(0.0, 1.0);
        let at = (((top + y) * stride + left + x) * 4) as usize;
        for (slot, value) in data[at..at + 3].iter_mut().zip(pixel.0) {
            *slot = (f32::from(value) * cover + f32::from(*slot) * (1.0 - cover)) as u8;
        }
    }
}
