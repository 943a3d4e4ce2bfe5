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
const PAPER: Rgb = Rgb::hex(0xfbfaf8);

/// The most pixels of a sheet: 900 MB in memory.
const MAX_PIXELS: u64 = 300_000_000;
/// The longest side: what a JPEG can hold.
const MAX_SIDE: u64 = 65_535;
/// Pixels of a caption's canvas; a longer strip's caption ends there.
const MAX_CAPTION: u32 = 8_192;

/// A sheet that no picture can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a contact sheet of {items} items with {consumer} consumer photos each has {width} x {height} pixels: \
     {MAX_SIDE} a side and {MAX_PIXELS} in all are the most"
)]
pub struct SheetError {
    items: u64,
    consumer: u64,
    width: u64,
    height: u64,
}

/// Draws `items` items with `consumer` consumer photos each. Siblings stand side by side, in two
/// columns. `drawn` is called with the index of every finished item.
///
/// # Errors
///
/// When the sheet would be too large for a picture; nothing is drawn then.
pub fn contact_sheet(
    catalogue: &Catalogue,
    items: u64,
    consumer: u64,
    difficulty: Difficulty,
    mut drawn: impl FnMut(u64),
) -> Result<RgbImage, SheetError> {
    let kinds = Kind::ALL.len() as u64;
    let columns: u64 = if items > 1 { 2 } else { 1 };
    let (strip, width, height) = size(items, consumer, columns)?;
    let mut sheet = RgbImage::from_pixel(width, height, image::Rgb(PAPER.0.map(|channel| (channel * 255.0) as u8)));
    for index in 0..items {
        // Row by row, the two columns hold members 0 and 1 (then 2 and 3) of a family.
        let (row, column) = (index / columns, index % columns);
        let number = row / kinds * kinds * columns + column * kinds + row % kinds;
        let item = catalogue.item(number);
        let left = MARGIN + column as u32 * (strip + GUTTER);
        let top = MARGIN + row as u32 * (TILE + CAPTION + GAP);
        imageops::replace(&mut sheet, &caption(&item.title(), strip), i64::from(left), i64::from(top));
        let shop = item.shop_photo(0, TILE * 2);
        tile(&mut sheet, &shop, left, top + CAPTION);
        for variant in 0..consumer {
            let photo = item.consumer_photo(variant, difficulty, TILE * 2);
            tile(&mut sheet, &photo, left + (variant as u32 + 1) * (TILE + GAP), top + CAPTION);
        }
        drawn(index);
    }
    Ok(sheet)
}

/// Pixels of an item's strip of photos, and width and height of the sheet.
fn size(items: u64, consumer: u64, columns: u64) -> Result<(u32, u32, u32), SheetError> {
    let [tile, gap, caption, margin, gutter] = [TILE, GAP, CAPTION, MARGIN, GUTTER].map(u64::from);
    let strip = consumer.saturating_add(1).saturating_mul(tile + gap) - gap;
    let rows = items.div_ceil(columns);
    let width = strip.saturating_add(gutter).saturating_mul(columns).saturating_add(2 * margin) - gutter;
    let height = rows.saturating_mul(tile + caption + gap).saturating_add(2 * margin) - gap;
    let fits = width.max(height) <= MAX_SIDE && width.saturating_mul(height) <= MAX_PIXELS;
    match [strip, width, height].map(u32::try_from) {
        [Ok(strip), Ok(width), Ok(height)] if fits => Ok((strip, width, height)),
        _ => Err(SheetError { items, consumer, width, height }),
    }
}

/// A line of text on a strip of paper.
fn caption(text: &str, width: u32) -> RgbImage {
    let width = width.min(MAX_CAPTION);
    let mut paper = Canvas::new(width, CAPTION, Frame { origin: (0.0, 0.0), scale: 1.0 });
    paper.pixels.fill(PAPER.paint(1.0));
    let limit = width as f32;
    let (contours, length) = lettering::contours(text, 11.0, Style::Caption);
    let squeeze = (limit / length.max(1.0)).min(1.0);
    let place = |shape: &Outline| shape.map(|(x, y)| (x * squeeze, 20.0 + y));
    let contours = contours.iter().map(place).collect();
    let line = Outline::block(0.0, 0.0, limit, CAPTION as f32, 0.0);
    let ink = Mark::Fill { contours, colour: Rgb::hex(0x3b3a38), alpha: 1.0 };
    paper.lay(&Part::flat(line, PAPER).volume(0.0, 0.0).shadow(0.0).mark(ink));
    let data = paper.pixels.data();
    RgbImage::from_fn(width, CAPTION, |x, y| {
        let at = ((y * width + x) * 4) as usize;
        image::Rgb([data[at], data[at + 1], data[at + 2]])
    })
}

