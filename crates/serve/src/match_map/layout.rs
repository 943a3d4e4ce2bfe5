//! Where things lie: regions within an image, images on the map.

use grnet_features::config::Fit;

/// Side of the square that an image is brought into: the longer side of every image on a map.
pub const SIDE: u32 = 512;
/// White around everything, between both images, and the footer's height.
pub const MARGIN: f32 = 14.0;
const GAP: f32 = 76.0;
const FOOTER: f32 = 44.0;

/// A rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Left side.
    pub left: f32,
    /// Upper side.
    pub top: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl Area {
    /// The same rectangle seen from the upper left corner of what `frame` lies on.
    pub fn within(self, frame: Self) -> Self {
        Self { left: self.left + frame.left, top: self.top + frame.top, ..self }
    }

    /// Smaller by `by` on every side, as far as that leaves anything.
    pub fn shrunk(self, by: f32) -> Self {
        let by = by.min(self.width / 3.0).min(self.height / 3.0);
        let (width, height) = (self.width - 2.0 * by, self.height - 2.0 * by);
        Self { left: self.left + by, top: self.top + by, width, height }
    }

    /// Its middle.
    pub fn middle(self) -> (f32, f32) {
        (self.left + self.width / 2.0, self.top + self.height / 2.0)
    }
}

/// Region `index` of a grid, counted row by row, in an image of `size` pixels, as the model's square shows it. `None`
/// where less than half of it is image: the rest would be white beside it.
pub fn region((width, height): (u32, u32), fit: Fit, grid: u8, index: usize) -> Option<Area> {
    let (width, height) = (width as f32, height as f32);
    let square = match fit {
        Fit::Letterbox => (width.max(height), width.max(height)),
        Fit::Stretch => (width, height),
    };
    let grid_side = usize::from(grid.max(1));
    let (row, col) = (index / grid_side, index % grid_side);
    let part = |index: usize, length: f32, square: f32| {
        let edge = |index: usize| index as f32 / grid_side as f32 * square - (square - length) / 2.0;
        let (from, to) = (edge(index).max(0.0), edge(index + 1).min(length));
        (from, (to - from).max(0.0))
    };
    let ((left, w), (top, h)) = (part(col, width, square.0), part(row, height, square.1));
    let whole = (square.0 / grid_side as f32) * (square.1 / grid_side as f32);
    // An image of a whole multiple's shape is cut at just a half: the rounding must not decide.
    (w * h > 0.499 * whole).then_some(Area { left, top, width: w, height: h })
}

/// A map's measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels: the same for all maps.
    pub height: u32,
    /// Where the left image lies.
    pub query: Area,
    /// Where the right image lies.
    pub item: Area,
    /// Where the footer's line begins: its left and its middle.
    pub footer: (f32, f32),
}

impl Layout {
    /// Puts images of these sizes side by side, over a footer of `words` pixels.
    pub fn of(query: (u32, u32), item: (u32, u32), words: f32) -> Self {
        let side = SIDE as f32;
        let place = |(width, height): (u32, u32), left: f32| Area {
            left,
            top: MARGIN + ((side - height as f32) / 2.0).floor(),
            width: width as f32,
            height: height as f32,
        };
        let images = query.0 as f32 + GAP + item.0 as f32;
        let width = (images.max(words.ceil()) + 2.0 * MARGIN) as u32;
        // Whole pixels, so that images stay as sharp as they are.
        let left = ((width as f32 - images) / 2.0).floor();
        Self {
            width,
            height: (MARGIN + side + FOOTER) as u32,
            query: place(query, left),
            item: place(item, left + query.0 as f32 + GAP),
            footer: (MARGIN, MARGIN + side + FOOTER / 2.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_a_tall_image_are_cut_by_its_sides() {
        // The square is 300 wide, 75 of white on both sides: half of the first of two columns is image.
        let area = |left, top, width, height| Some(Area { left, top, width, height });
        assert_eq!(region((150, 300), Fit::Letterbox, 2, 0), area(0.0, 0.0, 75.0, 150.0));
        assert_eq!(region((150, 300), Fit::Letterbox, 2, 3), area(75.0, 150.0, 75.0, 150.0));
        // Of the first of three columns a quarter is.
        assert_eq!(region((150, 300), Fit::Letterbox, 3, 3), None);
        assert_eq!(region((150, 300), Fit::Letterbox, 3, 4), area(25.0, 100.0, 100.0, 100.0));
        assert_eq!(region((150, 300), Fit::Stretch, 3, 3), area(0.0, 100.0, 50.0, 100.0));
        assert_eq!(region((512, 1), Fit::Letterbox, 3, 4), None);
    }

    #[test]
    fn images_stand_side_by_side_in_the_middle_of_their_height() {
        let layout = Layout::of((412, 512), (512, 300), 100.0);
        assert_eq!((layout.width, layout.height), (14 + 412 + 76 + 512 + 14, 14 + 512 + 44));
        assert_eq!(layout.query, Area { left: 14.0, top: 14.0, width: 412.0, height: 512.0 });
        assert_eq!(layout.item, Area { left: 502.0, top: 14.0 + 106.0, width: 512.0, height: 300.0 });
    }

    #[test]
    fn words_have_room_below_thin_images() {
        let layout = Layout::of((1, 512), (1, 512), 430.5);
        assert_eq!(layout.width, 431 + 28);
        assert!(layout.query.left > 150.0 && layout.item.left < layout.width as f32 - 150.0);
    }
}
