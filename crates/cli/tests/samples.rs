//! `grnet-engine train --show-samples`, as the program that users run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn show(data: &Path, sheet: &Path) -> Output {
    let base = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/base/base.safetensors");
    let mut engine = Command::new(env!("CARGO_BIN_EXE_grnet-engine"));
    engine.args(["train", "--data"]).arg(data).arg("--backbone").arg(base).arg("--show-samples").arg(sheet);
    engine.output().unwrap()
}

/// A PNG of one colour with a darker middle.
fn image(path: &Path, shade: u8) {
    let pixel = |x: u32, y: u32| if x.abs_diff(20) + y.abs_diff(30) < 15 { shade / 2 } else { shade };
    image::RgbImage::from_fn(40, 60, |x, y| image::Rgb([pixel(x, y), shade, 90])).save(path).unwrap();
}

#[test]
fn a_sheet_of_what_training_would_see_is_written_and_nothing_is_trained() {
    let folder = tempfile::tempdir().unwrap();
    let (data, sheet) = (folder.path().join("data"), folder.path().join("sheet.png"));
    fs::create_dir(&data).unwrap();
    for number in 0..10 {
        image(&data.join(format!("{number}.png")), 120 + 8 * number);
    }
    fs::write(data.join("c.png"), b"no image").unwrap();
    let output = show(&data, &sheet);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && output.stdout.is_empty(), "{told}");
    assert!(told.contains("c.png") && told.contains("10 images") && told.contains("nothing was trained"), "{told}");
    let drawn = image::open(&sheet).unwrap().into_rgb8();
    assert!(drawn.width() > 1500 && drawn.height() > 400);
    let first = fs::read(&sheet).unwrap();
    show(&data, &sheet);
    assert_eq!(first, fs::read(&sheet).unwrap(), "another sheet of the same seed");
    // Only the data and the sheet.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_sheet_that_cannot_be_made_is_one_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let (data, sheet) = (folder.path().join("data"), folder.path().join("sheet.png"));
    fs::create_dir(&data).unwrap();
    fs::write(data.join("a.png"), b"no image").unwrap();
    let error = |sheet: &Path| {
        let output = show(&data, sheet);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(error(&sheet).contains("1 of 1 images cannot be read"));
    assert!(!sheet.exists());
    let elsewhere = folder.path().join("missing/sheet.png");
    assert!(error(&elsewhere).contains("missing/sheet.png"));
}
