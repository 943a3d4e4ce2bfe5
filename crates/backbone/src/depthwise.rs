//! Depthwise convolutions: a kernel for each channel, and ReLU6.

use super::pointwise::index_of;
use crate::workspace::take;
use grnet_simd::AlignedBuffer;
use grnet_simd::up;
use grnet_simd::{Simd, WithSimd};

/// Kernel and bias of a part's channels, channels last.
#[derive(Debug)]
pub struct Depthwise {
    /// `[side², channels]`.
    weight: AlignedBuffer,
    bias: Vec<f32>,
    side: usize,
    stride: usize,
    /// Channels, rounded up.
    pub channels: usize,
}

impl Depthwise {
    /// From a kernel `[channels, side, side]`.
    ///
    /// # Panics
    /// If there is no memory for it.
    pub fn new(weight: &[f32], bias: &[f32], side: usize, stride: usize) -> Self {
        let channels = up(bias.len());
        let mut turned = AlignedBuffer::default();
        let to = take(&mut turned, side * side * channels);
        to.fill(0.0);
        for (channel, kernel) in weight.chunks_exact(side * side).enumerate() {
            for (tap, value) in kernel.iter().enumerate() {
                to[tap * channels + channel] = *value;
            }
        }
        let mut start = bias.to_vec();
        start.resize(channels, 0.0);
        Self { weight: turned, bias: start, side, stride, channels }
    }
}

/// A row of cells, into panels.
pub struct Line<'a> {
    /// What to compute.
    pub layer: &'a Depthwise,
    /// The padded plane from the row's first window on.
    pub plane: &'a [f32],
    /// Floats of one of its rows.
    pub row: usize,
    /// Cells.
    pub cells: usize,
    /// A left operand of the product behind it, of `block` floats for a block of cells.
    pub panels: &'a mut [f32],
    /// See `panels`.
    pub block: usize,
    /// The row's first cell and the part's first channel there.
    pub begin: (usize, usize),
}

impl WithSimd for Line<'_> {
    type Out = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, s: S) {
        match (self.layer.side, self.layer.stride) {
            (3, 1) => self.all::<S, 3, 1>(s),
            (3, _) => self.all::<S, 3, 2>(s),
            (_, 1) => self.all::<S, 5, 1>(s),
            _ => self.all::<S, 5, 2>(s),
        }
    }
}

impl Line<'_> {
    #[inline(always)]
    fn all<S: Simd, const SIDE: usize, const STRIDE: usize>(&mut self, s: S) {
        let mut first = 0;
        while first < self.cells {
            first += match self.cells - first {
                14.. if S::WIDTH == 16 => self.some::<S, SIDE, STRIDE, 14>(s, first),
                7.. => self.some::<S, SIDE, STRIDE, 7>(s, first),
                4.. => self.some::<S, SIDE, STRIDE, 4>(s, first),
                2.. => self.some::<S, SIDE, STRIDE, 2>(s, first),
                _ => self.some::<S, SIDE, STRIDE, 1>(s, first),
            };
        }
    }

    /// N cells side by side: every weight is loaded once for all of them, and N sums wait for nothing.
    #[inline(always)]
    fn some<S: Simd, const SIDE: usize, const STRIDE: usize, const N: usize>(&mut self, s: S, first: usize) -> usize {
        let Depthwise { weight, bias, channels, .. } = self.layer;
        let (channels, w) = (*channels, S::WIDTH);
        let taps = weight.get();
        let plane = &self.plane[first * STRIDE * channels..];
        assert!(channels.is_multiple_of(w) && taps.len() >= SIDE * SIDE * channels);
        assert!(plane.len() >= (SIDE - 1) * self.row + ((N - 1) * STRIDE + SIDE) * channels);
        let (zero, six) = (s.splat(0.0), s.splat(6.0));
        let (cell, part) = self.begin;
        for channel in (0..channels).step_by(w) {
            let mut sums = [s.load(&bias[channel..]); N];
            let mut tap = taps.as_ptr().wrapping_add(channel);
            for y in 0..SIDE {
                let mut line = plane.as_ptr().wrapping_add(y * self.row + channel);
                for _ in 0..SIDE {
                    // SAFETY: the assertion on `taps` covers SIDE² rows of `channels` floats, whole vectors.
                    let weight = s.load(unsafe { std::slice::from_raw_parts(tap, w) });
                    let mut value = line;
                    for sum in &mut sums {
                        // SAFETY: the assertion on `plane` covers SIDE rows under N windows of `channels` floats an element.
                        *sum = s.fma(s.load(unsafe { std::slice::from_raw_parts(value, w) }), weight, *sum);
                        value = value.wrapping_add(STRIDE * channels);
                    }
                    tap = tap.wrapping_add(channels);
                    line = line.wrapping_add(channels);
                }
            }
            for (n, sum) in sums.into_iter().enumerate() {
                let element = index_of::<S>(cell + first + n, part + channel, self.block);
                s.store_operand(s.min(s.max(sum, zero), six), &mut self.panels[element..]);
            }
        }
        N
    }
}
