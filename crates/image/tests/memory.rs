//! What is promised ahead is kept: an image takes no more memory than its plan says, whatever is in it.
//!
//! Each file has a process of its own, in which nothing was freed before it (Linux).

#![cfg(target_os = "linux")]

mod common;

use common::{bombs, chunk, encode, jpeg, picture, png, progressive_jpeg, with_exif};
use grnet_image::{Fit, Limits, Region, plan};
use image::{DynamicImage, ImageBuffer, ImageFormat, Rgba};
use std::path::Path;
use std::process::Command;

#[path = "common/peak.rs"]
mod peak;

/// The file that a child takes, and the size that it is to be brought to.
const FILE: &str = "GRNET_IMAGE_FILE";
const SIZE: &str = "GRNET_IMAGE_SIZE";

struct Figures {
    /// `None` where the plan was refused.
    promised: Option<u64>,
    measured: u64,
    /// Empty where the image was decoded.
    error: String,
}

/// Prepares the file that its parent names; alone it does nothing.
#[test]
fn child() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let size: u32 = std::env::var(SIZE).unwrap().parse().unwrap();
    let bytes = std::fs::read(file).unwrap();
    let part = Region { left: 0.0, top: 0.0, width: 700.0, height: 600.0 };
    let limits = Limits::default();
    // Sizes beyond what a model has stand for a part at full scale.
    let region = (size > 512).then_some(&part);
    let (measured, (promised, result)) = peak::of(|| match plan(&bytes, region, Fit::Letterbox, size, &limits) {
        Ok(plan) => (plan.memory() as i64, plan.run()),
        Err(error) => (-1, Err(error)),
    });
    let error = result.map_or_else(|error| error.to_string(), |_| String::new());
    println!("\nfigures\t{promised}\t{measured}\t{error}");
}

fn figures(name: &str, bytes: &[u8], size: u32) -> Figures {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, bytes).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "child", "--nocapture"]).env(FILE, &file).env(SIZE, size.to_string());
    let output = child.output().unwrap();
    std::fs::remove_file(&file).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let said = said.lines().find_map(|line| line.strip_prefix("figures\t"));
    let said = said.unwrap_or_else(|| panic!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
    let mut fields = said.splitn(3, '\t');
    let mut number = || fields.next().unwrap().parse::<i64>().unwrap();
    let (promised, measured) = (number(), number());
    Figures {
        promised: u64::try_from(promised).ok(),
        measured: measured as u64,
        error: fields.next().unwrap().to_string(),
    }
}

/// Pixels of every layout, of which nothing compresses well.
fn noise<P: image::Pixel<Subpixel = T>, T: From<u8>>(width: u32, height: u32) -> ImageBuffer<P, Vec<T>> {
    let mut seed = 1u32;
    let mut next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        T::from((seed >> 24) as u8)
    };
    let samples = width as usize * height as usize * usize::from(P::CHANNEL_COUNT);
    ImageBuffer::from_raw(width, height, (0..samples).map(|_| next()).collect()).unwrap()
}

/// The content of a WebP's chunk `VP8L`.
fn lossless(picture: impl Into<DynamicImage>) -> Vec<u8> {
    encode(picture, ImageFormat::WebP)[20..].to_vec()
}

/// A frame of an animation at its upper left corner.
fn frame(width: u32, height: u32, chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let sides = [&(width - 1).to_le_bytes()[..3], &(height - 1).to_le_bytes()[..3]].concat();
    [&[0; 6][..], &sides, &[0; 4], &bombs::webp(chunks)[12..]].concat()
}

