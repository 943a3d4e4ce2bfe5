//! `grnet-engine embed`, as the program that users run: the same features as lines, as tensors and in a table.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use grnet_data::rng::Rng;
use grnet_features::value::{self, Dtype, Features};
use half::f16;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use safetensors::SafeTensors;
use serde_json::Value;

/// Images that are embedded; beside them lies one that is none.
const IMAGES: usize = 4;

/// Noise of 40 × 40 pixels as BMPs.
fn images() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for image in 0..IMAGES {
        let mut file = b"BM".to_vec();
        for value in [54 + 4800u32, 0, 54, 40, 40, 40, 1 | 24 << 16, 0, 0, 0, 0, 0, 0] {
            file.extend(value.to_le_bytes());
        }
        file.extend(Rng::new(image as u64).take(4800, 127.0).iter().map(|value| (value + 127.0) as u8));
        fs::write(folder.path().join(format!("{image}.bmp")), file).unwrap();
    }
    fs::write(folder.path().join("broken.bmp"), b"BM").unwrap();
    folder
}

fn embed(folder: &Path, more: &[&str]) -> Output {
    let model = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/tiny/tiny.safetensors");
    let mut command = Command::new(env!("CARGO_BIN_EXE_grnet-engine"));
    command.arg("embed").arg("--model").arg(model).args(more).arg(folder).output().unwrap()
}

/// The values that a run without a file prints, with the names of their images.
fn lines(folder: &Path, more: &[&str]) -> Vec<(Value, Vec<u8>)> {
    let printed = String::from_utf8(embed(folder, more).stdout).unwrap();
    let value = |line: &Value| value::from_text(line["features"].as_str().unwrap()).unwrap();
    let lines = printed.lines().map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<(Value, Vec<u8>)> = lines.map(|line: Value| (line.clone(), value(&line))).collect();
    assert_eq!(lines.len(), IMAGES);
    lines
}

/// Numbers as the documented Python would read them, row by row, from a value's bytes behind its header.
fn read(dtype: Dtype, m: usize, c: usize, bytes: &[u8]) -> Vec<f32> {
    let f32s = |bytes: &[u8]| bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<_>>();
    match dtype {
        Dtype::F32 => f32s(bytes),
        Dtype::F16 => bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::I8 => {
            let (scales, values) = bytes.split_at(4 * m);
            let rows = values.chunks_exact(c).zip(f32s(scales));
            rows.flat_map(|(row, scale)| row.iter().map(move |b| f32::from(*b as i8) * scale)).collect()
        }
    }
}

#[test]
fn features_in_a_table_and_as_tensors_are_the_ones_that_lines_have() {
    let folder = images();
    for dtype in Dtype::ALL {
        let lines = lines(folder.path(), &["--dtype", dtype.name()]);
        let out = tempfile::tempdir().unwrap();
        let at = |name: &str| out.path().join(name);
        embed(folder.path(), &["--dtype", dtype.name(), "--parquet", at("features").to_str().unwrap()]);
        let reader = SerializedFileReader::new(File::open(at("features")).unwrap()).unwrap();
        let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().into_columns()).collect();
        embed(folder.path(), &["--dtype", dtype.name(), "--out", at("f.safetensors").to_str().unwrap()]);
        let bytes = fs::read(at("f.safetensors")).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let (regions, shape) = (tensors.tensor("regions").unwrap(), [IMAGES, 5, 8]);
        assert_eq!(regions.shape(), shape);
        assert_eq!(format!("{:?}", regions.dtype()).to_lowercase(), dtype.name());
        let scales = tensors.tensor("scales").ok();
        assert_eq!(scales.as_ref().map(|scales| scales.shape()), (dtype == Dtype::I8).then_some(&shape[..2]));
        assert_eq!(rows.len(), IMAGES);
        for (image, ((line, value), row)) in lines.iter().zip(&rows).enumerate() {
            let parsed = Features::parse(value).unwrap();
            assert_eq!(parsed.dtype(), dtype);
            let text = |at: usize| match &row[at].1 {
                Field::Str(text) => text.clone(),
                other => panic!("{other:?}"),
            };
            assert_eq!(
                (text(0), text(2)),
                (line["file"].as_str().unwrap().into(), line["digest"].as_str().unwrap().into())
            );
            assert_eq!((text(1), text(6)), (parsed.model().to_string(), dtype.name().to_owned()));
            let Field::Bytes(bytes) = &row[7].1 else { panic!("{:?}", row[7]) };
            assert_eq!(read(dtype, 5, 8, bytes.data()), parsed.to_f32());
            let part = |data: &[u8]| data[image * data.len() / IMAGES..][..data.len() / IMAGES].to_vec();
            let bytes = [scales.as_ref().map_or(Vec::new(), |s| part(s.data())), part(regions.data())].concat();
            assert_eq!(read(dtype, 5, 8, &bytes), parsed.to_f32());
        }
    }
}

#[test]
fn eight_bits_are_half_the_bytes_of_the_same_images() {
    let folder = images();
    let (halves, eights) = (lines(folder.path(), &[]), lines(folder.path(), &["--dtype", "i8"]));
    for ((line, half), (other, eight)) in halves.iter().zip(&eights) {
        assert_eq!((&line["file"], &line["digest"]), (&other["file"], &other["digest"]));
        assert_eq!((half.len(), eight.len()), (36 + 5 * 8 * 2, 36 + 5 * (8 + 4)));
        let (half, eight) = (Features::parse(half).unwrap(), Features::parse(eight).unwrap());
        // A region has norm 1: its largest number is at most 1, a step at most 1/127.
        let apart = half.to_f32().iter().zip(eight.to_f32()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart > 0.0 && apart < 0.6 / 127.0, "{apart}");
    }
}

#[test]
fn what_cannot_be_is_refused_before_the_work() {
    let folder = images();
    for (arguments, part) in [
        (&["--dtype", "int8"][..], "features are stored as f32, f16 or i8, not as `int8`"),
        (&["--numbers", "i8"], "the option is called --dtype"),
        (&["--out", "a.jsonl", "--parquet", "a.parquet"], "cannot be used with"),
    ] {
        let output = embed(folder.path(), arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(part), "{error}");
    }
}
