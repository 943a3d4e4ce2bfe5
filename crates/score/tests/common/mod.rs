//! Seeded heads and images for the tests of the core.

use grnet_features::config::Graph;
use grnet_features::model_file::ModelId;
use grnet_features::pyramid;
use grnet_score::edge_bias::EdgeBias;
use grnet_score::head::{Head, Layer, Projection};

/// SplitMix64: the same numbers on every platform.
pub struct Random(pub u64);

impl Random {
    /// The next number, uniform in −1 … 1.
    pub fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    /// `n` numbers within ± `size`.
    pub fn vector(&mut self, n: usize, size: f32) -> Vec<f32> {
        (0..n).map(|_| self.next() * size).collect()
    }
}

/// A head with every bias set that its configuration has, so that none can be forgotten unnoticed.
pub fn head(seed: u64, grids: &[u8], channels: usize, graph: Graph) -> Head {
    let mut random = Random(seed);
    let d = graph.dim;
    let xavier = |fan: usize| (6.0 / fan as f32).sqrt();
    let bias = |random: &mut Random, present: bool, size: f32| {
        let values = random.vector(d, size);
        if present { values } else { vec![0.0; d] }
    };
    let shared = Projection {
        weight: random.vector(d * channels, xavier(d + channels)),
        bias: bias(&mut random, graph.project_bias, 0.05),
    };
    let projections = (0..grids.len())
        .map(|_| {
            if graph.shared_projection {
                shared.clone()
            } else {
                Projection {
                    weight: random.vector(d * channels, xavier(d + channels)),
                    bias: bias(&mut random, graph.project_bias, 0.05),
                }
            }
        })
        .collect();
    let layers = (0..graph.layers)
        .map(|_| Layer {
            out: random.vector(d * d, 3.0 * xavier(2 * d)),
            out_bias: bias(&mut random, graph.attention_bias, 0.5),
            into: random.vector(d * d, 3.0 * xavier(2 * d)),
            into_bias: bias(&mut random, graph.attention_bias, 0.5),
            update: random.vector(d * d, xavier(2 * d)),
            update_bias: bias(&mut random, graph.update_bias, 0.1),
            edges: if graph.edge_bias {
                let scales = random.vector(grids.len() * grids.len(), 2.0);
                EdgeBias { scales, own: random.next(), shared: 2.0 + random.next() }
            } else {
                EdgeBias::zero(grids.len())
            },
        })
        .collect();
    Head {
        id: ModelId([0; 8]),
        grids: grids.to_vec(),
        channels,
        normalise: true,
        projections,
        layers,
        readout: random.vector(d, 1.0),
        readout_bias: 0.3,
        cosine: if graph.global_cosine { 1.7 } else { 0.0 },
        graph,
    }
}

/// An image's regions, row-major `[M, C]`.
pub fn image(seed: u64, head: &Head) -> Vec<f32> {
    Random(seed).vector(pyramid::regions(&head.grids) * head.channels, 1.0)
}

/// Every choice of the configuration, one after another, over shapes that are no multiple of any vector's width.
pub fn heads() -> Vec<Head> {
    let mut out = Vec::new();
    for grids in [&[1u8][..], &[1, 2], &[1, 2, 3], &[1, 2, 4]] {
        for layers in 0..=4 {
            let graph = Graph { dim: 12, layers, ..Graph::default() };
            out.push(head(7 + layers as u64, grids, 19, graph));
        }
    }
    let two = Graph { dim: 16, layers: 2, ..Graph::default() };
    for graph in [
        Graph { shared_projection: false, ..two.clone() },
        Graph { residual: true, ..two.clone() },
        Graph { global_cosine: true, ..two.clone() },
        Graph { edge_bias: true, ..two.clone() },
        Graph { edge_bias: true, layers: 1, residual: true, ..two.clone() },
        Graph { attention_scale: 0.25, ..two.clone() },
        Graph { residual: true, global_cosine: true, dim: 1, ..two.clone() },
    ] {
        out.push(head(99, &[1, 2, 3], 33, graph));
    }
    // Several pieces of channels, of dimensions and of senders; and blocks that are no multiple of anything.
    out.push(head(31, &[1, 2], 700, Graph { layers: 3, ..two.clone() }));
    out.push(head(32, &[1, 2], 40, Graph { dim: 300, layers: 2, edge_bias: true, ..two.clone() }));
    out.push(head(33, &[1, 2, 3], 300, Graph { dim: 65, layers: 2, residual: true, ..two.clone() }));
    out.push(head(
        34,
        &[1, 2, 4],
        24,
        Graph { edge_bias: true, residual: true, shared_projection: false, ..two.clone() },
    ));
    out.push(head(
        35,
        &[1, 3],
        128,
        Graph { project_bias: false, attention_bias: false, update_bias: false, ..two.clone() },
    ));
    let mut raw = head(5, &[1, 2, 3], 24, two);
    raw.normalise = false;
    out.push(raw);
    out
}
