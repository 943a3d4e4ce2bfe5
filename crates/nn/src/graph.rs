//! The graph in libtorch, batched and differentiable: logits of Q × G pairs.
//!
//! Equations as in the score's definition, nodes from differences as there. The expanded square `P x² + P y² − 2
//! P(x∘y)` would form no operand of N × C values a pair; it took 10 instead of 11 ms forward and 30 instead of 44 with
//! gradients (16 × 16 pairs of the 3 × 3 grid, C = 256, D = 64, one core). But its error is 1e-7 of |x|², and where the
//! bias in P is small, or there is none, a node of nearly equal regions is that error brought to unit length.

use std::collections::BTreeMap;

use grnet_features::config::ModelConfig;
use grnet_features::error::ModelError;
use grnet_features::model_file::{ModelFile, NamedTensor, TensorData};
use grnet_features::pyramid::{self, scale};
use grnet_score::edge_bias;
use grnet_score::head::Head;
use tch::{Kind, Tensor};

use crate::error::NnError;
use crate::pool::normalise;
use crate::weights::named;

/// Values of differences, nodes and edges of the pairs that are scored at one time: 32 MB, 204 pairs at 98 nodes of 256
/// channels and 64 values.
const VALUES: usize = 1 << 23;

/// The graph's weights by their names in a model file.
#[derive(Debug)]
pub struct TorchGraph {
    config: ModelConfig,
    weights: BTreeMap<String, Tensor>,
    /// Where the configuration has biases of edges.
    relations: Option<Relations>,
}

impl TorchGraph {
    /// The graph of a model file.
    ///
    /// # Errors
    /// A tensor is missing, ill-shaped or not finite.
    pub fn read(file: &ModelFile<'_>) -> Result<Self, NnError> {
        // Names what is wrong, where libtorch would only say that two sizes differ.
        Head::read(file)?;
        let names = file.tensor_names().into_iter().filter(|n| n.starts_with("graph."));
        let weights = names.map(|name| {
            let (shape, values) = file.tensor(&name)?;
            Ok((name, tensor(&shape, &values)?))
        });
        let weights = weights.collect::<Result<_, NnError>>()?;
        Ok(Self { config: file.config.clone(), weights, relations: Relations::new(&file.config)? })
    }

