//! Times `prepare` to 224 pixels for an image-like JPEG of 2048 x 1536, at reduced and at full scale.
//!
//! `cargo run --release -p grnet-image --example speed [-- IMAGE...]`

use grnet_image::{Error, Fit, Limits, PreparedImage, Region, prepare, prepare_full_scale};
use std::time::Instant;

type Preparing = fn(&[u8], Option<&Region>, Fit, u32, &Limits) -> Result<PreparedImage, Error>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut images = vec![("made, 2048 x 1536".to_string(), made(2048, 1536)?)];
    for file in std::env::args().skip(1) {
        let bytes = std::fs::read(&file)?;
        images.push((file, bytes));
    }
    for (name, bytes) in images {
        let reduced = best(prepare, &bytes)?;
        let full = best(prepare_full_scale, &bytes)?;
        println!("{name}, {:.2} MB, to 224: reduced {reduced:.1} ms, full {full:.1} ms", bytes.len() as f64 / 1e6);
    }
    Ok(())
}

/// The fastest of 20 runs, in milliseconds: what the code costs without its neighbours.
fn best(preparing: Preparing, bytes: &[u8]) -> Result<f64, Error> {
    let mut best = f64::INFINITY;
    for _ in 0..20 {
        let start = Instant::now();
        preparing(bytes, None, Fit::Letterbox, 224, &Limits::default())?;
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(best)
}

/// Waves and noise that compress about as well as an image (0.3 bytes a pixel).
fn made(width: usize, height: usize) -> std::io::Result<Vec<u8>> {
    let mut seed = 1u32;
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (seed >> 24) as f32 / 12.0;
            let wave = ((x as f32 / 37.0).sin() + (y as f32 / 23.0).cos()) * 55.0;
            rgb.extend([0.0, 20.0, 40.0].map(|shift| (110.0 + wave + shift + noise) as u8));
        }
    }
    let mut codec = mozjpeg::Compress::new(mozjpeg::ColorSpace::JCS_RGB);
    codec.set_size(width, height);
    codec.set_fastest_defaults();
    codec.set_quality(88.0);
    let mut codec = codec.start_compress(Vec::new())?;
    codec.write_scanlines(&rgb)?;
    codec.finish()
}
