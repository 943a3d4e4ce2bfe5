//! Each format and pixel layout gives the colours that went in.

mod common;

use common::{bombs, chunk, difference, encode, jpeg, jpeg_of, picture, png, progressive_jpeg, to};
use grnet_image::{Error, Fit, Format, Limits, prepare, probe};
use image::{DynamicImage, GrayAlphaImage, ImageBuffer, ImageFormat, Luma, Rgb, Rgba, RgbaImage};
use mozjpeg::ColorSpace;

#[test]
fn lossless_formats_keep_every_pixel() {
    let p = picture(64, 64);
    for (image, format) in [
        (ImageFormat::Png, Format::Png),
        (ImageFormat::Bmp, Format::Bmp),
        (ImageFormat::Tiff, Format::Tiff),
        (ImageFormat::WebP, Format::WebP),
    ] {
        let got = to(&encode(p.clone(), image), 64).unwrap();
        assert_eq!((got.format, got.width, got.height), (format, 64, 64));
        assert!(got.pixels == *p.as_raw(), "{format}");
    }
}

#[test]
fn gif_gives_its_first_frame() {
    let p = picture(64, 64);
    let mut file = Vec::new();
    let mut codec = image::codecs::gif::GifEncoder::new(&mut file);
    for frame in [p.clone(), image::RgbImage::new(64, 64)] {
        let frame = DynamicImage::from(frame).into_rgba8();
        codec.encode_frame(image::Frame::new(frame)).unwrap();
    }
    drop(codec);
    let got = to(&file, 64).unwrap();
    assert_eq!(got.format, Format::Gif);
    // A palette of 256 colours; the second frame is black and would be far off.
    assert!(difference(&got.pixels, &p).1 < 4.0);
}

#[test]
fn jpegs_keep_their_colours() {
    let p = picture(64, 64);
    for file in [jpeg(&p), progressive_jpeg(&p)] {
        let got = to(&file, 64).unwrap();
        assert_eq!(got.format, Format::Jpeg);
        assert!(difference(&got.pixels, &p).1 < 2.0);
    }
    let grey: Vec<u8> = p.pixels().map(|p| p[0]).collect();
    let got = to(&jpeg_of(&grey, ColorSpace::JCS_GRAYSCALE, 64, 64, false), 64).unwrap();
    let wanted: Vec<u8> = grey.iter().flat_map(|&v| [v; 3]).collect();
    assert!(difference(&got.pixels, &wanted).1 < 2.0);
}

/// Ink values of a picture without black, stored as ink or (with Adobe's marker) as light.
#[test]
fn cmyk_jpegs_are_right_plain_and_inverted() {
    let p = picture(64, 64);
    for black in [0u32, 100] {
        let darker = |v: u8| ((u32::from(v) * (255 - black) + 127) / 255) as u8;
        let wanted: Vec<u8> = p.iter().map(|&v| darker(v)).collect();
        let inks = |invert: u8| -> Vec<u8> {
            p.pixels().flat_map(|p| [255 - p[0], 255 - p[1], 255 - p[2], black as u8]).map(|v| v ^ invert).collect()
        };
        // The encoder adds Adobe's marker, which says 'inverted'; without it the inks are plain.
        let adobe = jpeg_of(&inks(255), ColorSpace::JCS_CMYK, 64, 64, false);
        assert!(difference(&to(&adobe, 64).unwrap().pixels, &wanted).1 < 3.0);
        let plain = without_adobe(&jpeg_of(&inks(0), ColorSpace::JCS_CMYK, 64, 64, true));
        assert!(difference(&to(&plain, 64).unwrap().pixels, &wanted).1 < 3.0);
    }
}

fn without_adobe(jpeg: &[u8]) -> Vec<u8> {
    let at = jpeg.windows(4).position(|w| w == [0xff, 0xee, 0, 14]).expect("an Adobe marker");
    [&jpeg[..at], &jpeg[at + 16..]].concat()
}

#[test]
fn alpha_is_composed_on_white() {
    let clear = RgbaImage::from_fn(40, 40, |x, _| match x {
        0..20 => Rgba([200, 0, 0, 0]),
        _ => Rgba([200, 0, 100, 128]),
    });
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Tiff] {
        let got = to(&encode(clear.clone(), format), 40).unwrap().pixels;
        assert_eq!(got[..3], [255, 255, 255], "{format:?}");
        // 255 + (v - 255) * 128 / 255, rounded.
        assert_eq!(got[39 * 3..40 * 3], [227, 127, 177], "{format:?}");
    }
    let grey = GrayAlphaImage::from_fn(8, 8, |_, _| image::LumaA([100, 51]));
    assert_eq!(to(&encode(grey, ImageFormat::Png), 8).unwrap().pixels, [224; 192]);
    let deep: ImageBuffer<Rgba<u16>, Vec<u16>> = ImageBuffer::from_fn(8, 8, |_, _| Rgba([0, 65_535, 257, 32_768]));
    let got = to(&encode(deep, ImageFormat::Png), 8).unwrap().pixels;
    assert_eq!(got[..3], [127, 255, 128]);
}

