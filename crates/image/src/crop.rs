//! Regions of an image: what a user asks for, clipped to what there is.

use crate::Error;
use std::fmt;

/// A rectangle in pixels of the upright full-size image; its origin is the upper left corner.
/// Parts outside the image are cut away; fractions of a pixel count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Distance from the image's left edge, in pixels.
    pub left: f64,
    /// Distance from the image's upper edge, in pixels.
    pub top: f64,
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels.
    pub height: f64,
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Region { left, top, width, height } = self;
        write!(f, "(left {left}, top {top}, width {width}, height {height})")
    }
}

/// RGB pixels, row by row.
pub(crate) struct Pixels {
    pub(crate) rgb: Vec<u8>,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// A clipped rectangle with fractions, in whatever pixels its owner says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

/// Whole pixels: `x` and `y` are the first ones, both sizes are at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rect {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// An intersection thinner than this many pixels is empty. Coordinates up to 65,535 are good to
/// 1e-11 in a double, so mirroring a window can never make one of this width vanish.
const THINNEST: f64 = 1.0 / 256.0;

impl Window {
    pub(crate) fn whole(width: u32, height: u32) -> Self {
        Window { left: 0.0, top: 0.0, right: f64::from(width), bottom: f64::from(height) }
    }

    /// Clips a region to an image of `width` x `height`.
    ///
    /// # Errors
    /// [`Error::RegionNotFinite`], or [`Error::RegionOutside`] where nothing is left.
    pub(crate) fn clipped(region: &Region, width: u32, height: u32) -> Result<Self, Error> {
        let Region { left, top, width: w, height: h } = *region;
        if [left, top, w, h].iter().any(|v| !v.is_finite()) {
            return Err(Error::RegionNotFinite { region: *region, width, height });
        }
        // The sums may overflow to infinity, which the image's edge then cuts.
        let window = Window {
            left: left.max(0.0),
            top: top.max(0.0),
            right: (left + w).min(f64::from(width)),
            bottom: (top + h).min(f64::from(height)),
        };
        if window.width() < THINNEST || window.height() < THINNEST {
            return Err(Error::RegionOutside { region: *region, width, height });
        }
        Ok(window)
    }

    pub(crate) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(crate) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// The same window in a picture whose sides are `factor` times as long.
    pub(crate) fn scaled(self, factor: f64) -> Self {
        Window {
            left: self.left * factor,
            top: self.top * factor,
            right: self.right * factor,
            bottom: self.bottom * factor,
        }
    }

    pub(crate) fn exchanged(self) -> Self {
        Window { left: self.top, top: self.left, right: self.bottom, bottom: self.right }
    }

    pub(crate) fn mirrored_x(self, width: f64) -> Self {
        Window { left: width - self.right, right: width - self.left, ..self }
    }

    pub(crate) fn mirrored_y(self, height: f64) -> Self {
        Window { top: height - self.bottom, bottom: height - self.top, ..self }
    }

    /// The whole pixels of a picture of `width` x `height` that the window touches.
    pub(crate) fn touched(&self, width: u32, height: u32) -> Rect {
        let span = |from: f64, to: f64, size: u32| {
            let first = (from.floor().max(0.0) as u32).min(size.saturating_sub(1));
            let end = (to.ceil().max(0.0) as u32).clamp(first + 1, size.max(1));
            (first, end - first)
        };
        let (x, w) = span(self.left, self.right, width);
        let (y, h) = span(self.top, self.bottom, height);
        Rect { x, y, width: w, height: h }
    }

    /// The window as seen from the upper left corner of `rect`.
    pub(crate) fn within(self, rect: Rect) -> Self {
        let (x, y) = (f64::from(rect.x), f64::from(rect.y));
        Window { left: self.left - x, top: self.top - y, right: self.right - x, bottom: self.bottom - y }
    }
}
