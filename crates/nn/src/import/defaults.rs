//! What a model is before it has learned anything: a configuration for each kind of backbone, and a graph whose score
//! is the cosine of the two global vectors.

use grnet_data::rng::Rng;
use grnet_features::config::{Backbone, CONFIG_FORMAT, Fit, Graph, Input, ModelConfig, Pooling, Pyramid};
use grnet_features::model_file::{NamedTensor, Storage, TensorData};

/// Weight of the global cosine in a graph that has learned nothing: a cosine of .95 scores .5, one of .7 scores .007.
const COSINE: f32 = 20.0;

/// The configuration of a freshly imported backbone: input as its public weights were trained with.
pub fn config(backbone: Backbone, channels: usize) -> ModelConfig {
    let (size, mean, deviation) = match backbone {
        // (x − 127.5) / 127.5: torchvision's weights, see network/googlenet.rs.
        Backbone::Googlenet => (224, [127.5; 3], [127.5; 3]),
        Backbone::EfficientnetLite0 => (224, [127.0; 3], [128.0; 3]),
        Backbone::Patches { patch } => (u32::try_from(2 * patch).unwrap_or(u32::MAX), [127.5; 3], [127.5; 3]),
        // ImageNet's mean and deviation: torchvision's other weights, and what most TorchScript classifiers expect.
        Backbone::Resnet50 | Backbone::MobilenetV2 | Backbone::Torchscript => {
            (224, [123.675, 116.28, 103.53], [58.395, 57.12, 57.375])
        }
    };
    ModelConfig {
        format: CONFIG_FORMAT,
        backbone,
        backbone_channels: channels,
        reduction: false,
        channels,
        input: Input { size, fit: Fit::Letterbox, mean, std: deviation },
        pyramid: Pyramid { grids: vec![1, 2, 3], pooling: Pooling::Average, normalise: true },
        graph: Graph { dim: 64, residual: true, global_cosine: true, ..Graph::default() },
    }
}

/// The graph's tensors for a configuration: seeded layers, and a readout that ignores them. The score is that of the
/// global cosine where the configuration has it in the readout, else the same for every pair.
pub fn untrained_graph(config: &ModelConfig, seed: u64) -> Vec<NamedTensor> {
    let ModelConfig { channels, ref graph, ref pyramid, .. } = *config;
    let d = graph.dim;
    let mut rng = Rng::new(seed);
    let mut tensors = Vec::new();
    let mut add = |name: String, shape: &[usize], values: Vec<f32>| {
        tensors.push((name, shape.to_vec(), TensorData::Values(Storage::F32, values)));
    };
    // Xavier: the variance of a uniform number in [−a, a) is a²/3.
    let xavier = |rows: usize, columns: usize| (6.0 / (rows + columns) as f32).sqrt();
    let scales = if graph.shared_projection { 1 } else { pyramid.grids.len() };
    for scale in 0..scales {
        let prefix =
            if graph.shared_projection { "graph.project".to_owned() } else { format!("graph.project.{scale}") };
        add(format!("{prefix}.weight"), &[d, channels], rng.take(d * channels, xavier(d, channels)));
        if graph.project_bias {
            add(format!("{prefix}.bias"), &[d], rng.take(d, xavier(d, channels)));
        }
    }
    for layer in 0..graph.layers {
        for (part, bias) in [("out", graph.attention_bias), ("in", graph.attention_bias), ("update", graph.update_bias)]
        {
            let name = format!("graph.layers.{layer}.{part}");
            add(format!("{name}.weight"), &[d, d], rng.take(d * d, xavier(d, d)));
            if bias {
                add(format!("{name}.bias"), &[d], vec![0.0; d]);
            }
        }
    }
    if graph.edge_bias {
        let scales = pyramid.grids.len();
        for layer in 0..graph.layers {
            add(format!("graph.layers.{layer}.edge.scales"), &[scales, scales], vec![0.0; scales * scales]);
            add(format!("graph.layers.{layer}.edge.windows"), &[2], vec![0.0; 2]);
        }
    }
    add("graph.readout.weight".to_owned(), &[d], vec![0.0; d]);
    let cosine = if graph.global_cosine { COSINE } else { 0.0 };
    add("graph.readout.bias".to_owned(), &[1], vec![-0.95 * cosine]);
    if graph.global_cosine {
        add("graph.readout.cosine".to_owned(), &[1], vec![cosine]);
    }
    tensors
}