    /// The graph of tensors in memory.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn new(config: &ModelConfig, tensors: &[NamedTensor]) -> Result<Self, NnError> {
        let mut weights = BTreeMap::new();
        for (name, shape, data) in tensors {
            if let TensorData::Values(_, values) = data {
                weights.insert(name.clone(), tensor(shape, values)?);
            }
        }
        Ok(Self { config: config.clone(), weights, relations: Relations::new(config)? })
    }

    /// The weights, to be stored.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn tensors(&self) -> Result<Vec<NamedTensor>, NnError> {
        let stored = self.weights.iter().map(|(name, weight)| named(name, weight));
        stored.collect()
    }

    /// Where the weights are.
    pub fn device(&self) -> tch::Device {
        self.weights.values().next().map_or(tch::Device::Cpu, Tensor::device)
    }

    /// The weights with their names in a model file, to be replaced by variables that learn.
    pub fn learnable(&mut self) -> impl Iterator<Item = (&String, &mut Tensor)> {
        self.weights.iter_mut()
    }

    /// Moves the weights.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn move_to(&mut self, device: tch::Device) -> Result<(), NnError> {
        for weight in self.weights.values_mut() {
            *weight = weight.f_to_device(device)?;
        }
        if let Some(Relations { scales, regions }) = &mut self.relations {
            (*scales, *regions) = (scales.f_to_device(device)?, regions.f_to_device(device)?);
        }
        Ok(())
    }

    /// Computes in another number type; the regions must have it too. For checks: training and serving use f32.
    ///
    /// # Errors
    /// What libtorch refuses.
    pub fn compute_in(&mut self, kind: Kind) -> Result<(), NnError> {
        for weight in self.weights.values_mut() {
            *weight = weight.f_to_kind(kind)?;
        }
        if let Some(relations) = &mut self.relations {
            relations.regions = relations.regions.f_to_kind(kind)?;
        }
        Ok(())
    }

    /// Pairs to be scored at one time, so that large pyramids need no more memory than small ones.
    pub fn pairs_at_once(&self) -> usize {
        let nodes = pyramid::nodes(&self.config.pyramid.grids);
        (VALUES / (nodes * (nodes + self.config.graph.dim + self.config.channels))).max(1)
    }

    fn weight(&self, name: &str) -> Result<&Tensor, NnError> {
        self.weights.get(name).ok_or_else(|| ModelError::Missing(name.to_owned()).into())
    }

    /// `x Wᵀ + b` over the last dimension; the bias is left out where the configuration has none.
    fn linear(&self, x: &Tensor, name: &str, bias: bool) -> Result<Tensor, NnError> {
        let y = x.f_matmul(&self.weight(&format!("{name}.weight"))?.f_tr()?)?;
        Ok(if bias { y.f_add(self.weight(&format!("{name}.bias"))?)? } else { y })
    }

    /// Values `P(x−y)²` before the bias: `[Q, G, K, K, D]` for regions `[Q, K, C]` and `[G, K, C]` of one scale.
    pub fn differences(&self, index: usize, x: &Tensor, y: &Tensor) -> Result<Tensor, NnError> {
        let p = self.weight(&format!("{}.weight", self.projection(index)))?;
        let (q, k, c) = x.size3()?;
        let g = y.size()[0];
        let difference = x.f_reshape([q, 1, k, 1, c])?.f_sub(&y.f_reshape([1, g, 1, k, c])?)?;
        Ok(difference.f_square()?.f_matmul(&p.f_tr()?)?)
    }

    fn projection(&self, index: usize) -> String {
        if self.config.graph.shared_projection { "graph.project".into() } else { format!("graph.project.{index}") }
    }

    /// [`logits`](Self::logits) of regions that may still have to be normalised, as features in a table may.
    ///
    /// # Errors
    /// As [`logits`](Self::logits).
    pub fn logits_of_raw(&self, x: &Tensor, y: &Tensor) -> Result<Tensor, NnError> {
        if !self.config.pyramid.normalise {
            return self.logits(x, y);
        }
        // In f64 as the scorer does it: two roundings that differ are 1e-7 of a region, and without a bias in P the
        // node of two regions that differ by a thousandth has 1e-4 of that.
        let unit = |v: &Tensor| Ok::<_, NnError>(normalise(&v.f_to_kind(Kind::Double)?)?.f_to_kind(v.kind())?);
        self.logits(&unit(x)?, &unit(y)?)
    }

    /// Logits `[Q, G]` of every pair of regions `[Q, M, C]` and `[G, M, C]`, normalised as the pyramid says.
    ///
    /// # Errors
    /// A tensor is missing or does not fit.
    pub fn logits(&self, x: &Tensor, y: &Tensor) -> Result<Tensor, NnError> {
        let graph = &self.config.graph;
        let (q, g, d) = (x.size()[0], y.size()[0], graph.dim as i64);
        let mut nodes = Vec::new();
        for index in 0..self.config.pyramid.grids.len() {
            let regions = scale(&self.config.pyramid.grids, index);
            let part = |v: &Tensor| v.f_narrow(1, regions.start as i64, regions.len() as i64);
            let mut z = self.differences(index, &part(x)?, &part(y)?)?.f_reshape([q * g, -1, d])?;
            if graph.project_bias {
                z = z.f_add(self.weight(&format!("{}.bias", self.projection(index)))?)?;
            }
            let square = z.f_square()?.f_sum_dim_intlist([-1i64].as_slice(), true, None)?;
            nodes.push(z.f_div(&(square + f64::from(graph.node_eps).powi(2)).f_sqrt()?)?);
        }
        let mut s = Tensor::f_cat(&nodes, 1)?;
        for layer in 0..graph.layers {
            // Only the global node is read at the end: the last layer has one receiver.
            let receivers = if layer + 1 == graph.layers { s.f_narrow(1, 0, 1)? } else { s.shallow_clone() };
            let name = |part: &str| format!("graph.layers.{layer}.{part}");
            let out = self.linear(&receivers, &name("out"), graph.attention_bias)?;
            let into = self.linear(&s, &name("in"), graph.attention_bias)?;
            let edges = out.f_matmul(&into.f_transpose(1, 2)?)? * f64::from(graph.attention_scale);
            let edges = match &self.relations {
                None => edges,
                Some(relations) => {
                    let bias =
                        relations.bias(self.weight(&name("edge.scales"))?, self.weight(&name("edge.windows"))?)?;
                    edges.f_add(&bias.f_narrow(0, 0, receivers.size()[1])?)?
                }
            };
            let mut mixed = edges.f_softmax(-1, None)?.f_matmul(&s)?;
            if graph.residual {
                mixed = mixed.f_add(&receivers)?;
            }
            s = self.linear(&mixed, &name("update"), graph.update_bias)?.f_relu()?;
        }
        let readout = self.weight("graph.readout.weight")?.f_unsqueeze(1)?;
        let mut logit = s.f_select(1, 0)?.f_matmul(&readout)?.f_view([q, g])?;
        logit = logit.f_add(self.weight("graph.readout.bias")?)?;
        if graph.global_cosine {
            let cosine = cosines(&x.f_select(1, 0)?, &y.f_select(1, 0)?)?;
            logit = logit.f_add(&cosine.f_mul(self.weight("graph.readout.cosine")?)?)?;
        }
        Ok(logit)
    }
}

