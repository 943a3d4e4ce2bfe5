//! The eight EXIF orientations: from stored pixels to the upright picture and back.

use crate::crop::{Pixels, Window};

/// How the stored picture must be turned to stand upright: EXIF values 1 to 8.
///
/// Upright pixel (x, y) is stored pixel (a, b), where (a, b) is (x, y), exchanged for 5 to 8, and
/// then a counts from the right for 2, 3, 7, 8 and b from below for 3, 4, 6, 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Orientation(u8);

impl Default for Orientation {
    fn default() -> Self {
        Orientation(1)
    }
}

impl Orientation {
    /// The orientation of an EXIF value; one that does not exist is 1 (upright).
    pub fn from_exif(value: u32) -> Self {
        match value {
            1..=8 => Orientation(value as u8),
            _ => Orientation(1),
        }
    }

    /// The EXIF value, 1 to 8.
    pub fn exif(self) -> u8 {
        self.0
    }

    fn swaps(self) -> bool {
        self.0 >= 5
    }

    fn flips_x(self) -> bool {
        matches!(self.0, 2 | 3 | 7 | 8)
    }

    fn flips_y(self) -> bool {
        matches!(self.0, 3 | 4 | 6 | 7)
    }

    /// The size of the upright picture from the stored one's (and the other way round).
    pub(crate) fn turned_size(self, (width, height): (u32, u32)) -> (u32, u32) {
        match self.swaps() {
            true => (height, width),
            false => (width, height),
        }
    }

    /// The place of an upright window in the stored picture of `width` x `height`.
    pub(crate) fn window_to_stored(self, upright: Window, width: f64, height: f64) -> Window {
        let mut w = match self.swaps() {
            true => upright.exchanged(),
            false => upright,
        };
        if self.flips_x() {
            w = w.mirrored_x(width);
        }
        if self.flips_y() {
            w = w.mirrored_y(height);
        }
        w
    }

    /// The place of a stored window in the upright picture, where the stored one is `width` x `height`.
    pub(crate) fn window_to_upright(self, stored: Window, width: f64, height: f64) -> Window {
        let mut w = stored;
        if self.flips_x() {
            w = w.mirrored_x(width);
        }
        if self.flips_y() {
            w = w.mirrored_y(height);
        }
        match self.swaps() {
            true => w.exchanged(),
            false => w,
        }
    }

    /// Turns stored pixels upright.
    pub(crate) fn apply(self, stored: Pixels) -> Pixels {
        if self.0 == 1 {
            return stored;
        }
        let (sw, sh) = (stored.width as usize, stored.height as usize);
        let (width, height) = self.turned_size((stored.width, stored.height));
        let (w, h) = (width as usize, height as usize);
        let mut rgb = vec![0u8; stored.rgb.len()];
        // Squares of 32 x 32 keep both sides of an exchange within the first-level cache (6 KB).
        const SQUARE: usize = 32;
        for top in (0..h).step_by(SQUARE) {
            for left in (0..w).step_by(SQUARE) {
                for y in top..h.min(top + SQUARE) {
                    for x in left..w.min(left + SQUARE) {
                        let (a, b) = if self.swaps() { (y, x) } else { (x, y) };
                        let a = if self.flips_x() { sw - 1 - a } else { a };
                        let b = if self.flips_y() { sh - 1 - b } else { b };
                        let (to, from) = ((y * w + x) * 3, (b * sw + a) * 3);
                        rgb[to..to + 3].copy_from_slice(&stored.rgb[from..from + 3]);
                    }
                }
            }
        }
        Pixels { rgb, width, height }
    }
}
