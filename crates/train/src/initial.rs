//! Where training starts: a graph that is a soft best-match of regions before it has learned anything.
//!
//! With b a unit vector of positive entries, P = −b1ᵀ + noise across b, and b_P = b·(2 − 2c), a node of two regions of
//! unit norm has the component 2·cos − 2c along b and a little of in-what-they-differ across it: nodes say how much
//! alike two regions are. The layers but the last then let every node look along b among the nodes that share a region
//! with it ([`relation`](grnet_score::edge_bias)): the best partner. The last lets the global node look for the best of
//! those, and the readout takes what it finds, beside the cosine of the global vectors.
//!
//! Measured before any step, on unseen styles and the maps of a backbone that was trained (top-1, 5, 20, 50, in points
//! over its global vector): occluded +6 +4 +3 +3, cropped and occluded +1 +4 +0 +1, details +5 +5 +0 +5. A random start
//! lost up to 21 at top-1 without a step, and was 4 points worse than this one after as many.

use grnet_data::rng::Rng;
use grnet_features::config::{Graph, ModelConfig, Pooling};
use grnet_features::model_file::{NamedTensor, TensorData};
use grnet_nn::graph::TorchGraph;
use grnet_nn::import::defaults::untrained_graph;
use tch::{Kind, Tensor};

use crate::error::TrainError;

/// The cosine at which two regions count as neither alike nor different.
const NEUTRAL: f32 = 0.2;
/// Median length of what a node says across b, beside its 2·cos − 2c.
const ACROSS: f64 = 0.3;
/// How sharply a node looks for the best partner of its regions, and the global node for the best of all.
const SHARPNESS: [f32; 2] = [25.0, 12.0];
/// How much nearer nodes that share a region are.
const SHARED: f32 = 4.0;
/// Weight of what the graph finds and of the global vectors' cosine, in the logit.
const FOUND: f32 = 8.0;
const COSINE: f32 = 4.0;
/// Half of the width of the noise in the attention's weights: enough to break ties between them.
const NOISE: f32 = 0.035;

/// Configuration of a model to be trained from a backbone: its input, with reduction and pyramid as asked for.
pub fn config(base: &ModelConfig, grids: &[u8], channels: usize, dim: usize, layers: usize) -> ModelConfig {
    let mut config = base.clone();
    config.reduction = true;
    config.channels = channels;
    config.pyramid.grids = grids.to_vec();
    config.pyramid.pooling = Pooling::Average;
    config.pyramid.normalise = true;
    config.graph = Graph { dim, layers, residual: true, global_cosine: true, edge_bias: true, ..Graph::default() };
    config
}

/// A graph to start from. `x` and `y` are regions `[B, M, C]` of images of the same garments, by whose right and wrong
/// pairs the readout's bias is set: their mean logits are as far above as below 0.
///
/// # Errors
/// What libtorch refuses.
pub fn graph(config: &ModelConfig, x: &Tensor, y: &Tensor, seed: u64) -> Result<TorchGraph, TrainError> {
    let mut rng = Rng::new(seed);
    let (d, c) = (config.graph.dim, config.channels);
    let along = direction(&mut rng, d);
    let across = across(&mut rng, &along, c);
    // Scaled by what the difference of two images leaves of it.
    let differences = x.f_select(1, 0)?.f_unsqueeze(1)?.f_sub(&y.f_select(1, 0)?.f_unsqueeze(0)?)?.f_square()?;
    let noise = Tensor::f_from_slice(&across)?.f_view([d as i64, c as i64])?.f_to_device(x.device())?;
    let lengths =
        differences.f_matmul(&noise.f_tr()?)?.f_square()?.f_sum_dim_intlist([-1i64].as_slice(), false, Kind::Float)?;
    let median = f64::try_from(lengths.f_sqrt()?.f_median()?)?;
    let gain = if median > 0.0 { (ACROSS / median) as f32 } else { 0.0 };
    let project: Vec<f32> =
        along.iter().zip(across.chunks_exact(c)).flat_map(|(b, row)| row.iter().map(move |v| gain * v - b)).collect();
    let bias: Vec<f32> = along.iter().map(|b| b * (2.0 - 2.0 * NEUTRAL)).collect();

    let mut tensors = untrained_graph(config, seed);
    for (name, _, data) in &mut tensors {
        let TensorData::Values(_, values) = data else { continue };
        fill(
            name,
            values,
            &Start { along: &along, project: &project, bias: &bias, layers: config.graph.layers },
            &mut rng,
        );
    }
    let mut graph = TorchGraph::new(config, &tensors)?;
    graph.move_to(x.device())?;
    centre(&graph, x, y, &mut tensors)?;
    let mut graph = TorchGraph::new(config, &tensors)?;
    graph.move_to(x.device())?;
    Ok(graph)
}

