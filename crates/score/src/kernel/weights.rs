//! A model's matrices as the tiles read them, and the sizes of everything, rounded up to whole vectors.

use super::edges::Edges;
use crate::head::{Head, Layer, Projection};
use grnet_features::pyramid;
use grnet_simd::{AlignedBuffer, PANEL_DEPTH, Right, Simd, tile_columns, up};

/// Logit of what is behind the last sender: its weight is 2^−100.
const NOBODY: f32 = -1e30;

/// A right operand that stays: `[inner, columns]` in tiles, and what its product starts from.
#[derive(Debug)]
pub struct Matrix {
    values: AlignedBuffer,
    inner: usize,
    columns: usize,
    /// `[columns]`.
    pub start: Vec<f32>,
}

impl Matrix {
    /// Packs `at(inner, column)` of a matrix that is `real` in size; zero beyond that. `inner` is the length that its left
    /// operand has, which the packing depends on: said by the caller, and never guessed from the matrix.
    ///
    /// # Panics
    /// If there is no memory for it.
    fn new<S: Simd>(real: (usize, usize), inner: usize, start: &[f32], at: impl Fn(usize, usize) -> f32) -> Self {
        let (columns, full) = (up_twice(real.1), tile_columns::<S>());
        let mut values = AlignedBuffer::default();
        values.try_grow(inner * columns).unwrap_or_else(|error| panic!("{error}"));
        let mut elements = values.get_mut().iter_mut();
        for first in (0..inner).step_by(PANEL_DEPTH) {
            for tile in (0..columns).step_by(full) {
                for k in first..inner.min(first + PANEL_DEPTH) {
                    for (column, element) in (tile..columns.min(tile + full)).zip(&mut elements) {
                        *element = if k < real.0 && column < real.1 { at(k, column) } else { 0.0 };
                    }
                }
            }
        }
        let mut start = start.to_vec();
        start.resize(columns, 0.0);
        Self { values, inner, columns, start }
    }

    /// Inner indices and columns, rounded up.
    pub fn shape(&self) -> (usize, usize) {
        (self.inner, self.columns)
    }

    /// One element.
    pub fn at<S: Simd>(&self, k: usize, column: usize) -> f32 {
        let (first, full) = (k / PANEL_DEPTH * PANEL_DEPTH, tile_columns::<S>());
        let (inner, tile) = (PANEL_DEPTH.min(self.inner - first), column / full * full);
        let width = full.min(self.columns - tile);
        self.values.get()[first * self.columns + tile * inner + (k - first) * width + column - tile]
    }

    /// The whole operand.
    pub fn whole(&self) -> Right<'_> {
        Right::Packed(&self.values.get()[..self.inner * self.columns])
    }

    /// The piece that begins at inner index `first`.
    pub fn piece(&self, first: usize) -> Right<'_> {
        Right::Packed(&self.values.get()[first * self.columns..self.inner * self.columns])
    }
}

/// One layer with T_outᵀ T_in folded.
#[derive(Debug)]
pub struct Folded {
    /// A with `E = S A Sᵀ` in units of ln 2, receivers in rows; starts from v with `E += 1 (S v)ᵀ`.
    pub attend: Matrix,
    /// Wᵀ, starts from its bias.
    pub update: Matrix,
    /// `None` where it would change nothing.
    pub edges: Option<Edges>,
}

/// Everything that one pair's score needs of a model.
#[derive(Debug)]
pub struct Weights {
    /// N.
    pub nodes: usize,
    /// N, rounded up.
    pub columns: usize,
    /// M.
    pub regions: usize,
    /// C, rounded up.
    pub channels: usize,
    /// D, rounded up to 32: its halves are whole vectors too.
    pub dim: usize,
    /// Every node's pair of regions.
    pub pairs: Vec<(u32, u32)>,
    /// Blocks of nodes that have one projection: the first node behind each, and which projection.
    pub spans: Vec<(usize, usize)>,
    /// Pᵀ of each that differs, starts from its bias.
    pub projections: Vec<Matrix>,
    /// ε of a node's norm.
    pub eps: f32,
    /// The layers.
    pub layers: Vec<Folded>,
    /// Whether a node is added to what it received.
    pub residual: bool,
    /// What logits start from: 0, and [`NOBODY`] behind the last sender.
    pub senders: Vec<f32>,
    /// What a sum of messages starts from without a residual.
    pub nothing: Vec<f32>,
}

impl Weights {
    /// Packs a model's weights.
    pub fn new<S: Simd>(_: S, head: &Head) -> Self {
        let (c, d) = (head.channels, head.graph.dim);
        let nodes = pyramid::nodes(&head.grids);
        let columns = up(nodes);
        // One matrix and one span where all scales have the same: blocks then run across scales.
        let shared = head.projections.windows(2).all(|pair| pair[0] == pair[1]);
        let different = if shared { &head.projections[..1] } else { &head.projections[..] };
        let project = |p: &Projection| Matrix::new::<S>((c, d), up(c), &p.bias, |k, column| p.weight[column * c + k]);
        let projections = different.iter().map(project).collect();
        let ends = (0..head.grids.len()).map(|s| (pyramid::nodes(&head.grids[..=s]), s));
        let mut senders = vec![0.0; columns];
        senders[nodes..].fill(NOBODY);
        Self {
            nodes,
            columns,
            regions: pyramid::regions(&head.grids),
            channels: up(c),
            dim: up_twice(d),
            pairs: pyramid::pairs(&head.grids).map(|(i, j)| (i as u32, j as u32)).collect(),
            spans: if shared { vec![(nodes, 0)] } else { ends.collect() },
            projections,
            eps: head.graph.node_eps,
            layers: head.layers.iter().map(|layer| Folded::new::<S>(layer, head, columns)).collect(),
            residual: head.graph.residual,
            senders,
            nothing: vec![0.0; up_twice(d)],
        }
    }
}

impl Folded {
    fn new<S: Simd>(layer: &Layer, head: &Head, columns: usize) -> Self {
        let d = head.graph.dim;
        let scale = f64::from(head.graph.attention_scale) * std::f64::consts::LOG2_E;
        // A[a, b] = Σ_e T_out[e, a] T_in[e, b] and v[b] = Σ_e T_in[e, b] b_out[e], summed in f64 once a model.
        let mut attend = vec![0.0f64; d * d];
        let mut bias = vec![0.0f64; d];
        for e in 0..d {
            let (out, into) = (&layer.out[e * d..][..d], &layer.into[e * d..][..d]);
            for a in 0..d {
                for b in 0..d {
                    attend[a * d + b] += f64::from(out[a]) * f64::from(into[b]);
                }
                bias[a] += f64::from(into[a]) * f64::from(layer.out_bias[e]);
            }
        }
        let bias: Vec<f32> = bias.iter().map(|v| (v * scale) as f32).collect();
        Self {
            attend: Matrix::new::<S>((d, d), up_twice(d), &bias, |k, column| (attend[k * d + column] * scale) as f32),
            update: Matrix::new::<S>((d, d), up_twice(d), &layer.update_bias, |k, column| layer.update[column * d + k]),
            edges: Edges::new(&layer.edges, &head.grids, columns),
        }
    }
}

fn up_twice(n: usize) -> usize {
    n.next_multiple_of(32)
}