/// A palette with a transparent entry, written by hand: two pixels, the first transparent.
#[test]
fn palette_transparency_is_white() {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    file.extend(chunk(b"IHDR", &[0, 0, 0, 2, 0, 0, 0, 1, 8, 3, 0, 0, 0]));
    file.extend(chunk(b"PLTE", &[10, 20, 30, 40, 50, 60]));
    file.extend(chunk(b"tRNS", &[0]));
    // zlib: one stored block of 3 bytes (no filter, entries 0 and 1) and its checksum.
    file.extend(chunk(b"IDAT", &[0x78, 1, 1, 3, 0, 0xfc, 0xff, 0, 0, 1, 0, 5, 0, 2]));
    file.extend(chunk(b"IEND", &[]));
    let got = prepare(&file, None, Fit::Letterbox, 2, &Limits::default()).unwrap();
    assert_eq!(got.pixels[..6], [255, 255, 255, 40, 50, 60]);
}

/// A TIFF of 2 x 1 pixels in one strip, of 8 or 16 bits.
fn tiff(bits: u32, extra: &[u32], predictor: u32, pixels: &[u8]) -> Vec<u8> {
    let samples = 3 + extra.len();
    let bits = vec![bits; samples];
    let (length, samples) = ([pixels.len() as u32], [samples as u32]);
    let mut tags: Vec<(u16, u16, &[u32])> = vec![
        (256, 3, &[2]),
        (257, 3, &[1]),
        (258, 3, &bits),
        (259, 3, &[1]),
        (262, 3, &[2]),
        (273, 4, &[8]),
        (277, 3, &samples),
        (279, 4, &length),
    ];
    let predictor = [predictor];
    tags.push((317, 3, &predictor));
    tags.extend((!extra.is_empty()).then_some((338, 3, extra)));
    bombs::tiff(&tags, pixels)
}

/// Where colours were multiplied by alpha they are not multiplied again.
#[test]
fn associated_alpha_is_composed_once() {
    let pixels = [128, 0, 0, 128, 10, 20, 30, 255];
    assert_eq!(to(&tiff(8, &[1], 1, &pixels), 2).unwrap().pixels[..6], [255, 127, 127, 10, 20, 30]);
    assert_eq!(to(&tiff(8, &[2], 1, &pixels), 2).unwrap().pixels[..6], [191, 127, 127, 10, 20, 30]);
    // Lighter than their alpha allows: white.
    assert_eq!(
        to(&tiff(8, &[1], 1, &[200, 90, 0, 100, 0, 0, 0, 0]), 2).unwrap().pixels[..6],
        [255, 245, 155, 255, 255, 255]
    );
    let deep = [0x8080u16, 0, 0x4040, 0x8080, 1, 2, 0xffff, 0xffff].map(u16::to_le_bytes).concat();
    assert_eq!(to(&tiff(16, &[1], 1, &deep), 2).unwrap().pixels[..6], [255, 127, 191, 0, 0, 255]);
}

