//! The pieces a garment (or a person, or a room) is assembled from, before anything is painted.

use crate::colour::Rgb;
use crate::outline::{Outline, Pt};
use crate::pattern::Fabric;

/// Something drawn on a part and clipped to it.
#[derive(Clone, Debug)]
pub(crate) enum Mark {
    /// A line; `dash` is the stitch length or zero for a solid line.
    Line { shape: Outline, width: f32, colour: Rgb, alpha: f32, dash: f32, closed: bool },
    /// A filled shape of one or more contours.
    Fill { contours: Vec<Outline>, colour: Rgb, alpha: f32 },
}

impl Mark {
    /// A solid seam.
    pub(crate) fn seam(shape: Outline, colour: Rgb, width: f32) -> Self {
        Self::Line { shape, width, colour, alpha: 0.55, dash: 0.0, closed: false }
    }

    /// A line of stitches.
    pub(crate) fn stitch(shape: Outline, colour: Rgb) -> Self {
        Self::Line { shape, width: 0.0042, colour, alpha: 0.75, dash: 0.009, closed: false }
    }

    /// A filled shape.
    pub(crate) fn fill(shape: Outline, colour: Rgb, alpha: f32) -> Self {
        Self::Fill { contours: vec![shape], colour, alpha }
    }
}

/// One piece of cloth (or skin, wood, plastic).
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) shape: Outline,
    pub(crate) fabric: Fabric,
    /// Where the pattern starts and how far it is turned (radians): it follows a sleeve.
    pub(crate) grain: (Pt, f32),
    /// How strongly the edges are rounded by shade, `0.0` for a flat sheet.
    pub(crate) volume: f32,
    /// Width of the rounding, in body units.
    pub(crate) round: f32,
    /// Darkness of the shadow on what lies beneath.
    pub(crate) shadow: f32,
    /// Brightness relative to the light (insides are darker).
    pub(crate) light: f32,
    pub(crate) marks: Vec<Mark>,
}

impl Part {
    /// A piece with the shading of ordinary cloth.
    pub(crate) fn new(shape: Outline, fabric: Fabric) -> Self {
        Self {
            shape,
            fabric,
            grain: ((0.0, 0.0), 0.0),
            volume: 0.55,
            round: 0.045,
            shadow: 0.28,
            light: 1.0,
            marks: Vec::new(),
        }
    }

    /// A piece of one smooth colour.
    pub(crate) fn flat(shape: Outline, colour: Rgb) -> Self {
        Self::new(shape, Fabric::flat(colour))
    }

    pub(crate) fn grain(mut self, origin: Pt, angle: f32) -> Self {
        self.grain = (origin, angle);
        self
    }

    pub(crate) fn volume(mut self, volume: f32, round: f32) -> Self {
        (self.volume, self.round) = (volume, round);
        self
    }

    pub(crate) fn shadow(mut self, shadow: f32) -> Self {
        self.shadow = shadow;
        self
    }

    pub(crate) fn light(mut self, light: f32) -> Self {
        self.light = light;
        self
    }

    pub(crate) fn mark(mut self, mark: Mark) -> Self {
        self.marks.push(mark);
        self
    }

    pub(crate) fn marks(mut self, marks: impl IntoIterator<Item = Mark>) -> Self {
        self.marks.extend(marks);
        self
    }

    /// The part with its outline and marks moved by a point-wise map; the grain stays.
    pub(crate) fn moved(&self, f: impl Fn(Pt) -> Pt) -> Self {
        let marks = self
            .marks
            .iter()
            .map(|mark| match mark {
                Mark::Line { shape, width, colour, alpha, dash, closed } => Mark::Line {
                    shape: shape.map(&f),
                    width: *width,
                    colour: *colour,
                    alpha: *alpha,
                    dash: *dash,
                    closed: *closed,
                },
                Mark::Fill { contours, colour, alpha } => Mark::Fill {
                    contours: contours.iter().map(|shape| shape.map(&f)).collect(),
                    colour: *colour,
                    alpha: *alpha,
                },
            })
            .collect();
        Self { shape: self.shape.map(&f), marks, ..self.clone() }
    }
}

/// The box around several parts: left, top, right, bottom.
pub(crate) fn bounds<'a>(parts: impl IntoIterator<Item = &'a Part>) -> [f32; 4] {
    parts.into_iter().map(|part| part.shape.bounds()).fold([f32::MAX, f32::MAX, f32::MIN, f32::MIN], |a, b| {
        [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
    })
}
