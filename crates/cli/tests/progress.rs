//! `--progress json`: what a program that started a training reads from it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use grnet_data::output::progress::Line;
use grnet_data::rng::Rng;
use serde_json::Value;

const SIDE: u32 = 32;

/// A BMP of two colours, the same in a garment's images but for the light.
fn image(item: u64, light: f32) -> Vec<u8> {
    let mut rng = Rng::new(item * 7919 + 1);
    let colours: [[f32; 3]; 2] = [(); 2].map(|()| [(); 3].map(|()| (127.0 + 100.0 * rng.unit()) * light));
    let mut file = b"BM".to_vec();
    for value in [54 + SIDE * SIDE * 3, 0, 54, 40, SIDE, SIDE, 1 | 24 << 16, 0, 0, 0, 0, 0, 0] {
        file.extend(value.to_le_bytes());
    }
    for y in 0..SIDE {
        (0..SIDE).for_each(|_| file.extend(colours[usize::from(y > SIDE / 2)].map(|value| value as u8)));
    }
    file
}

fn train(data: &Path, out: &Path, more: &[&str]) -> Output {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/tiny/tiny.safetensors");
    let mut command = Command::new(env!("CARGO_BIN_EXE_grnet-engine"));
    command.arg("train").arg("--data").arg(data).arg("--backbone").arg(base).arg("--out").arg(out);
    command.args(["--grids", "1,2", "--channels", "8", "--dim", "4", "--steps", "4", "--every", "2"]);
    command.args(["--held-out", "40"]).args(more).output().unwrap()
}

#[test]
fn a_training_tells_a_program_how_far_it_is_and_ends_with_its_report() {
    let folder = tempfile::tempdir().unwrap();
    for item in 0..40 {
        let place = folder.path().join("data").join(item.to_string());
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("0.bmp"), image(item, 1.0)).unwrap();
        fs::write(place.join("1.bmp"), image(item, 0.8)).unwrap();
    }
    let (data, out) = (folder.path().join("data"), folder.path().join("model.safetensors"));
    let output = train(&data, &out, &["--progress", "json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let (last, lines) = printed.lines().collect::<Vec<_>>().split_last().map(|(a, b)| (*a, b.to_vec())).unwrap();
    let lines: Vec<Line> = lines.into_iter().map(|line| serde_json::from_str(line).unwrap()).collect();

    let of = |phase: &str| lines.iter().filter(|line| line.phase == phase).collect::<Vec<_>>();
    let (images, steps) = (of("images"), of("steps"));
    // 80 images, and snapshots of those that are held out.
    let total = images[0].total;
    assert!(total > 80 && (total - 80) % 2 == 0, "{total}");
    assert_eq!(images.first().map(|line| line.done), Some(0));
    assert_eq!(images.last().map(|line| (line.done, line.total)), Some((total, total)));
    assert_eq!(steps.last().map(|line| (line.done, line.total)), Some((4, 4)));
    let report = &serde_json::from_str::<Value>(last).unwrap()["report"];
    let figures = |name: &str| -> Vec<Value> {
        report["validations"].as_array().unwrap().iter().map(|v| v[name]["top"].clone()).collect()
    };
    let told = |read: fn(&Line) -> Option<[f64; 4]>| -> Vec<Value> {
        steps.iter().filter_map(|line| read(line)).map(|top| Value::from(top.to_vec())).collect()
    };
    assert_eq!(told(|line| line.graph), figures("graph"));
    assert_eq!(told(|line| line.global), figures("global"));
    assert!(steps.iter().any(|line| line.loss.is_some_and(f64::is_finite)));

    // The same for people: bars and lines on standard error, the report alone on standard output.
    let output = train(&data, &out, &[]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("global 1/5/20/50"));
    assert_eq!(&serde_json::from_slice::<Value>(&output.stdout).unwrap()["model"], &report["model"]);
}
