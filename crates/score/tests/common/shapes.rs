//! Shapes drawn from the whole range that a model file may have.

use grnet_features::config::{Backbone, CONFIG_FORMAT, Fit, Graph, Input, ModelConfig, Pooling, Pyramid};
use grnet_features::pyramid;
use grnet_score::head::Head;

use super::common::{Random, head};

/// A head's shape, and how regions are compared.
#[derive(Debug, Clone)]
pub struct Shape {
    pub grids: Vec<u8>,
    pub channels: usize,
    pub normalise: bool,
    pub graph: Graph,
}

/// Where something begins or ends: vectors, tiles, pieces of operands, and the ranges themselves.
const EDGES: [usize; 27] = [
    1, 2, 8, 15, 16, 17, 31, 32, 33, 47, 48, 63, 64, 65, 127, 128, 240, 255, 256, 257, 272, 288, 320, 511, 512, 513,
    1024,
];

/// Every list of grids that a model file may have.
pub fn grids() -> Vec<Vec<u8>> {
    let some = |bits: u32| (2..=8u8).filter(move |grid| bits >> (grid - 2) & 1 == 1);
    let lists = (0..1 << 7).map(|bits| std::iter::once(1).chain(some(bits)).collect::<Vec<u8>>());
    lists.filter(|grids| grids.len() <= 4).collect()
}

impl Shape {
    /// Multiplications of a pair's score by the oracle, and of folding the layers once for each path.
    pub fn work(&self) -> usize {
        let (n, d) = (pyramid::nodes(&self.grids), self.graph.dim);
        n * self.channels * d + self.graph.layers * (3 * n * d * d + 2 * n * n * d + 4 * d * d * d)
    }

    /// What a model file would say of it.
    pub fn config(&self) -> ModelConfig {
        ModelConfig {
            format: CONFIG_FORMAT,
            backbone: Backbone::Patches { patch: 4 },
            backbone_channels: self.channels,
            reduction: false,
            channels: self.channels,
            input: Input { size: 32, fit: Fit::Letterbox, mean: [0.0; 3], std: [1.0; 3] },
            pyramid: Pyramid { grids: self.grids.clone(), pooling: Pooling::Max, normalise: self.normalise },
            graph: self.graph.clone(),
        }
    }

    /// A head of the shape.
    pub fn head(&self, seed: u64) -> Head {
        let mut head = head(seed, &self.grids, self.channels, self.graph.clone());
        head.normalise = self.normalise;
        head
    }
}

impl Random {
    /// 0 … n − 1.
    pub fn below(&mut self, n: usize) -> usize {
        (((self.next() + 1.0) / 2.0 * n as f32) as usize).min(n - 1)
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 1
    }

    /// A size of 1 … most: an edge, a neighbour of a power's multiple, or any.
    fn size(&mut self, most: usize) -> usize {
        match self.below(3) {
            0 => EDGES[self.below(EDGES.len())].min(most),
            1 => 16 * (1 + self.below(most / 16)),
            _ => (most as f32).powf((self.next() + 1.0) / 2.0) as usize,
        }
        .clamp(1, most)
    }

    /// A legal shape whose score takes at most `most` multiplications.
    pub fn shape(&mut self, grids: &[Vec<u8>], most: usize) -> Shape {
        loop {
            let channels = self.size(4096);
            // Channels and dimensions that are equal are a case of their own wherever matrices are packed.
            let dim = if self.below(6) == 0 { channels.min(1024) } else { self.size(1024) };
            let graph = Graph {
                dim,
                layers: self.below(9),
                shared_projection: self.coin(),
                project_bias: self.coin(),
                attention_bias: self.coin(),
                update_bias: self.coin(),
                node_eps: 10f32.powf(self.next() * 4.0 - 4.0),
                attention_scale: 10f32.powf(self.next() - 0.5),
                residual: self.coin(),
                global_cosine: self.coin(),
                edge_bias: self.coin(),
            };
            let grids = grids[self.below(grids.len())].clone();
            let shape = Shape { grids, channels, normalise: self.below(4) > 0, graph };
            if shape.work() <= most {
                return shape;
            }
        }
    }
}
