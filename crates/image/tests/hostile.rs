//! Files made to hurt: each ends in one error, soon, and without memory in proportion to its claims.

mod common;

use common::{bombs, chunk, encode, jpeg, picture, png, progressive_jpeg, resized_jpeg, to};
use grnet_image::{Error, ErrorKind, Fit, Format, Limits, MAX_SIDE, prepare, probe};
use image::ImageFormat;
use std::time::{Duration, Instant};

fn kind(bytes: &[u8]) -> ErrorKind {
    let error = to(bytes, 64).unwrap_err();
    let text = error.to_string();
    assert!(!text.ends_with('.') && !text.contains('\n'), "{text}");
    error.kind()
}

fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    file.extend(chunk(b"IHDR", &header));
    file.extend(chunk(b"IDAT", &[0x78, 0x9c, 3, 0, 0, 0, 0, 1]));
    file.extend(chunk(b"IEND", &[]));
    file
}

/// Where the entry of a tag stands in a little-endian TIFF's directory.
fn tiff_entry(file: &[u8], tag: u16) -> usize {
    let directory = u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize;
    let entries = directory + 2..;
    let found = entries.step_by(12).find(|&at| file[at..at + 2] == tag.to_le_bytes());
    found.expect("the tag is there")
}

/// An entry holding one 32-bit number.
fn long_entry(tag: u16, value: u32) -> Vec<u8> {
    let head = [tag.to_le_bytes(), 4u16.to_le_bytes()].concat();
    [head, 1u32.to_le_bytes().to_vec(), value.to_le_bytes().to_vec()].concat()
}

fn files() -> Vec<Vec<u8>> {
    let p = picture(48, 32);
    let mut files = vec![jpeg(&p), progressive_jpeg(&p)];
    let formats = [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::Tiff];
    files.extend(formats.map(|f| encode(p.clone(), f)));
    files
}

#[test]
fn bombs_are_refused_from_the_header() {
    let mut gif = b"GIF89a".to_vec();
    gif.extend([0xff; 4]);
    gif.extend([0; 20]);
    let mut bmp = encode(picture(4, 4), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&60_000i32.to_le_bytes());
    bmp[22..26].copy_from_slice(&(-60_000i32).to_le_bytes());
    let mut webp = b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0".to_vec();
    webp.extend([0xff; 6]);
    let mut tiff = encode(picture(4, 4), ImageFormat::Tiff);
    for tag in [256, 257] {
        let at = tiff_entry(&tiff, tag);
        tiff[at..at + 12].copy_from_slice(&long_entry(tag, 60_000));
    }
    for (file, pixels) in [
        (png_header(60_000, 60_000), 3_600_000_000),
        (resized_jpeg(&jpeg(&picture(8, 8)), 65_535, 65_535), 4_294_836_225),
        (gif, 4_294_836_225),
        (bmp, 3_600_000_000),
        (webp, 1 << 48),
        (tiff, 3_600_000_000),
    ] {
        let error = to(&file, 64).unwrap_err();
        assert_eq!(error, Error::TooManyPixels { got: pixels, limit: 64_000_000 });
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert_eq!(probe(&file, &Limits::default()).unwrap_err(), error);
    }
    let error = to(&png_header(60_000, 60_000), 64).unwrap_err();
    assert_eq!(error.to_string(), "image has 3600000000 pixels, the limit is 64000000");
}

#[test]
fn limits_are_exact() {
    let file = png(&picture(40, 30));
    let at = |max_bytes, max_pixels| {
        let limits = Limits { max_bytes, max_pixels };
        prepare(&file, None, Fit::Letterbox, 8, &limits).map(|_| ())
    };
    let bytes = file.len() as u64;
    assert_eq!(at(bytes, 1200), Ok(()));
    assert_eq!(at(bytes - 1, 1200), Err(Error::TooManyBytes { got: bytes, limit: bytes - 1 }));
    assert_eq!(at(bytes, 1199), Err(Error::TooManyPixels { got: 1200, limit: 1199 }));
    let long = to(&png_header(MAX_SIDE + 1, 1), 8).unwrap_err();
    assert!(matches!(long, Error::SideTooLong { .. }), "{long}");
}

