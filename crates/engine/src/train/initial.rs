//! Where training starts: the readout is the cosine's own logit, and the projection's bias has the size of what it is
//! added to.

use grnet_core::config::{Graph, ModelConfig, Pooling};
use grnet_core::model::{NamedTensor, TensorData};
use tch::Tensor;

use crate::import::defaults::untrained_graph;
use crate::network::EngineError;
use crate::network::graph::{TorchGraph, cosines};

/// Configuration of a model to be trained: `base`'s backbone and input, with reduction and pyramid as asked for. Regions
/// are means whatever `base` has: training pools cached maps, and parts of them, by shares of cells.
pub fn config(base: &ModelConfig, grids: &[u8], channels: usize, dim: usize, layers: usize) -> ModelConfig {
    let mut config = base.clone();
    config.reduction = true;
    config.channels = channels;
    config.pyramid.grids = grids.to_vec();
    config.pyramid.pooling = Pooling::Average;
    config.pyramid.normalise = true;
    config.graph = Graph { dim, layers, residual: true, global_cosine: true, ..Graph::default() };
    config
}

/// A graph to start from. Each batch has regions `[B, M, C]` of photos on the left and, of the same garments that look
/// alike, on the right.
///
/// The cosine's weight and β make the mean right pair a logit of 2 and the mean wrong one −2: a start from which the
/// cross-entropy of pairs pulls neither.
///
/// The bias in P gets the direction of nothing in particular and the length of the median ‖P d‖ over the pairs: much
/// shorter and a node forgets how much two windows differ, much longer and it forgets in what.
///
/// # Errors
/// What libtorch refuses.
pub fn graph(config: &ModelConfig, batches: &[(Tensor, Tensor)], seed: u64) -> Result<TorchGraph, EngineError> {
    let mut tensors = untrained_graph(config, seed);
    let untrained = TorchGraph::new(config, &tensors)?;
    let mut lengths = Vec::new();
    let (mut right, mut wrong) = (0.0, 0.0);
    for (x, y) in batches {
        let differences = untrained.differences(0, &x.f_narrow(1, 0, 1)?, &y.f_narrow(1, 0, 1)?)?;
        let square = differences.f_square()?.f_sum_dim_intlist([-1i64].as_slice(), false, tch::Kind::Float)?;
        lengths.push(square.f_sqrt()?.f_view([-1])?);
        let cosine = cosines(&x.f_select(1, 0)?, &y.f_select(1, 0)?)?;
        let n = cosine.size()[0] as f64;
        let (trace, sum) = (f64::try_from(cosine.f_trace()?)?, f64::try_from(cosine.f_sum(tch::Kind::Float)?)?);
        right += trace / n / batches.len() as f64;
        wrong += (sum - trace) / (n * n - n).max(1.0) / batches.len() as f64;
    }
    let median = f64::try_from(Tensor::f_cat(&lengths, 0)?.f_median()?)? as f32;
    let cosine = (4.0 / (right - wrong)).clamp(4.0, 40.0);
    let dim = config.graph.dim as f32;
    for (name, _, data) in &mut tensors {
        let TensorData::Numbers(_, values) = data else { continue };
        if name.starts_with("graph.project") && name.ends_with(".bias") {
            rescale(values, median);
        } else if name == "graph.readout.cosine" {
            values.fill(cosine as f32);
        } else if name == "graph.readout.bias" {
            values.fill((-cosine * (right + wrong) / 2.0) as f32);
        } else if name == "graph.readout.weight" {
            // A thousandth of the cosine's weight: enough for a gradient to pass, too little to change an order.
            values.iter_mut().enumerate().for_each(|(i, v)| *v = if i % 2 == 0 { 0.02 } else { -0.02 } / dim.sqrt());
        }
    }
    TorchGraph::new(config, &tensors)
}

fn rescale(values: &mut [f32], length: f32) {
    let now = values.iter().map(|v| v * v).sum::<f32>().sqrt();
    if now > 0.0 {
        values.iter_mut().for_each(|v| *v *= length / now);
    }
}

/// The reduction's tensors, to be stored.
///
/// # Errors
/// What libtorch refuses.
pub fn reduction_tensors(weight: &Tensor, bias: &Tensor) -> Result<Vec<NamedTensor>, EngineError> {
    [("reduction.weight", weight), ("reduction.bias", bias)]
        .into_iter()
        .map(|(name, value)| {
            let shape = value.size().iter().map(|&n| n as usize).collect();
            let values = Vec::<f32>::try_from(value.detach().f_contiguous()?.f_view([-1])?)?;
            Ok((name.to_owned(), shape, TensorData::Numbers(grnet_core::model::Storage::F32, values)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use grnet_core::config::Backbone;

    use super::*;
    use crate::import::defaults;

    #[test]
    fn a_trained_model_says_the_pooling_it_is_trained_with() {
        let mut base = defaults::config(Backbone::Googlenet, 1024);
        base.pyramid.pooling = Pooling::Max;
        base.pyramid.normalise = false;
        let config = config(&base, &[1, 2], 64, 16, 1);
        assert_eq!((config.pyramid.pooling, config.pyramid.normalise), (Pooling::Average, true));
    }
}
