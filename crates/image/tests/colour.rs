//! Colour profiles: those of sRGB change nothing, broken ones neither, and none does harm.

mod common;

use common::{chunk, difference, encode, picture, png, to};
use grnet_image::{Fit, Limits, prepare};
use image::ImageFormat;
use moxcms::ColorProfile;
use proptest::prelude::*;
use std::sync::LazyLock;

/// Stored blocks of zlib: what a PNG's profile is packed in where nothing packs it.
fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x78, 1];
    let mut blocks = bytes.chunks(65_535).peekable();
    while let Some(block) = blocks.next() {
        packed.push(u8::from(blocks.peek().is_none()));
        packed.extend((block.len() as u16).to_le_bytes());
        packed.extend((!(block.len() as u16)).to_le_bytes());
        packed.extend(block);
    }
    let (a, b) = bytes.iter().fold((1u32, 0u32), |(a, b), &v| {
        let a = (a + u32::from(v)) % 65_521;
        (a, (b + a) % 65_521)
    });
    packed.extend((b << 16 | a).to_be_bytes());
    packed
}

fn png_with(png: &[u8], profile: &[u8]) -> Vec<u8> {
    [&png[..33], &chunk(b"iCCP", &[b"made\0\0", &zlib(profile)[..]].concat()), &png[33..]].concat()
}

/// In as many pieces as it needs, of `piece` bytes each.
fn jpeg_with(jpeg: &[u8], profile: &[u8], piece: usize) -> Vec<u8> {
    let count = profile.len().div_ceil(piece) as u8;
    let mut file = jpeg[..2].to_vec();
    // From the last to the first: their numbers say the order.
    for (at, content) in profile.chunks(piece).enumerate().collect::<Vec<_>>().into_iter().rev() {
        file.extend([0xff, 0xe2]);
        file.extend((content.len() as u16 + 16).to_be_bytes());
        file.extend(b"ICC_PROFILE\0");
        file.extend([at as u8 + 1, count]);
        file.extend(content);
    }
    [&file, &jpeg[2..]].concat()
}

static IMAGE: LazyLock<Vec<u8>> = LazyLock::new(|| png(&picture(48, 40)));
static P3: LazyLock<Vec<u8>> = LazyLock::new(|| ColorProfile::new_display_p3().encode().unwrap());
/// A profile of inks, with a table, as it stands in a file that Pillow made.
static INKS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let file = include_bytes!("data/pillow/cmyk-profile.tif");
    let at = file.windows(4).position(|w| w == b"acsp").unwrap() - 36;
    let length = u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    file[at..at + length].to_vec()
});
const INK_JPEG: &[u8] = include_bytes!("data/pillow/cmyk.jpg");

#[test]
fn a_profile_of_srgb_changes_nothing() {
    let plain = to(&IMAGE, 48).unwrap();
    let srgb = ColorProfile::new_srgb().encode().unwrap();
    assert_eq!(to(&png_with(&IMAGE, &srgb), 48).unwrap(), plain);
}

#[test]
fn a_profile_changes_colours_wherever_it_is_kept() {
    let plain = to(&IMAGE, 48).unwrap();
    let shown = to(&png_with(&IMAGE, &P3), 48).unwrap();
    let (most, mean) = difference(&plain.pixels, &shown.pixels);
    assert!(most > 20 && mean > 3.0, "most {most}, mean {mean}");
    // In one piece and in many, in whatever order they stand.
    let coded = common::jpeg(&picture(48, 40));
    for piece in [60_000, 100] {
        let got = to(&jpeg_with(&coded, &P3, piece), 48).unwrap();
        assert!(difference(&got.pixels, &shown.pixels).1 < 2.0);
    }
    // A part of the image has the colours that it has in the whole.
    let region = grnet_image::Region { left: 8.0, top: 8.0, width: 24.0, height: 24.0 };
    let part = prepare(&png_with(&IMAGE, &P3), Some(&region), Fit::Letterbox, 24, &Limits::default()).unwrap();
    assert_eq!(part.pixels[..3], shown.pixels[((4 + 8) * 48 + 8) * 3..][..3]);
}

#[test]
fn profiles_that_make_no_sense_are_ignored() {
    let plain = to(&IMAGE, 48).unwrap();
    let grey = ColorProfile::new_gray_with_gamma(1.2).encode().unwrap();
    let mut many_tags = P3.clone();
    many_tags[128..132].copy_from_slice(&u32::MAX.to_be_bytes());
    let long = [&P3[..], &vec![0; 5 << 20]].concat();
    for profile in [&b""[..], b"none", &P3[..100], &P3[..200], &INKS[..], &grey[..], &many_tags[..], &long[..]] {
        assert_eq!(to(&png_with(&IMAGE, profile), 48).unwrap(), plain, "{} bytes", profile.len());
    }
    // A JPEG's profile of which a piece is missing.
    let coded = common::jpeg(&picture(48, 40));
    let mut pieces = jpeg_with(&coded, &P3, 100);
    let last = pieces.windows(2).position(|w| w == [0xff, 0xe2]).unwrap();
    pieces.drain(last..last + 2 + usize::from(u16::from_be_bytes([pieces[last + 2], pieces[last + 3]])));
    assert_eq!(to(&pieces, 48).unwrap(), to(&coded, 48).unwrap());
    // A grey picture with a profile of colours, and the other way round in a WebP.
    let grey_image = encode(image::DynamicImage::from(picture(9, 9)).into_luma8(), ImageFormat::Png);
    assert_eq!(to(&png_with(&grey_image, &P3), 9).unwrap(), to(&grey_image, 9).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(120) })]

    /// Whatever a profile says, there are pixels, the same ones every time.
    #[test]
    fn changed_profiles(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..10),
        near_the_start in any::<bool>(),
        inks in any::<bool>(),
    ) {
        let mut profile = if inks { INKS.clone() } else { P3.clone() };
        let length = if near_the_start { profile.len().min(400) } else { profile.len() };
        for (at, value) in changes {
            profile[at.index(length)] = value;
        }
        let file = if inks { jpeg_with(INK_JPEG, &profile, 60_000) } else { png_with(&IMAGE, &profile) };
        let first = to(&file, 32);
        prop_assert!(first.is_ok());
        prop_assert_eq!(first, to(&file, 32));
    }
}
