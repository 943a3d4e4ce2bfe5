//! Room for one pair's intermediate values, kept between calls.

use std::collections::TryReserveError;

use super::tile::{CHUNK, PANEL};
use super::weights::Weights;

/// Floats of a cache line: vectors of this width do not cross lines where rows begin at one.
const LINE: usize = 16;

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
/// `4 · (2 M C + 3 N D + 3,808 · (2 ⌈D / 256⌉ + ⌈N / 256⌉))` bytes: 0.15 MB at C 256, D 64 and grids {1, 2, 3}.
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
}

impl Scratch {
    /// What a model needs.
    pub(crate) fn bytes(w: &Weights) -> usize {
        size_of::<f32>() * (sizes(w).iter().sum::<usize>() + LINE)
    }

    /// Makes the room that a model needs, so that scoring with it allocates nothing.
    ///
    /// # Errors
    /// There is no memory for it.
    pub(crate) fn try_fit(&mut self, w: &Weights) -> Result<(), TryReserveError> {
        self.room.try_grow(sizes(w).iter().sum())
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
            let (part, behind) = std::mem::take(&mut rest).split_at_mut(size);
            rest = behind;
            part
        });
        let [regions, nodes, next, senders, block, asked, attention] = parts.each_mut().map(std::mem::take);
        // Another model may have left something behind the last node.
        nodes[w.nodes * w.dim..].fill(0.0);
        next[w.nodes * w.dim..].fill(0.0);
        Room { regions, nodes, next, senders, block, asked, attention }
    }
}

fn sizes(w: &Weights) -> [usize; 7] {
    let nodes = w.columns * w.dim;
    let panels = |columns: usize| columns.div_ceil(CHUNK) * PANEL;
    [w.regions * w.channels, nodes, nodes, nodes, panels(w.dim), panels(w.dim), panels(w.columns)]
}
