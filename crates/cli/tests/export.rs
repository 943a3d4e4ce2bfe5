//! `grnet-engine export`: what NumPy reads scores as the model file does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use grnet_data::rng::Rng;
use grnet_features::config::{Backbone, ModelConfig};
use grnet_features::model_file::{self, ModelFile, ModelId, NamedTensor, Storage, TensorData};
use grnet_features::value;
use grnet_nn::import::defaults;
use grnet_score::definition;
use grnet_score::edge_bias::EdgeBias;
use grnet_score::head::{Head, Layer, Projection};

/// Grids 1 and 2 of 5 channels out of 7, with everything that a graph can have.
fn configuration() -> ModelConfig {
    let mut config = defaults::config(Backbone::Patches { patch: 4 }, 7);
    (config.reduction, config.channels, config.input.size) = (true, 5, 16);
    config.pyramid.grids = vec![1, 2];
    let graph = &mut config.graph;
    (graph.dim, graph.layers, graph.shared_projection, graph.edge_bias) = (3, 2, false, true);
    (graph.attention_scale, graph.residual, graph.global_cosine) = (1.5, true, true);
    config
}

/// A model whose every tensor is random: none can be left out or taken for another.
fn model(config: &ModelConfig) -> Vec<u8> {
    let mut rng = Rng::new(11);
    let mut number = |name: &str, shape: &[usize], storage| -> NamedTensor {
        let values = rng.take(shape.iter().product(), 0.7);
        (name.to_owned(), shape.to_vec(), TensorData::Values(storage, values))
    };
    let mut tensors = vec![
        number("backbone.conv.weight", &[7, 3, 4, 4], Storage::F16),
        number("backbone.conv.bias", &[7], Storage::F32),
        number("reduction.weight", &[5, 7], Storage::F16),
        number("reduction.bias", &[5], Storage::F32),
    ];
    for (name, shape, _) in defaults::untrained_graph(config, 1) {
        tensors.push(number(&name, &shape, Storage::F32));
    }
    model_file::write(config, &tensors).unwrap()
}

/// A folder with `model.safetensors` and `images/0.bmp` to `images/3.bmp` of noise.
fn workplace(model: &[u8]) -> tempfile::TempDir {
    const SIDE: u32 = 16;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.safetensors"), model).unwrap();
    fs::create_dir(folder.path().join("images")).unwrap();
    for number in 0..4 {
        let mut file = b"BM".to_vec();
        for value in [54 + SIDE * SIDE * 3, 0, 54, 40, SIDE, SIDE, 1 | 24 << 16, 0, 0, 0, 0, 0, 0] {
            file.extend(value.to_le_bytes());
        }
        let noise = Rng::new(number).take((SIDE * SIDE * 3) as usize, 128.0);
        file.extend(noise.iter().map(|v| (v + 128.0) as u8));
        fs::write(folder.path().join(format!("images/{number}.bmp")), file).unwrap();
    }
    folder
}

fn engine(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_grnet-engine")).current_dir(folder).args(arguments).output().unwrap()
}

fn export(folder: &Path, out: &str, more: &[&str]) -> Result<String, String> {
    let all = [&["export", "--model", "model.safetensors", "--out", out, "--device", "cpu"], more].concat();
    let output = engine(folder, &all);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

type Array = (Vec<usize>, Vec<f32>);

/// An array by NumPy's specification, read strictly.
fn load(path: &Path) -> Array {
    let bytes = fs::read(path).unwrap();
    assert_eq!(bytes[..8], *b"\x93NUMPY\x01\x00", "{path:?}");
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((start % 64, bytes[start - 1]), (0, b'\n'), "{path:?}");
    let header = std::str::from_utf8(&bytes[10..start - 1]).unwrap().trim_end_matches(' ');
    let shape = header.strip_prefix("{'descr': '<f4', 'fortran_order': False, 'shape': (").unwrap();
    let shape = shape.strip_suffix("), }").unwrap().trim_end_matches(',');
    let shape: Vec<usize> = shape.split(", ").map(|side| side.parse().unwrap()).collect();
    let values: Vec<f32> = bytes[start..].as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    assert_eq!((bytes.len() - start, values.len()), (4 * values.len(), shape.iter().product()), "{path:?}");
    (shape, values)
}

/// Every array of an export by its name.
fn arrays(folder: &Path) -> BTreeMap<String, Array> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let arrays = paths.filter(|path| path.extension().is_some_and(|ending| ending == "npy"));
    arrays.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), load(&path))).collect()
}

/// A head of exported files alone, as a researcher would read them.
fn head(config: &ModelConfig, arrays: &BTreeMap<String, Array>) -> Head {
    let values = |name: &str| arrays[name].1.clone();
    let projection = |scale: usize| Projection {
        weight: values(&format!("graph.project.{scale}.weight")),
        bias: values(&format!("graph.project.{scale}.bias")),
    };
    let layer = |layer: usize| {
        let part = |part: &str| values(&format!("graph.layers.{layer}.{part}"));
        Layer {
            out: part("out.weight"),
            out_bias: part("out.bias"),
            into: part("in.weight"),
            into_bias: part("in.bias"),
            update: part("update.weight"),
            update_bias: part("update.bias"),
            edges: EdgeBias {
                scales: part("edge.scales"),
                own: part("edge.windows")[0],
                shared: part("edge.windows")[1],
            },
        }
    };
    Head {
        id: ModelId([0; 8]),
        grids: config.pyramid.grids.clone(),
        channels: config.channels,
        normalise: config.pyramid.normalise,
        graph: config.graph.clone(),
        projections: vec![projection(0), projection(1)],
        layers: vec![layer(0), layer(1)],
        readout: values("graph.readout.weight"),
        readout_bias: values("graph.readout.bias")[0],
        cosine: values("graph.readout.cosine")[0],
    }
}

