//! Depthwise convolutions: a kernel for each channel.

use crate::kernel::lanes::{Lanes, Work};
use crate::kernel::tile::{CHUNK, PANEL, ROW};
use crate::kernel::weights::up;

/// Kernel and bias with channels last; ReLU6 follows.
#[derive(Debug)]
pub struct Depthwise {
    /// `[side², channels]`.
    weight: Vec<f32>,
    bias: Vec<f32>,
    /// Side of the kernel.
    pub side: usize,
    /// Stride.
    pub stride: usize,
    /// Channels, rounded up.
    pub channels: usize,
}

impl Depthwise {
    /// From a kernel `[channels, side, side]`.
    pub fn new(weight: &[f32], bias: &[f32], side: usize, stride: usize) -> Self {
        let channels = up(bias.len());
        let mut turned = vec![0.0; side * side * channels];
        for (channel, kernel) in weight.chunks_exact(side * side).enumerate() {
            for (tap, value) in kernel.iter().enumerate() {
                turned[tap * channels + channel] = *value;
            }
        }
        let mut start = bias.to_vec();
        start.resize(channels, 0.0);
        Self { weight: turned, bias: start, side, stride, channels }
    }

    /// Rows and columns of zeros before and after a map: TensorFlow's SAME for even sides.
    pub fn padding(&self) -> (usize, usize) {
        let total = self.side - self.stride;
        (total / 2, total - total / 2)
    }
}

/// Some cells of a depthwise convolution, into panels.
pub struct Cells<'a> {
    /// What to compute.
    pub layer: &'a Depthwise,
    /// Rows of the padded map.
    pub map: &'a [f32],
    /// Floats of one of them.
    pub row: usize,
    /// Where the window of each cell begins in the map.
    pub begins: &'a [usize],
    /// A left operand of the product behind it.
    pub panels: &'a mut [f32],
}

impl Work for Cells<'_> {
    type Out = ();

    #[inline(always)]
    fn on<S: Lanes>(mut self, s: S) {
        let mut first = 0;
        while first < self.begins.len() {
            first += match self.begins.len() - first {
                14.. => self.some::<S, 14>(s, first),
                7..14 => self.some::<S, 7>(s, first),
                _ => self.some::<S, 1>(s, first),
            };
        }
    }
}

impl Cells<'_> {
    /// N cells side by side: every weight is loaded once for all of them, and N sums wait for nothing.
    #[inline(always)]
    fn some<S: Lanes, const N: usize>(&mut self, s: S, first: usize) -> usize {
        let Depthwise { weight, bias, side, channels, .. } = self.layer;
        let mut begins = [0; N];
        begins.copy_from_slice(&self.begins[first..first + N]);
        let (zero, six) = (s.splat(0.0), s.splat(6.0));
        for channel in (0..*channels).step_by(S::WIDTH) {
            let mut sums = [s.load(&bias[channel..]); N];
            let mut taps = weight[channel..].chunks(*channels);
            for y in 0..*side {
                for x in 0..*side {
                    let Some(tap) = taps.next() else { return N };
                    let (tap, at) = (s.load(tap), y * self.row + x * channels + channel);
                    for (sum, begin) in sums.iter_mut().zip(begins) {
                        *sum = s.fma(s.load(&self.map[begin + at..]), tap, *sum);
                    }
                }
            }
            let place = channel / CHUNK * PANEL + channel % CHUNK;
            for (row, sum) in sums.into_iter().enumerate() {
                s.store(s.min(s.max(sum, zero), six), &mut self.panels[place + (first + row) * ROW..]);
            }
        }
        N
    }
}
