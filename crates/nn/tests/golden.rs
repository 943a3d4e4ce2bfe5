//! Networks and graph against what PyTorch computed: tests/golden has the scripts and the arrays.

use std::path::PathBuf;

use grnet_data::rng::Rng;
use grnet_features::config::{Backbone, ModelConfig};
use grnet_features::model_file::{self, ModelFile, NamedTensor, Storage, TensorData};
use grnet_nn::device::{Device, Precision, set_threads};
use grnet_nn::embedder::Embedder;
use grnet_nn::graph::TorchGraph;
use grnet_nn::import::defaults;
use grnet_nn::import::state_dict::read as read_state_dict;
use serde_json::Value;
use tch::Tensor;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

fn golden(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(path("tests/golden").join(name)).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn sizes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

/// `Numbers(seed).image(size)` of seeded.py.
fn image(seed: u64, size: usize) -> Vec<u8> {
    let mut sequence = Rng::new(seed);
    (0..size * size * 3).map(|_| ((sequence.unit() + 1.0) * 128.0) as u8).collect()
}

/// The largest difference between a map and every step-th value of the golden one, in units of its largest value.
fn worst(map: &Tensor, expected: &Value) -> f32 {
    let shape: Vec<usize> = map.size().iter().map(|&n| n as usize).collect();
    assert_eq!(shape, sizes(&expected["shape"]));
    let got = Vec::<f32>::try_from(map.contiguous().view([-1])).unwrap();
    let got = got.into_iter().step_by(expected["step"].as_u64().unwrap() as usize);
    let expected_values = numbers(&expected["values"]);
    let largest = expected["largest"].as_f64().unwrap() as f32;
    assert_eq!(got.len(), expected_values.len());
    got.zip(expected_values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest
}

/// A network of torchvision's on seeded weights, against the golden map.
fn agrees_with_torchvision(backbone: Backbone, channels: usize, name: &str) {
    set_threads(1);
    let golden = golden(&format!("{name}.json"));
    let mut config = defaults::config(backbone, channels);
    config.input.size = golden["size"].as_u64().unwrap() as u32;
    let weights = golden["weights"].as_array().unwrap().iter().enumerate();
    let mut tensors: Vec<NamedTensor> = weights
        .map(|(number, entry)| {
            let (name, shape) = (entry[0].as_str().unwrap(), sizes(&entry[1]));
            let values = Rng::new(number as u64).take(shape.iter().product(), 1.0);
            let scale = |v: f32| match name {
                _ if shape.len() == 4 => v * (6.0 / (shape[1] * shape[2] * shape[3]) as f64).sqrt() as f32,
                _ if name.ends_with("running_var") => 1.0 + v / 2.0,
                _ if name.ends_with(".weight") => 1.0 + v / 4.0,
                _ => v / 8.0,
            };
            let values = values.into_iter().map(scale).collect();
            (format!("backbone.{name}"), shape.clone(), TensorData::Values(Storage::F32, values))
        })
        .collect();
    tensors.extend(defaults::untrained_graph(&config, 1));
    let bytes = model_file::write(&config, &tensors).unwrap();
    let file = ModelFile::parse(&bytes).unwrap();
    let embedder = Embedder::load(&file, Device::Cpu, Precision::F32).unwrap();
    let image = image(golden["photo"].as_u64().unwrap(), config.input.size as usize);
    let worst = worst(&embedder.map(&[&image]).unwrap(), &golden["map"]);
    println!("{name} differs by {worst:.1e} of the largest value");
    assert!(worst < 1e-3, "{worst}");
}

#[test]
fn googlenet_agrees_with_torchvision() {
    agrees_with_torchvision(Backbone::Googlenet, 1024, "googlenet");
}

#[test]
fn resnet_50_agrees_with_torchvision() {
    agrees_with_torchvision(Backbone::Resnet50, 2048, "resnet50");
}

#[test]
fn mobilenet_v2_agrees_with_torchvision() {
    agrees_with_torchvision(Backbone::MobilenetV2, 1280, "mobilenet_v2");
}

#[test]
fn the_default_model_s_backbone_agrees_with_pytorch_on_the_same_weights() {
    set_threads(1);
    let bytes = std::fs::read(path("models/base/base.safetensors")).unwrap();
    let file = ModelFile::parse(&bytes).unwrap();
    let golden = golden("efficientnet_lite0.json");
    assert_eq!(u64::from(file.config.input.size), golden["size"].as_u64().unwrap());
    let embedder = Embedder::load(&file, Device::Cpu, Precision::F32).unwrap();
    let image = image(golden["photo"].as_u64().unwrap(), file.config.input.size as usize);
    let worst = worst(&embedder.map(&[&image]).unwrap(), &golden["map"]);
    println!("efficientnet-lite0 differs by {worst:.1e} of the largest value");
    assert!(worst < 1e-3, "{worst}");
}

#[test]
fn the_graph_in_libtorch_agrees_with_the_equations() {
    set_threads(1);
    let mut worst = 0f64;
    for case in golden("score.json").as_array().unwrap() {
        let config: ModelConfig = serde_json::from_value(case["config"].clone()).unwrap();
        let tensors: Vec<NamedTensor> = case["tensors"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, t)| {
                (name.clone(), sizes(&t["shape"]), TensorData::Values(Storage::F32, numbers(&t["values"])))
            })
            .collect();
        let graph = TorchGraph::new(&config, &tensors).unwrap();
        for pair in case["pairs"].as_array().unwrap() {
            let regions = |side: &str| Tensor::from_slice(&numbers(&pair[side])).view([1, -1, config.channels as i64]);
            let logit = graph.logits_of_raw(&regions("x"), &regions("y")).unwrap();
            let got = f64::try_from(logit).unwrap();
            let difference = (got - pair["logit"].as_f64().unwrap()).abs();
            worst = worst.max(difference);
            assert!(difference < 1e-4, "{}: {got} instead of {}", case["name"], pair["logit"]);
        }
    }
    println!("logits differ by at most {worst:.1e}");
}

#[test]
fn a_state_dict_as_pytorch_writes_it_is_read_and_code_is_refused() {
    let dict = read_state_dict(&path("tests/golden/state_dict.pth")).unwrap();
    let expected = golden("module.json");
    let expected = expected["state_dict"].as_object().unwrap();
    assert_eq!(dict.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, values) in expected {
        assert_eq!(dict[name].1, numbers(values), "{name}");
    }
    assert_eq!(dict["transposed"].0, [2, 2]);
    let error = read_state_dict(&path("tests/golden/executable.pth")).unwrap_err().to_string();
    assert!(error.contains("getcwd"), "{error}");
}

/// A model around the scripted module.
fn scripted(channels: usize) -> Vec<u8> {
    let mut config = defaults::config(Backbone::Torchscript, channels);
    config.input.size = 64;
    (config.input.mean, config.input.std) = ([127.5; 3], [127.5; 3]);
    let module = std::fs::read(path("tests/golden/module.torchscript")).unwrap();
    let mut tensors = vec![("backbone.torchscript".to_owned(), vec![module.len()], TensorData::Bytes(module))];
    tensors.extend(defaults::untrained_graph(&config, 1));
    model_file::write(&config, &tensors).unwrap()
}

#[test]
fn a_torchscript_module_is_a_backbone_and_a_wrong_number_of_channels_is_named() {
    set_threads(1);
    let bytes = scripted(5);
    let embedder = Embedder::load(&ModelFile::parse(&bytes).unwrap(), Device::Cpu, Precision::F32).unwrap();
    let worst = worst(&embedder.map(&[&image(777, 64)]).unwrap(), &golden("module.json")["map"]);
    assert!(worst < 1e-5, "{worst}");
    let bytes = scripted(6);
    let embedder = Embedder::load(&ModelFile::parse(&bytes).unwrap(), Device::Cpu, Precision::F32).unwrap();
    let error = embedder.map(&[&image(777, 64)]).unwrap_err().to_string();
    assert!(error.contains("[1, 5, 4, 4]") && error.contains('6'), "{error}");
}
