//! The first convolution: 3×3 under a stride of 2, from bytes, and ReLU6.

use super::Image;
use crate::thread_pool::{ThreadPool, chunks};
use crate::workspace::take;
use grnet_simd::AlignedBuffer;
use grnet_simd::up;
use grnet_simd::{Simd, WithSimd};

/// Rows and columns of the kernel.
const SIDE: usize = 3;

/// Floats of the kernel's rows: three pixels of three colours.
const REACH: usize = SIDE * 3;

/// Floats between the windows of two neighbours.
const STEP: usize = 2 * 3;

/// Kernel and bias.
#[derive(Debug)]
pub struct Stem {
    /// `[y, x, colour][output]`.
    weight: AlignedBuffer,
    bias: Vec<f32>,
    /// Channels out, rounded up.
    pub output: usize,
}

impl Stem {
    /// From a kernel `[output, colour, y, x]`.
    ///
    /// # Panics
    /// If there is no memory for it.
    pub fn new(weight: &[f32], bias: &[f32]) -> Self {
        let output = up(bias.len());
        let mut turned = AlignedBuffer::default();
        let to = take(&mut turned, SIDE * REACH * output);
        to.fill(0.0);
        for (at, value) in weight.iter().enumerate() {
            let (channel, colour, tap) = (at / 27, at % 27 / 9, at % 9);
            to[(tap * 3 + colour) * output + channel] = *value;
        }
        let mut start = bias.to_vec();
        start.resize(output, 0.0);
        Self { weight: turned, bias: start, output }
    }

    /// An image to a map `[(size / 2)², output]`; `workspace` is for its pixels between their zeros.
    pub fn run<S: Simd>(
        &self,
        s: S,
        pool: &dyn ThreadPool,
        image: Image<'_>,
        workspace: &mut AlignedBuffer,
        out: &mut [f32],
    ) {
        let Image { size, bytes, values } = image;
        // One column and one row of zeros behind the image: TensorFlow's SAME.
        let row = (size + 1) * 3;
        let padded = take(workspace, (size + 1) * row);
        for (line, to) in bytes.chunks_exact(size * 3).zip(padded.chunks_exact_mut(row)) {
            for (pixel, to) in line.chunks_exact(3).zip(to.chunks_exact_mut(3)) {
                for ((byte, values), to) in pixel.iter().zip(values).zip(to) {
                    *to = values[usize::from(*byte)];
                }
            }
            to[size * 3..].fill(0.0);
        }
        padded[size * row..].fill(0.0);
        let (line, padded) = (size / 2 * self.output, &*padded);
        let rows = (size / 2).div_ceil(pool.threads());
        chunks(pool, out, rows * line, |number, out| {
            for (y, out) in out.chunks_exact_mut(line).enumerate() {
                s.vectorize(Line { stem: self, pixels: &padded[2 * (number * rows + y) * row..], row, out });
            }
        });
    }
}

/// A row of the map.
struct Line<'a> {
    stem: &'a Stem,
    /// The image from the row's first pixel on.
    pixels: &'a [f32],
    row: usize,
    out: &'a mut [f32],
}

impl WithSimd for Line<'_> {
    type Out = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, s: S) {
        let cells = self.out.len() / self.stem.output;
        let mut first = 0;
        while first < cells {
            first += match cells - first {
                // 28 sums, two columns and a pixel: 31 registers.
                14.. if S::WIDTH == 16 => self.some::<S, 14>(s, first),
                6.. => self.some::<S, 6>(s, first),
                2.. => self.some::<S, 2>(s, first),
                _ => self.some::<S, 1>(s, first),
            };
        }
    }
}

impl Line<'_> {
    /// N cells side by side.
    #[inline(always)]
    fn some<S: Simd, const N: usize>(&mut self, s: S, first: usize) -> usize {
        let Stem { weight, bias, output, .. } = self.stem;
        let (zero, six) = (s.splat(0.0), s.splat(6.0));
        let mut channel = 0;
        while channel < *output {
            let pair = channel + 2 * S::WIDTH <= *output;
            let other = if pair { channel + S::WIDTH } else { channel };
            let mut sums = [[s.load(&bias[channel..]), s.load(&bias[other..])]; N];
            for y in 0..SIDE {
                let line = &self.pixels[y * self.row + first * STEP..][..(N - 1) * STEP + REACH];
                for k in 0..REACH {
                    let taps = &weight.get()[(y * REACH + k) * output..][..*output];
                    let taps = [s.load(&taps[channel..]), s.load(&taps[other..])];
                    for (n, sums) in sums.iter_mut().enumerate() {
                        let value = s.splat(line[n * STEP + k]);
                        for (sum, tap) in sums.iter_mut().zip(taps) {
                            *sum = s.fma(value, tap, *sum);
                        }
                    }
                }
            }
            for (n, [one, two]) in sums.into_iter().enumerate() {
                let out = &mut self.out[(first + n) * output..][..*output];
                s.store(s.min(s.max(one, zero), six), &mut out[channel..]);
                s.store(s.min(s.max(two, zero), six), &mut out[other..]);
            }
            channel += if pair { 2 * S::WIDTH } else { S::WIDTH };
        }
        N
    }
}
