//! Bringing a window of a picture to the model's square.

use crate::crop::{Pixels, Window};
use crate::guard::damaged;
use crate::{Error, Format};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

/// How a picture that isn't square becomes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Fit {
    /// The aspect ratio stays; the rest is white, equally on both sides.
    #[default]
    Letterbox,
    /// Both sides are brought to the size; the aspect ratio changes.
    Stretch,
}

impl Fit {
    /// The size that a window of `width` x `height` takes within a square of `size` pixels: at least 1 x 1.
    pub(crate) fn target(self, width: f64, height: f64, size: u32) -> (u32, u32) {
        let side = |length: f64| {
            let share = length / width.max(height);
            ((share * f64::from(size)).round() as u32).clamp(1, size)
        };
        match self {
            Fit::Stretch => (size, size),
            Fit::Letterbox => (side(width), side(height)),
        }
    }
}

/// Resizes `window` of `picture`.
///
/// The filter is Catmull-Rom (cubic, a = -0.5), widened in proportion when it reduces: the same as
/// Pillow's BICUBIC, with which the backbone's ImageNet weights are commonly evaluated. Where the
/// window already has the target's size in whole pixels they are copied unchanged.
pub(crate) fn resize(picture: &Pixels, window: Window, target: (u32, u32), format: Format) -> Result<Vec<u8>, Error> {
    let fail = |e: &dyn std::fmt::Display| damaged(format, &format!("resizing: {e}"));
    let source = ImageRef::new(picture.width, picture.height, &picture.rgb, PixelType::U8x3).map_err(|e| fail(&e))?;
    let (width, height) = target;
    let mut resized = Image::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom)).crop(
        window.left,
        window.top,
        window.width(),
        window.height(),
    );
    Resizer::new().resize(&source, &mut resized, &options).map_err(|e| fail(&e))?;
    Ok(resized.into_vec())
}

/// Puts a resized picture into the middle of a white square.
pub(crate) fn letterbox(resized: Vec<u8>, target: (u32, u32), size: u32) -> Vec<u8> {
    if target == (size, size) {
        return resized;
    }
    let (size, width, height) = (size as usize, target.0 as usize, target.1 as usize);
    let (x, y) = ((size - width) / 2, (size - height) / 2);
    let mut square = vec![255; size * size * 3];
    for (row, line) in resized.chunks_exact(width * 3).enumerate() {
        let start = ((y + row) * size + x) * 3;
        square[start..start + line.len()].copy_from_slice(line);
    }
    square
}
