//! Stored regions to f32, brought to unit norm where the model says so.

use grnet_features::value::{Dtype, Features};
use grnet_simd::{Simd, WithSimd};

/// Reads all regions of a value into rows `distance` apart.
pub struct Read<'a> {
    /// The value.
    pub features: Features<'a>,
    /// `[M, distance]`; the elements behind C stay as they are.
    pub out: &'a mut [f32],
    /// Distance of the rows, at least C.
    pub distance: usize,
}

impl WithSimd for Read<'_> {
    type Out = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let (features, c) = (self.features, self.features.channels());
        for (region, row) in self.out.chunks_exact_mut(self.distance).take(features.regions()).enumerate() {
            let row = &mut row[..c];
            // Values that fill no vector are read one by one, which is what the vectors do too: conversions are exact.
            let whole = c - c % S::WIDTH;
            match features.dtype() {
                Dtype::F32 => {}
                Dtype::F16 => {
                    let bytes = features.region_bytes(region);
                    for (out, bytes) in row.chunks_exact_mut(S::WIDTH).zip(bytes.chunks_exact(2 * S::WIDTH)) {
                        s.store(s.halves(bytes), out);
                    }
                }
                Dtype::I8 => {
                    let bytes = features.region_bytes(region);
                    let scale = s.splat(features.region_scale(region));
                    for (out, bytes) in row.chunks_exact_mut(S::WIDTH).zip(bytes.chunks_exact(S::WIDTH)) {
                        s.store(s.mul(s.signed(bytes), scale), out);
                    }
                }
            }
            let from = if features.dtype() == Dtype::F32 { 0 } else { whole };
            features.read_values(region, from, &mut row[from..]);
        }
    }
}

/// Divides every row by `sqrt(‖row‖² + 1e-12)`, so that zeros stay zeros.
pub struct Normalise<'a> {
    /// Rows `distance` apart, zero behind their values; a multiple of 16.
    pub rows: &'a mut [f32],
    /// Their distance.
    pub distance: usize,
}

impl WithSimd for Normalise<'_> {
    type Out = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        for row in self.rows.chunks_exact_mut(self.distance) {
            let scale = 1.0 / (square_norm(s, row) + 1e-12).sqrt();
            let scale = s.splat(scale);
            for v in row.chunks_exact_mut(S::WIDTH) {
                s.store(s.mul(s.load(v), scale), v);
            }
        }
    }
}

/// ‖row‖² of a row of whole vectors.
#[inline(always)]
pub fn square_norm<S: Simd>(s: S, row: &[f32]) -> f32 {
    // Two sums: one alone waits for itself.
    let (mut even, mut odd) = (s.splat(0.0), s.splat(0.0));
    for pair in row.chunks(2 * S::WIDTH) {
        let v = s.load(pair);
        even = s.fma(v, v, even);
        if pair.len() > S::WIDTH {
            let v = s.load(&pair[S::WIDTH..]);
            odd = s.fma(v, v, odd);
        }
    }
    s.sum(s.add(even, odd))
}