/// A fourth channel without a meaning is dropped; with a predictor the decoder would mistake what is left.
#[test]
fn channels_without_a_meaning_are_dropped_or_refused_by_name() {
    let pixels = [1, 2, 3, 99, 5, 6, 7, 99];
    assert_eq!(to(&tiff(8, &[0], 1, &pixels), 2).unwrap().pixels[..6], [1, 2, 3, 5, 6, 7]);
    let error = to(&tiff(8, &[0], 2, &pixels), 2).unwrap_err();
    assert!(matches!(error, Error::UnsupportedFeature { format: Format::Tiff, .. }), "{error}");
    assert!(error.to_string().contains("a predictor with a channel that is neither colour nor alpha"), "{error}");
    // With alpha there is nothing to drop: differences to the pixel on the left.
    assert_eq!(to(&tiff(8, &[2], 2, &[1, 2, 3, 255, 4, 4, 4, 0]), 2).unwrap().pixels[..6], [1, 2, 3, 5, 6, 7]);
    for (extra, word) in [(&[2, 0][..], "2 channels besides its colours"), (&[3], "of kind 3")] {
        let error = to(&tiff(8, extra, 1, &[0; 10]), 2).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

/// An animation's first frame of 2 x 2 pixels on a canvas of 4 x 4, with and without an alpha channel.
#[test]
fn an_animation_s_canvas_is_white() {
    let red = encode(image::RgbImage::from_pixel(2, 2, Rgb([200, 0, 0])), ImageFormat::WebP);
    let sides = [1, 0, 0, 1, 0, 0];
    for blended in [0, 0b10] {
        let frame = [&[0; 6][..], &sides, &[0, 0, 0, blended], &red[12..]].concat();
        for flags in [0x02, 0x12] {
            let canvas = bombs::canvas(flags, 4, 4);
            let file = bombs::webp(&[(b"VP8X", &canvas), (b"ANIM", &[0; 6]), (b"ANMF", &frame)]);
            let got = to(&file, 4).unwrap().pixels;
            // The codec rounds down where it blends, an opaque pixel too.
            assert!(difference(&got[..6], &[200, 0, 0, 200, 0, 0]).0 <= 1, "{got:?}");
            assert_eq!((&got[6..12], &got[24..]), (&[255; 6][..], &[255; 24][..]));
        }
    }
}

/// As libwebp writes it: the alpha channel is a lossless picture of its own, clear in the upper left corner.
#[test]
fn a_lossy_webp_with_alpha_is_composed_on_white() {
    let got = to(include_bytes!("data/lossy-alpha.webp"), 32).unwrap();
    assert_eq!((got.format, &got.pixels[..3]), (Format::WebP, &[255; 3][..]));
    // Red 248, green 90, blue 0 behind an alpha of 217.
    assert!(difference(&got.pixels[32 * 32 * 3 - 3..], &[249, 115, 38]).0 < 12, "{:?}", &got.pixels[32 * 32 * 3 - 3..]);
}

/// Programs that know no alpha leave it zero, in a BMP with a mask for it too.
#[test]
fn alpha_that_is_zero_everywhere_in_a_bmp_is_none() {
    let file = |alpha: u8| {
        let mut file = encode(RgbaImage::from_pixel(3, 2, Rgba([50, 100, 150, 0])), ImageFormat::Bmp);
        assert_eq!((file[14], file[30], file[69]), (108, 3, 0xff), "a header with a mask for alpha");
        let last = file.len() - 1;
        file[last] = alpha;
        file
    };
    let all_zero = prepare(&file(0), None, Fit::Stretch, 3, &Limits::default()).unwrap().pixels;
    assert!(all_zero.chunks(3).all(|p| p == [50, 100, 150]), "{all_zero:?}");
    // One pixel with alpha makes the others transparent.
    let one = to(&file(255), 3).unwrap().pixels;
    assert!(one.chunks(3).any(|p| p == [255, 255, 255]) && one.chunks(3).any(|p| p == [50, 100, 150]), "{one:?}");
}

#[test]
fn sixteen_bits_are_rounded() {
    let value = |x: u32| [0u16, 128, 129, 32_767, 32_896, 65_406, 65_407, 65_535][x as usize];
    let wanted = [0u8, 0, 1, 127, 128, 254, 255, 255];
    let grey: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_fn(8, 8, |x, _| Luma([value(x)]));
    let rgb: ImageBuffer<Rgb<u16>, Vec<u16>> = ImageBuffer::from_fn(8, 8, |x, _| Rgb([value(x); 3]));
    for image in [DynamicImage::from(grey), DynamicImage::from(rgb)] {
        for format in [ImageFormat::Png, ImageFormat::Tiff] {
            let got = to(&encode(image.clone(), format), 8).unwrap().pixels;
            let row: Vec<u8> = got[..24].chunks(3).map(|p| p[1]).collect();
            assert_eq!(row, wanted);
        }
    }
}

#[test]
fn floating_point_is_refused_by_name() {
    let deep: ImageBuffer<Rgb<f32>, Vec<f32>> = ImageBuffer::new(4, 4);
    let error = to(&encode(deep, ImageFormat::Tiff), 4).unwrap_err();
    assert!(matches!(error, Error::UnsupportedFeature { format: Format::Tiff, .. }), "{error}");
}

#[test]
fn unknown_and_unsupported_formats_are_named() {
    let cases: [(&[u8], &str); 14] = [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "AVIF"),
        (b"\0\0\0\x20ftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x20ftypisom\0\0\0\0", "MP4"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<?xml version='1.0'?>\n<svg/>", "SVG"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "gzip"),
        (b"PK\x03\x04\x14\0", "ZIP"),
        (b"  <!DOCTYPE html><p>404", "HTML"),
        (b"data:image/jpeg;base64,/9j/", "data URL"),
        (b"/9j/4AAQSkZJRgABAQ", "base64"),
        (b"BMW is a car maker, not a bitmap", "text"),
        (b"\0\0\0\0\0\0\0\0\0", "00 00 00 00 00 00 00 00"),
    ];
    for (bytes, word) in cases {
        let error = probe(bytes, &Limits::default()).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(to(bytes, 8).unwrap_err(), error);
    }
}

#[test]
fn content_decides_and_bytes_after_the_end_are_ignored() {
    let p = picture(30, 20);
    let mut file = jpeg(&p);
    let plain = to(&file, 32).unwrap();
    file.extend(png(&p));
    assert_eq!(to(&file, 32).unwrap(), plain);
}

#[test]
fn probe_says_what_prepare_says() {
    let p = picture(37, 21);
    let mut files = vec![jpeg(&p), progressive_jpeg(&p)];
    for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::WebP, ImageFormat::Gif] {
        files.push(encode(p.clone(), format));
    }
    for file in files {
        let (header, got) = (probe(&file, &Limits::default()).unwrap(), to(&file, 16).unwrap());
        assert_eq!((header.width, header.height), (37, 21), "{}", header.format);
        assert_eq!((header.width, header.height, header.format), (got.width, got.height, got.format));
    }
}
