//! Wrinkles: a height field over a cloth, its shading and how it shifts what is printed on it.

use crate::dice::Dice;
use libm::{cosf, sinf};

/// How a cloth falls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fall {
    /// Long vertical folds: skirts and dresses.
    Drape,
    /// Wrinkles in every direction, most of them slanted: tops and trousers.
    Body,
    /// Hardly any: shoes and bags.
    Stiff,
    /// Broad soft hills: bedding.
    Bedding,
}

/// Cells along the longer side of the field.
const CELLS: f32 = 104.0;

/// A field over a rectangle of the garment's plane.
pub(crate) struct Folds {
    /// Brightness factor, and shift in x and y (body units), of each cell.
    cells: Vec<[f32; 3]>,
    width: usize,
    height: usize,
    origin: (f32, f32),
    /// Cells a body unit.
    pub(crate) rate: f32,
}

impl Folds {
    /// Wrinkles over `bounds` (left, top, right, bottom); `strength` is about 1 for worn clothes.
    pub(crate) fn new(dice: &mut Dice, fall: Fall, bounds: [f32; 4], strength: f32) -> Self {
        let (across, down) = (bounds[2] - bounds[0], bounds[3] - bounds[1]);
        let span = across.max(down).max(1e-3);
        let rate = CELLS / span;
        let (width, height) = ((across * rate) as usize + 3, (down * rate) as usize + 3);
        let mut heights = hills(dice, width, height, fall);
        let (count, reach, breadth) = match fall {
            Fall::Drape => (16, (0.16, 0.42), (0.016, 0.04)),
            Fall::Body => (26, (0.05, 0.2), (0.012, 0.032)),
            Fall::Stiff => (5, (0.04, 0.1), (0.015, 0.03)),
            Fall::Bedding => (30, (0.1, 0.35), (0.014, 0.05)),
        };
        for _ in 0..count {
            let angle = match fall {
                Fall::Drape => core::f32::consts::FRAC_PI_2 + dice.spread(0.22),
                Fall::Body => dice.sign() * dice.range(0.25, 1.45),
                _ => dice.range(0.0, core::f32::consts::PI),
            };
            let crease = Crease {
                centre: (dice.unit() * width as f32, dice.unit() * height as f32),
                along: (cosf(angle), sinf(angle)),
                reach: dice.range(reach.0, reach.1) * CELLS,
                breadth: dice.range(breadth.0, breadth.1) * CELLS,
                curve: dice.spread(0.004),
                rise: dice.sign() * dice.range(0.5, 1.3),
            };
            crease.press(&mut heights, width, height);
        }
        let strength = if fall == Fall::Stiff { strength * 0.4 } else { strength };
        Self {
            cells: relief(&heights, width, height, strength, rate),
            width,
            height,
            origin: (bounds[0], bounds[1]),
            rate,
        }
    }

    /// Brightness factor and shift at a point.
    #[inline]
    pub(crate) fn at(&self, x: f32, y: f32) -> [f32; 3] {
        let u = ((x - self.origin.0) * self.rate).clamp(0.0, self.width as f32 - 2.001);
        let v = ((y - self.origin.1) * self.rate).clamp(0.0, self.height as f32 - 2.001);
        let (i, j) = (u as usize, v as usize);
        let (fu, fv) = (u - i as f32, v - j as f32);
        let at = j * self.width + i;
        let (a, b) = (&self.cells[at], &self.cells[at + 1]);
        let (c, d) = (&self.cells[at + self.width], &self.cells[at + self.width + 1]);
        core::array::from_fn(|k| {
            let top = a[k] + (b[k] - a[k]) * fu;
            let bottom = c[k] + (d[k] - c[k]) * fu;
            top + (bottom - top) * fv
        })
    }
}

struct Crease {
    centre: (f32, f32),
    along: (f32, f32),
    reach: f32,
    breadth: f32,
    curve: f32,
    rise: f32,
}

