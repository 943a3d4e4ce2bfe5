//! What a model is, apart from its numbers: the JSON in the model file's header.
//!
//! Every choice the paper leaves open is a field here, so that a value computed under one choice is
//! never scored under another: the configuration is part of the file, and the file's digest is the model's id.

use serde::{Deserialize, Serialize};

use crate::error::ModelError;

/// Version of the configuration's layout, written as `format`.
pub const CONFIG_FORMAT: u32 = 1;

/// A model's configuration: backbone, input, pyramid and graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Layout version, [`CONFIG_FORMAT`].
    pub format: u32,
    /// The network that maps `[B, 3, H, W]` to `[B, backbone_channels, h, w]`.
    pub backbone: Backbone,
    /// Channels of the backbone's map.
    pub backbone_channels: usize,
    /// Whether a learned 1×1 reduction maps the backbone's channels to [`channels`](Self::channels).
    pub reduction: bool,
    /// Channels C of a region.
    pub channels: usize,
    /// How pixels become the network's input.
    pub input: Input,
    /// How the map becomes regions.
    pub pyramid: Pyramid,
    /// How two images' regions become a score.
    pub graph: Graph,
}

/// The convolutional network in front of the pyramid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Backbone {
    /// GoogLeNet up to its last inception block, 1,024 channels: the paper's backbone.
    Googlenet,
    /// EfficientNet-Lite0 up to its 1×1 head, 1,280 channels.
    EfficientnetLite0,
    /// ResNet-50 up to its last stage, 2,048 channels.
    Resnet50,
    /// MobileNetV2 up to its last 1×1 convolution, 1,280 channels.
    MobilenetV2,
    /// One strided convolution and a ReLU over `patch × patch` pixels: small enough for exact tests.
    Patches {
        /// Side of a patch and the stride, in pixels.
        patch: usize,
    },
    /// A TorchScript module, stored as the tensor `backbone.torchscript` (u8).
    Torchscript,
}

/// How pixels become the network's input: `x = (byte − mean) / std`, channels first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Side of the square input in pixels.
    pub size: u32,
    /// How an image that is not square becomes one.
    pub fit: Fit,
    /// Per channel (R, G, B), in units of a byte.
    pub mean: [f32; 3],
    /// Per channel (R, G, B), in units of a byte.
    pub std: [f32; 3],
}

/// How an image of any shape is brought to a square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Shape kept, centred on white.
    Letterbox,
    /// Both sides scaled on their own.
    Stretch,
}

/// How the backbone's map becomes regions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pyramid {
    /// The sides of the grids, ascending, the first 1 (the whole image).
    pub grids: Vec<u8>,
    /// How a window's cells become one vector.
    pub pooling: Pooling,
    /// Whether every region is divided by its Euclidean norm.
    pub normalise: bool,
}

/// How a window's cells become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Pooling {
    /// Mean of the cells.
    Average,
    /// Largest cell, channel by channel.
    Max,
    /// Generalised mean with exponent `p` over cells clamped to at least 1e-6.
    Gem {
        /// The exponent; 1 is the mean of the positive part.
        p: f32,
    },
}

/// How two images' regions become a score. The defaults follow the equations as transcribed from the paper,
/// except where a field says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    /// D, the length of a node.
    pub dim: usize,
    /// L, the number of reasoning layers; 0 reads the global node as it is.
    pub layers: usize,
    /// One projection for all scales (the paper's equation carries no scale index) or one for each.
    pub shared_projection: bool,
    /// Bias in the projection: with it a node tells how much two windows differ, not only in which channels.
    pub project_bias: bool,
    /// Biases beside T_out and T_in.
    pub attention_bias: bool,
    /// Bias beside W.
    pub update_bias: bool,
    /// ε in `z / sqrt(‖z‖² + ε²)`; the paper's 0 leaves two equal windows undefined.
    pub node_eps: f32,
    /// Factor on the attention's logits; the paper has none, that is 1.
    pub attention_scale: f32,
    /// Whether a node is added to what it received before W is applied.
    pub residual: bool,
    /// Whether the cosine of the two global vectors, times a learned weight, is added to the logit.
    pub global_cosine: bool,
    /// Whether an edge's logit has a learned bias for the relation of its two nodes: their scales, a shared window, the
    /// node itself ([`relation`](crate::relation)). The paper has none. Left out where false, so that a file written
    /// before there was a choice keeps its bytes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub edge_bias: bool,
}

