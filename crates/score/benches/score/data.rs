//! A model and images' regions from a seed, for both sides of the benchmark.

use std::fs;
use std::path::Path;

use grnet_features::config::{Backbone, CONFIG_FORMAT, Fit, Graph, Input, ModelConfig, Pooling, Pyramid};
use grnet_features::model_file::{ModelFile, NamedTensor, Storage, TensorData, write};
use grnet_features::value::{Dtype, Features, ImageDigest, encode};
use grnet_score::head::Head;
use grnet_score::prepared_query::PreparedQuery;
use grnet_score::scorer::{Precision, Scorer};

use super::Failure;

/// Images.
const ITEMS: usize = 512;

/// The pyramid.
const GRIDS: [u8; 3] = [1, 2, 3];

/// What is scored.
pub struct Data {
    /// The model's scorer.
    pub scorer: Scorer,
    /// Stored values in half precision, as tables have them.
    pub items: Vec<Vec<u8>>,
}

impl Data {
    /// Makes them, and writes `model.safetensors` and `regions.f32` (`[512, 14, C]`, as the values hold them).
    pub fn make(folder: &Path, c: usize, d: usize, layers: usize) -> Result<Self, Failure> {
        let graph = Graph { dim: d, layers, ..Graph::default() };
        let config = ModelConfig {
            format: CONFIG_FORMAT,
            backbone: Backbone::Patches { patch: 16 },
            backbone_channels: c,
            reduction: false,
            channels: c,
            input: Input { size: 64, fit: Fit::Letterbox, mean: [127.0; 3], std: [128.0; 3] },
            pyramid: Pyramid { grids: GRIDS.to_vec(), pooling: Pooling::Average, normalise: true },
            graph,
        };
        let mut random = Random(2019);
        let mut tensors: Vec<NamedTensor> = Vec::new();
        let mut add = |name: &str, shape: &[usize], size: f32| {
            let values = (0..shape.iter().product()).map(|_| size * random.next()).collect();
            tensors.push((name.to_owned(), shape.to_vec(), TensorData::Values(Storage::F32, values)));
        };
        let (wide, square) = ((6.0 / (c + d) as f32).sqrt(), (3.0 / d as f32).sqrt());
        add("graph.project.weight", &[d, c], wide);
        add("graph.project.bias", &[d], 0.02);
        for layer in 0..layers {
            for part in ["out", "in", "update"] {
                add(&format!("graph.layers.{layer}.{part}.weight"), &[d, d], square);
                add(&format!("graph.layers.{layer}.{part}.bias"), &[d], 0.1);
            }
        }
        add("graph.readout.weight", &[d], 1.0);
        add("graph.readout.bias", &[1], 0.1);
        let file = write(&config, &tensors)?;
        fs::write(folder.join("model.safetensors"), &file)?;
        let head = Head::read(&ModelFile::parse(&file)?)?;
        let regions = 14 * c;
        let items = (0..ITEMS)
            .map(|_| {
                let values: Vec<f32> = (0..regions).map(|_| random.next()).collect();
                encode(head.id, ImageDigest([0; 16]), &GRIDS, c, Dtype::F16, &values)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut bytes = Vec::with_capacity(ITEMS * regions * 4);
        for item in &items {
            bytes.extend(Features::parse(item)?.to_f32().iter().flat_map(|v| v.to_le_bytes()));
        }
        fs::write(folder.join("regions.f32"), bytes)?;
        Ok(Self { scorer: Scorer::new(head)?, items })
    }

    /// The stored values.
    pub fn parsed(&self) -> Vec<Features<'_>> {
        self.items.iter().map(|item| Features::parse(item).expect("what was encoded")).collect()
    }

    /// The first image as the query.
    pub fn query(&self, precision: Precision) -> PreparedQuery {
        let first = self.scorer.prepare(&self.parsed()[0]).expect("the model's own shape");
        self.scorer.query_in(precision, &first)
    }
}

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
