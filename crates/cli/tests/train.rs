//! `grnet-engine train` and `eval` from images to a model and its figures, as the programs that users run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use grnet_data::rng::Rng;
use grnet_features::model_file::{ModelFile, ModelId};
use grnet_features::value::{self, Dtype, Features, ImageDigest};
use grnet_nn::device::{Device, Precision, set_threads};
use grnet_nn::embedder::Embedder;
use grnet_score::head::Head;
use grnet_score::scorer::{Scorer, Workspace};
use serde_json::Value;

const ITEMS: u64 = 40;

fn base() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/base/base.safetensors")
}

const SIDE: u32 = 96;

/// A BMP of a cloth in two colours of its own with stripes of its own; the consumers' images show a part of it in
/// another light.
fn cloth(item: u64, image: u32) -> Vec<u8> {
    let mut rng = Rng::new(item * 7919 + 1);
    let mut colour = || [(); 3].map(|()| 127.0 + 24.0 * rng.unit());
    let (ground, stripe) = (colour(), colour());
    let (across, down) = (rng.unit() * 0.4, rng.unit() * 0.4);
    let light = 1.0 - 0.25 * image as f32;
    let size = 54 + SIDE * SIDE * 3;
    let mut file = b"BM".to_vec();
    for value in [size, 0, 54, 40, SIDE, SIDE, 1 | 24 << 16, 0, 0, 0, 0, 0, 0] {
        file.extend(value.to_le_bytes());
    }
    for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y + 9 * image, x + 5 * image))) {
        let wave = (x as f32 * across + y as f32 * down).sin();
        let cloth = if wave > 0.0 { ground } else { stripe };
        file.extend(cloth.map(|value| (value * light) as u8));
    }
    file
}

/// A folder for each garment: the shop's image and two of consumers.
fn garments(folder: &Path) {
    for number in 0..ITEMS {
        let folder = folder.join(format!("{number:03}"));
        fs::create_dir_all(&folder).unwrap();
        for image in 0..3 {
            fs::write(folder.join(format!("{image}.bmp")), cloth(number, image)).unwrap();
        }
    }
}

fn engine(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_grnet-engine")).args(arguments).output().unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a training that was killed goes on from.
fn checkpoint(model: &Path) -> PathBuf {
    PathBuf::from(format!("{}.checkpoint", model.display()))
}

fn train(data: &Path, out: &Path, more: &[&str]) -> Output {
    engine(&training(data, out, more).iter().map(String::as_str).collect::<Vec<_>>())
}

fn training(data: &Path, out: &Path, more: &[&str]) -> Vec<String> {
    let (data, base, out) = (data.to_str().unwrap(), base(), out.to_str().unwrap());
    let mut arguments = vec!["train", "--data", data, "--backbone", base.to_str().unwrap(), "--out", out];
    for usual in
        [["--steps", "12"], ["--every", "6"], ["--held-out", "40"], ["--identities", "6"], ["--snapshots", "1"]]
    {
        if !more.contains(&usual[0]) {
            arguments.extend(usual);
        }
    }
    arguments.extend(more);
    arguments.into_iter().map(str::to_owned).collect()
}

#[test]
fn a_training_that_was_killed_goes_on_to_the_same_model() {
    let folder = tempfile::tempdir().unwrap();
    let (data, cache) = (folder.path().join("data"), folder.path().join("maps"));
    garments(&data);
    // What is damaged is replaced by what the step decides, before a kill and after it.
    for name in ["001/1.bmp", "004/0.bmp", "005/2.bmp", "012/1.bmp", "013/1.bmp", "013/2.bmp"] {
        cut(&data.join(name));
    }
    let more = ["--fresh", "--channels", "32", "--dim", "8", "--every", "3", "--cache", cache.to_str().unwrap()];
    let whole = folder.path().join("whole.safetensors");
    let report = json(&train(&data, &whole, &more));

    let killed = folder.path().join("killed.safetensors");
    let program = env!("CARGO_BIN_EXE_grnet-engine");
    let mut child = Command::new(program).args(training(&data, &killed, &more)).stderr(Stdio::null()).spawn().unwrap();
    while !checkpoint(&killed).exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended without a checkpoint");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!killed.exists());
    // One of another training is not gone on from.
    let other = json(&train(&data, &killed, &[&more[..], &["--seed", "2", "--steps", "0"]].concat()));
    assert_eq!(other["validations"].as_array().unwrap().len(), 1);
    assert_eq!((&other["improved"], &other["best"]), (&Value::from(false), &Value::Null));
    let mut child = Command::new(program).args(training(&data, &killed, &more)).stderr(Stdio::null()).spawn().unwrap();
    while !checkpoint(&killed).exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    child.wait().unwrap();
    let again = json(&train(&data, &killed, &more));
    assert_eq!(again["validations"], report["validations"]);
    assert!(report["unreadable"].as_u64().unwrap() > 3, "{report}");
    assert_eq!(again["unreadable"], report["unreadable"]);
    assert!(fs::read(&killed).unwrap() == fs::read(&whole).unwrap(), "the models differ");

    fs::write(checkpoint(&killed), b"nothing").unwrap();
    let output = train(&data, &killed, &more);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains(".checkpoint") && error.contains("remove it"), "{error}");
}