/// A square cut from a photo, with rounded corners.
fn tile(sheet: &mut RgbImage, photo: &Photo, left: u32, top: u32) {
    let (width, height) = photo.rgb.dimensions();
    let side = width.min(height);
    let bounds = photo.annotation.bounds;
    // A portrait photo loses its top or bottom; the garment's middle stays.
    let middle = bounds.top + bounds.height / 2;
    let y = middle.saturating_sub(side / 2).min(height - side);
    let square = imageops::crop_imm(&photo.rgb, (width - side) / 2, y, side, side).to_image();
    let small = imageops::resize(&square, TILE, TILE, FilterType::CatmullRom);
    let round = 7.0;
    for (x, y, pixel) in small.enumerate_pixels() {
        let inset = |v: u32| (round - (v as f32 + 0.5)).max((v as f32 + 0.5) - (TILE as f32 - round)).max(0.0);
        let (dx, dy) = (inset(x), inset(y));
        let cover = (round + 0.5 - (dx * dx + dy * dy).sqrt()).clamp(0.0, 1.0);
        let below = &mut sheet.get_pixel_mut(left + x, top + y).0;
        for (slot, value) in below.iter_mut().zip(pixel.0) {
            *slot = (f32::from(value) * cover + f32::from(*slot) * (1.0 - cover)) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_longer_than_the_2_d_library_s_pictures_is_drawn_to_its_end() {
        let sheet = contact_sheet(&Catalogue::new(1), 82, 0, Difficulty::Easy, |_| ()).expect("it fits");
        let height = 2 * MARGIN + 41 * (TILE + CAPTION + GAP) - GAP;
        assert!(height > 8192);
        assert_eq!(sheet.dimensions(), (2 * MARGIN + 2 * TILE + GUTTER, height));
        let distinct = |top: u32, rows: u32| {
            let row = |y: u32| (MARGIN..MARGIN + TILE).map(move |x| (x, y));
            let pixels = (top..top + rows).flat_map(row).map(|(x, y)| sheet.get_pixel(x, y).0);
            pixels.collect::<std::collections::HashSet<_>>().len()
        };
        let bottom = height - MARGIN;
        assert!(distinct(bottom - TILE, TILE) > 100, "no last photo");
        assert!(distinct(bottom - TILE - CAPTION, CAPTION) > 10, "no last caption");
        assert_eq!(sheet.get_pixel(2, height - 2).0, [251, 250, 248], "no paper");
    }

    #[test]
    fn a_sheet_wider_than_the_2_d_library_s_pictures_is_drawn_to_its_end() {
        let sheet = contact_sheet(&Catalogue::new(1), 1, 46, Difficulty::Easy, |_| ()).expect("it fits");
        assert_eq!(sheet.width(), 2 * MARGIN + 47 * (TILE + GAP) - GAP);
        assert!(sheet.width() > 8192);
        let (x, y) = (sheet.width() - MARGIN - TILE / 2, MARGIN + CAPTION + TILE / 2);
        assert_ne!(sheet.get_pixel(x, y).0, [251, 250, 248], "no last photo");
    }

    #[test]
    fn a_sheet_that_no_picture_holds_is_refused_with_its_size() {
        for (items, consumer) in [(1_000, 4), (2, 1_000_000), (u64::MAX, u64::MAX)] {
            let refused = contact_sheet(&Catalogue::new(1), items, consumer, Difficulty::Easy, |_| panic!("drawn"));
            let told = refused.expect_err("it does not fit").to_string();
            assert!(told.contains(&format!("{items} items")) && told.contains("65535"), "{told}");
        }
        assert!(size(0, 0, 1).is_ok());
    }
}
