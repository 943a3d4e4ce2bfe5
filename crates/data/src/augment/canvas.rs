//! RGB pixels to read from and to work on.

use grnet_image::Picture;

/// Pixels of somebody else: RGB, row by row; both sides are at least 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plane<'a> {
    pub(super) rgb: &'a [u8],
    pub(super) width: usize,
    pub(super) height: usize,
}

impl<'a> Plane<'a> {
    pub(super) fn of(picture: &'a Picture) -> Self {
        Self { rgb: picture.pixels(), width: picture.width() as usize, height: picture.height() as usize }
    }

    /// A row's bytes.
    pub(super) fn row(&self, y: usize) -> &'a [u8] {
        &self.rgb[y * self.width * 3..(y + 1) * self.width * 3]
    }

    /// Half as wide and high; a pixel is the mean of four, at an odd edge of those there are.
    pub(super) fn halved(&self) -> Canvas {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mut rgb = vec![0; width * height * 3];
        let whole = self.width / 2 * 3;
        for (y, line) in rgb.chunks_exact_mut(width * 3).enumerate() {
            let (upper, lower) = (self.row(2 * y), self.row((2 * y + 1).min(self.height - 1)));
            let (inner, edge) = line.split_at_mut(whole);
            let pairs = upper.as_chunks::<6>().0.iter().zip(lower.as_chunks::<6>().0);
            for (out, (upper, lower)) in inner.as_chunks_mut::<3>().0.iter_mut().zip(pairs) {
                for c in 0..3 {
                    let sum =
                        u16::from(upper[c]) + u16::from(upper[c + 3]) + u16::from(lower[c]) + u16::from(lower[c + 3]);
                    out[c] = ((sum + 2) / 4) as u8;
                }
            }
            for (c, out) in edge.iter_mut().enumerate() {
                let at = self.width * 3 - 3 + c;
                *out = (u16::from(upper[at]) + u16::from(lower[at])).div_ceil(2) as u8;
            }
        }
        Canvas { rgb, width, height }
    }
}

/// Pixels of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Canvas {
    pub(super) rgb: Vec<u8>,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Canvas {
    pub(super) fn plane(&self) -> Plane<'_> {
        Plane { rgb: &self.rgb, width: self.width, height: self.height }
    }

    /// In the middle of a white square, as the image crate letterboxes.
    pub(super) fn squared(self, size: usize) -> Vec<u8> {
        if (self.width, self.height) == (size, size) {
            return self.rgb;
        }
        let (x, y) = ((size - self.width) / 2, (size - self.height) / 2);
        let mut square = vec![255; size * size * 3];
        for (row, line) in self.rgb.chunks_exact(self.width * 3).enumerate() {
            let start = ((y + row) * size + x) * 3;
            square[start..start + line.len()].copy_from_slice(line);
        }
        square
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halving_takes_means_and_keeps_an_odd_edge() {
        let rgb: Vec<u8> = [0, 4, 9, 8, 4, 1].iter().flat_map(|v| [*v, v + 1, 200]).collect();
        let half = Plane { rgb: &rgb, width: 3, height: 2 }.halved();
        assert_eq!((half.width, half.height), (2, 1));
        assert_eq!(half.rgb, [4, 5, 200, 5, 6, 200]);
        let one = Plane { rgb: &[1, 2, 3], width: 1, height: 1 }.halved();
        assert_eq!(one.rgb, [1, 2, 3]);
    }

    #[test]
    fn a_square_has_its_picture_in_the_middle() {
        let square = Canvas { rgb: vec![0; 3], width: 1, height: 1 }.squared(3);
        assert!(square.iter().enumerate().all(|(i, v)| *v == if i / 3 == 4 { 0 } else { 255 }));
    }
}
