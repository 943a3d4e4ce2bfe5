//! The graph's weights: what a backend needs of a model to score.

use crate::edge_bias::EdgeBias;
use grnet_features::config::{Graph, ModelConfig};
use grnet_features::error::ModelError;
use grnet_features::model_file::{ModelFile, ModelId};

/// Weights of one reasoning layer, row-major `[D, D]` and `[D]`. A bias that the configuration leaves out is zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// T_out: applied to the receiver.
    pub out: Vec<f32>,
    /// Bias beside T_out.
    pub out_bias: Vec<f32>,
    /// T_in: applied to the sender.
    pub into: Vec<f32>,
    /// Bias beside T_in. It cannot change a score (softmax over senders removes it), and is kept for the oracle.
    pub into_bias: Vec<f32>,
    /// W: applied to what a node received.
    pub update: Vec<f32>,
    /// Bias beside W.
    pub update_bias: Vec<f32>,
    /// Biases of the edges; zero where the configuration has none.
    pub edges: EdgeBias,
}

/// The projection of one scale, row-major `[D, C]` and `[D]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// P.
    pub weight: Vec<f32>,
    /// Bias beside P.
    pub bias: Vec<f32>,
}

/// The graph's weights, in f32 as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// The model these weights belong to.
    pub id: ModelId,
    /// The pyramid's grids.
    pub grids: Vec<u8>,
    /// Channels C of a region.
    pub channels: usize,
    /// Whether regions are brought to unit norm before they are compared.
    pub normalise: bool,
    /// The graph's configuration.
    pub graph: Graph,
    /// One for each scale; equal copies where the projection is shared.
    pub projections: Vec<Projection>,
    /// The reasoning layers.
    pub layers: Vec<Layer>,
    /// w of the readout, `[D]`.
    pub readout: Vec<f32>,
    /// β of the readout.
    pub readout_bias: f32,
    /// Weight of the global cosine in the readout; 0 where the configuration has none.
    pub cosine: f32,
}

impl Head {
    /// Reads the graph's tensors out of a model file.
    ///
    /// # Errors
    /// The first tensor that is missing, ill-shaped or not finite.
    pub fn read(file: &ModelFile<'_>) -> Result<Self, ModelError> {
        let ModelConfig { channels, ref pyramid, ref graph, .. } = file.config;
        let d = graph.dim;
        let optional = |present: bool, name: &str| {
            if present { file.shaped(name, &[d]) } else { Ok(vec![0.0; d]) }
        };
        let projection = |prefix: String| {
            Ok(Projection {
                weight: file.shaped(&format!("{prefix}.weight"), &[d, channels])?,
                bias: optional(graph.project_bias, &format!("{prefix}.bias"))?,
            })
        };
        let projections = (0..pyramid.grids.len())
            .map(|s| {
                projection(if graph.shared_projection { "graph.project".into() } else { format!("graph.project.{s}") })
            })
            .collect::<Result<_, _>>()?;
        let layers = (0..graph.layers)
            .map(|l| {
                let name = |part: &str| format!("graph.layers.{l}.{part}");
                Ok(Layer {
                    out: file.shaped(&name("out.weight"), &[d, d])?,
                    out_bias: optional(graph.attention_bias, &name("out.bias"))?,
                    into: file.shaped(&name("in.weight"), &[d, d])?,
                    into_bias: optional(graph.attention_bias, &name("in.bias"))?,
                    update: file.shaped(&name("update.weight"), &[d, d])?,
                    update_bias: optional(graph.update_bias, &name("update.bias"))?,
                    edges: edges(file, l)?,
                })
            })
            .collect::<Result<_, ModelError>>()?;
        Ok(Self {
            id: file.id,
            grids: pyramid.grids.clone(),
            channels,
            normalise: pyramid.normalise,
            graph: graph.clone(),
            projections,
            layers,
            readout: file.shaped("graph.readout.weight", &[d])?,
            readout_bias: file.shaped("graph.readout.bias", &[1])?[0],
            cosine: if graph.global_cosine { file.shaped("graph.readout.cosine", &[1])?[0] } else { 0.0 },
        })
    }
}

/// Biases of a layer's edges.
fn edges(file: &ModelFile<'_>, layer: usize) -> Result<EdgeBias, ModelError> {
    let scales = file.config.pyramid.grids.len();
    if !file.config.graph.edge_bias {
        return Ok(EdgeBias::zero(scales));
    }
    let regions = file.shaped(&format!("graph.layers.{layer}.edge.windows"), &[2])?;
    let scales = file.shaped(&format!("graph.layers.{layer}.edge.scales"), &[scales, scales])?;
    Ok(EdgeBias { scales, own: regions[0], shared: regions[1] })
}
