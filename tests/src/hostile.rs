//! Hostile files built on the spot: truncations, flipped bytes, bombs by header, other formats, nothing at all.

use image::ImageFormat;

use crate::images::{Random, encode, jpeg, picture, png_chunk};

// The files of grnet-image's own tests: each is described once.
#[path = "../../crates/image/tests/common/bombs.rs"]
mod bombs;

/// What must become of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Features.
    Features,
    /// An ERROR with this SQLSTATE.
    Refused(&'static str),
    /// Either, but cleanly and the same every time.
    Either,
}

/// A file and what must become of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it is.
    pub name: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// What must become of it.
    pub expect: Expect,
}

const FORMATS: [(&str, ImageFormat); 6] = [
    ("jpeg", ImageFormat::Jpeg),
    ("png", ImageFormat::Png),
    ("webp", ImageFormat::WebP),
    ("gif", ImageFormat::Gif),
    ("bmp", ImageFormat::Bmp),
    ("tiff", ImageFormat::Tiff),
];
const BAD: Expect = Expect::Refused("22000");
const TOO_LARGE: Expect = Expect::Refused("54000");

/// One image in each format that is read.
pub fn images() -> Vec<(&'static str, Vec<u8>)> {
    let picture = picture(11, 40, 30);
    let one = |(name, format): &(&'static str, ImageFormat)| {
        (*name, if *format == ImageFormat::Jpeg { jpeg(&picture) } else { encode(&picture, *format) })
    };
    FORMATS.iter().map(one).collect()
}

/// The bytes with `new` from byte `at` on.
fn patched(bytes: &[u8], at: usize, new: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + new.len()].copy_from_slice(new);
    bytes
}

/// A PNG whose header promises a size, with a right checksum, and whose content is a few bytes.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let signature = b"\x89PNG\r\n\x1a\n".to_vec();
    [
        signature,
        png_chunk(b"IHDR", &header),
        png_chunk(b"IDAT", &[0x78, 0x9c, 3, 0, 0, 0, 0, 1]),
        png_chunk(b"IEND", &[]),
    ]
    .concat()
}

/// The place of a JPEG's height in its frame header.
fn jpeg_size_at(jpeg: &[u8]) -> usize {
    jpeg.windows(2).position(|two| two == [0xff, 0xc0]).map_or(0, |at| at + 5)
}

/// Each format with a header that promises 65,000 by 65,000 pixels or nothing at all.
fn sizes(cases: &mut Vec<Case>) {
    let mut add = |name: &str, bytes: Vec<u8>, expect| cases.push(Case { name: name.to_owned(), bytes, expect });
    let of = |wanted: &str| {
        images().into_iter().find(|(name, _)| *name == wanted).map(|(_, bytes)| bytes).unwrap_or_default()
    };
    let (jpeg, gif, bmp, tiff) = (of("jpeg"), of("gif"), of("bmp"), of("tiff"));
    let (big16, at) = (65_000u16, jpeg_size_at(&jpeg));
    add("png that promises 4 thousand million pixels", png_of(65_000, 65_000), TOO_LARGE);
    add("png that promises the largest sides", png_of(0x7fff_ffff, 0x7fff_ffff), TOO_LARGE);
    add("png with a side beyond all limits", png_of(60_000_000, 1), TOO_LARGE);
    add("png of no width", png_of(0, 30), BAD);
    add("png of no height", png_of(30, 0), BAD);
    add("png that promises 1000 x 1000 and brings nothing", png_of(1000, 1000), BAD);
    add(
        "jpeg that promises 65,000 x 65,000",
        patched(&jpeg, at, &[big16.to_be_bytes(), big16.to_be_bytes()].concat()),
        TOO_LARGE,
    );
    add("jpeg of no height", patched(&jpeg, at, &[0, 0]), BAD);
    add("jpeg of no width", patched(&jpeg, at + 2, &[0, 0]), BAD);
    add(
        "gif that promises 65,000 x 65,000",
        patched(&gif, 6, &[big16.to_le_bytes(), big16.to_le_bytes()].concat()),
        TOO_LARGE,
    );
    add(
        "bmp that promises 65,000 x 65,000",
        patched(&bmp, 18, &[65_000u32.to_le_bytes(), 65_000u32.to_le_bytes()].concat()),
        TOO_LARGE,
    );
    add("bmp of no width", patched(&bmp, 18, &[0; 4]), BAD);
    add("bmp of negative width", patched(&bmp, 18, &(-40i32).to_le_bytes()), BAD);
    add("bmp of the most negative height", patched(&bmp, 22, &i32::MIN.to_le_bytes()), TOO_LARGE);
    add("bmp whose pixels begin behind its end", patched(&bmp, 10, &0x7fff_ffffu32.to_le_bytes()), Expect::Either);
    add("tiff whose directory lies behind its end", patched(&tiff, 4, &0xffff_fff0u32.to_le_bytes()), BAD);
    add("tiff whose directory is its header", patched(&tiff, 4, &[0; 4]), BAD);
}

