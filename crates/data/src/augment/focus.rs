//! Where in an image there is something to see.

use crate::augment::canvas::Plane;

/// Cells a side.
const GRID: usize = 16;
/// Pixels looked at in a cell's row and column.
const LOOKS: usize = 8;

/// The share of what is to be seen that each cell of a 16 × 16 grid holds: the root of its contrast, spread to its
/// neighbours so that a plain cloth's inside counts by its seams.
#[derive(Debug, Clone)]
pub(super) struct Focus([f32; GRID * GRID]);

impl Focus {
    pub(super) fn of(plane: Plane<'_>) -> Self {
        let step_x = (plane.width / (GRID * LOOKS)).max(1);
        let step_y = (plane.height / (GRID * LOOKS)).max(1);
        let mut cells = [(0u32, 0u32); GRID * GRID];
        let pixels = plane.rgb.as_chunks::<3>().0;
        for y in (0..plane.height).step_by(step_y) {
            let row = &pixels[y * plane.width..][..plane.width];
            let below = &pixels[(y + step_y).min(plane.height - 1) * plane.width..][..plane.width];
            let cell_row = y * GRID / plane.height * GRID;
            for x in (0..plane.width).step_by(step_x) {
                let (here, right) = (row[x], row[(x + step_x).min(plane.width - 1)]);
                let cell = &mut cells[cell_row + x * GRID / plane.width];
                cell.0 += difference(here, right) + difference(here, below[x]);
                cell.1 += 1;
            }
        }
        // The root: one printed patch must not outweigh the rest of the garment.
        let rough = cells.map(|(sum, count)| (sum as f32 / count.max(1) as f32).sqrt());
        let mut spread = [0.0; GRID * GRID];
        for (at, out) in spread.iter_mut().enumerate() {
            let (x, y) = (at % GRID, at / GRID);
            for ny in y.saturating_sub(1)..(y + 2).min(GRID) {
                *out += rough[ny * GRID..][x.saturating_sub(1)..(x + 2).min(GRID)].iter().sum::<f32>();
            }
        }
        let sum: f32 = spread.iter().sum();
        // A blank image is looked at everywhere.
        let even = 1.0 / (GRID * GRID) as f32;
        Self(spread.map(|weight| if sum > 0.0 { weight / sum } else { even }))
    }

    /// Counts the middle for more than the edges, as people hold a camera.
    pub(super) fn centred(mut self) -> Self {
        for (at, weight) in self.0.iter_mut().enumerate() {
            let off = |n: usize| ((n as f32 + 0.5) / GRID as f32 - 0.5).abs();
            *weight *= (1.0 - 1.4 * off(at % GRID)) * (1.0 - 1.4 * off(at / GRID));
        }
        let sum: f32 = self.0.iter().sum();
        self.0 = self.0.map(|weight| weight / sum);
        self
    }

    /// What a crop shows of it, 0 to 1: its left, top, right and bottom as shares of the image.
    pub(super) fn share(&self, [left, top, right, bottom]: [f64; 4]) -> f64 {
        let overlap = |from: f64, to: f64, cell: usize| {
            let grid = GRID as f64;
            (to * grid).min(cell as f64 + 1.0) - (from * grid).max(cell as f64)
        };
        let across: [f64; GRID] = std::array::from_fn(|cell| overlap(left, right, cell).max(0.0));
        let down: [f64; GRID] = std::array::from_fn(|cell| overlap(top, bottom, cell).max(0.0));
        self.0.iter().enumerate().map(|(at, &w)| f64::from(w) * across[at % GRID] * down[at / GRID]).sum()
    }

    /// The weight of each cell that a row of a picture of `width × height` crosses, for one pixel.
    pub(super) fn row(&self, y: usize, width: usize, height: usize) -> Row<'_> {
        let cell = (GRID * GRID) as f32 / (width * height) as f32;
        Row { cells: &self.0[y * GRID / height * GRID..][..GRID], width, cell }
    }
}

/// Weights along a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    cells: &'a [f32],
    width: usize,
    cell: f32,
}

impl Row<'_> {
    /// The weight of one pixel.
    pub(super) fn at(&self, x: usize) -> f32 {
        self.cells[x * GRID / self.width] * self.cell
    }
}

fn difference(a: [u8; 3], b: [u8; 3]) -> u32 {
    a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_on_the_garment_shows_more_than_one_on_the_paper() {
        let (width, height) = (200, 100);
        let mut rgb = vec![255; width * height * 3];
        for y in 20..60 {
            for x in 120..180 {
                rgb[(y * width + x) * 3] = (x * y % 200) as u8;
            }
        }
        let focus = Focus::of(Plane { rgb: &rgb, width, height });
        assert!((focus.share([0.0, 0.0, 1.0, 1.0]) - 1.0).abs() < 1e-5);
        assert!(focus.share([0.55, 0.1, 1.0, 0.7]) > 0.95);
        assert!(focus.share([0.0, 0.0, 0.5, 1.0]) < 0.01);
        let row = |y| (0..width).map(move |x| (x, y));
        let sum: f32 = (0..height).flat_map(row).map(|(x, y)| focus.row(y, width, height).at(x)).sum();
        assert!((sum - 1.0).abs() < 0.05, "{sum}");
    }

    #[test]
    fn a_blank_image_is_looked_at_everywhere() {
        let focus = Focus::of(Plane { rgb: &[7; 12], width: 4, height: 1 });
        assert!((focus.share([0.0, 0.0, 0.5, 1.0]) - 0.5).abs() < 1e-6);
        assert!((focus.centred().share([0.0, 0.0, 1.0, 1.0]) - 1.0).abs() < 1e-6);
    }
}