impl Default for Graph {
    fn default() -> Self {
        Self {
            dim: 128,
            layers: 2,
            shared_projection: true,
            project_bias: true,
            attention_bias: true,
            update_bias: true,
            node_eps: 1e-5,
            attention_scale: 1.0,
            residual: false,
            global_cosine: false,
            edge_bias: false,
        }
    }
}

impl ModelConfig {
    /// Refuses what no scorer or engine could work with, naming the field and its limits.
    ///
    /// # Errors
    /// [`ModelError::Config`] with the field, the value and what is allowed.
    pub fn check(&self) -> Result<(), ModelError> {
        let bad =
            |field: &'static str, got: String, allowed: &'static str| Err(ModelError::Config { field, got, allowed });
        if self.format != CONFIG_FORMAT {
            return bad("format", self.format.to_string(), "1");
        }
        if !(1..=4096).contains(&self.channels) {
            return bad("channels", self.channels.to_string(), "1 to 4096");
        }
        if !(1..=8192).contains(&self.backbone_channels) {
            return bad("backbone_channels", self.backbone_channels.to_string(), "1 to 8192");
        }
        if !self.reduction && self.channels != self.backbone_channels {
            return bad("channels", self.channels.to_string(), "the backbone's channels when there is no reduction");
        }
        if !(8..=2048).contains(&self.input.size) {
            return bad("input.size", self.input.size.to_string(), "8 to 2048");
        }
        if self.input.mean.iter().any(|v| !v.is_finite()) {
            return bad("input.mean", format!("{:?}", self.input.mean), "finite numbers");
        }
        if self.input.std.iter().any(|v| !v.is_finite() || *v <= 0.0) {
            return bad("input.std", format!("{:?}", self.input.std), "positive numbers");
        }
        if let Backbone::Patches { patch } = self.backbone
            && !(1..=256).contains(&patch)
        {
            return bad("backbone.patch", patch.to_string(), "1 to 256");
        }
        let grids = &self.pyramid.grids;
        let ascending = grids.windows(2).all(|w| w[0] < w[1]);
        if grids.is_empty() || grids.len() > 4 || grids[0] != 1 || !ascending || grids.iter().any(|&g| g > 8) {
            return bad("pyramid.grids", format!("{grids:?}"), "up to 4 ascending sides, the first 1, none over 8");
        }
        if let Pooling::Gem { p } = self.pyramid.pooling
            && !(p.is_finite() && (0.1..=100.0).contains(&p))
        {
            return bad("pyramid.pooling.p", p.to_string(), "0.1 to 100");
        }
        let graph = &self.graph;
        if !(1..=1024).contains(&graph.dim) {
            return bad("graph.dim", graph.dim.to_string(), "1 to 1024");
        }
        if graph.layers > 8 {
            return bad("graph.layers", graph.layers.to_string(), "0 to 8");
        }
        // Below, its square is lost beside f32's smallest numbers, and the node of two equal windows is 0 / 0.
        if !(1e-12..=1.0).contains(&graph.node_eps) {
            return bad("graph.node_eps", graph.node_eps.to_string(), "1e-12 to 1");
        }
        // Above, attention is a choice of one sender that the last bit decides, and its logits run out of f32.
        if !(graph.attention_scale > 0.0 && graph.attention_scale <= 1e4) {
            return bad("graph.attention_scale", graph.attention_scale.to_string(), "above 0, at most 10000");
        }
        Ok(())
    }
}
