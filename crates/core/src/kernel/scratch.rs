//! Room for one pair's intermediate values, kept between calls.

use std::collections::TryReserveError;

use super::short::SHORT_PANEL;
use super::tile::{CHUNK, PANEL};
use super::weights::Weights;

/// Floats of a cache line: vectors of this width do not cross lines where rows begin at one.
const LINE: usize = 16;

/// Places between two parts of the room: nodes of D = 128 are whole pages, and parts that begin at the same place of
/// a page compete for the same sets of the first cache.
const SKEW: usize = 5 * LINE;

/// Floats that begin at a cache line.
#[derive(Debug, Default, Clone)]
pub struct Aligned {
    values: Vec<f32>,
    skip: usize,
}

impl Aligned {
    /// At least `n` places; what is in them is left over.
    ///
    /// # Errors
    /// There is no memory for them.
    pub fn try_grow(&mut self, n: usize) -> Result<(), TryReserveError> {
        if self.values.len() < n + LINE {
            self.values.try_reserve_exact(n + LINE - self.values.len())?;
            self.values.resize(n + LINE, 0.0);
            // `usize::MAX` where it cannot be said, as in an interpreter: then nothing is aligned and nothing is wrong.
            let skip = self.values.as_ptr().align_offset(LINE * size_of::<f32>());
            self.skip = if skip < LINE { skip } else { 0 };
        }
        Ok(())
    }

    /// The places.
    pub fn get(&self) -> &[f32] {
        self.values.get(self.skip..).unwrap_or_default()
    }

    /// The places, to write.
    pub fn get_mut(&mut self) -> &mut [f32] {
        self.values.get_mut(self.skip..).unwrap_or_default()
    }
}

/// Room for one pair's intermediate values, kept between calls. It does not grow with the number of items. For a model
/// with N nodes, D dimensions and M regions of C channels (D, C and N rounded up to 16) it takes
/// `4 M C + 14 N D + 23,296 · (2 ⌈D / 256⌉ + ⌈N / 256⌉)` bytes: 0.18 MB at C 256, D 64 and grids {1, 2, 3}.
#[derive(Debug, Default)]
pub struct Scratch {
    room: Aligned,
}

/// The room of one pair, cut up.
#[derive(Debug)]
pub struct Room<'a> {
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
    /// The same in short integers, two in a place: nodes, and the three blocks.
    pub short_nodes: &'a mut [f32],
    /// As [`block`](Self::block).
    pub short_block: &'a mut [f32],
    /// As [`asked`](Self::asked).
    pub short_asked: &'a mut [f32],
    /// As [`attention`](Self::attention).
    pub short_attention: &'a mut [f32],
}

impl Scratch {
    /// What a model needs.
    pub(crate) fn bytes(w: &Weights) -> usize {
        size_of::<f32>() * (floats(w) + LINE)
    }

    /// Makes the room that a model needs, so that scoring with it allocates nothing.
    ///
    /// # Errors
    /// There is no memory for it.
    pub(crate) fn try_fit(&mut self, w: &Weights) -> Result<(), TryReserveError> {
        self.room.try_grow(floats(w))
    }

    /// The room for a model.
    ///
    /// # Panics
    /// If there is no memory for it, as any allocation.
    pub(crate) fn cut(&mut self, w: &Weights) -> Room<'_> {
        let sizes = sizes(w);
        if let Err(error) = self.try_fit(w) {
            panic!("{error}");
        }
        let mut rest = self.room.get_mut();
        let mut parts = sizes.map(|size| {
            let (part, behind) = std::mem::take(&mut rest).split_at_mut(size + SKEW);
            rest = behind;
            &mut part[..size]
        });
        let [
            regions,
            nodes,
            next,
            senders,
            block,
            asked,
            attention,
            short_nodes,
            short_block,
            short_asked,
            short_attention,
        ] = parts.each_mut().map(std::mem::take);
        // Another model may have left something behind the last node.
        nodes[w.nodes * w.dim..].fill(0.0);
        next[w.nodes * w.dim..].fill(0.0);
        Room {
            regions,
            nodes,
            next,
            senders,
            block,
            asked,
            attention,
            short_nodes,
            short_block,
            short_asked,
            short_attention,
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
    let panels = |columns: usize| columns.div_ceil(CHUNK) * PANEL;
    let (block, attention) = (panels(w.dim), panels(w.columns));
    let short = |columns: usize| columns.div_ceil(CHUNK) * SHORT_PANEL / 2;
    let (short_block, short_attention) = (short(w.dim), short(w.columns));
    [
        w.regions * w.channels,
        nodes,
        nodes,
        nodes,
        block,
        block,
        attention,
        nodes / 2,
        short_block,
        short_block,
        short_attention,
    ]
}
