//! Datasets of every kind through the programs that users run: `train` and `eval`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::Value;

fn base() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/base/base.safetensors")
}

fn engine(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_grnet-engine")).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).unwrap()
}

/// A BMP of 32 × 32 pixels: checks in two colours of the item; a consumer's image is darker.
fn cloth(item: u32, light: u32) -> Vec<u8> {
    const SIDE: u32 = 32;
    let mut file = b"BM".to_vec();
    for value in [54 + SIDE * SIDE * 3, 0, 54, 40, SIDE, SIDE, 1 | 24 << 16, 0, 0, 0, 0, 0, 0] {
        file.extend(value.to_le_bytes());
    }
    for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
        let check = (x / (2 + item % 7) + y / (2 + item % 5)) % 2;
        let colour = [item * 53 + 97 * check, item * 101 + 31, item * 29 + 151 * check];
        file.extend(colour.map(|value| ((value % 256) * light / 100) as u8));
    }
    file
}

/// A shop's and a consumer's image of each item: `img/<item>/s.bmp` and `c.bmp`.
fn images(folder: &Path, items: u32) {
    for item in 0..items {
        let folder = folder.join(format!("img/{item}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("s.bmp"), cloth(item, 100)).unwrap();
        fs::write(folder.join("c.bmp"), cloth(item, 80)).unwrap();
    }
}

/// DeepFashion's lists of 20 items to train on, 6 to validate with and 4 to be tested on.
fn deepfashion(folder: &Path) {
    images(folder, 30);
    let (mut boxes, mut pairs) = (String::from("60\nimage_name ...\n"), String::from("30\nimage_pair_name_1 ...\n"));
    for item in 0..30 {
        boxes += &format!("img/{item}/s.bmp 1 1 0 0 32 32\nimg/{item}/c.bmp 1 2 2 2 30 30\n");
        let status = if item < 20 {
            "train"
        } else if item < 26 {
            "val"
        } else {
            "test"
        };
        pairs += &format!("img/{item}/c.bmp img/{item}/s.bmp id_{item:08} {status}\n");
    }
    for (name, text) in [("Anno/list_bbox_consumer2shop.txt", boxes), ("Eval/list_eval_partition.txt", pairs)] {
        fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        fs::write(folder.join(name), text).unwrap();
    }
}

fn train(data: &str, out: &Path) -> Output {
    let base = base();
    let mut arguments = vec!["train", "--data", data, "--backbone", base.to_str().unwrap()];
    arguments.extend(["--out", out.to_str().unwrap(), "--steps", "2", "--every", "2", "--channels", "64"]);
    engine(&arguments)
}

#[test]
fn deepfashion_is_trained_on_by_its_own_partition_and_tested_on_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("c2s"), folder.path().join("model.safetensors"));
    deepfashion(&data);
    let data = data.to_str().unwrap();
    let report = json(&train(data, &out));
    assert_eq!((&report["items"], &report["images"]), (&serde_json::json!([20, 6]), &Value::from(52)));
    let report = json(&engine(&["eval", "--json", "--model", out.to_str().unwrap(), "--table", data]));
    let sets = report["sets"].as_array().unwrap();
    assert_eq!((sets.len(), &sets[0]["set"], &sets[0]["gallery"]), (1, &Value::from("test"), &Value::from(10)));
    assert_eq!(sets[0]["queries"], 4);
    // As folders it is another dataset, with nothing to compare: all images of `img` lie two folders deep.
    let output = train(&format!("folders:{data}"), &out);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("no image"), "{error}");
}

/// A table as Parquet, all columns of text.
fn parquet(path: &Path, columns: &[(&str, Vec<String>)]) {
    let fields: String = columns.iter().map(|(name, _)| format!("required binary {name} (STRING); ")).collect();
    let schema = Arc::new(parse_message_type(&format!("message table {{ {fields} }}")).unwrap());
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for (_, values) in columns {
        let values: Vec<ByteArray> = values.iter().map(|value| ByteArray::from(&**value)).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn a_table_says_the_same_in_both_formats() {
    let folder = tempfile::tempdir().unwrap();
    images(folder.path(), 12);
    let rows: Vec<[String; 3]> = (0..12)
        .flat_map(|item| [("s", "gallery"), ("c", "mine")].map(|(name, set)| (item, name, set)))
        .map(|(item, name, set)| [format!("img/{item}/{name}.bmp"), item.to_string(), set.to_owned()])
        .collect();
    let text: String = rows.iter().map(|row| format!("\"{}\"\r\n", row.join("\",\""))).collect();
    let csv = folder.path().join("table.csv");
    fs::write(&csv, format!("\u{feff}file,item,set\r\n{text}")).unwrap();
    let table = folder.path().join("table.parquet");
    let column = |at: usize| rows.iter().map(|row| row[at].clone()).collect();
    parquet(&table, &[("file", column(0)), ("item", column(1)), ("set", column(2))]);
    let report = |path: &Path| {
        let (base, path) = (base(), path.to_str().unwrap());
        json(&engine(&["eval", "--json", "--model", base.to_str().unwrap(), "--table", path]))
    };
    let first = report(&csv);
    let set = &first["sets"][0];
    assert_eq!((&set["set"], &set["queries"]), (&Value::from("mine"), &Value::from(12)));
    assert_eq!(first, report(&table));
}

#[test]
fn a_broken_dataset_is_one_error_before_the_work_or_one_warning_that_counts() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model.safetensors");
    images(folder.path(), 24);
    let head = "file,item,domain,split\n";
    let row =
        |item: u32, name: &str, domain: &str, split: &str| format!("img/{item}/{name}.bmp,{item},{domain},{split}\n");
    let whole: String = (0..24)
        .flat_map(|item| [("s", "shop"), ("c", "consumer")].map(|(name, domain)| (item, name, domain)))
        .map(|(item, name, domain)| row(item, name, domain, if item < 20 { "train" } else { "val" }))
        .collect();
    let table = folder.path().join("annotations.csv");
    let run = |text: &str| {
        fs::write(&table, format!("{head}{text}")).unwrap();
        train(folder.path().to_str().unwrap(), &out)
    };
    for (text, part) in [
        (whole.replace("/s.bmp", "/t.bmp"), "24 of 48 images cannot be read"),
        (whole.replace(",consumer,", ",customer,"), "line 3 has the domain `customer`"),
        (whole.replace(",train", ",test"), "8 images are of the split val and 40 of test"),
        (whole.clone() + "img/3/s.bmp,4,shop,train\n", "line 50 gives img/3/s.bmp the item `4`, line 8 gives it `3`"),
        (String::new(), "the table has no row"),
    ] {
        let output = run(&text);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(part) && error.lines().count() == 1, "{error}");
        assert!(!out.exists());
    }
    // A file that is missing, one that is none, and a row twice: counted, each with its first case.
    fs::remove_file(folder.path().join("img/3/c.bmp")).unwrap();
    fs::write(folder.path().join("img/21/c.bmp"), b"<html>").unwrap();
    let output = run(&(whole.clone() + &row(5, "s", "shop", "train")));
    let report = json(&output);
    assert_eq!((&report["unreadable"], &report["images"]), (&Value::from(2), &Value::from(46)));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("annotations.csv: 1 of 49 rows repeat an earlier one and are left out, the first is line 50")
    );
    assert!(told.contains("2 of 48 images cannot be read and are left out, the first is "), "{told}");
}
