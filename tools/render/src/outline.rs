//! Closed and open shapes as dense point lists, so that any point-wise map can bend them.

use libm::{cosf, sinf};
use tiny_skia::{Path, PathBuilder};

/// A point: x to the viewer's right, y down.
pub(crate) type Pt = (f32, f32);

/// Straight pieces that a curve is cut into; at photo size none is longer than a few pixels.
const STEPS: usize = 10;

/// A shape as the points along it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    pub(crate) points: Vec<Pt>,
}

impl Outline {
    /// Starts a shape.
    pub(crate) fn at(x: f32, y: f32) -> Self {
        Self { points: vec![(x, y)] }
    }

    /// A shape through the given points with straight sides.
    pub(crate) fn of(points: &[Pt]) -> Self {
        Self { points: points.to_vec() }
    }

    fn last(&self) -> Pt {
        self.points.last().copied().unwrap_or((0.0, 0.0))
    }

    /// A straight side.
    pub(crate) fn line(mut self, x: f32, y: f32) -> Self {
        self.points.push((x, y));
        self
    }

    /// A quadratic curve with one control point.
    pub(crate) fn bend(mut self, cx: f32, cy: f32, x: f32, y: f32) -> Self {
        let (x0, y0) = self.last();
        for step in 1..=STEPS {
            let t = step as f32 / STEPS as f32;
            let s = 1.0 - t;
            self.points.push((s * s * x0 + 2.0 * s * t * cx + t * t * x, s * s * y0 + 2.0 * s * t * cy + t * t * y));
        }
        self
    }

    /// Closes a right half, drawn from the top centre to the bottom centre, with its mirror image.
    pub(crate) fn symmetric(mut self) -> Self {
        let mirror: Vec<Pt> = self.points.iter().rev().map(|&(x, y)| (-x, y)).collect();
        self.points.extend(mirror);
        self
    }

    /// Every point moved by `f`.
    pub(crate) fn map(&self, f: impl Fn(Pt) -> Pt) -> Self {
        Self { points: self.points.iter().map(|&p| f(p)).collect() }
    }

    /// Flipped left to right when `right` is false.
    pub(crate) fn side(&self, right: bool) -> Self {
        if right { self.clone() } else { self.map(|(x, y)| (-x, y)) }
    }

    /// Turned by `angle` radians about a point (clockwise on screen).
    pub(crate) fn turned(&self, about: Pt, angle: f32) -> Self {
        let (s, c) = (sinf(angle), cosf(angle));
        self.map(|(x, y)| {
            let (dx, dy) = (x - about.0, y - about.1);
            (about.0 + c * dx - s * dy, about.1 + s * dx + c * dy)
        })
    }

    /// An ellipse.
    pub(crate) fn ellipse(cx: f32, cy: f32, rx: f32, ry: f32) -> Self {
        let count = 28;
        let points = (0..count)
            .map(|step| {
                let turn = step as f32 / count as f32 * core::f32::consts::TAU;
                (cx + rx * cosf(turn), cy + ry * sinf(turn))
            })
            .collect();
        Self { points }
    }

    /// A rectangle with rounded corners.
    pub(crate) fn block(x: f32, y: f32, width: f32, height: f32, round: f32) -> Self {
        let r = round.min(width / 2.0).min(height / 2.0);
        let (right, bottom) = (x + width, y + height);
        Self::at(x + r, y)
            .line(right - r, y)
            .bend(right, y, right, y + r)
            .line(right, bottom - r)
            .bend(right, bottom, right - r, bottom)
            .line(x + r, bottom)
            .bend(x, bottom, x, bottom - r)
            .line(x, y + r)
            .bend(x, y, x + r, y)
    }

    /// A tapering tube along joints given as (point, half width): an arm, a leg, a strap.
    pub(crate) fn limb(joints: &[(Pt, f32)]) -> Self {
        let spine = smooth(joints);
        let mut left = Vec::with_capacity(spine.len() * 2);
        let mut right = Vec::with_capacity(spine.len());
        for (index, &((x, y), half)) in spine.iter().enumerate() {
            let before = spine[index.saturating_sub(1)].0;
            let after = spine[(index + 1).min(spine.len() - 1)].0;
            let (dx, dy) = (after.0 - before.0, after.1 - before.1);
            let length = (dx * dx + dy * dy).sqrt().max(1e-6);
            let (nx, ny) = (-dy / length * half, dx / length * half);
            left.push((x + nx, y + ny));
            right.push((x - nx, y - ny));
        }
        right.reverse();
        left.extend(right);
        Self { points: left }
    }

    /// The box around the points: left, top, right, bottom.
    pub(crate) fn bounds(&self) -> [f32; 4] {
        self.points.iter().fold([f32::MAX, f32::MAX, f32::MIN, f32::MIN], |b, &(x, y)| {
            [b[0].min(x), b[1].min(y), b[2].max(x), b[3].max(y)]
        })
    }

    /// Appends this shape to a path of the 2-D library.
    pub(crate) fn append(&self, path: &mut PathBuilder, closed: bool) {
        let mut points = self.points.iter();
        if let Some(&(x, y)) = points.next() {
            path.move_to(x, y);
            for &(x, y) in points {
                path.line_to(x, y);
            }
            if closed {
                path.close();
            }
        }
    }

    /// This shape as a path, or `None` if it is too small to draw.
    pub(crate) fn path(&self, closed: bool) -> Option<Path> {
        let mut builder = PathBuilder::new();
        self.append(&mut builder, closed);
        builder.finish()
    }
}

/// Catmull-Rom points through the joints, so that elbows and knees are round.
fn smooth(joints: &[(Pt, f32)]) -> Vec<(Pt, f32)> {
    let at = |i: isize| joints[i.clamp(0, joints.len() as isize - 1) as usize];
    let mut out = Vec::with_capacity(joints.len() * 6);
    for i in 0..joints.len() as isize - 1 {
        let (a, b, c, d) = (at(i - 1), at(i), at(i + 1), at(i + 2));
        for step in 0..6 {
            let t = step as f32 / 6.0;
            let f = |a: f32, b: f32, c: f32, d: f32| {
                0.5 * (2.0 * b
                    + (c - a) * t
                    + (2.0 * a - 5.0 * b + 4.0 * c - d) * t * t
                    + (3.0 * b - a - 3.0 * c + d) * t * t * t)
            };
            out.push(((f(a.0.0, b.0.0, c.0.0, d.0.0), f(a.0.1, b.0.1, c.0.1, d.0.1)), f(a.1, b.1, c.1, d.1)));
        }
    }
    out.push(at(joints.len() as isize - 1));
    out
}
