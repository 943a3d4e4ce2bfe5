//! Rounded rectangles and pictures on a canvas.

use image::RgbImage;
use image::imageops::{FilterType, resize};
use tiny_skia::{
    FillRule, FilterQuality, Paint, Path, PathBuilder, Pattern, Pixmap, PixmapMut, SpreadMode, Stroke, Transform,
};

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Left side.
    pub x: f32,
    /// Upper side.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl Area {
    /// Larger by `by` on every side.
    pub fn grown(self, by: f32) -> Self {
        Self { x: self.x - by, y: self.y - by, w: self.w + 2.0 * by, h: self.h + 2.0 * by }
    }

    /// The largest rectangle of these proportions in the middle.
    fn around(self, width: u32, height: u32) -> Self {
        let (width, height) = (width.max(1) as f32, height.max(1) as f32);
        let scale = (self.w / width).min(self.h / height);
        let (w, h) = ((width * scale).round().max(1.0), (height * scale).round().max(1.0));
        let (x, y) = (self.x + (self.w - w) / 2.0, self.y + (self.h - h) / 2.0);
        Self { x: x.round(), y: y.round(), w, h }
    }
}

fn rounded(area: Area, radius: f32) -> Option<Path> {
    let Area { x, y, w, h } = area;
    let r = radius.min(w / 2.0).min(h / 2.0);
    // The length of a cubic's handles that is nearest to a quarter of a circle.
    let k = r * 0.552_285;
    let mut path = PathBuilder::new();
    path.move_to(x + r, y);
    path.line_to(x + w - r, y);
    path.cubic_to(x + w - r + k, y, x + w, y + r - k, x + w, y + r);
    path.line_to(x + w, y + h - r);
    path.cubic_to(x + w, y + h - r + k, x + w - r + k, y + h, x + w - r, y + h);
    path.line_to(x + r, y + h);
    path.cubic_to(x + r - k, y + h, x, y + h - r + k, x, y + h - r);
    path.line_to(x, y + r);
    path.cubic_to(x, y + r - k, x + r - k, y, x + r, y);
    path.close();
    path.finish()
}

fn paint(colour: [u8; 3]) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(colour[0], colour[1], colour[2], 255);
    paint
}

/// Fills a rectangle.
pub fn fill(canvas: &mut PixmapMut, area: Area, radius: f32, colour: [u8; 3]) {
    if let Some(path) = rounded(area, radius) {
        canvas.fill_path(&path, &paint(colour), FillRule::Winding, Transform::identity(), None);
    }
}

/// Draws the outline of a rectangle, inside and outside of it by half of its width.
pub fn frame(canvas: &mut PixmapMut, area: Area, radius: f32, width: f32, colour: [u8; 3]) {
    if let Some(path) = rounded(area, radius) {
        let stroke = Stroke { width, ..Stroke::default() };
        canvas.stroke_path(&path, &paint(colour), &stroke, Transform::identity(), None);
    }
}

/// Draws a picture as large as the area allows, with round corners; where it lies then.
pub fn picture(canvas: &mut PixmapMut, picture: &RgbImage, area: Area, radius: f32) -> Area {
    let place = area.around(picture.width(), picture.height());
    let small = resize(picture, place.w as u32, place.h as u32, FilterType::CatmullRom);
    let (Some(pixmap), Some(path)) = (pixmap(&small), rounded(place, radius)) else { return place };
    let shader = Pattern::new(
        pixmap.as_ref(),
        SpreadMode::Pad,
        FilterQuality::Nearest,
        1.0,
        Transform::from_translate(place.x, place.y),
    );
    let paint = Paint { shader, ..Paint::default() };
    canvas.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
    place
}

fn pixmap(picture: &RgbImage) -> Option<Pixmap> {
    let mut pixmap = Pixmap::new(picture.width(), picture.height())?;
    for (target, source) in pixmap.data_mut().chunks_exact_mut(4).zip(picture.pixels()) {
        let [r, g, b] = source.0;
        target.copy_from_slice(&[r, g, b, 255]);
    }
    Some(pixmap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_keeps_its_proportions() {
        let area = Area { x: 10.0, y: 10.0, w: 100.0, h: 100.0 };
        assert_eq!(area.around(300, 150), Area { x: 10.0, y: 35.0, w: 100.0, h: 50.0 });
        let mut canvas = Pixmap::new(120, 120).unwrap();
        let red = RgbImage::from_pixel(30, 60, image::Rgb([255, 0, 0]));
        let place = picture(&mut canvas.as_mut(), &red, area, 4.0);
        assert_eq!((place.w, place.h), (50.0, 100.0));
        let middle = canvas.pixel(60, 60).unwrap();
        assert_eq!((middle.red(), middle.green(), middle.alpha()), (255, 0, 255));
        assert_eq!(canvas.pixel(12, 60).unwrap().alpha(), 0);
    }
}