/// What the tensors are made of.
struct Start<'a> {
    along: &'a [f32],
    project: &'a [f32],
    bias: &'a [f32],
    layers: usize,
}

/// Gives a tensor its start, by its name.
fn fill(name: &str, values: &mut [f32], start: &Start<'_>, rng: &mut Rng) {
    let (b, d) = (start.along, start.along.len());
    if name.starts_with("graph.project") {
        values.copy_from_slice(if name.ends_with(".weight") { start.project } else { start.bias });
    } else if let Some(part) = name.strip_prefix("graph.layers.") {
        let Some((layer, part)) = part.split_once('.') else { return };
        let last = layer.parse() == Ok(start.layers - 1);
        let mut noise = || NOISE * rng.unit();
        match part {
            "out.weight" => values.iter_mut().for_each(|v| *v = noise()),
            "out.bias" => {
                let sharpness = SHARPNESS[usize::from(last)];
                values.iter_mut().zip(b).for_each(|(v, b)| *v = sharpness * b);
            }
            "in.weight" => {
                values.iter_mut().enumerate().for_each(|(at, v)| *v = b[at / d] * b[at % d] + noise());
            }
            "update.weight" => {
                values.iter_mut().enumerate().for_each(|(at, v)| *v = if at / d == at % d { 1.0 } else { 0.0 });
            }
            "edge.windows" if !last => values.fill(SHARED),
            _ => values.fill(0.0),
        }
    } else if name == "graph.readout.weight" {
        values.iter_mut().zip(b).for_each(|(v, b)| *v = FOUND * b);
    } else if name == "graph.readout.cosine" {
        values.fill(COSINE);
    } else {
        values.fill(0.0);
    }
}

/// Sets the readout's bias so that right and wrong pairs lie around 0.
fn centre(graph: &TorchGraph, x: &Tensor, y: &Tensor, tensors: &mut [NamedTensor]) -> Result<(), TrainError> {
    let (mut right, mut all, n) = (0.0, 0.0, x.size()[0]);
    // A few rows at a time: 48 x 48 pairs of a fine pyramid would take gigabytes.
    let rows = (graph.pairs_at_once() as i64 / n).max(1);
    for (part, x) in x.f_split(rows, 0)?.iter().enumerate() {
        let logits = tch::no_grad(|| graph.logits(x, y))?;
        right += f64::try_from(logits.f_diagonal(part as i64 * rows, 0, 1)?.f_sum(Kind::Double)?)?;
        all += f64::try_from(logits.f_sum(Kind::Double)?)?;
    }
    let n = n as f64;
    let (right, wrong) = (right / n, (all - right) / (n * n - n).max(1.0));
    for (name, _, data) in tensors {
        if let (true, TensorData::Values(_, values)) = (name == "graph.readout.bias", data) {
            values.fill((-(right + wrong) / 2.0) as f32);
        }
    }
    Ok(())
}

/// A unit vector of positive entries: ReLU lets all of it pass.
fn direction(rng: &mut Rng, d: usize) -> Vec<f32> {
    let values: Vec<f32> = (0..d).map(|_| rng.unit().abs() + 0.3).collect();
    let length = values.iter().map(|v| v * v).sum::<f32>().sqrt();
    values.into_iter().map(|v| v / length).collect()
}

