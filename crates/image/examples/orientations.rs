//! Checks JPEGs with EXIF orientations: each must give exactly the pixels that its stored picture
//! gives when it is decoded elsewhere, turned by hand and saved as an upright PNG. Exits with 1 if one differs.
//!
//! `cargo run --release -p grnet-image --example orientations -- IMAGE.jpg...`

use grnet_image::{Fit, Limits, prepare, prepare_full_scale, probe};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let limits = Limits::default();
    let (mut files, mut wrong) = (0, 0);
    for file in std::env::args().skip(1) {
        let bytes = std::fs::read(&file)?;
        let orientation = probe(&bytes, &limits)?.orientation.exif();
        let upright = upright_png(&bytes, orientation)?;
        for size in [224, 100, 16] {
            let wanted = prepare(&upright, None, Fit::Letterbox, size, &limits)?.pixels;
            let full = prepare_full_scale(&bytes, None, Fit::Letterbox, size, &limits)?.pixels;
            let reduced = prepare(&bytes, None, Fit::Letterbox, size, &limits)?.pixels;
            let (full, reduced) = (difference(&wanted, &full), difference(&wanted, &reduced));
            println!(
                "{file} orientation {orientation} to {size:>3}: full scale max {} mean {:.3}, as decoded max {} mean {:.3}",
                full.0, full.1, reduced.0, reduced.1
            );
            wrong += usize::from(full.0 != 0);
        }
        files += 1;
    }
    if files == 0 || wrong > 0 {
        return Err(format!("{files} files, {wrong} comparisons differ at full scale").into());
    }
    Ok(())
}

/// The stored picture, turned as the EXIF specification words it, as PNG.
fn upright_png(jpeg: &[u8], orientation: u8) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut codec = mozjpeg::Decompress::new_mem(jpeg)?.rgb()?;
    let (width, height) = (codec.width() as u32, codec.height() as u32);
    let rgb = codec.read_scanlines::<u8>()?;
    let stored = image::RgbImage::from_raw(width, height, rgb).ok_or("too few pixels")?;
    use image::imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};
    let upright = match orientation {
        2 => flip_horizontal(&stored),
        3 => rotate180(&stored),
        4 => flip_vertical(&stored),
        5 => flip_horizontal(&rotate90(&stored)),
        6 => rotate90(&stored),
        7 => flip_horizontal(&rotate270(&stored)),
        8 => rotate270(&stored),
        _ => stored,
    };
    let mut png = std::io::Cursor::new(Vec::new());
    upright.write_to(&mut png, image::ImageFormat::Png)?;
    Ok(png.into_inner())
}

/// Largest and mean absolute difference of two equally long pictures.
fn difference(a: &[u8], b: &[u8]) -> (u8, f64) {
    let each = a.iter().zip(b).map(|(&x, &y)| x.abs_diff(y));
    let sum: f64 = each.clone().map(f64::from).sum();
    (each.max().unwrap_or(0), sum / a.len() as f64)
}
