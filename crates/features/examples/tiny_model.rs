//! Writes `models/tiny`: a model of a few KB whose numbers follow from a seed, for exact tests.
//!
//! `cargo run --release -p grnet-features --example tiny_model -- models/tiny/tiny.safetensors`

use grnet_features::config::{Backbone, CONFIG_FORMAT, Fit, Graph, Input, ModelConfig, Pooling, Pyramid};
use grnet_features::model_file::{ModelId, NamedTensor, Storage, TensorData, write};

const CHANNELS: usize = 8;
const DIM: usize = 4;
const PATCH: usize = 16;

/// SplitMix64, the seed's numbers uniform in −1 … 1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: tiny_model FILE")?;
    let config = ModelConfig {
        format: CONFIG_FORMAT,
        backbone: Backbone::Patches { patch: PATCH },
        backbone_channels: CHANNELS,
        reduction: false,
        channels: CHANNELS,
        input: Input { size: 64, fit: Fit::Letterbox, mean: [127.0; 3], std: [128.0; 3] },
        pyramid: Pyramid { grids: vec![1, 2], pooling: Pooling::Average, normalise: true },
        graph: Graph { dim: DIM, layers: 2, residual: true, global_cosine: true, ..Graph::default() },
    };
    let mut random = Random(2019);
    let mut tensors: Vec<NamedTensor> = Vec::new();
    let mut add = |name: &str, shape: &[usize], storage: Storage, size: f32, middle: f32| {
        let values = (0..shape.iter().product()).map(|_| middle + size * random.next()).collect();
        tensors.push((name.to_owned(), shape.to_vec(), TensorData::Values(storage, values)));
    };
    // Each weight looks at one of 768 bytes of a patch: about ±1 comes out, and the bias keeps most of it above zero.
    add("backbone.conv.weight", &[CHANNELS, 3, PATCH, PATCH], Storage::F16, 0.05, 0.0);
    add("backbone.conv.bias", &[CHANNELS], Storage::F32, 0.5, 0.5);
    add("graph.project.weight", &[DIM, CHANNELS], Storage::F32, 0.7, 0.0);
    add("graph.project.bias", &[DIM], Storage::F32, 0.2, 0.0);
    for layer in 0..2 {
        for part in ["out", "in", "update"] {
            add(&format!("graph.layers.{layer}.{part}.weight"), &[DIM, DIM], Storage::F32, 0.9, 0.0);
            add(&format!("graph.layers.{layer}.{part}.bias"), &[DIM], Storage::F32, 0.2, 0.1);
        }
    }
    add("graph.readout.weight", &[DIM], Storage::F32, 1.5, 0.0);
    add("graph.readout.bias", &[1], Storage::F32, 0.1, -1.0);
    add("graph.readout.cosine", &[1], Storage::F32, 0.1, 3.0);
    let file = write(&config, &tensors)?;
    std::fs::write(&path, &file)?;
    println!("{path}: {} bytes, model {}", file.len(), ModelId::of(&file));
    Ok(())
}