/// Noise `[D, C]` whose rows have the mean 0 (it does not say how much) and whose columns are across `along`.
fn across(rng: &mut Rng, along: &[f32], c: usize) -> Vec<f32> {
    let mut values = rng.take(along.len() * c, 1.0);
    for row in values.chunks_exact_mut(c) {
        let mean = row.iter().sum::<f32>() / c as f32;
        row.iter_mut().for_each(|v| *v -= mean);
    }
    for column in 0..c {
        let part: f32 = along.iter().zip(values.chunks_exact(c)).map(|(b, row)| b * row[column]).sum();
        along.iter().zip(values.chunks_exact_mut(c)).for_each(|(b, row)| row[column] -= part * b);
    }
    values
}

#[cfg(test)]
mod tests {
    use grnet_features::config::Backbone;
    use grnet_nn::import::defaults;
    use grnet_nn::pool::normalise;

    use super::*;

    fn base() -> ModelConfig {
        let mut base = defaults::config(Backbone::Googlenet, 1024);
        base.pyramid.pooling = Pooling::Max;
        base.pyramid.normalise = false;
        base
    }

    #[test]
    fn a_trained_model_says_the_pooling_it_is_trained_with() {
        let config = config(&base(), &[1, 2], 64, 16, 1);
        assert_eq!((config.pyramid.pooling, config.pyramid.normalise), (Pooling::Average, true));
    }

    #[test]
    fn before_it_has_learned_a_window_that_is_found_again_counts() {
        tch::manual_seed(3);
        let config = config(&base(), &[1, 2, 3], 32, 16, 2);
        let random = || Tensor::randn([24, 14, 32], (Kind::Float, tch::Device::Cpu)) + 1.0;
        let (x, y) = (random(), random());
        // As wholes they are much alike, and no two belong together.
        for images in [&x, &y] {
            let _ = images.narrow(1, 0, 1).f_mul_scalar_(0.3).unwrap().f_add_scalar_(1.0).unwrap();
        }
        // Every right pair shares six regions of nine, one place further in the other image, and nothing else.
        y.narrow(1, 6, 6).copy_(&x.narrow(1, 5, 6));
        let (x, y) = (normalise(&x).unwrap(), normalise(&y).unwrap());
        let logits = graph(&config, &x, &y, 1).unwrap().logits(&x, &y).unwrap();
        let right = logits.argmax(1, false).eq_tensor(&Tensor::arange(24, (Kind::Int64, tch::Device::Cpu)));
        let found = i64::try_from(right.sum(Kind::Int64)).unwrap();
        // By chance it would be one.
        assert!(found >= 6, "{found} of 24");
    }

    #[test]
    fn right_and_wrong_pairs_lie_around_nothing() {
        tch::manual_seed(4);
        // All pairs at once, and in slices, of which the last is shorter.
        for (grids, regions, images) in [(&[1u8, 2][..], 5, 5i64), (&[1, 2, 4], 21, 13)] {
            let config = config(&base(), grids, 32, 16, 1);
            let x = normalise(&Tensor::randn([images, regions, 32], (Kind::Float, tch::Device::Cpu))).unwrap();
            let graph = graph(&config, &x, &x, 1).unwrap();
            let rows = graph.pairs_at_once() as i64 / images;
            assert!(if images == 5 { rows >= images } else { rows < images && images % rows > 0 }, "{rows} rows");
            let logits = graph.logits(&x, &x).unwrap();
            let n = images as f64;
            let right = f64::try_from(logits.trace()).unwrap() / n;
            let wrong = (f64::try_from(logits.sum(Kind::Float)).unwrap() - n * right) / (n * n - n);
            assert!(right > 0.5 && (right + wrong).abs() < 1e-3, "{right} {wrong}");
        }
    }
}