#[test]
fn empty_and_zero_sized_images_are_errors() {
    assert_eq!(to(b"", 8), Err(Error::Empty));
    let file = jpeg(&picture(8, 8));
    for broken in
        [resized_jpeg(&file, 0, 8), resized_jpeg(&file, 8, 0), png_header(0, 10), b"GIF89a\0\0\0\0\0\0\0;".to_vec()]
    {
        let error = to(&broken, 8).unwrap_err();
        assert!(matches!(error, Error::ZeroSize { .. }), "{error}");
        assert_eq!(error.kind(), ErrorKind::BadImage);
    }
}

/// Cut anywhere, a file is refused, or gives what it gives every time. A JPEG is refused unless nothing but its end
/// marker is missing, and no format lets less than 70 % of its bytes pass for the picture.
#[test]
fn files_that_end_early_are_refused() {
    for file in files() {
        let jpeg = file.starts_with(b"\xff\xd8");
        for end in (0..file.len()).step_by(7).chain([file.len() - 1]) {
            let (got, again) = (to(&file[..end], 16), to(&file[..end], 16));
            assert_eq!(got, again);
            let whole_enough = if jpeg { end + 2 >= file.len() } else { end * 10 > file.len() * 7 };
            assert!(got.is_err() || whole_enough, "{end} of {} bytes", file.len());
        }
    }
    let file = jpeg(&picture(48, 32));
    let bytes = file.len() / 2;
    let error = to(&file[..bytes], 16).unwrap_err();
    assert_eq!(error, Error::Truncated { format: Format::Jpeg, bytes });
}

/// What is missing is missed whether an end marker says that it is all there or not.
#[test]
fn jpegs_whose_data_end_early_are_refused_whatever_their_end_says() {
    let p = picture(200, 150);
    for file in [jpeg(&p), progressive_jpeg(&p)] {
        let first = file.windows(2).position(|w| w == [0xff, 0xda]).unwrap();
        for percent in [3, 20, 50, 80, 99] {
            let mut cut = file[..first + (file.len() - first) * percent / 100].to_vec();
            // A stuffed byte that is cut in two would make a marker of its own with the next byte.
            cut.truncate(cut.len() - usize::from(cut.ends_with(&[0xff])));
            for end in [&[][..], &[0xff, 0xd9], &[0xff, 0xd9, 0, 0, 1, 2]] {
                let error = to(&[&cut, end].concat(), 64).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::BadImage);
                let words = error.to_string();
                assert!(words.contains("before the picture does"), "{percent} %, {} bytes behind: {words}", end.len());
            }
        }
        let whole = to(&file, 64).unwrap();
        assert_eq!(to(&file[..file.len() - 2], 64).unwrap(), whole);
    }
}

/// Between scans a file may seem whole: without an end marker all must be there, with it each channel.
#[test]
fn jpegs_without_their_last_scans_are_refused() {
    let file = progressive_jpeg(&picture(64, 64));
    let scans: Vec<usize> = (0..file.len() - 1).filter(|&at| file[at..at + 2] == [0xff, 0xda]).collect();
    assert!(scans.len() > 4, "{scans:?}");
    for &at in &scans[1..] {
        // Tables for a scan stand ahead of it.
        let tables = file[..at].windows(2).rposition(|w| w == [0xff, 0xc4]).filter(|&tables| at - tables < 200);
        let error = to(&file[..tables.unwrap_or(at)], 64).unwrap_err();
        assert!(matches!(error, Error::Truncated { .. }), "{error}");
    }
    // The first scan alone is a whole picture if its end says so: coarse, but nothing is made up.
    let coarse = [&file[..scans[1]], &[0xff, 0xd9]].concat();
    assert!(to(&coarse, 8).is_ok());
}