/// Images that contradict themselves and are whole, and one that says that it is whole and is not.
fn odd(cases: &mut Vec<Case>) {
    let mut add = |name: &str, bytes: Vec<u8>, expect| cases.push(Case { name: name.to_owned(), bytes, expect });
    let of = |wanted: &str| {
        images().into_iter().find(|(name, _)| *name == wanted).map(|(_, bytes)| bytes).unwrap_or_default()
    };
    let (jpeg, png, gif) = (of("jpeg"), of("png"), of("gif"));
    add("jpeg without its end marker", jpeg[..jpeg.len() - 2].to_vec(), Expect::Features);
    add("half a jpeg with an end marker", [&jpeg[..jpeg.len() / 2], b"\xff\xd9"].concat(), BAD);
    add("png without its last chunk", png[..png.len() - 12].to_vec(), Expect::Features);
    add("gif without a screen", patched(&gif, 6, &[0; 4]), Expect::Features);
    add("gif with a screen of one pixel", patched(&gif, 6, &[1, 0, 1, 0]), Expect::Features);
}

/// Small files that ask their codec for hundreds of megabytes, or for gigabytes.
fn large_inside(cases: &mut Vec<Case>) {
    let mut add = |name: &str, bytes: Vec<u8>, expect| cases.push(Case { name: name.to_owned(), bytes, expect });
    let black = bombs::black_png(64, 64, png_chunk);
    add("tiff of 4 x 4 pixels in a tile of 4,294,967,295 x 16", bombs::tiff_tile(), TOO_LARGE);
    add("tiff of one pixel with 8 million offsets", bombs::tiff_list(), TOO_LARGE);
    add("webp of 4 x 4 pixels with 65,536 groups of codes", bombs::webp_tables(), TOO_LARGE);
    add("webp of one pixel around 16,383 x 16,383", bombs::webp_canvas(), BAD);
    add("png with a colour profile of 400 MB", bombs::with_profile(&black, 400_000_000, png_chunk), Expect::Features);
}

/// What is no image at all, or one of a kind that is not read.
fn strangers(cases: &mut Vec<Case>) {
    let mut add =
        |name: &str, bytes: &[u8]| cases.push(Case { name: name.to_owned(), bytes: bytes.to_vec(), expect: BAD });
    add("nothing", b"");
    add("one byte", b"\xff");
    add("4,096 zeros", &[0; 4096]);
    add("text", b"an image of a red dress, front view");
    add("a path", b"/srv/images/1.jpg");
    add("a URL", b"https://example.org/1.jpg");
    add("hexadecimal text", b"\\xffd8ffe000104a46494600010100");
    add("base64 text", b"/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD");
    add("bytes converted to UTF-8", "\u{ff}\u{d8}\u{ff}\u{e0}\0\u{10}JFIF".as_bytes());
    add("apple's png", b"\x89PNG\r\n\x1a\n\0\0\0\x04CgBI\x50\0\x20\x02\x2b\xd5\xb3\x7f\0\0\0\x0dIHDR");
    add(
        "svg",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><image href='file:///etc/passwd'/></svg>",
    );
    add("html", b"<!DOCTYPE html><html><body>404</body></html>");
    add("pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n");
    add("zip", b"PK\x03\x04\x14\0\0\0\0\0");
    add("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03");
    add("heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic");
    add("avif", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf");
    add("a program", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    add("only a jpeg's first marker", b"\xff\xd8");
    add("only a png's signature", b"\x89PNG\r\n\x1a\n");
    add("only a gif's signature", b"GIF89a");
    add("only a riff header", b"RIFF\xff\xff\xff\xffWEBP");
    add("only a bmp's signature", b"BM");
    add("only a tiff's signature", b"II*\0\x08\0\0\0");
    let mut random = Random(99);
    let noise: Vec<u8> = (0..10_000).map(|_| random.number() as u8).collect();
    add("noise", &noise);
    for (name, image) in images() {
        // The first letters of the format, and then noise.
        let mut bytes = image[..16].to_vec();
        bytes.extend_from_slice(&noise[..2000]);
        cases.push(Case { name: format!("{name} whose body is noise"), bytes, expect: Expect::Either });
    }
}

/// All cases: some 150 files.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut random = Random(7);
    for (name, image) in images() {
        cases.push(Case { name: name.to_owned(), bytes: image.clone(), expect: Expect::Features });
        let mut tail = image.clone();
        tail.extend_from_slice(&[0xa5; 5000]);
        cases.push(Case { name: format!("{name} with 5,000 bytes behind it"), bytes: tail, expect: Expect::Either });
        for percent in [5, 25, 50, 75, 90, 99] {
            let bytes = image[..image.len() * percent / 100].to_vec();
            let name = format!("{name} cut to {percent} %");
            // What is cut near its end may have lost nothing but a marker.
            let expect = if percent < 90 { BAD } else { Expect::Either };
            cases.push(Case { name, bytes, expect });
        }
        for round in 0..8 {
            let mut bytes = image.clone();
            for _ in 0..=round {
                let at = random.below(bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
            let name = format!("{name} with {} flipped bits, round {round}", round + 1);
            cases.push(Case { name, bytes, expect: Expect::Either });
        }
    }
    sizes(&mut cases);
    odd(&mut cases);
    large_inside(&mut cases);
    strangers(&mut cases);
    cases
}
