//! Lines of text as outlines, in the font Ubuntu Light.

use tiny_skia::{FillRule, LineJoin, Paint, Path, PathBuilder, PixmapMut, Stroke, Transform};
use ttf_parser::{Face, OutlineBuilder};

/// How a line looks.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Pixels of an em.
    pub size: f32,
    /// Red, green, blue.
    pub colour: [u8; 3],
    /// Whether the strokes are thickened.
    pub bold: bool,
}

impl Style {
    /// By how much strokes are thickened. The font is light: without help small letters turn grey.
    fn stroke(self) -> f32 {
        self.size * if self.bold { 0.055 } else { 0.018 }
    }
}

/// Collects the outline of a line.
struct Pen {
    path: PathBuilder,
    x: f32,
    scale: f32,
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.move_to(self.x + x * self.scale, -y * self.scale);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.path.line_to(self.x + x * self.scale, -y * self.scale);
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        let (s, left) = (self.scale, self.x);
        self.path.quad_to(left + cx * s, -cy * s, left + x * s, -y * s);
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        let (s, left) = (self.scale, self.x);
        self.path.cubic_to(left + ax * s, -ay * s, left + bx * s, -by * s, left + x * s, -y * s);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

/// The outline of a line that starts at (0, 0) on its base line, and its width.
fn outline(text: &str, style: Style) -> (Option<Path>, f32) {
    let Ok(face) = Face::parse(epaint_default_fonts::UBUNTU_LIGHT, 0) else { return (None, 0.0) };
    let scale = style.size / f32::from(face.units_per_em());
    let mut pen = Pen { path: PathBuilder::new(), x: 0.0, scale };
    for letter in text.chars() {
        // Letters that the font lacks are question marks.
        let Some(glyph) = face.glyph_index(letter).or_else(|| face.glyph_index('?')) else { continue };
        face.outline_glyph(glyph, &mut pen);
        pen.x += f32::from(face.glyph_hor_advance(glyph).unwrap_or(0)) * scale + style.stroke() / 2.0;
    }
    (pen.path.finish(), pen.x)
}

/// The width of a line in pixels.
pub fn width(text: &str, style: Style) -> f32 {
    outline(text, style).1
}

/// Draws a line from (x, y), y being its base line.
pub fn draw(canvas: &mut PixmapMut, text: &str, (x, y): (f32, f32), style: Style) {
    let (Some(path), _) = outline(text, style) else { return };
    let [r, g, b] = style.colour;
    let mut paint = Paint::default();
    paint.set_color_rgba8(r, g, b, 255);
    let place = Transform::from_translate(x, y);
    canvas.fill_path(&path, &paint, FillRule::Winding, place, None);
    let stroke = Stroke { width: style.stroke(), line_join: LineJoin::Round, ..Stroke::default() };
    canvas.stroke_path(&path, &paint, &stroke, place, None);
}

/// As much of a text as fits, with an ellipsis where something is cut off.
pub fn fitted(text: &str, most: f32, style: Style) -> String {
    if width(text, style) <= most {
        return text.to_owned();
    }
    let mut letters: Vec<char> = text.chars().collect();
    while !letters.is_empty() {
        letters.pop();
        let kept: String = letters.iter().collect();
        let kept = format!("{}…", kept.trim_end_matches([' ', ',']));
        if width(&kept, style) <= most {
            return kept;
        }
    }
    String::new()
}

/// A text over at most `lines` lines.
pub fn wrapped(text: &str, most: f32, lines: usize, style: Style) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match all.last_mut() {
            Some(line) if all_fits(line, word, most, style) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => all.push(word.to_owned()),
        }
    }
    if all.len() > lines {
        let rest = all.split_off(lines.saturating_sub(1)).join(" ");
        all.push(rest);
    }
    all.iter().map(|line| fitted(line, most, style)).collect()
}

fn all_fits(line: &str, word: &str, most: f32, style: Style) -> bool {
    width(&format!("{line} {word}"), style) <= most
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: Style = Style { size: 16.0, colour: [0; 3], bold: false };

    #[test]
    fn long_lines_are_cut() {
        let cut = fitted("a very long title of a garment", 100.0, STYLE);
        assert!(cut.ends_with('…') && width(&cut, STYLE) <= 100.0);
        assert_eq!(fitted("shirt", 100.0, STYLE), "shirt");
        assert_eq!(fitted("shirt", 1.0, STYLE), "");
    }

    #[test]
    fn lines_are_wrapped_at_words() {
        let lines = wrapped("green striped shirt with two chest pockets", 140.0, 2, STYLE);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| width(line, STYLE) <= 140.0));
        assert!(wrapped("", 100.0, 2, STYLE).is_empty());
    }

    #[test]
    fn something_is_drawn() {
        let mut pixmap = tiny_skia::Pixmap::new(40, 20).unwrap();
        draw(&mut pixmap.as_mut(), "x漢", (2.0, 15.0), STYLE);
        assert!(pixmap.data().iter().any(|&byte| byte > 0));
    }
}
