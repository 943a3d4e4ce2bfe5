//! Seeded heads and images for the tests of the core.

use grnet_core::config::Graph;
use grnet_core::head::{Head, Layer, Projection};
use grnet_core::model::ModelId;
use grnet_core::pyramid;
use grnet_core::relation::EdgeBias;

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

/// A head with every bias set, so that none can be forgotten unnoticed.
pub fn head(seed: u64, grids: &[u8], channels: usize, graph: Graph) -> Head {
    let mut random = Random(seed);
    let d = graph.dim;
    let xavier = |fan: usize| (6.0 / fan as f32).sqrt();
    let shared = Projection { weight: random.vector(d * channels, xavier(d + channels)), bias: random.vector(d, 0.05) };
    let projections = (0..grids.len())
        .map(|_| {
            if graph.shared_projection {
                shared.clone()
            } else {
                Projection { weight: random.vector(d * channels, xavier(d + channels)), bias: random.vector(d, 0.05) }
            }
        })
        .collect();
    let layers = (0..graph.layers)
        .map(|_| Layer {
            out: random.vector(d * d, 3.0 * xavier(2 * d)),
            out_bias: random.vector(d, 0.5),
            into: random.vector(d * d, 3.0 * xavier(2 * d)),
            into_bias: random.vector(d, 0.5),
            update: random.vector(d * d, xavier(2 * d)),
            update_bias: random.vector(d, 0.1),
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