fn images() -> Vec<(&'static str, Vec<u8>, u32)> {
    let (w, h) = (1500, 1000);
    let rgba16 = noise::<Rgba<u16>, u16>(w, h);
    let rgba = noise::<Rgba<u8>, u8>(w, h);
    let rgb = picture(w, h);
    let grey = DynamicImage::from(rgb.clone()).into_luma8();
    let twelve = picture(4000, 3000);
    let (lossy, coded) = (bombs::lossy(w, h, 200_000), lossless(rgba.clone()));
    // An alpha channel that is coded as a lossless picture has no header of its own.
    let alphas = [&[1], &coded[5..]].concat();
    let still = bombs::canvas(0x10, w, h);
    let (moving, opaque) = (bombs::canvas(0x12, w, h), bombs::canvas(0x02, w, h));
    let animation = |canvas: &[u8], chunks: &[(&[u8; 4], &[u8])]| {
        bombs::webp(&[(b"VP8X", canvas), (b"ANIM", &[0; 6]), (b"ANMF", &frame(w, h, chunks))])
    };
    let mut screen = encode(rgb.clone(), ImageFormat::Gif);
    screen[6..10].copy_from_slice(&[16, 0, 16, 0]);
    vec![
        ("png", png(&rgb), 224),
        ("png-grey", encode(grey, ImageFormat::Png), 224),
        ("png-rgba16", encode(rgba16.clone(), ImageFormat::Png), 224),
        ("png-profile", bombs::with_profile(&png(&picture(64, 64)), 60 << 20, chunk), 224),
        // A profile that is too large is let go, as one that is damaged is.
        ("png-profile-too-large", bombs::with_profile(&bombs::black_png(6000, 4000, chunk), 400 << 20, chunk), 224),
        ("png-text", with_text(&png(&picture(64, 64))), 224),
        ("tiff-rgba16", encode(rgba16, ImageFormat::Tiff), 224),
        ("tiff-rgb", encode(rgb.clone(), ImageFormat::Tiff), 224),
        ("tiff-palette", raw_tiff(w, h, 3, 1), 224),
        ("tiff-grey-alpha", raw_tiff(w, h, 1, 2), 224),
        ("tiff-inks", raw_tiff(w, h, 5, 4), 224),
        ("tiff-lab", raw_tiff(w, h, 8, 3), 224),
        ("tiff-planes", planes(w, h), 224),
        ("tiff-jpeg", jpeg_tiff(&rgb), 224),
        ("jpeg-profile", with_segments(&jpeg(&twelve), &profile_of("p3.jpg")), 224),
        ("jpeg-inks-profile", with_segments(&inks(w, h), &profile_of("cmyk-profile.jpg")), 224),
        ("bmp", encode(rgb.clone(), ImageFormat::Bmp), 224),
        ("gif", encode(rgb.clone(), ImageFormat::Gif), 224),
        ("gif-of-a-larger-frame", screen, 224),
        ("webp-lossless", encode(rgb.clone(), ImageFormat::WebP), 224),
        ("webp-lossless-alpha", encode(rgba, ImageFormat::WebP), 224),
        ("webp-tables", bombs::webp(&[(b"VP8L", &bombs::tables(3000))]), 224),
        ("webp-lossy", bombs::webp(&[(b"VP8 ", &lossy)]), 224),
        ("webp-lossy-alpha", bombs::webp(&[(b"VP8X", &still), (b"ALPH", &alphas), (b"VP8 ", &lossy)]), 224),
        ("webp-moving-lossy", animation(&opaque, &[(b"VP8 ", &lossy)]), 224),
        ("webp-moving-lossless", animation(&moving, &[(b"VP8L", &coded)]), 224),
        ("webp-moving-alpha", animation(&moving, &[(b"ALPH", &alphas), (b"VP8 ", &lossy)]), 224),
        ("jpeg-12-million", jpeg(&twelve), 224),
        ("jpeg-12-million-progressive", progressive_jpeg(&twelve), 224),
        ("jpeg-12-million-turned", with_exif(&jpeg(&twelve), 6, true), 1024),
        ("jpeg-12-million-large", jpeg(&twelve), 448),
        ("jpeg-long", jpeg(&picture(60_000, 16)), 224),
    ]
}

/// A TIFF without compression, in one strip: what its colours are, and how many channels it has.
fn raw_tiff(width: u32, height: u32, colours: u32, channels: u32) -> Vec<u8> {
    let map: Vec<u32> = (0..768).map(|at| at * 80).collect();
    let (bits, length) = (vec![8; channels as usize], [width * height * channels]);
    let (sides, counts) = ([[width], [height]], [[colours], [channels]]);
    let mut tags: Vec<(u16, u16, &[u32])> = vec![
        (256, 3, &sides[0]),
        (257, 3, &sides[1]),
        (258, 3, &bits),
        (259, 3, &[1]),
        (262, 3, &counts[0]),
        (273, 4, &[8]),
        (277, 3, &counts[1]),
        (279, 4, &length),
    ];
    if colours == 3 {
        tags.push((320, 3, &map));
    }
    bombs::tiff(&tags, &vec![77; length[0] as usize])
}

