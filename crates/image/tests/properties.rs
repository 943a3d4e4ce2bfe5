//! No bytes whatever make `prepare` panic, and equal bytes give equal results.

mod common;

use common::{bombs, encode, exif, jpeg, picture, progressive_jpeg, with_exif};
use grnet_image::{Fit, Limits, Region, prepare, probe};
use image::ImageFormat;
use proptest::prelude::*;
use std::sync::LazyLock;

/// Small limits, so that a changed header cannot make a case slow.
const LIMITS: Limits = Limits { max_bytes: 1 << 20, max_pixels: 1_000_000 };

static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let p = picture(48, 40);
    let mut files = vec![jpeg(&p), progressive_jpeg(&p), with_exif(&jpeg(&p), 6, true)];
    let formats = [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::Tiff];
    files.extend(formats.map(|f| encode(p.clone(), f)));
    files.push(exif(3, false));
    files
});

/// Lossless pictures, two of them as libwebp writes them: with transforms, a colour cache, a palette, 12 groups.
static LOSSLESS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let groups = bombs::webp(&[(b"VP8L", &bombs::tables(5))]);
    let encoded = encode(picture(48, 40), ImageFormat::WebP);
    vec![GROUPS.to_vec(), PALETTE.to_vec(), groups, encoded]
});
const GROUPS: &[u8] = include_bytes!("data/groups.webp");
const PALETTE: &[u8] = include_bytes!("data/palette.webp");

const SIGNATURES: [&[u8]; 9] = [
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    b"GIF89a",
    b"RIFF\0\x01\0\0WEBPVP8X\x0a\0\0\0",
    b"RIFF\0\x01\0\0WEBPVP8L",
    b"RIFF\0\x01\0\0WEBPVP8 ",
    b"II*\0\x08\0\0\0",
    b"MM\0*\0\0\0\x08",
    b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
];

fn check(bytes: &[u8], region: Option<&Region>) -> Result<(), TestCaseError> {
    let got = prepare(bytes, region, Fit::Letterbox, 12, &LIMITS);
    // Compared as text: an error may hold a NaN, which equals nothing.
    let again = prepare(bytes, region, Fit::Letterbox, 12, &LIMITS);
    prop_assert_eq!(format!("{got:?}"), format!("{again:?}"));
    if let Ok(got) = got {
        let header = probe(bytes, &LIMITS);
        prop_assert!(header.is_ok_and(|h| (h.width, h.height) == (got.width, got.height)));
        prop_assert_eq!(got.pixels.len(), 12 * 12 * 3);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        check(&bytes, None)?;
    }

    #[test]
    fn arbitrary_bytes_behind_a_signature(
        which in 0..SIGNATURES.len(),
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        check(&[SIGNATURES[which], &bytes].concat(), None)?;
    }

    #[test]
    fn changed_files(
        which in 0..9usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        near_the_start in any::<bool>(),
    ) {
        let mut file = FILES[which].clone();
        let length = if near_the_start { file.len().min(120) } else { file.len() };
        for (at, value) in changes {
            file[at.index(length)] = value;
        }
        check(&file, None)?;
    }

    #[test]
    fn spliced_files(
        first in 0..9usize,
        second in 0..9usize,
        cut in any::<prop::sample::Index>(),
        resume in any::<prop::sample::Index>(),
    ) {
        let (a, b) = (&FILES[first], &FILES[second]);
        check(&[&a[..cut.index(a.len())], &b[resume.index(b.len())..]].concat(), None)?;
    }

    /// The tables are added up from the same bits as the codec reads: what it decodes is not refused for them.
    #[test]
    fn lossless_webps_are_refused_for_their_codes_only_where_the_codec_refuses_them(
        which in 0..4usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..8u8), 0..3),
        within in prop::sample::select(vec![40usize, 200, 3000]),
    ) {
        let mut file = LOSSLESS[which].clone();
        let length = (file.len() - 25).min(within);
        for (at, bit) in changes {
            file[25 + at.index(length)] ^= 1 << bit;
        }
        let refused = prepare(&file, None, Fit::Letterbox, 12, &LIMITS).err().map(|error| error.to_string());
        let refused = refused.filter(|words| words.contains("Huffman codes are damaged"));
        if image::load_from_memory(&file).is_ok() {
            prop_assert_eq!(refused, None);
        }
    }

    #[test]
    fn any_region(
        which in 0..8usize,
        left in -60.0..60.0f64,
        top in -60.0..60.0f64,
        width in -5.0..120.0f64,
        height in prop::num::f64::ANY,
    ) {
        check(&FILES[which], Some(&Region { left, top, width, height }))?;
    }
}
