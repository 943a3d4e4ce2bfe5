//! Words and pictograms as outlines, from the freely licensed fonts Hack, Ubuntu and Noto Emoji.

use crate::outline::{Outline, Pt};
use ttf_parser::{Face, OutlineBuilder};

/// Collects the contours of one glyph.
struct Contours {
    done: Vec<Outline>,
    now: Outline,
    scale: f32,
    x: f32,
    y: f32,
}

impl Contours {
    fn to(&self, x: f32, y: f32) -> Pt {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Contours {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.to(x, y);
        self.now = Outline::at(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.to(x, y);
        self.now = core::mem::take(&mut self.now).line(x, y);
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        let (cx, cy) = self.to(cx, cy);
        let (x, y) = self.to(x, y);
        self.now = core::mem::take(&mut self.now).bend(cx, cy, x, y);
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        self.quad_to((ax + bx) / 2.0, (ay + by) / 2.0, x, y);
    }

    fn close(&mut self) {
        self.done.push(core::mem::take(&mut self.now));
    }
}

/// How a line of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Wide and even, as printed on shirts.
    Print,
    /// Light, for captions.
    Caption,
}

fn faces(style: Style) -> impl Iterator<Item = Face<'static>> {
    let first = match style {
        Style::Print => epaint_default_fonts::HACK_REGULAR,
        Style::Caption => epaint_default_fonts::UBUNTU_LIGHT,
    };
    [first, epaint_default_fonts::NOTO_EMOJI_REGULAR].into_iter().filter_map(|bytes| Face::parse(bytes, 0).ok())
}

/// The contours of a line of text (non-zero winding) whose capitals are about `size` high, starting
/// at x = 0 on the base line y = 0, and the line's width.
pub(crate) fn contours(text: &str, size: f32, style: Style) -> (Vec<Outline>, f32) {
    let faces: Vec<Face> = faces(style).collect();
    let mut pen = Contours { done: Vec::new(), now: Outline::default(), scale: 1.0, x: 0.0, y: 0.0 };
    for letter in text.chars() {
        let found = faces.iter().find_map(|face| Some((face, face.glyph_index(letter)?)));
        let Some((face, glyph)) = found else { continue };
        pen.scale = size / (0.73 * f32::from(face.units_per_em()));
        face.outline_glyph(glyph, &mut pen);
        pen.x += f32::from(face.glyph_hor_advance(glyph).unwrap_or(0)) * pen.scale;
    }
    let width = pen.x;
    (pen.done, width)
}

/// The contours of a text centred on a point and scaled to fit a box of the given width and height.
pub(crate) fn centred(text: &str, centre: Pt, width: f32, height: f32) -> Vec<Outline> {
    let (list, _) = contours(text, 1.0, Style::Print);
    let all = list.iter().map(Outline::bounds).fold([f32::MAX, f32::MAX, f32::MIN, f32::MIN], |a, b| {
        [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
    });
    if all[2] <= all[0] || all[3] <= all[1] {
        return Vec::new();
    }
    let scale = (width / (all[2] - all[0])).min(height / (all[3] - all[1]));
    let middle = ((all[0] + all[2]) / 2.0, (all[1] + all[3]) / 2.0);
    list.iter()
        .map(|shape| shape.map(|(x, y)| (centre.0 + (x - middle.0) * scale, centre.1 + (y - middle.1) * scale)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_motif_and_word_has_a_glyph() {
        for motif in crate::item::MOTIFS {
            assert!(!centred(motif.glyph, (0.0, 0.0), 1.0, 1.0).is_empty(), "{}", motif.name);
        }
        for word in crate::item::WORDS {
            assert!(contours(word, 1.0, Style::Print).1 > 1.0, "{word}");
        }
    }
}
