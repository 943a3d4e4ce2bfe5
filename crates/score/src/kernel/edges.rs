//! The edges' biases as the softmax adds them: one line for a receiver's left region, one for its right.

use crate::edge_bias::{EdgeBias, nodes};
use grnet_features::pyramid;

/// Biases of one layer, in units of ln 2: an edge has the sum of its receiver's two lines at its sender, and a node's
/// edge to itself [`own`](Self::own) besides. 2 M lines instead of N: 13 KB instead of 44 at N = 98.
#[derive(Debug)]
pub struct Edges {
    /// `[M, columns]`: the scales' bias, and the shared region's where the sender has this left region.
    left: Vec<f32>,
    /// `[M, columns]`: the shared region's bias where the sender has this right region.
    right: Vec<f32>,
    columns: usize,
    /// Both lines gave a node's edge to itself the bias of a shared region.
    pub own: f32,
}

impl Edges {
    /// Lines of `columns` elements, zero behind the last sender; `None` where they would change nothing.
    pub fn new(bias: &EdgeBias, grids: &[u8], columns: usize) -> Option<Self> {
        if bias.is_zero() {
            return None;
        }
        let unit = std::f32::consts::LOG2_E;
        let regions = pyramid::regions(grids);
        let (mut left, mut right) = (vec![0.0; regions * columns], vec![0.0; regions * columns]);
        for scale in 0..grids.len() {
            for (number, region) in pyramid::scale(grids, scale).enumerate() {
                for (column, sender) in nodes(grids).enumerate() {
                    let shared = |of: usize| if sender.scale == scale && of == number { bias.shared } else { 0.0 };
                    let scales = bias.scales[scale * grids.len() + sender.scale];
                    left[region * columns + column] = unit * (scales + shared(sender.left));
                    right[region * columns + column] = unit * shared(sender.right);
                }
            }
        }
        Some(Self { left, right, columns, own: unit * (bias.own - 2.0 * bias.shared) })
    }

    /// The line of a left region, from a sender on.
    #[inline(always)]
    pub fn left(&self, region: u32, from: usize) -> &[f32] {
        &self.left[region as usize * self.columns + from..(region as usize + 1) * self.columns]
    }

    /// The line of a right region, from a sender on.
    #[inline(always)]
    pub fn right(&self, region: u32, from: usize) -> &[f32] {
        &self.right[region as usize * self.columns + from..(region as usize + 1) * self.columns]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_sum_to_the_bias_of_every_edge() {
        let bias = EdgeBias { scales: (0..9).map(|n| n as f32).collect(), own: 16.0, shared: 32.0 };
        let grids = [1, 2, 3];
        let edges = Edges::new(&bias, &grids, 112).expect("biases that are not zero");
        for ((receiver, node), (left, right)) in nodes(&grids).enumerate().zip(pyramid::pairs(&grids)) {
            let (left, right) = (edges.left(left as u32, 0), edges.right(right as u32, 0));
            for (column, sender) in nodes(&grids).enumerate() {
                let own = if column == receiver { edges.own } else { 0.0 };
                let want = std::f32::consts::LOG2_E * bias.of(node, sender);
                assert!((left[column] + right[column] + own - want).abs() < 1e-4, "{node:?} {sender:?}");
            }
            assert!(left[98..].iter().chain(&right[98..]).all(|v| *v == 0.0));
        }
    }
}
