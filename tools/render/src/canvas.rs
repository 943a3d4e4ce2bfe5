//! Paints parts one over another, with rounded edges, contact shadows and stitches.

use crate::blur::soften;
use crate::outline::Pt;
use crate::part::{Mark, Part};
use tiny_skia::{FillRule, LineCap, LineJoin, Mask, Paint, PathBuilder, Pixmap, Stroke, StrokeDash, Transform};

/// How drawing units become pixels: `pixel = (unit - origin) * scale`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) origin: Pt,
    pub(crate) scale: f32,
}

/// Something to paint on. Colours are premultiplied by opacity, as the 2-D library keeps them.
pub(crate) struct Canvas {
    pub(crate) pixels: Pixmap,
    pub(crate) frame: Frame,
    /// Pixels a body unit, for rounding and stitches where the parts already come in pixels.
    pub(crate) unit: f32,
    scratch: Option<Mask>,
}

/// A rectangle of pixels: left, top, right, bottom.
type Rect = [usize; 4];

impl Canvas {
    /// An empty canvas of at least one pixel.
    pub(crate) fn new(width: u32, height: u32, frame: Frame) -> Self {
        let size = (width.clamp(1, 8192), height.clamp(1, 8192));
        // Within these bounds the library always finds the memory layout it wants.
        let pixels = Pixmap::new(size.0, size.1).unwrap_or_else(|| unreachable!("bounded size"));
        Self { pixels, frame, unit: frame.scale, scratch: None }
    }

    /// A canvas whose units are its pixels, where one body unit is `unit` pixels.
    pub(crate) fn photo(width: u32, height: u32, unit: f32) -> Self {
        let mut canvas = Self::new(width, height, Frame { origin: (0.0, 0.0), scale: 1.0 });
        canvas.unit = unit;
        canvas
    }

    fn transform(&self) -> Transform {
        let Frame { origin, scale } = self.frame;
        Transform::from_row(scale, 0.0, 0.0, scale, -origin.0 * scale, -origin.1 * scale)
    }

    /// Paints several parts, the first lowest.
    pub(crate) fn lay_all<'a>(&mut self, parts: impl IntoIterator<Item = &'a Part>) {
        for part in parts {
            self.lay(part);
        }
    }

    /// Paints one part over what is there.
    pub(crate) fn lay(&mut self, part: &Part) {
        let (width, height) = (self.pixels.width() as usize, self.pixels.height() as usize);
        let Frame { origin, scale } = self.frame;
        let [left, top, right, bottom] = part.shape.bounds();
        let edge = |v: f32, origin: f32, limit: usize| {
            (((v - origin) * scale).max(-4.0) as isize).clamp(0, limit as isize) as usize
        };
        let radius = (part.round * self.unit * 0.5).clamp(1.0, 24.0);
        let rect = [
            edge(left, origin.0, width),
            edge(top, origin.1, height),
            (edge(right, origin.0, width) + 2).min(width),
            (edge(bottom, origin.1, height) + 2).min(height),
        ];
        if rect[0] >= rect[2] || rect[1] >= rect[3] {
            return;
        }
        let Some(path) = part.shape.path(true) else {
            return;
        };
        let transform = self.transform();
        let mut mask = match self.scratch.take() {
            Some(mask) => mask,
            None => match Mask::new(width as u32, height as u32) {
                Some(mask) => mask,
                None => return,
            },
        };
        mask.fill_path(&path, FillRule::Winding, true, transform);
        if part.volume > 0.0 || part.shadow > 0.0 {
            let soft = Soft::of(mask.data(), width, height, rect, radius);
            if part.shadow > 0.0 {
                self.cast(&soft, mask.data(), part.shadow, radius);
            }
            let relief = if part.volume > 0.0 { Some(soft.relief(part.volume, radius)) } else { None };
            self.fill(part, mask.data(), rect, relief.as_ref());
        } else {
            self.fill(part, mask.data(), rect, None);
        }
        for mark in &part.marks {
            self.mark(mark, &mask);
        }
        for row in mask.data_mut()[rect[1] * width..rect[3] * width].chunks_exact_mut(width) {
            row[rect[0]..rect[2]].fill(0);
        }
        self.scratch = Some(mask);
    }

    /// Darkens what lies under the soft edge of a part.
    fn cast(&mut self, soft: &Soft, mask: &[u8], strength: f32, radius: f32) {
        let (width, height) = (self.pixels.width() as usize, self.pixels.height() as usize);
        let drop = radius * 0.5;
        let [left, top, right, bottom] = soft.rect;
        let (left, top) = (left.saturating_sub(2), top.saturating_sub(2));
        let (right, bottom) = ((right + radius as usize).min(width), (bottom + radius as usize).min(height));
        let data = self.pixels.data_mut();
        for y in top..bottom {
            for x in left..right {
                let at = y * width + x;
                if mask[at] == 255 || data[at * 4 + 3] == 0 {
                    continue;
                }
                let shade = soft.at(x as f32 - drop * 0.4, y as f32 - drop);
                if shade > 0.02 {
                    let keep = ((1.0 - strength * shade * 1.6).max(0.0) * 256.0) as u32;
                    for channel in &mut data[at * 4..at * 4 + 3] {
                        *channel = ((u32::from(*channel) * keep) >> 8) as u8;
                    }
                }
            }
        }
    }

    fn fill(&mut self, part: &Part, mask: &[u8], rect: Rect, relief: Option<&Soft>) {
        let width = self.pixels.width() as usize;
        let Frame { origin, scale } = self.frame;
        let (start, angle) = part.grain;
        let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
        let px = 1.0 / scale;
        let data = self.pixels.data_mut();
        for y in rect[1]..rect[3] {
            let v = origin.1 + (y as f32 + 0.5) * px - start.1;
            for x in rect[0]..rect[2] {
                let cover = mask[y * width + x];
                if cover == 0 {
                    continue;
                }
                let u = origin.0 + (x as f32 + 0.5) * px - start.0;
                let colour = part.fabric.colour(u * cos + v * sin, v * cos - u * sin, px);
                let mut shade = part.light;
                if let Some(relief) = relief {
                    shade *= relief.at(x as f32, y as f32);
                }
                let Rgb8(rgb) = Rgb8::of(colour.times(shade).0);
                let pixel = &mut data[(y * width + x) * 4..(y * width + x) * 4 + 4];
                let (over, under) = (u32::from(cover), 255 - u32::from(cover));
                for (slot, value) in pixel.iter_mut().zip([rgb[0], rgb[1], rgb[2], 255]) {
                    *slot = ((u32::from(value) * over + u32::from(*slot) * under + 127) / 255) as u8;
                }
            }
        }
    }

    fn mark(&mut self, mark: &Mark, mask: &Mask) {
        let transform = self.transform();
        let mut paint = Paint { anti_alias: true, ..Paint::default() };
        match mark {
            Mark::Line { shape, width, colour, alpha, dash, closed } => {
                let Some(path) = shape.path(*closed) else {
                    return;
                };
                paint.set_color(colour.paint(*alpha));
                let rate = self.unit / self.frame.scale;
                let dash = *dash * rate;
                let stroke = Stroke {
                    width: width * rate,
                    line_cap: LineCap::Butt,
                    line_join: LineJoin::Round,
                    dash: if dash > 0.0 { StrokeDash::new(vec![dash, dash * 0.7], 0.0) } else { None },
                    ..Stroke::default()
                };
                self.pixels.stroke_path(&path, &paint, &stroke, transform, Some(mask));
            }
            Mark::Fill { contours, colour, alpha } => {
                let mut builder = PathBuilder::new();
                contours.iter().for_each(|shape| shape.append(&mut builder, true));
                let Some(path) = builder.finish() else { return };
                paint.set_color(colour.paint(*alpha));
                self.pixels.fill_path(&path, &paint, FillRule::Winding, transform, Some(mask));
            }
        }
    }
}

