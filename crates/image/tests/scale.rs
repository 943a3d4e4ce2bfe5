//! Crop, fit and the codec's reduced scale.

mod common;

use common::{difference, jpeg, picture, png, progressive_jpeg, to};
use grnet_image::{Error, ErrorKind, Fit, Limits, MAX_SIZE, Region, prepare, prepare_full_scale};

const WIDE: Region = Region { left: 0.0, top: 0.0, width: 50.0, height: 50.0 };

fn cut(bytes: &[u8], region: Region, fit: Fit, size: u32) -> Result<Vec<u8>, Error> {
    prepare(bytes, Some(&region), fit, size, &Limits::default()).map(|p| p.pixels)
}

#[test]
fn reduced_scale_agrees_with_full_scale() {
    let p = picture(1237, 911);
    for file in [jpeg(&p), progressive_jpeg(&p)] {
        for size in [300, 224, 150, 64, 10] {
            let limits = Limits::default();
            let reduced = prepare(&file, None, Fit::Letterbox, size, &limits).unwrap();
            let full = prepare_full_scale(&file, None, Fit::Letterbox, size, &limits).unwrap();
            let (most, mean) = difference(&reduced.pixels, &full.pixels);
            assert!(mean < 0.6 && most < 24, "to {size}: most {most}, mean {mean}");
        }
    }
}

#[test]
fn a_picture_of_the_wanted_size_is_copied() {
    let p = picture(96, 96);
    for fit in [Fit::Letterbox, Fit::Stretch] {
        let got = prepare(&png(&p), None, fit, 96, &Limits::default()).unwrap();
        assert_eq!(got.pixels, *p.as_raw());
        let region = Region { left: 16.0, top: 32.0, ..WIDE };
        let wanted = image::imageops::crop_imm(&p, 16, 32, 50, 50).to_image();
        assert_eq!(cut(&png(&p), region, fit, 50).unwrap(), *wanted.as_raw());
    }
}

#[test]
fn a_letterbox_is_white_and_centred() {
    let black = image::RgbImage::new(100, 50);
    let got = to(&png(&black), 40).unwrap().pixels;
    for (y, row) in got.chunks(120).enumerate() {
        let wanted = if (10..30).contains(&y) { 0 } else { 255 };
        assert!(row.iter().all(|&v| v == wanted), "row {y}");
    }
    let stretched = prepare(&png(&black), None, Fit::Stretch, 40, &Limits::default()).unwrap();
    assert!(stretched.pixels.iter().all(|&v| v == 0));
}

#[test]
fn a_picture_keeps_its_shape_and_is_never_enlarged() {
    let file = png(&picture(120, 90));
    let limits = Limits::default();
    let whole = grnet_image::picture(&file, None, 500, &limits).unwrap();
    assert_eq!((whole.width(), whole.height()), (120, 90));
    assert_eq!(whole.pixels(), picture(120, 90).as_raw());
    let small = grnet_image::picture(&file, None, 40, &limits).unwrap();
    assert_eq!((small.width(), small.height()), (40, 30));
    // What stands in the middle of the square that `prepare` makes.
    assert_eq!(small.pixels(), &to(&file, 40).unwrap().pixels[5 * 120..35 * 120]);
    let part = grnet_image::picture(&file, Some(&WIDE), 500, &limits).unwrap();
    assert_eq!(part.pixels(), cut(&file, WIDE, Fit::Letterbox, 50).unwrap());
    let thin = grnet_image::picture(&png(&picture(4000, 1)), None, 512, &limits).unwrap();
    assert_eq!((thin.width(), thin.height()), (512, 1));
    assert!(matches!(grnet_image::picture(&file, None, 0, &limits), Err(Error::BadSize { .. })));
}

#[test]
fn extreme_shapes_work() {
    for (w, h) in [(1, 1), (4000, 1), (1, 4000), (8, 3000), (65_500, 1), (3, 2)] {
        let p = image::RgbImage::from_pixel(w, h, image::Rgb([9, 99, 199]));
        for file in [png(&p), jpeg(&p)] {
            for fit in [Fit::Letterbox, Fit::Stretch] {
                let got = prepare(&file, None, fit, 224, &Limits::default()).unwrap();
                assert_eq!((got.width, got.height, got.pixels.len()), (w, h, 224 * 224 * 3));
                // One pixel in the middle stands in column and row 111.
                let middle = (111 * 224 + 111) * 3;
                let (most, _) = difference(&got.pixels[middle..middle + 3], &[9, 99, 199]);
                assert!(most <= 2, "{w} x {h} {fit:?}");
            }
        }
    }
}

#[test]
fn regions_are_clipped_to_the_image() {
    let p = picture(120, 90);
    for file in [png(&p), jpeg(&p)] {
        let whole = prepare(&file, None, Fit::Stretch, 32, &Limits::default()).unwrap().pixels;
        for (left, width) in [(-50.0, 500.0), (-1e300, 1.7e308), (0.0, 120.0)] {
            let region = Region { left, top: -3.5, width, height: 1e9 };
            assert_eq!(cut(&file, region, Fit::Stretch, 32).unwrap(), whole);
        }
        // A corner, a sliver, and a hundredth of a pixel.
        for (left, top, width, height) in
            [(110.0, 80.0, 50.0, 50.0), (119.99, 0.0, 5.0, 90.0), (60.5, 40.5, 0.01, 0.01)]
        {
            let region = Region { left, top, width, height };
            assert_eq!(cut(&file, region, Fit::Letterbox, 32).unwrap().len(), 32 * 32 * 3);
        }
    }
}

/// What lies outside a region never shows in it: half black, half white, cut at the border.
#[test]
fn neighbours_do_not_leak_into_a_region() {
    let p = image::RgbImage::from_fn(256, 256, |x, _| image::Rgb([if x < 128 { 0 } else { 255 }; 3]));
    let region = Region { left: 128.0, top: 0.0, width: 128.0, height: 256.0 };
    assert!(cut(&png(&p), region, Fit::Stretch, 20).unwrap().iter().all(|&v| v == 255));
}

#[test]
fn regions_without_a_picture_are_errors() {
    let file = jpeg(&picture(120, 90));
    for (left, width) in [(120.0, 10.0), (-10.0, 10.0), (50.0, 0.0), (50.0, -20.0), (1e308, 1e308)] {
        let region = Region { left, width, ..WIDE };
        let error = cut(&file, region, Fit::Letterbox, 32).unwrap_err();
        assert_eq!(error, Error::RegionOutside { region, width: 120, height: 90 });
        assert_eq!(error.kind(), ErrorKind::BadRegion);
        assert!(error.to_string().contains("120 x 90"), "{error}");
    }
    for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for region in [
            Region { left: odd, ..WIDE },
            Region { top: odd, ..WIDE },
            Region { width: odd, ..WIDE },
            Region { height: odd, ..WIDE },
        ] {
            let error = cut(&file, region, Fit::Letterbox, 32).unwrap_err();
            assert!(matches!(error, Error::RegionNotFinite { width: 120, height: 90, .. }));
            assert!(error.to_string().contains("120 x 90"), "{error}");
        }
    }
}

#[test]
fn sizes_out_of_range_are_errors() {
    for size in [0, MAX_SIZE + 1, u32::MAX] {
        let error = to(&png(&picture(4, 4)), size).unwrap_err();
        assert_eq!(error, Error::BadSize { got: size, limit: MAX_SIZE });
    }
}
