//! How much arithmetic a score takes at least, as far as is known: what a kernel's speed is measured by.

use grnet_features::config::Graph;
use grnet_features::pyramid;

/// Floating-point operations of one pair of images with `channels` channels a region, after the savings that change no
/// result: one product instead of two for an edge, and one row of the last layer. A multiplication and an addition count
/// one each, and so does a root, a division or an exponential. Preparing one image alone is not counted, nor is what the
/// options beside the paper's equations add (biases, the residual: less than one in a hundred).
///
/// With N nodes of length D: 2NCD for the projection, 5ND + 2N to square differences' products and normalise, and
/// 4ND² + 4N²D + 5N² + ND for each layer but the last, which takes 4D² + 4ND + 5N + 3D.
pub fn operations(grids: &[u8], channels: usize, graph: &Graph) -> f64 {
    let [c, d, layers] = [channels, graph.dim, graph.layers].map(|n| n as f64);
    // Without layers only the global node is read.
    let n = if graph.layers == 0 { 1.0 } else { pyramid::nodes(grids) as f64 };
    let nodes = 2.0 * n * c * d + 5.0 * n * d + 2.0 * n;
    if graph.layers == 0 {
        return nodes + 2.0 * d;
    }
    let full = 4.0 * n * d * d + 4.0 * n * n * d + 5.0 * n * n + n * d;
    nodes + (layers - 1.0) * full + 4.0 * d * d + 4.0 * n * d + 5.0 * n + 3.0 * d
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_what_the_products_of_a_pair_take() {
        let count = |grids: &[u8], channels, dim, layers| {
            let graph = Graph { dim, layers, ..Graph::default() };
            (operations(grids, channels, &graph) / 1e4).round() / 1e2
        };
        // Counted by hand for {1,2,3}, C = 256: products of [98, 256] × [256, 128] 6.42 million, a full layer 11.40.
        assert_eq!(count(&[1, 2, 3], 256, 128, 2), 18.0);
        assert_eq!(count(&[1, 2, 3], 256, 128, 3), 29.4);
        assert_eq!(count(&[1, 2, 3], 1024, 128, 2), 37.27);
        assert_eq!(count(&[1, 2, 4], 256, 128, 2), 74.73);
        assert_eq!(count(&[1, 2, 3], 256, 64, 0), 0.03);
    }
}