impl Crease {
    fn press(&self, heights: &mut [f32], width: usize, height: usize) {
        let (cx, cy) = self.centre;
        let (c, s) = self.along;
        let margin = self.breadth * 1.5 + (self.curve * self.reach * self.reach).abs();
        let half_x = (self.reach * c).abs() + margin;
        let half_y = (self.reach * s).abs() + margin;
        let clamp = |v: f32, limit: usize| v.max(0.0).min(limit as f32) as usize;
        for y in clamp(cy - half_y, height)..clamp(cy + half_y, height) {
            let dy = y as f32 - cy;
            for x in clamp(cx - half_x, width)..clamp(cx + half_x, width) {
                let dx = x as f32 - cx;
                let run = dx * c + dy * s;
                let share = run / self.reach;
                if share.abs() >= 1.0 {
                    continue;
                }
                let taper = 1.0 - share * share;
                let side = (dy * c - dx * s + self.curve * run * run) / (self.breadth * (0.5 + 0.5 * taper));
                // A sharp ridge with a shallow trough on one side, as pinched cloth has.
                let ridge = (1.0 - side * side).max(0.0);
                let trough = (1.0 - (side - 1.1) * (side - 1.1)).max(0.0);
                heights[y * width + x] += self.rise * self.breadth * taper * (ridge * ridge - 0.5 * trough * trough);
            }
        }
    }
}

/// Low hills beneath the creases.
fn hills(dice: &mut Dice, width: usize, height: usize, fall: Fall) -> Vec<f32> {
    let mut waves = [[0.0f32; 4]; 4];
    for wave in &mut waves {
        let angle = if fall == Fall::Drape { dice.spread(0.2) } else { dice.range(0.0, 3.1) };
        let pitch = CELLS * dice.range(0.09, 0.3);
        let rate = core::f32::consts::TAU / pitch;
        *wave = [cosf(angle) * rate, sinf(angle) * rate, dice.range(0.0, 6.3), pitch * 0.028];
    }
    // A plane wave is a product of two rotations, so each needs a sine only per row and column.
    let mut out = vec![0.0f32; width * height];
    for [rx, ry, phase, rise] in waves {
        let columns: Vec<(f32, f32)> = (0..width).map(|x| (sinf(x as f32 * rx), cosf(x as f32 * rx))).collect();
        for (y, row) in out.chunks_exact_mut(width).enumerate() {
            // Bending the phase along y keeps the waves from looking like corrugated iron.
            let bent = phase + y as f32 * ry + 0.9 * sinf(y as f32 * 0.055 + phase);
            let (s, c) = (sinf(bent) * rise, cosf(bent) * rise);
            for (value, (sx, cx)) in row.iter_mut().zip(&columns) {
                *value += sx * c + cx * s;
            }
        }
    }
    out
}

fn relief(heights: &[f32], width: usize, height: usize, strength: f32, rate: f32) -> Vec<[f32; 3]> {
    let mut cells = vec![[1.0, 0.0, 0.0]; width * height];
    for y in 1..height - 1 {
        for x in 1..width - 1 {
            let at = y * width + x;
            let gx = (heights[at + 1] - heights[at - 1]) * 0.5;
            let gy = (heights[at + width] - heights[at - width]) * 0.5;
            let slope = 0.75 * gx + 0.85 * gy;
            let lit = 0.17 * slope / (1.0 + 0.45 * slope.abs()) + 0.006 * heights[at].clamp(-4.0, 4.0);
            let push = 0.55 * strength / rate;
            cells[at] =
                [(1.0 + strength * lit).clamp(0.45, 1.4), gx.clamp(-2.0, 2.0) * push, gy.clamp(-2.0, 2.0) * push];
        }
    }
    // The border repeats its neighbours.
    for y in 0..height {
        cells[y * width] = cells[y * width + 1];
        cells[y * width + width - 1] = cells[y * width + width - 2];
    }
    for x in 0..width {
        cells[x] = cells[width + x];
        cells[(height - 1) * width + x] = cells[(height - 2) * width + x];
    }
    cells
}
