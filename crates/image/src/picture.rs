//! An image as pixels of its own shape, for those who cut and turn it themselves.

use crate::crop::Window;
use crate::{Error, Fit, Limits, Plan, Region, header, plan};

/// An upright image's pixels; both sides are at least 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pixels: Vec<u8>,
    width: u32,
    height: u32,
}

impl Picture {
    /// Pixels as they are: width x height x 3 bytes. `None` where that is not their number, or there are none.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Option<Self> {
        let bytes = (width as usize).checked_mul(height as usize)?.checked_mul(3)?;
        (bytes > 0 && bytes == pixels.len()).then_some(Picture { pixels, width, height })
    }

    /// RGB, row by row from the top.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }
}

/// Decodes an image, turns it upright, crops it to `region` (the whole image without one) and reduces that until no side
/// is longer than `longest` pixels. A smaller one stays as it is, and the aspect ratio is kept.
///
/// # Errors
/// Any [`Error`], in [`crate::prepare`]'s order.
pub fn picture(bytes: &[u8], region: Option<&Region>, longest: u32, limits: &Limits) -> Result<Picture, Error> {
    let (width, height) = header::read(bytes, limits)?.upright();
    let window = match region {
        Some(region) => Window::clipped(region, width, height)?,
        None => Window::whole(width, height),
    };
    let own = window.width().max(window.height()).ceil().max(1.0) as u32;
    plan(bytes, region, Fit::Letterbox, longest.min(own), limits)?.picture()
}

impl Plan<'_> {
    /// [`run`](Plan::run) without the white that fills the square: the wanted part at its size within it.
    ///
    /// # Errors
    /// As [`run`](Plan::run).
    pub fn picture(self) -> Result<Picture, Error> {
        let (width, height) = self.target();
        Ok(Picture { pixels: self.resized()?, width, height })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_image_fills_the_square_that_is_wanted() {
        let bmp = [
            &b"BM\x42\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x04\0\0\0\x01\0\0\0\x01\0\x18\0"[..],
            &[0; 24],
            &[40, 90, 200].repeat(4),
        ]
        .concat();
        let plan = plan(&bmp, None, Fit::Letterbox, 12, &Limits::default()).unwrap();
        let picture = plan.picture().unwrap();
        assert_eq!((picture.width(), picture.height()), (12, 3));
        assert!(picture.pixels().chunks_exact(3).all(|pixel| pixel == [200, 90, 40]));
    }

    #[test]
    fn pixels_that_are_not_width_times_height_are_no_picture() {
        assert!(Picture::new(2, 1, vec![0; 6]).is_some());
        assert!(Picture::new(2, 1, vec![0; 5]).is_none());
        assert!(Picture::new(0, 1, Vec::new()).is_none());
        assert!(Picture::new(u32::MAX, u32::MAX, vec![0; 3]).is_none());
    }
}
