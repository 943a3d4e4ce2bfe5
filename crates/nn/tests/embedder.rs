//! What an embedder promises whatever the model: neighbours in a batch do not matter, precision does little, errors
//! name what is wrong.

use std::path::PathBuf;

use grnet_data::rng::Rng;
use grnet_features::config::{Backbone, Pooling};
use grnet_features::model_file::{self, ModelFile, NamedTensor, Storage, TensorData};
use grnet_nn::device::{Device, Precision, share_cores};
use grnet_nn::embedder::Embedder;
use grnet_nn::import::defaults;
use grnet_simd::Isa;

/// Six images are one for each thread and two that are left over, for two threads each; a single one is shared by all.
const THREADS: usize = 4;

fn base() -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/base/base.safetensors")).unwrap()
}

/// An image with some structure: a coloured gradient and noise.
fn image(seed: u64, size: usize) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let (a, b, c) = (rng.unit(), rng.unit(), rng.unit());
    let value = |x: f32, y: f32, k: usize| (128.0 + 60.0 * (a * x + b * y + c * k as f32)).clamp(0.0, 255.0);
    (0..size * size * 3)
        .map(|i| {
            let (y, x, k) = (i / 3 / size, i / 3 % size, i % 3);
            let side = size as f32;
            (value(x as f32 / side, y as f32 / side, k) + 20.0 * rng.unit()).clamp(0.0, 255.0) as u8
        })
        .collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn an_image_s_regions_do_not_depend_on_its_neighbours() {
    share_cores(THREADS);
    let bytes = base();
    let file = ModelFile::parse(&bytes).unwrap();
    let mut embedder = Embedder::load(&file, Device::Cpu, Precision::F32).unwrap();
    let images: Vec<Vec<u8>> = (0..5).map(|seed| image(seed, 224)).collect();
    let all = embedder.embed(&images.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
    assert!(embedder.embed(&[]).unwrap().is_empty());
    for (image, together) in images.iter().zip(&all) {
        let alone = &embedder.embed(&[image]).unwrap()[0];
        assert_eq!(alone.len(), 14 * 256);
        let difference = alone.iter().zip(together).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(difference < 1e-5, "{difference}");
        for region in alone.chunks_exact(256) {
            assert!((region.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-4);
        }
    }
    assert!(cosine(&all[0][..256], &all[1][..256]) < 0.999, "different images have different regions");
}

#[test]
fn an_image_s_map_has_the_same_bits_alone_and_in_a_batch() {
    if !matches!(Isa::chosen(), Ok(path) if path != Isa::Portable) {
        println!("not here: libtorch computes, and promises less");
        return;
    }
    share_cores(THREADS);
    let bytes = base();
    let file = ModelFile::parse(&bytes).unwrap();
    let images: Vec<Vec<u8>> = (0..6).map(|seed| image(seed, 224)).collect();
    let embedder = Embedder::load(&file, Device::Cpu, Precision::F32).unwrap();
    let together = embedder.map(&images.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
    assert_eq!(together.size(), [6, 1280, 7, 7]);
    for (number, image) in images.iter().enumerate() {
        let alone = embedder.map(&[image]).unwrap();
        assert!(alone.get(0).equal(&together.get(number as i64)), "image {number}");
        assert!(alone.abs().max().double_value(&[]) > 0.1, "a map that says something");
    }
}

#[test]
fn half_the_bits_change_a_region_by_little() {
    share_cores(THREADS);
    let bytes = base();
    let file = ModelFile::parse(&bytes).unwrap();
    let image = image(9, 224);
    let full = &Embedder::load(&file, Device::Cpu, Precision::F32).unwrap().embed(&[&image]).unwrap()[0];
    let half = &Embedder::load(&file, Device::Cpu, Precision::Bf16).unwrap().embed(&[&image]).unwrap()[0];
    let cosines = full.chunks_exact(256).zip(half.chunks_exact(256)).map(|(a, b)| cosine(a, b));
    let worst = cosines.fold(1.0, f32::min);
    println!("least cosine between f32 and bf16: {worst:.4}");
    assert!(worst > 0.95, "{worst}");
}

/// The tensors of the default model, to be spoiled.
fn tensors(file: &ModelFile<'_>) -> Vec<NamedTensor> {
    let number = |name: String| {
        let (shape, values) = file.tensor(&name).unwrap();
        (name, shape, TensorData::Values(Storage::F32, values))
    };
    file.tensor_names().into_iter().map(number).collect()
}

#[test]
fn a_missing_or_ill_shaped_tensor_is_named() {
    let bytes = base();
    let file = ModelFile::parse(&bytes).unwrap();
    let load = |tensors: &[NamedTensor]| {
        let bytes = model_file::write(&file.config, tensors).unwrap();
        Embedder::load(&ModelFile::parse(&bytes).unwrap(), Device::Cpu, Precision::F32).unwrap_err().to_string()
    };
    let name = "backbone._blocks.3._depthwise_conv.weight";
    let mut spoiled = tensors(&file);
    spoiled.retain(|t| t.0 != name);
    assert!(load(&spoiled).contains(name));
    let mut spoiled = tensors(&file);
    let tensor = spoiled.iter_mut().find(|t| t.0 == "backbone._bn1.running_var").unwrap();
    tensor.1 = vec![1, tensor.1[0]];
    assert!(load(&spoiled).contains("backbone._bn1.running_var"));
}

#[test]
fn an_image_of_another_size_is_refused_with_both_figures() {
    let bytes = base();
    let mut embedder = Embedder::load(&ModelFile::parse(&bytes).unwrap(), Device::Cpu, Precision::F32).unwrap();
    let error = embedder.embed(&[&image(1, 224), &image(1, 223)]).unwrap_err().to_string();
    assert!(error.contains("image 1") && error.contains("149187") && error.contains("150528"), "{error}");
}

#[test]
fn every_pooling_gives_a_whole_pyramid() {
    share_cores(THREADS);
    let bytes = base();
    let file = ModelFile::parse(&bytes).unwrap();
    for pooling in [Pooling::Average, Pooling::Max, Pooling::Gem { p: 3.0 }] {
        let mut config = file.config.clone();
        config.pyramid.pooling = pooling;
        let bytes = model_file::write(&config, &tensors(&file)).unwrap();
        let mut embedder = Embedder::load(&ModelFile::parse(&bytes).unwrap(), Device::Cpu, Precision::F32).unwrap();
        assert_eq!(embedder.embed(&[&image(1, 224)]).unwrap()[0].len(), 14 * 256);
    }
}

#[test]
fn an_input_whose_maps_are_not_even_is_refused_with_both_figures() {
    let bytes = base();
    let file = ModelFile::parse(&bytes).unwrap();
    let mut config = file.config.clone();
    config.input.size = 200;
    let bytes = model_file::write(&config, &tensors(&file)).unwrap();
    let error = Embedder::load(&ModelFile::parse(&bytes).unwrap(), Device::Cpu, Precision::F32).unwrap_err();
    assert!(error.to_string().contains("200") && error.to_string().contains("32"), "{error}");
}

#[test]
fn an_image_whose_regions_are_no_numbers_leaves_its_neighbours_theirs() {
    let mut config = defaults::config(Backbone::Patches { patch: 4 }, 2);
    config.pyramid.grids = vec![1, 2];
    config.pyramid.normalise = false;
    config.input.mean = [0.0; 3];
    let mut tensors = defaults::untrained_graph(&config, 1);
    let number = |values| TensorData::Values(Storage::F32, values);
    tensors.push(("backbone.conv.weight".into(), vec![2, 3, 4, 4], number(vec![1e38; 96])));
    tensors.push(("backbone.conv.bias".into(), vec![2], number(vec![0.5; 2])));
    let bytes = model_file::write(&config, &tensors).unwrap();
    let mut embedder = Embedder::load(&ModelFile::parse(&bytes).unwrap(), Device::Cpu, Precision::F32).unwrap();
    let (black, white) = (vec![0; 8 * 8 * 3], vec![255; 8 * 8 * 3]);
    let rows = embedder.regions(&[&black, &white]).unwrap();
    assert_eq!(rows[0], [0.5; 10]);
    assert!(rows[1].iter().all(|v| !v.is_finite()));
    let error = embedder.embed(&[&black, &white]).unwrap_err().to_string();
    assert!(error.contains("region 0 of image 1"), "{error}");
}