/// How every two nodes are related, as tensors.
#[derive(Debug)]
struct Relations {
    /// Place of each edge's scales in `edge.scales`, `[N·N]`.
    scales: Tensor,
    /// 1 where an edge leads from a node to itself, and where it leads to another with a shared region: `[2, N·N]`.
    regions: Tensor,
}

impl Relations {
    /// `None` where the configuration has no biases of edges.
    fn new(config: &ModelConfig) -> Result<Option<Self>, NnError> {
        if !config.graph.edge_bias {
            return Ok(None);
        }
        let grids = &config.pyramid.grids;
        let bias =
            |own: f32, shared: f32| edge_bias::EdgeBias { own, shared, ..edge_bias::EdgeBias::zero(grids.len()) };
        let edges = || edge_bias::nodes(grids).flat_map(|r| edge_bias::nodes(grids).map(move |s| (r, s)));
        let places: Vec<i64> = edges().map(|(r, s)| (r.scale * grids.len() + s.scale) as i64).collect();
        let regions: Vec<f32> =
            [bias(1.0, 0.0), bias(0.0, 1.0)].iter().flat_map(|b| edges().map(|(r, s)| b.of(r, s))).collect();
        let regions = Tensor::f_from_slice(&regions)?.f_view([2, places.len() as i64])?;
        Ok(Some(Self { scales: Tensor::f_from_slice(&places)?, regions }))
    }

    /// Biases `[N, N]` (receiver, sender).
    fn bias(&self, scales: &Tensor, regions: &Tensor) -> Result<Tensor, NnError> {
        let by_scale = scales.f_view([-1])?.f_index_select(0, &self.scales)?;
        let by_region = regions.f_unsqueeze(0)?.f_matmul(&self.regions)?.f_view([-1])?;
        let nodes = (self.scales.size()[0] as f64).sqrt() as i64;
        Ok(by_scale.f_add(&by_region)?.f_view([nodes, nodes])?)
    }
}

/// Cosines `[Q, G]` of rows.
///
/// # Errors
/// What libtorch refuses.
pub fn cosines(x: &Tensor, y: &Tensor) -> Result<Tensor, NnError> {
    Ok(normalise(x)?.f_matmul(&normalise(y)?.f_tr()?)?)
}

/// A tensor of f32 values.
pub fn tensor(shape: &[usize], values: &[f32]) -> Result<Tensor, NnError> {
    let size: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    Ok(Tensor::f_from_slice(values)?.f_reshape(&size[..])?)
}
