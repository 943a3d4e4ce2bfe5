//! The same picture as Pillow shows, for every format and for what is odd in files that people have.
//!
//! `data/pillow/make.py` made the files and what is right. The similarity is the correlation of the pixels, or less where
//! they are lighter or darker as a whole.

mod common;

use grnet_image::{Limits, picture};
use std::fs;
use std::path::{Path, PathBuf};

/// The least similarity, as for features.
const LEAST: f64 = 0.98;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pillow")
}

/// The correlation of two pictures, less a hundredth for each step of 255 that they differ in the mean.
fn similarity(a: &[u8], b: &[u8]) -> f64 {
    if a.len() != b.len() {
        return 0.0;
    }
    // One colour all over has no correlation with itself.
    if a == b {
        return 1.0;
    }
    let mean = |pixels: &[u8]| pixels.iter().map(|&v| f64::from(v)).sum::<f64>() / pixels.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (f64::from(a) - mean_a, f64::from(b) - mean_b);
        (both, of_a, of_b) = (both + a * b, of_a + a * a, of_b + b * b);
    }
    both / (of_a * of_b).sqrt().max(1.0) - (mean_a - mean_b).abs() / 100.0
}

fn shown(file: &Path) -> Result<(u32, u32, Vec<u8>), String> {
    let bytes = fs::read(file).map_err(|error| error.to_string())?;
    let picture = picture(&bytes, None, 4096, &Limits::default()).map_err(|error| error.to_string())?;
    Ok((picture.width(), picture.height(), picture.pixels().to_vec()))
}

/// Prints a line for a file, and returns whether it is as it must be.
fn compare(file: &Path, right: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let wanted = shown(right).unwrap();
    match shown(file) {
        Ok(got) => {
            let similar = if (got.0, got.1) == (wanted.0, wanted.1) { similarity(&got.2, &wanted.2) } else { 0.0 };
            let largest = got.2.iter().zip(&wanted.2).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
            let fits = similar >= LEAST;
            println!(
                "{name:<28} {:>4} x {:<4} {similar:.4} {largest:>4} {}",
                got.0,
                got.1,
                if fits { "" } else { "WRONG" }
            );
            fits
        }
        Err(error) => {
            println!("{name:<28} WRONG: {error}");
            false
        }
    }
}

#[test]
fn pictures_are_those_that_pillow_shows() {
    let manifest = fs::read_to_string(folder().join("manifest.csv")).unwrap();
    let (mut files, mut wrong) = (0, 0);
    println!("{:<28} {:>11} similar most", "file", "size");
    for (file, right) in manifest.lines().skip(1).filter_map(|line| line.split_once(',')) {
        files += 1;
        wrong += usize::from(!compare(&folder().join(file), &folder().join(right)));
    }
    assert!(files > 80, "only {files} files are listed");
    assert_eq!(wrong, 0, "of {files} files");
}

/// Images that are kept beside the repository and not in it: `manifest.csv` says what must become of each.
#[test]
fn odd_images_beside_the_repository() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/odd");
    let folder = std::env::var_os("GRNET_ODD_IMAGES").map_or_else(beside, PathBuf::from);
    let Ok(manifest) = fs::read_to_string(folder.join("manifest.csv")) else {
        println!("NOT TRIED: there is no {}; the files made like them are in data/pillow", folder.display());
        return;
    };
    let mut wrong = Vec::new();
    for line in manifest.lines().skip(1).filter(|line| !line.is_empty()) {
        let mut fields = line.splitn(3, ',');
        let (file, expect) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let path = folder.join(file);
        let right = folder.join(format!("{file}.right.png"));
        let fits = match expect {
            "same" => compare(&path, &right),
            refusal => match shown(&path) {
                Ok(_) if refusal == "either" => compare(&path, &right),
                Err(error) => {
                    println!("{file:<28} {error}");
                    true
                }
                Ok(_) => false,
            },
        };
        if !fits {
            wrong.push(file.to_string());
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