/// Three channels, each in a strip of its own.
fn planes(width: u32, height: u32) -> Vec<u8> {
    let plane = width * height;
    let (sides, lengths) = ([[width], [height]], [plane; 3]);
    let offsets = [8, 8 + plane, 8 + 2 * plane];
    let tags: [(u16, u16, &[u32]); 9] = [
        (256, 3, &sides[0]),
        (257, 3, &sides[1]),
        (258, 3, &[8, 8, 8]),
        (259, 3, &[1]),
        (262, 3, &[2]),
        (273, 4, &offsets),
        (277, 3, &[3]),
        (279, 4, &lengths),
        (284, 3, &[2]),
    ];
    bombs::tiff(&tags, &vec![99; plane as usize * 3])
}

fn jpeg_tiff(picture: &image::RgbImage) -> Vec<u8> {
    let (coded, (width, height)) = (jpeg(picture), picture.dimensions());
    let (sides, length) = ([[width], [height]], [coded.len() as u32]);
    let tags: [(u16, u16, &[u32]); 8] = [
        (256, 3, &sides[0]),
        (257, 3, &sides[1]),
        (258, 3, &[8, 8, 8]),
        (259, 3, &[7]),
        (262, 3, &[6]),
        (273, 4, &[8]),
        (277, 3, &[3]),
        (279, 4, &length),
    ];
    bombs::tiff(&tags, &coded)
}

/// The segments with the colour profile of one of the files that Pillow made.
fn profile_of(name: &str) -> Vec<u8> {
    let file = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pillow").join(name)).unwrap();
    let at = file.windows(4).position(|w| w[..2] == [0xff, 0xe2]).unwrap();
    let length = usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
    file[at..at + 2 + length].to_vec()
}

fn with_segments(jpeg: &[u8], segments: &[u8]) -> Vec<u8> {
    [&jpeg[..2], segments, &jpeg[2..]].concat()
}

fn inks(width: u32, height: u32) -> Vec<u8> {
    let noise = noise::<Rgba<u8>, u8>(width, height);
    common::jpeg_of(&noise, mozjpeg::ColorSpace::JCS_CMYK, width, height, false)
}

/// The picture with 20 MB of text: a decoder keeps it, in UTF-8.
fn with_text(png: &[u8]) -> Vec<u8> {
    let text = chunk(b"tEXt", &[b"Comment\0", &vec![0xe4; 20_000_000][..]].concat());
    [&png[..33], &text, &png[33..]].concat()
}

/// The promise is kept, and it is no more than twice what was taken: what is promised is what other images wait for.
#[test]
fn images_take_what_was_promised() {
    for (name, bytes, size) in images() {
        let Figures { promised, measured, error } = figures(name, &bytes, size);
        let promised = promised.unwrap_or_else(|| panic!("{name}: {error}"));
        println!("{name}: {} KiB promised, {} KiB taken {error}", promised >> 10, measured >> 10);
        assert_eq!(error, "", "{name}");
        assert!(measured <= promised, "{name}: {promised} bytes promised, {measured} taken");
        assert!(promised <= measured * 2 + (4 << 20), "{name}: {promised} bytes promised, {measured} taken");
    }
}

/// Small files that would take gigabytes are refused, with what they ask for, and take next to nothing.
#[test]
fn bombs_take_nothing() {
    let float: ImageBuffer<Rgba<f32>, Vec<f32>> = ImageBuffer::new(1500, 1000);
    // Pixels of 32 bits that do not say that they are floating-point numbers.
    let mut wide = encode(float.clone(), ImageFormat::Tiff);
    let entry = wide.windows(4).rposition(|w| w == [0x53, 1, 3, 0]).unwrap();
    wide[entry] = 0xfe;
    for (name, bytes, words) in [
        ("tiff-float", encode(float, ImageFormat::Tiff), "floating-point samples"),
        ("tiff-32-bits", wide, "32 bits a sample"),
        ("tiff-tile", bombs::tiff_tile(), "TIFF tiles of 4294967295 x 16 pixels, the limit for a side is 65535"),
        ("tiff-list", bombs::tiff_list(), "8000000 TIFF strips or tiles, the limit is 131072"),
        ("webp-tables", bombs::webp_tables(), "bytes for its Huffman tables, the limit is 134217728"),
        ("webp-canvas", bombs::webp_canvas(), "its picture is 16383 x 16383 pixels, its header says 1 x 1"),
    ] {
        let Figures { promised, measured, error } = figures(name, &bytes, 224);
        println!("{name} of {} KB: {} KiB taken, {error}", bytes.len() / 1000, measured >> 10);
        assert!(error.contains(words), "{name}: {error}");
        assert!(measured <= promised.unwrap_or(2 << 20).min(2 << 20), "{name}: {measured} bytes taken");
    }
}