#[test]
fn images_become_a_model_whose_evaluation_is_what_the_server_would_rank() {
    set_threads(1);
    let folder = tempfile::tempdir().unwrap();
    let (data, model) = (folder.path().join("data"), folder.path().join("model.safetensors"));
    garments(&data);
    // An image that is none is left out and counted.
    fs::write(data.join("003/9.jpg"), b"no image").unwrap();
    let report = json(&train(&data, &model, &[]));
    assert_eq!(report["unreadable"], 1);
    assert_eq!(report["images"], 3 * ITEMS);
    let items: Vec<u64> = report["items"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
    assert_eq!(items.iter().sum::<u64>(), ITEMS);
    assert!(items.iter().all(|&n| n > 0));
    let steps: Vec<u64> =
        report["validations"].as_array().unwrap().iter().map(|v| v["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [0, 6, 12]);
    assert_eq!(report["improved"], report["kept"]["step"].as_u64().unwrap() > 0);
    assert!(report["best"]["step"].as_u64().unwrap() > 0);
    let bytes = fs::read(&model).unwrap();
    assert_eq!(report["model"], ModelId::of(&bytes).to_string());

    assert!(!checkpoint(&model).exists(), "a finished training leaves no checkpoint behind");
    // In as few bytes as before.
    assert!(bytes.len() < 12 << 20, "{} bytes", bytes.len());

    // Consumers' images against all shop images, by the program and by the scorer on the features of the embedder.
    let mut table = String::from("file,item,set\n");
    for number in 0..ITEMS {
        table += &format!("{number:03}/0.bmp,{number},gallery\n{number:03}/1.bmp,{number},consumer\n");
    }
    fs::write(data.join("table.csv"), table).unwrap();
    let (model, table) = (model.to_str().unwrap(), data.join("table.csv"));
    let report = json(&engine(&["eval", "--json", "--model", model, "--table", table.to_str().unwrap()]));
    let set = &report["sets"][0];
    let shares = |method: &str| {
        let rankings = set["rankings"].as_array().unwrap();
        let ranking = rankings.iter().find(|ranking| ranking["method"] == method).unwrap();
        ranking["top"].as_array().unwrap().iter().map(|k| k["value"].as_f64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((&set["set"], &set["gallery"]), (&Value::from("consumer"), &Value::from(ITEMS)));
    let file = ModelFile::parse(&bytes).unwrap();
    let mut embedder = Embedder::load(&file, Device::Cpu, Precision::F32).unwrap();
    let mut value = |number: u64, image: u32| {
        let bytes = fs::read(data.join(format!("{number:03}/{image}.bmp"))).unwrap();
        let size = file.config.input.size;
        let limits = grnet_image::Limits::default();
        let pixels = grnet_image::prepare(&bytes, None, grnet_image::Fit::Letterbox, size, &limits).unwrap().pixels;
        let regions = embedder.embed(&[&pixels]).unwrap().swap_remove(0);
        let grids = &file.config.pyramid.grids;
        value::encode(file.id, ImageDigest::of(&bytes, None), grids, 256, Dtype::F32, &regions).unwrap()
    };
    let gallery: Vec<Vec<u8>> = (0..ITEMS).map(|number| value(number, 0)).collect();
    let queries: Vec<Vec<u8>> = (0..ITEMS).map(|number| value(number, 1)).collect();
    let scorer = Scorer::new(Head::read(&file).unwrap()).unwrap();
    let prepare = |value: &Vec<u8>| scorer.prepare(&Features::parse(value).unwrap()).unwrap();
    let gallery: Vec<_> = gallery.iter().map(prepare).collect();
    let (mut first, mut workspace) = (0, Workspace::default());
    for (number, query) in queries.iter().map(prepare).enumerate() {
        let scores: Vec<f64> = gallery.iter().map(|item| scorer.logit(&query, item, &mut workspace)).collect();
        first += usize::from(scores.iter().all(|&score| score <= scores[number]));
    }
    let share = shares("graph")[0];
    println!("first: {first} of {ITEMS} by the scorer, {share} by the evaluation");
    // Its maps are kept in half precision: one near tie may fall the other way.
    assert!((share - first as f64 / ITEMS as f64).abs() <= 1.01 / ITEMS as f64);
    assert!(share > 0.1, "far better than chance: {share}");
}

#[test]
fn a_graph_of_another_shape_begins_anew_on_the_reduction_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("model.safetensors"));
    garments(&data);
    let before = fs::read(base()).unwrap();
    let before = ModelFile::parse(&before).unwrap();
    let tensor = |file: &ModelFile<'_>, name: &str| file.tensor(name).unwrap();
    let begun = |shape: &[&str]| {
        json(&train(&data, &out, &[&["--steps", "0"], shape].concat()));
        let bytes = fs::read(&out).unwrap();
        let file = ModelFile::parse(&bytes).unwrap();
        let same = |name| tensor(&file, name) == tensor(&before, name);
        let dim = file.config.graph.dim;
        (same("reduction.weight"), dim == before.config.graph.dim && same("graph.readout.weight"), file.config.graph)
    };
    for shape in [&["--layers", "1"][..], &["--without-cosine"], &["--fresh-graph"], &["--dim", "8", "--grids", "1,2"]]
    {
        let (reduction, graph, _) = begun(shape);
        assert!(reduction && !graph, "{shape:?}");
    }
    assert!(!begun(&["--without-cosine"]).2.global_cosine);
    let (reduction, graph, _) = begun(&["--fresh"]);
    assert!(!reduction && !graph);
    let (reduction, graph, _) = begun(&[]);
    assert!(reduction && graph);
}

/// An image whose header is that of a whole one, and whose pixels end in the middle.
fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn images_that_only_decoding_finds_damaged_are_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    garments(&data);
    // Every fifteenth image, the shop's and consumers', of garments held out and others.
    let damaged: Vec<PathBuf> = (0..8u64).map(|n| data.join(format!("{:03}/{}.bmp", 5 * n, n % 3))).collect();
    damaged.iter().for_each(|path| cut(path));
    let model = folder.path().join("model.safetensors");
    let output = train(&data, &model, &["--steps", "40", "--every", "20"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = json(&output);
    // Some before the first step, some by batches; their headers say nothing.
    let left_out = report["unreadable"].as_u64().unwrap();
    let named = damaged.iter().filter(|path| said.contains(&format!("left out {}: ", path.display()))).count() as u64;
    assert!((1..=8).contains(&named) && (named..=8).contains(&left_out), "{said} {report}");
    assert_eq!(report["images"], 3 * ITEMS - left_out);
    assert_eq!(said.matches("others like it are counted").count(), 1, "{said}");
    assert!(!said.contains("of 120 images"), "{said}");
    // A batch is the same whoever makes it, and also where what is damaged was found before.
    let again = folder.path().join("again.safetensors");
    let second = json(&train(&data, &again, &["--steps", "40", "--every", "20", "--loaders", "3"]));
    assert_eq!(second["unreadable"], left_out);
    assert!(fs::read(&again).unwrap() == fs::read(&model).unwrap(), "the models differ");
    // More than a tenth is an error, after some steps or before them.
    for number in 0..20 {
        (1..3)
            .for_each(|image| fs::write(data.join(format!("{number:03}/{image}.bmp")), cloth(number, image)).unwrap());
        (1..3).for_each(|image| cut(&data.join(format!("{number:03}/{image}.bmp"))));
    }
    let output = train(&data, &folder.path().join("none.safetensors"), &[]);
    let error = String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned();
    assert!(!output.status.success() && error.contains("cannot be read, this is the first"), "{error}");
    assert!(!folder.path().join("none.safetensors").exists());
}

#[test]
fn a_dataset_that_cannot_be_trained_on_is_one_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let out = folder.path().join("model.safetensors");
    let refused = |more: &[&str]| {
        let output = train(&data, &out, more);
        assert!(!output.status.success());
        assert!(!out.exists(), "a failed training leaves nothing behind");
        String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned()
    };
    assert!(refused(&[]).contains("not a folder"), "{}", refused(&[]));
    fs::create_dir_all(&data).unwrap();
    assert!(refused(&[]).contains("no image"), "{}", refused(&[]));
    for number in 0..20 {
        fs::write(data.join(format!("{number}.jpg")), b"not an image").unwrap();
    }
    assert!(refused(&[]).contains("cannot be read"), "{}", refused(&[]));
    fs::remove_dir_all(&data).unwrap();
    garments(&data);
    for number in 3..ITEMS {
        fs::remove_dir_all(data.join(format!("{number:03}"))).unwrap();
    }
    let few = refused(&["--channels", "64"]);
    assert!(few.contains("4 items") || few.contains("held out"), "{few}");
    // Before the maps of all images, which may take an hour.
    let output = train(&data, &out, &["--channels", "64", "--progress", "json"]);
    assert!(!String::from_utf8_lossy(&output.stdout).contains("images"), "{output:?}");
    assert!(refused(&["--whiten", "2"]).contains("--whiten"));
    assert!(refused(&["--identities", "97"]).contains("--identities is 97, allowed is 4 to 96"));
    // What would change nothing, or fail once the images have been looked at, is refused before it.
    assert!(refused(&["--whiten", "0.3"]).contains("--whiten is 0.3, allowed is a new reduction beside it"));
    assert!(refused(&["--frozen", "12", "--backbone-rate", "0"]).contains("--frozen is 12"));
    assert!(refused(&["--channels", "1281"]).contains("1281, the backbone has 1280 channels"));
    assert!(refused(&["--grids", "1,8"]).contains("7 x 7 cells, too few for a grid of side 8"));
}

#[test]
fn a_dataset_without_anything_to_validate_with_is_refused_with_its_figures() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("model.safetensors"));
    garments(&data);
    let mut table = String::from("file,item,domain\n");
    for number in 0..ITEMS {
        table += &format!("{number:03}/0.bmp,{number},shop\n{number:03}/1.bmp,{number},shop\n");
    }
    fs::write(data.join("annotations.csv"), table).unwrap();
    let output = train(&data, &out, &["--snapshots", "0"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("of 40 garments are held out"), "{error}");
    assert!(!out.exists());
    // Known before the work: a place that cannot be written.
    let output = train(&data, &folder.path().join("missing/model.safetensors"), &[]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("missing/model.safetensors") && error.lines().count() == 1, "{error}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let line = format!("'{}' info --model '{}' | head -n 1", env!("CARGO_BIN_EXE_grnet-engine"), base().display());
    quiet(&line);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    garments(&data);
    let program = env!("CARGO_BIN_EXE_grnet-engine");
    let line = format!("'{program}' embed --model '{}' '{}' | head -n 1 >/dev/null", base().display(), data.display());
    quiet(&line);
    // Progress that nobody reads ends nothing.
    let line = format!("'{program}' embed --model '{}' '{}' 2>&1 >/dev/null | true", base().display(), data.display());
    quiet(&line);
}

fn quiet(line: &str) {
    let output = Command::new("bash").args(["-o", "pipefail", "-c", line]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
