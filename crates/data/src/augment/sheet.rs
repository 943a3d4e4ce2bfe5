//! A contact sheet: images as they are, and the augmented images that training would see instead.

use grnet_image::{Fit, Picture};
use image::{Rgb, RgbImage};

use crate::augment::augmentation::{Augmentation, Kind};
use crate::augment::canvas::Plane;
use crate::augment::warp::{Beyond, warp};
use crate::output::lettering;

/// Pixels of an image's side, between images, of a line of words, and around everything.
const TILE: u32 = 168;
const GAP: u32 = 8;
const CAPTION: u32 = 24;
const MARGIN: u32 = 24;
const PAPER: Rgb<u8> = Rgb([236, 235, 232]);
const INK: [u8; 3] = [58, 57, 55];

/// Augmented images of a row: of the shop's kind, and of consumers'.
const SHOPS: u64 = 2;
const CONSUMERS: u64 = 6;

/// An image of the sheet.
#[derive(Debug)]
pub struct Row {
    /// What is written above it.
    pub caption: String,
    /// The image.
    pub picture: Picture,
}

/// Draws a sheet, a row for each image: the image as the model's input is made of it, two augmented images as of a
/// shop, six as of consumers. Augmented images are made at `size` pixels, as in training, with the other rows' images
/// as surroundings.
pub fn sheet(rows: &[Row], augmentation: &Augmentation, size: u32, fit: Fit, seed: u64) -> RgbImage {
    let columns = 1 + SHOPS + CONSUMERS;
    let left = |column: u64| MARGIN + column as u32 * (TILE + GAP);
    let top = |row: usize| MARGIN + CAPTION + row as u32 * (TILE + CAPTION + GAP);
    let (width, height) = (left(columns) - GAP + MARGIN, top(rows.len()) - GAP + MARGIN);
    let mut sheet = RgbImage::from_pixel(width, height, PAPER);
    write(&mut sheet, "the image", left(0), MARGIN, TILE);
    write(&mut sheet, "another image of the shop", left(1), MARGIN, 2 * TILE);
    write(&mut sheet, "images of consumers", left(1 + SHOPS), MARGIN, 4 * TILE);
    // At strength 0 nothing happens but the fit.
    let plain = Augmentation { strength: 0.0, ..augmentation.clone() };
    for (number, row) in rows.iter().enumerate() {
        let others: Vec<&Picture> =
            rows.iter().enumerate().filter(|(n, _)| *n != number).map(|(_, row)| &row.picture).collect();
        write(&mut sheet, &row.caption, left(0), top(number), width - 2 * MARGIN);
        for column in 0..columns {
            let (augmentation, kind) = match column {
                0 => (&plain, Kind::Shop),
                c if c <= SHOPS => (augmentation, Kind::Shop),
                _ => (augmentation, Kind::Consumer),
            };
            let seed = seed.wrapping_add(number as u64 * columns + column);
            let pixels = augmentation.apply(&row.picture, &others, kind, size, fit, seed);
            put(&mut sheet, &pixels, size, left(column), top(number) + CAPTION);
        }
    }
    sheet
}

/// Puts an augmented image at its place, at a tile's size.
fn put(sheet: &mut RgbImage, pixels: &[u8], size: u32, left: u32, top: u32) {
    let side = f64::from(size);
    let (plane, tile) = (Plane { rgb: pixels, width: size as usize, height: size as usize }, TILE as usize);
    let whole = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)];
    let small = warp(plane, whole, (tile, tile), Beyond::Edge);
    for (at, pixel) in small.rgb.as_chunks::<3>().0.iter().enumerate() {
        sheet.put_pixel(left + (at % tile) as u32, top + (at / tile) as u32, Rgb(*pixel));
    }
}

/// Writes a line that ends where `width` pixels do.
fn write(sheet: &mut RgbImage, text: &str, left: u32, top: u32, width: u32) {
    lettering::write(sheet, text, (left as f32, top as f32), 18.0, INK, width as f32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_words_its_image_and_snapshots_of_it() {
        let row = |shade: u8| Row {
            caption: format!("image {shade}"),
            picture: Picture::new(30, 40, vec![shade; 3600]).unwrap(),
        };
        let sheet = sheet(&[row(100), row(40)], &Augmentation::default(), 64, Fit::Letterbox, 1);
        assert_eq!(sheet.dimensions(), (2 * MARGIN + 9 * (TILE + GAP) - GAP, 2 * MARGIN + CAPTION + 2 * 200 - GAP));
        let middle = |column: u32, row: u32| {
            let y = MARGIN + 2 * CAPTION + row * 200 + TILE / 2;
            sheet.get_pixel(MARGIN + column * (TILE + GAP) + TILE / 2, y).0
        };
        assert_eq!([middle(0, 0), middle(0, 1)], [[100; 3], [40; 3]]);
        assert!((90..110).contains(&middle(1, 0)[0]) && (35..45).contains(&middle(2, 1)[0]));
        for row in 0..2 {
            let top = MARGIN + CAPTION + row * 200;
            let dark = (MARGIN..MARGIN + 100).flat_map(|x| (top..top + CAPTION).map(move |y| (x, y)));
            assert!(dark.filter(|(x, y)| sheet.get_pixel(*x, *y).0[0] < 150).count() > 20);
        }
    }
}
