//! Lines of words on pictures, in a font that is a part of the program: none of the system's is needed.

use ab_glyph::{Font, FontRef, PxScale, PxScaleFont, ScaleFont};
use image::RgbImage;

/// The font at a size in pixels. Its bytes are a part of the program: it is whole.
fn font(size: f32) -> Option<PxScaleFont<FontRef<'static>>> {
    let font = FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT).ok()?;
    Some(font.into_scaled(PxScale::from(size)))
}

/// Pixels that a line takes.
pub fn width(text: &str, size: f32) -> f32 {
    font(size).map_or(0.0, |font| text.chars().map(|letter| font.h_advance(font.glyph_id(letter))).sum())
}

/// Writes a line whose upper left corner is given, as far as `limit` pixels go.
pub fn write(picture: &mut RgbImage, text: &str, (left, top): (f32, f32), size: f32, ink: [u8; 3], limit: f32) {
    let Some(font) = font(size) else { return };
    let mut pen = 0.0;
    for letter in text.chars() {
        let id = font.glyph_id(letter);
        if pen + font.h_advance(id) > limit {
            return;
        }
        let position = ab_glyph::point(left + pen, top + font.ascent());
        pen += font.h_advance(id);
        let Some(outline) = font.outline_glyph(id.with_scale_and_position(font.scale(), position)) else { continue };
        let corner = outline.px_bounds().min;
        outline.draw(|x, y, cover| {
            let (x, y) = (corner.x + x as f32, corner.y + y as f32);
            if x < 0.0 || y < 0.0 || x >= picture.width() as f32 || y >= picture.height() as f32 {
                return;
            }
            let pixel = &mut picture.get_pixel_mut(x as u32, y as u32).0;
            let cover = cover.clamp(0.0, 1.0);
            for (value, ink) in pixel.iter_mut().zip(ink) {
                *value = (f32::from(*value) * (1.0 - cover) + f32::from(ink) * cover) as u8;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_as_wide_as_it_says_and_ends_where_its_room_does() {
        let columns = |text: &str, limit: f32| {
            let mut picture = RgbImage::from_pixel(200, 40, image::Rgb([255; 3]));
            write(&mut picture, text, (10.0, 5.0), 20.0, [0; 3], limit);
            let dark = |x: &u32| (0..40).any(|y| picture.get_pixel(*x, y).0[0] < 128);
            (0..200).filter(dark).collect::<Vec<u32>>()
        };
        let all = columns("pairs 0.123", 190.0);
        let width = width("pairs 0.123", 20.0);
        let (first, last) = (all[0] as f32, all[all.len() - 1] as f32);
        assert!(first >= 10.0 && last <= 10.0 + width && last > width, "{first} to {last}, {width} wide");
        assert_eq!(columns("pairs 0.123", width / 2.0).last(), columns("pairs", 190.0).last());
        assert!(columns("漢 🙂", 190.0).len() < 190);
    }
}