#[test]
fn what_is_exported_scores_as_the_model_file_does() {
    let config = configuration();
    let bytes = model(&config);
    let file = ModelFile::parse(&bytes).unwrap();
    let folder = workplace(&bytes);
    let said = export(folder.path(), "made/export", &["--features", "images"]).unwrap();
    assert_eq!(said, format!("{}: 25 tensors, 4 images\n", file.id));
    let out = folder.path().join("made/export");

    let arrays = arrays(&out);
    let names = file.tensor_names().into_iter().filter(|name| !name.starts_with("backbone."));
    for name in names.clone() {
        assert_eq!(arrays[&name], file.tensor(&name).unwrap(), "{name}");
    }
    assert_eq!(arrays.len(), names.count() + 1);
    let read: ModelConfig = serde_json::from_str(&fs::read_to_string(out.join("config.json")).unwrap()).unwrap();
    assert_eq!(read, config);
    let table = "row,file\n0,images/0.bmp\n1,images/1.bmp\n2,images/2.bmp\n3,images/3.bmp\n";
    assert_eq!(fs::read_to_string(out.join("features.csv")).unwrap(), table);

    let (shape, regions) = &arrays["features"];
    assert_eq!(shape, &[4, 5, 5]);
    let images: Vec<&[f32]> = regions.chunks_exact(25).collect();
    let (ours, theirs) = (Head::read(&file).unwrap(), head(&read, &arrays));
    for (x, y) in [(0, 1), (1, 2), (2, 3), (3, 3)] {
        assert_eq!(definition::logit(&ours, images[x], images[y]), definition::logit(&theirs, images[x], images[y]));
    }
    assert_ne!(definition::logit(&theirs, images[0], images[1]), definition::logit(&theirs, images[0], images[2]));

    // The regions are those of `embed`, which rounds them to halves.
    let lines = engine(folder.path(), &["embed", "--model", "model.safetensors", "--device", "cpu", "images"]).stdout;
    let lines = String::from_utf8(lines).unwrap();
    assert_eq!(lines.lines().count(), 4);
    for (line, image) in lines.lines().zip(images) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let value = value::from_text(line["features"].as_str().unwrap()).unwrap();
        let halves = value::Features::parse(&value).unwrap().to_f32();
        let apart = halves.iter().zip(image).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-3, "{apart}");
    }
}

fn names(folder: PathBuf) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn an_export_is_whole_or_not_there_and_alone_in_its_folder() {
    let config = configuration();
    let folder = workplace(&model(&config));
    let at = |name: &str| folder.path().join(name);

    // An image that cannot be read is named, and nothing is left: not even the model's arrays.
    fs::write(at("images/2.bmp"), b"no image").unwrap();
    let error = export(folder.path(), "out", &["--features", "images"]).unwrap_err();
    assert!(error.starts_with("grnet-engine: images/2.bmp: ") && error.lines().count() == 1, "{error}");
    assert_eq!(names(at("out")), [""; 0]);

    // A folder's other files are no obstacle; those of an export are, and stay as they are.
    fs::write(at("out/notes.md"), b"mine").unwrap();
    export(folder.path(), "out", &[]).unwrap();
    assert_eq!(names(at("out")).len(), 25 + 2);
    let before = fs::read(at("out/config.json")).unwrap();
    let error = export(folder.path(), "out", &["--features", "images/0.bmp"]).unwrap_err();
    assert!(error.contains("out: there is an export already (") && error.lines().count() == 1, "{error}");
    assert_eq!((names(at("out")).len(), fs::read(at("out/config.json")).unwrap()), (27, before));

    fs::create_dir(at("empty")).unwrap();
    let error = export(folder.path(), "none", &["--features", "empty"]).unwrap_err();
    assert_eq!(error, "grnet-engine: empty: there is no image\n");
    assert!(!at("none").exists());
}

#[test]
fn a_tensor_s_name_leads_nowhere_else() {
    let config = configuration();
    let bytes = model(&config);
    let file = ModelFile::parse(&bytes).unwrap();
    let mut tensors: Vec<NamedTensor> = Vec::new();
    for name in file.tensor_names() {
        let (shape, values) = file.tensor(&name).unwrap();
        tensors.push((name, shape, TensorData::Values(Storage::F32, values)));
    }
    tensors.push(("graph./../../escaped".to_owned(), vec![1], TensorData::Values(Storage::F32, vec![1.0])));
    let folder = workplace(&model_file::write(&config, &tensors).unwrap());
    let error = export(folder.path(), "out", &[]).unwrap_err();
    assert_eq!(error, "grnet-engine: model.safetensors: the tensor \"graph./../../escaped\" cannot name a file\n");
    assert!(!folder.path().join("out").exists());
}