/// A colour rounded to bytes.
struct Rgb8([u8; 3]);

impl Rgb8 {
    fn of(rgb: [f32; 3]) -> Self {
        Self(rgb.map(|channel| (channel * 255.0 + 0.5) as u8))
    }
}

/// The blurred coverage of a part at a third of the resolution.
struct Soft {
    values: Vec<f32>,
    width: usize,
    height: usize,
    origin: (f32, f32),
    rect: Rect,
}

const COARSE: usize = 3;

impl Soft {
    fn of(mask: &[u8], width: usize, height: usize, rect: Rect, radius: f32) -> Self {
        let margin = (radius as usize / COARSE + 2) * 2;
        let (w, h) =
            ((rect[2] - rect[0]).div_ceil(COARSE) + 2 * margin, (rect[3] - rect[1]).div_ceil(COARSE) + 2 * margin);
        let mut values = vec![0.0f32; w * h];
        for row in margin..h - margin {
            let y = (rect[1] + (row - margin) * COARSE + 1).min(height - 1);
            for column in margin..w - margin {
                let x = (rect[0] + (column - margin) * COARSE + 1).min(width - 1);
                values[row * w + column] = f32::from(mask[y * width + x]) / 255.0;
            }
        }
        soften(&mut values, w, (radius as usize / COARSE).max(1), 2);
        let origin = (rect[0] as f32 + 1.0 - (margin * COARSE) as f32, rect[1] as f32 + 1.0 - (margin * COARSE) as f32);
        Self { values, width: w, height: h, origin, rect }
    }

    /// The brightness of a part that is rounded towards its edges and lit from the upper left,
    /// `lift` strong.
    fn relief(&self, lift: f32, radius: f32) -> Self {
        let reach = ((radius * 0.6 / COARSE as f32 + 0.5) as usize).max(1);
        // The lookup is linear, so a short reach has to be made up for.
        let gain = lift * radius * 0.6 / (reach * COARSE) as f32;
        let mut values = vec![1.0f32; self.values.len()];
        for y in reach..self.height - reach {
            for x in reach..self.width - reach {
                let at = y * self.width + x;
                let slope_x = self.values[at + reach] - self.values[at - reach];
                let slope_y = self.values[at + reach * self.width] - self.values[at - reach * self.width];
                let rim = 1.0 - self.values[at];
                values[at] = 1.0 - lift * 0.85 * rim * rim + gain * (0.28 * slope_x + 0.36 * slope_y);
            }
        }
        Self { values, ..*self }
    }

    #[inline]
    fn at(&self, x: f32, y: f32) -> f32 {
        let u = ((x - self.origin.0) / COARSE as f32).clamp(0.0, (self.width - 2) as f32);
        let v = ((y - self.origin.1) / COARSE as f32).clamp(0.0, (self.height - 2) as f32);
        let (i, j) = (u as usize, v as usize);
        let (fu, fv) = (u - i as f32, v - j as f32);
        let at = j * self.width + i;
        let top = self.values[at] + (self.values[at + 1] - self.values[at]) * fu;
        let below = &self.values[at + self.width..];
        let bottom = below[0] + (below[1] - below[0]) * fu;
        top + (bottom - top) * fv
    }
}
