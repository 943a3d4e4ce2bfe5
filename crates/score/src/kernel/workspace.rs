//! Buffers for one pair's intermediate values, kept between calls.

use std::collections::TryReserveError;

use super::weights::Weights;
use grnet_simd::{AlignedBuffer, LINE, PANEL_DEPTH, PANEL_LEN, PANEL_LEN_I16};

/// Places between two parts of the buffers: nodes of D = 128 are whole pages, and parts that begin at the same element of
/// a page compete for the same sets of the first cache.
const SKEW: usize = 5 * LINE;

/// Buffers for one pair's intermediate values, kept between calls. It does not grow with the number of items. For a model
/// with N nodes, D dimensions and M regions of C channels (D, C and N rounded up to 16) it takes
/// `4 M C + 14 N D + 23,296 · (2 ⌈D / 256⌉ + ⌈N / 256⌉)` bytes: 0.18 MB at C 256, D 64 and grids {1, 2, 3}.
#[derive(Debug, Default)]
pub struct Workspace {
    buffers: AlignedBuffer,
}

/// The buffers of one pair, cut up.
#[derive(Debug)]
pub struct Buffers<'a> {
    /// An item's regions, `[M, C]`; zero behind C.
    pub regions: &'a mut [f32],
    /// `[N, D]`.
    pub nodes: &'a mut [f32],
    /// `[N, D]`.
    pub next: &'a mut [f32],
    /// Nodes as a right operand.
    pub senders: &'a mut [f32],
    /// A block of squares, of nodes or of what they received.
    pub block: &'a mut [f32],
    /// A block of nodes times A.
    pub asked: &'a mut [f32],
    /// A block of attention.
    pub attention: &'a mut [f32],
    /// The same in 16-bit integers, two in an element: nodes, and the three blocks.
    pub nodes_i16: &'a mut [f32],
    /// As [`block`](Self::block).
    pub block_i16: &'a mut [f32],
    /// As [`asked`](Self::asked).
    pub asked_i16: &'a mut [f32],
    /// As [`attention`](Self::attention).
    pub attention_i16: &'a mut [f32],
}

impl Workspace {
    /// What a model needs.
    pub(crate) fn bytes(w: &Weights) -> usize {
        size_of::<f32>() * (floats(w) + LINE)
    }

    /// Makes the buffers that a model needs, so that scoring with it allocates nothing.
    ///
    /// # Errors
    /// There is no memory for it.
    pub(crate) fn try_fit(&mut self, w: &Weights) -> Result<(), TryReserveError> {
        self.buffers.try_grow(floats(w))
    }

    /// The buffers for a model.
    ///
    /// # Panics
    /// If there is no memory for it, as any allocation.
    pub(crate) fn cut(&mut self, w: &Weights) -> Buffers<'_> {
        let sizes = sizes(w);
        if let Err(error) = self.try_fit(w) {
            panic!("{error}");
        }
        let mut rest = self.buffers.get_mut();
        let mut parts = sizes.map(|size| {
            let (part, behind) = std::mem::take(&mut rest).split_at_mut(size + SKEW);
            rest = behind;
            &mut part[..size]
        });
        let [regions, nodes, next, senders, block, asked, attention, nodes_i16, block_i16, asked_i16, attention_i16] =
            parts.each_mut().map(std::mem::take);
        // Another model may have left something behind the last node.
        nodes[w.nodes * w.dim..].fill(0.0);
        next[w.nodes * w.dim..].fill(0.0);
        Buffers {
            regions,
            nodes,
            next,
            senders,
            block,
            asked,
            attention,
            nodes_i16,
            block_i16,
            asked_i16,
            attention_i16,
        }
    }
}

/// Floats of all parts.
fn floats(w: &Weights) -> usize {
    sizes(w).iter().map(|size| size + SKEW).sum()
}

/// Floats of each part.
fn sizes(w: &Weights) -> [usize; 11] {
    let nodes = w.columns * w.dim;
    let panels = |columns: usize| columns.div_ceil(PANEL_DEPTH) * PANEL_LEN;
    let (block, attention) = (panels(w.dim), panels(w.columns));
    let len_i16 = |columns: usize| columns.div_ceil(PANEL_DEPTH) * PANEL_LEN_I16 / 2;
    let (block_i16, attention_i16) = (len_i16(w.dim), len_i16(w.columns));
    [
        w.regions * w.channels,
        nodes,
        nodes,
        nodes,
        block,
        block,
        attention,
        nodes / 2,
        block_i16,
        block_i16,
        attention_i16,
    ]
}