/// The first scan of a progressive JPEG, repeated: each costs a pass over all coefficients.
#[test]
fn thousands_of_scans_are_refused_at_once() {
    let file = progressive_jpeg(&picture(256, 256));
    let first = file.windows(2).position(|w| w == [0xff, 0xda]).unwrap();
    // It ends where the next table or the next scan begins.
    let next = file[first + 2..].windows(2).position(|w| matches!(w, [0xff, 0xc4 | 0xda])).unwrap();
    let end = first + 2 + next;
    let with = |times: usize| [&file[..first], &file[first..end].repeat(times), &file[end..]].concat();
    assert!(to(&with(20), 64).is_ok());
    let bomb = with(5000);
    let start = Instant::now();
    let error = to(&bomb, 64).unwrap_err();
    assert!(matches!(error, Error::TooManyScans { got: 5000.., limit: 100 }), "{error}");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
fn jpegs_of_other_codings_are_named() {
    let file = jpeg(&picture(8, 8));
    let at = file.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    for (offset, value, word) in [
        (1, 0xc9, "arithmetic"),
        (1, 0xc3, "lossless"),
        (1, 0xc5, "hierarchical"),
        (4, 12, "12 bits"),
        (9, 2, "2 channels"),
    ] {
        let mut other = file.clone();
        other[at + offset] = value;
        let error = to(&other, 8).unwrap_err();
        assert!(matches!(error, Error::UnsupportedFeature { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

/// Two frame headers with different sizes: the limits must hold for the one that counts.
#[test]
fn contradictory_headers_are_refused() {
    let file = jpeg(&picture(8, 8));
    let at = file.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    let frame = &file[at..at + 19];
    let mut twice = file[..at].to_vec();
    twice.extend(frame);
    twice.extend(&resized_jpeg(&file, 65_535, 65_535)[at..]);
    assert_eq!(kind(&twice), ErrorKind::BadImage);

    // A WebP canvas that isn't the picture's size.
    let simple = encode(picture(64, 64), ImageFormat::WebP);
    let mut webp = b"RIFF\xff\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x07\0\0\x07\0\0".to_vec();
    webp.extend(&simple[12..]);
    assert_eq!(kind(&webp), ErrorKind::BadImage);
}

/// Values of a TIFF's directory that would make its decoder run away.
#[test]
fn tiffs_that_ask_too_much_are_refused() {
    let file = encode(picture(300, 400), ImageFormat::Tiff);
    // Replaces the entry of one tag by an entry of another one (or the same).
    let set = |file: &[u8], old: u16, new: u16, value: u32| {
        let at = tiff_entry(file, old);
        let mut file = file.to_vec();
        file[at..at + 12].copy_from_slice(&long_entry(new, value));
        file
    };
    for (compression, word) in [(7, "JPEG"), (4, "fax"), (50_000, "50000")] {
        let error = to(&set(&file, 259, 259, compression), 8).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
    // Tiles of 1 x 1, each with a decompressor of its own, in place of strips.
    let tiles = set(&file, 278, 322, 1);
    let tiles = set(&tiles, 279, 323, 1);
    let tiles = set(&tiles, 256, 256, 1000);
    let error = to(&tiles, 8).unwrap_err();
    assert_eq!(error, Error::TooManyTiles { got: 400_000, limit: 131_072 });
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

/// Tiles larger than the picture are unpacked, and what of them is not shown too.
#[test]
fn tiffs_with_endless_tiles_are_refused() {
    let file = |height: u32, tile: (u32, u32), samples: u32| {
        let (sides, bits) = ([[height], [tile.0], [tile.1], [samples]], vec![8; samples as usize]);
        let tags: [(u16, u16, &[u32]); 10] = [
            (256, 3, &[3]),
            (257, 4, &sides[0]),
            (258, 3, &bits),
            (259, 3, &[1]),
            (262, 3, &[2]),
            (277, 3, &sides[3]),
            (322, 4, &sides[1]),
            (323, 4, &sides[2]),
            (324, 4, &[8]),
            (325, 4, &[768]),
        ];
        bombs::tiff(&tags, &[7; 768])
    };
    assert_eq!(to(&file(4, (16, 16), 3), 4).unwrap().pixels[12..21], [7; 9]);
    let error = to(&file(4, (16, 65_536), 3), 4).unwrap_err();
    assert_eq!(error, Error::TileTooLong { width: 16, height: 65_536, limit: 65_535 });
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    // Deflate makes 33 GB of 32 MB: a column of 60,000 pixels would be cut from them.
    let error = to(&file(60_000, (65_520, 60_000), 3), 4).unwrap_err();
    assert_eq!(error, Error::TooMuchPadding { got: 65_520 * 60_000, limit: 128_000_000 });
    for samples in [5, 6, 60_000] {
        let error = to(&file(4, (16, 16), samples), 4).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadImage, "{error}");
    }
    assert_eq!(kind(&bombs::tiff_tile()), ErrorKind::TooLarge);
    assert_eq!(kind(&bombs::tiff_list()), ErrorKind::TooLarge);
}

/// The picture inside an extended WebP has sides of its own.
#[test]
fn webps_whose_canvas_hides_another_picture_are_refused() {
    let lossy = |width, height| bombs::lossy(width, height, 2000);
    let lossless = encode(picture(8, 8), ImageFormat::WebP)[20..].to_vec();
    let still = |width, height, kind: &[u8; 4], picture: &[u8]| {
        bombs::webp(&[(b"VP8X", &bombs::canvas(0, width, height)), (kind, picture)])
    };
    assert!(to(&still(8, 8, b"VP8 ", &lossy(8, 8)), 8).is_ok());
    assert!(to(&still(8, 8, b"VP8L", &lossless), 8).is_ok());
    let frame = |x: u8, width: u8, chunks: &[(&[u8; 4], &[u8])]| {
        [&[x, 0, 0, 0, 0, 0, width - 1, 0, 0, 7, 0, 0, 0, 0, 0, 0], &bombs::webp(chunks)[12..]].concat()
    };
    let moving =
        |frame: &[u8]| bombs::webp(&[(b"VP8X", &bombs::canvas(2, 8, 8)), (b"ANIM", &[0; 6]), (b"ANMF", frame)]);
    assert!(to(&moving(&frame(0, 8, &[(b"VP8 ", &lossy(8, 8))])), 8).is_ok());
    let hidden = moving(&frame(0, 8, &[(b"VP8 ", &lossy(16_000, 16_000))]));
    for (file, words) in [
        (still(8, 9, b"VP8 ", &lossy(8, 8)), "its picture is 8 x 8 pixels, its header says 8 x 9"),
        (still(8, 9, b"VP8L", &lossless), "its picture is 8 x 8 pixels, its header says 8 x 9"),
        (hidden, "its picture is 16000 x 16000 pixels, its header says 8 x 8"),
        (
            moving(&frame(0, 9, &[(b"VP8 ", &lossy(9, 8))])),
            "its first frame reaches to 9 x 8 pixels, its canvas to 8 x 8",
        ),
        (moving(&frame(1, 8, &[(b"VP8L", &lossless)])), "its first frame reaches to 10 x 8 pixels"),
        (
            moving(&frame(0, 8, &[(b"ALPH", &[0; 65]), (b"VP8L", &lossless)])),
            "alpha channel of its first frame has no picture",
        ),
        (moving(&frame(0, 8, &[(b"EXIF", &[0; 65])])), "its first frame has no picture"),
        (
            bombs::webp(&[(b"VP8X", &bombs::canvas(0, 8, 8)), (b"VP8 ", &lossy(8, 8)), (b"VP8L", &lossless)]),
            "two pictures",
        ),
        (
            bombs::webp(&[
                (b"VP8X", &bombs::canvas(0, 8, 8)),
                (b"VP8 ", &lossy(8, 8)),
                (b"ANMF", &frame(0, 8, &[(b"VP8L", &bombs::tables(65_536))])),
            ]),
            "does not announce",
        ),
    ] {
        let error = to(&file, 8).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadImage);
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(probe(&file, &Limits::default()).unwrap_err(), error);
    }
}

/// Small files, gigabytes of tables: as a picture, as an alpha channel, and in a frame.
#[test]
fn webps_with_endless_tables_are_refused() {
    let bomb = bombs::tables(65_536);
    let alphas = [&[1], &bomb[5..]].concat();
    let picture = bombs::lossy(4, 4, 2000);
    let canvas = |flags| bombs::canvas(flags, 4, 4);
    let frame = [&[0, 0, 0, 0, 0, 0, 3, 0, 0, 3, 0, 0, 0, 0, 0, 0], &bombs::webp(&[(b"VP8L", &bomb)])[12..]].concat();
    for file in [
        bombs::webp_tables(),
        bombs::webp(&[(b"VP8X", &canvas(0)), (b"VP8L", &bomb)]),
        bombs::webp(&[(b"VP8X", &canvas(0x10)), (b"ALPH", &alphas), (b"VP8 ", &picture)]),
        bombs::webp(&[(b"VP8X", &canvas(2)), (b"ANIM", &[0; 6]), (b"ANMF", &frame)]),
    ] {
        let error = to(&file, 4).unwrap_err();
        assert!(matches!(error, Error::TooMuchMemory { got: 1_300_000_000.., limit: 134_217_728, .. }), "{error}");
        assert_eq!(error.kind(), ErrorKind::TooLarge);
    }
    assert!(to(&bombs::webp(&[(b"VP8L", &bombs::tables(1000))]), 4).is_ok());
}
