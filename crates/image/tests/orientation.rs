//! The eight EXIF orientations, wherever they are written.

mod common;

use common::{chunk, difference, encode, exif, jpeg, picture, png, stored_for, to, with_exif};
use grnet_image::{Fit, Limits, Region, prepare, probe};
use image::ImageFormat;

/// The same picture stored in eight ways, without loss: exactly equal pixels, at every size.
#[test]
fn lossless_pictures_are_equal_in_all_orientations() {
    let upright = picture(61, 40);
    for size in [224, 61, 17] {
        let wanted = to(&png(&upright), size).unwrap();
        for n in 1..=8 {
            let plain = png(&stored_for(&upright, n));
            let mut file = plain[..33].to_vec();
            file.extend(chunk(b"eXIf", &exif(n, n % 2 == 0)));
            file.extend(&plain[33..]);
            assert_eq!(to(&file, size).unwrap(), wanted, "orientation {n} to {size}");
        }
    }
}

/// JPEGs are coded anew for each orientation, so their pixels differ by coding noise only. Sides that
/// 8 does not divide show whether the reduced scale puts the picture in the right place.
#[test]
fn jpegs_agree_in_all_orientations_and_scales() {
    let upright = picture(613, 437);
    for size in [224, 100, 50, 25] {
        let wanted = to(&png(&upright), size).unwrap();
        for n in 1..=8 {
            let file = with_exif(&jpeg(&stored_for(&upright, n)), n, n % 2 == 1);
            let got = to(&file, size).unwrap();
            assert_eq!((got.width, got.height), (613, 437));
            let (_, mean) = difference(&got.pixels, &wanted.pixels);
            assert!(mean < 1.0, "orientation {n} to {size}: mean {mean}");
        }
    }
}

#[test]
fn regions_are_in_upright_pixels() {
    let upright = picture(400, 300);
    let region = Region { left: 30.5, top: 10.0, width: 101.0, height: 125.5 };
    let at = |bytes: &[u8], size| prepare(bytes, Some(&region), Fit::Letterbox, size, &Limits::default()).unwrap();
    for size in [64, 16] {
        let wanted = at(&png(&upright), size);
        for n in 1..=8 {
            let got = at(&with_exif(&jpeg(&stored_for(&upright, n)), n, true), size);
            let (_, mean) = difference(&got.pixels, &wanted.pixels);
            assert!(mean < 2.0, "orientation {n} to {size}: mean {mean}");
        }
    }
}

#[test]
fn webp_and_tiff_carry_orientations_too() {
    let upright = picture(48, 30);
    let wanted = to(&png(&upright), 48).unwrap().pixels;
    let stored = stored_for(&upright, 6);

    // An extended WebP: header with the EXIF bit, the coded picture, the EXIF chunk.
    let simple = encode(stored.clone(), ImageFormat::WebP);
    let block = exif(6, true);
    let mut body = b"WEBPVP8X\x0a\0\0\0\x08\0\0\0\x1d\0\0\x2f\0\0".to_vec();
    body.extend(&simple[12..]);
    body.extend(b"EXIF");
    body.extend((block.len() as u32).to_le_bytes());
    body.extend(&block);
    let mut webp = b"RIFF".to_vec();
    webp.extend((body.len() as u32).to_le_bytes());
    webp.extend(body);
    assert_eq!(to(&webp, 48).unwrap().pixels, wanted);

    // A little-endian TIFF without compression, its directory written by hand.
    let (w, h) = stored.dimensions();
    let mut tiff = b"II*\0".to_vec();
    tiff.extend((8 + w * h * 3).to_le_bytes());
    tiff.extend(stored.as_raw());
    let entries: [(u16, u16, u32, u32); 9] = [
        (256, 4, 1, w),
        (257, 4, 1, h),
        (258, 3, 1, 8),
        (262, 3, 1, 2),
        (273, 4, 1, 8),
        (274, 3, 1, 6),
        (277, 3, 1, 3),
        (278, 4, 1, h),
        (279, 4, 1, w * h * 3),
    ];
    let directory = tiff.len() as u32;
    tiff.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, mut count, mut value) in entries {
        if tag == 258 {
            (count, value) = (3, directory + 2 + 12 * 9 + 4);
        }
        tiff.extend(tag.to_le_bytes());
        tiff.extend(kind.to_le_bytes());
        tiff.extend(count.to_le_bytes());
        tiff.extend(value.to_le_bytes());
    }
    tiff.extend([0, 0, 0, 0, 8, 0, 8, 0, 8, 0]);
    assert_eq!(to(&tiff, 48).unwrap().pixels, wanted);
}

#[test]
fn orientations_that_do_not_exist_are_upright() {
    let file = jpeg(&picture(40, 30));
    let plain = to(&file, 32).unwrap();
    for n in [0, 9, 77, 65_535] {
        assert_eq!(to(&with_exif(&file, n, true), 32).unwrap(), plain);
    }
    // An EXIF block cut short, and one whose directory lies outside.
    for block in [&exif(6, true)[..20], b"II*\0\xff\xff\xff\xff", b"II"] {
        let mut broken = file[..2].to_vec();
        broken.extend([0xff, 0xe1, 0, block.len() as u8 + 8]);
        broken.extend(b"Exif\0\0");
        broken.extend(block);
        broken.extend(&file[2..]);
        assert_eq!(to(&broken, 32).unwrap(), plain);
        let header = probe(&broken, &Limits::default()).unwrap();
        assert_eq!(header.orientation.exif(), 1);
    }
}
