//! Pictures whose containers contradict themselves.

mod common;

use common::{bombs, encode, jpeg, picture, progressive_jpeg, resized_jpeg, to};
use grnet_image::{Error, ErrorKind, Fit, Limits, prepare};
use image::ImageFormat;

/// The picture is as large as its frame, and held to the limits as it is.
#[test]
fn gifs_whose_frame_is_larger_than_their_screen_are_measured_by_it() {
    let mut file = encode(picture(40, 30), ImageFormat::Gif);
    let at = |file: &[u8], max_pixels| {
        let limits = Limits { max_pixels, ..Limits::default() };
        prepare(file, None, Fit::Letterbox, 8, &limits).map(|image| (image.width, image.height))
    };
    for screen in [[8, 0, 6, 0], [0; 4]] {
        file[6..10].copy_from_slice(&screen);
        assert_eq!(at(&file, 1200), Ok((40, 30)));
        assert_eq!(at(&file, 1199), Err(Error::TooManyPixels { got: 1200, limit: 1199 }));
    }
}

/// A JPEG inside a TIFF says its own size, and how its pixels are coded: both are looked at before it is decoded.
#[test]
fn tiffs_with_another_jpeg_in_them_are_refused() {
    let coded = jpeg(&picture(16, 16));
    let file = |coded: &[u8], samples: u32| {
        let (bits, length) = (vec![8; samples as usize], [coded.len() as u32]);
        let tags: [(u16, u16, &[u32]); 8] = [
            (256, 3, &[16]),
            (257, 3, &[16]),
            (258, 3, &bits),
            (259, 3, &[7]),
            (262, 3, if samples == 3 { &[6] } else { &[1] }),
            (273, 4, &[8]),
            (277, 3, &[samples]),
            (279, 4, &length),
        ];
        bombs::tiff(&tags, coded)
    };
    assert!(to(&file(&coded, 3), 16).is_ok());
    let progressive = progressive_jpeg(&picture(16, 16));
    for (file, words) in [
        (
            file(&resized_jpeg(&coded, 65_000, 65_000), 3),
            "a JPEG in it is 65000 x 65000 pixels, its pieces are 16 x 16",
        ),
        (file(&coded, 1), "a JPEG in it has 3 channels, it has 1"),
        (file(&progressive, 3), "JPEG compression other than baseline"),
        (file(&coded[2..], 3), "does not begin as one"),
        (file(&coded[..60], 3), "cut off"),
    ] {
        let error = to(&file, 16).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadImage);
        assert!(error.to_string().contains(words), "{error}");
    }
}
