//! Where the plane of a garment lands in a photo.

use crate::outline::Pt;
use libm::{cosf, sinf};

/// A plane seen in perspective: body units on one side, pixels on the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Camera {
    forward: [f32; 9],
    inverse: [f32; 9],
    /// Pixels a body unit at the middle.
    pub(crate) unit: f32,
}

/// How a camera is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aim {
    /// The point of the plane that is looked at, in body units.
    pub(crate) target: Pt,
    /// Where that point lands, in pixels.
    pub(crate) at: Pt,
    /// Pixels a body unit there.
    pub(crate) unit: f32,
    /// Turn about the vertical, about the horizontal and about the line of sight, in radians.
    pub(crate) yaw: f32,
    pub(crate) pitch: f32,
    pub(crate) roll: f32,
    /// Distance to the plane in pixels: less means stronger perspective.
    pub(crate) distance: f32,
}

impl Camera {
    pub(crate) fn new(aim: &Aim) -> Self {
        let (sy, cy) = (sinf(aim.yaw), cosf(aim.yaw));
        let (sx, cx) = (sinf(aim.pitch), cosf(aim.pitch));
        let (sz, cz) = (sinf(aim.roll), cosf(aim.roll));
        // The first two columns of roll · pitch · yaw.
        let (a, b) = ((cy, sx * sy, -cx * sy), (0.0, cx, sx));
        let (x0, y0, z0) = (cz * a.0 - sz * a.1, sz * a.0 + cz * a.1, a.2);
        let (x1, y1, z1) = (cz * b.0 - sz * b.1, sz * b.0 + cz * b.1, b.2);
        let (u, (tx, ty), (px, py)) = (aim.unit, aim.target, aim.at);
        let (g0, g1) = (u * z0 / aim.distance, u * z1 / aim.distance);
        let row = |r0: f32, r1: f32, p: f32| {
            let (h0, h1) = (u * r0 + p * g0, u * r1 + p * g1);
            [h0, h1, p - h0 * tx - h1 * ty]
        };
        let (r0, r1) = (row(x0, x1, px), row(y0, y1, py));
        let forward = [r0[0], r0[1], r0[2], r1[0], r1[1], r1[2], g0, g1, 1.0 - g0 * tx - g1 * ty];
        Self { forward, inverse: invert(&forward), unit: u }
    }

    /// From body units to pixels.
    pub(crate) fn project(&self, point: Pt) -> Pt {
        apply(&self.forward, point)
    }

    /// From pixels to body units.
    pub(crate) fn unproject(&self, pixel: Pt) -> Pt {
        apply(&self.inverse, pixel)
    }

    /// The pixels around a box of the plane: left, top, right, bottom.
    pub(crate) fn footprint(&self, bounds: [f32; 4]) -> [f32; 4] {
        let [l, t, r, b] = bounds;
        [(l, t), (r, t), (r, b), (l, b)]
            .into_iter()
            .map(|p| self.project(p))
            .fold([f32::MAX, f32::MAX, f32::MIN, f32::MIN], |a, (x, y)| {
                [a[0].min(x), a[1].min(y), a[2].max(x), a[3].max(y)]
            })
    }
}

fn apply(m: &[f32; 9], (x, y): Pt) -> Pt {
    let w = 1.0 / (m[6] * x + m[7] * y + m[8]);
    ((m[0] * x + m[1] * y + m[2]) * w, (m[3] * x + m[4] * y + m[5]) * w)
}

/// The inverse up to a factor, which a projective map does not notice.
fn invert(m: &[f32; 9]) -> [f32; 9] {
    let minor = |a: usize, b: usize, c: usize, d: usize| m[a] * m[d] - m[b] * m[c];
    let adjugate = [
        minor(4, 5, 7, 8),
        -minor(1, 2, 7, 8),
        minor(1, 2, 4, 5),
        -minor(3, 5, 6, 8),
        minor(0, 2, 6, 8),
        -minor(0, 2, 3, 5),
        minor(3, 4, 6, 7),
        -minor(0, 1, 6, 7),
        minor(0, 1, 3, 4),
    ];
    let scale = 1.0 / adjugate[8];
    adjugate.map(|value| value * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unproject_undoes_project() {
        let aim = Aim {
            target: (0.1, 0.3),
            at: (150.0, 170.0),
            unit: 240.0,
            yaw: 0.3,
            pitch: -0.2,
            roll: 0.1,
            distance: 900.0,
        };
        let camera = Camera::new(&aim);
        for point in [(0.1, 0.3), (-0.2, 0.0), (0.4, 0.9)] {
            let back = camera.unproject(camera.project(point));
            assert!((back.0 - point.0).abs() < 1e-3 && (back.1 - point.1).abs() < 1e-3);
        }
        let middle = camera.project((0.1, 0.3));
        assert!((middle.0 - 150.0).abs() < 0.01 && (middle.1 - 170.0).abs() < 0.01);
    }
}
