//! What preparing an image takes at its peak, added up from its steps before any of them is made.
//!
//! Bytes a pixel of the decoded picture, in which most of it is paid: JPEG 3 at the scale that it is
//! decoded at, and 3 to 8 more at full scale where it has several scans; PNG 1 to 8; BMP 3 or 4; GIF 5
//! to 9; WebP 4.5 to 15; TIFF 2 to 16. Grey pictures grow by 3 when they become RGB.

/// What does not depend on the image: tables, small buffers and the allocator's own.
const FIXED: u64 = 2 << 20;

/// The steps that hold the picture.
pub(crate) struct Steps {
    /// Bytes while the codec runs, with its result.
    pub(crate) decode: u64,
    /// Sides of the part of the decoded picture that is kept, upright.
    pub(crate) kept: (u32, u32),
    /// The picture is turned.
    pub(crate) turned: bool,
    /// The size that the kept part is brought to, upright.
    pub(crate) target: (u32, u32),
    /// The side of the result.
    pub(crate) size: u32,
    /// Bytes for a conversion of colours, where it comes last.
    pub(crate) conversion: u64,
}

impl Steps {
    /// The most bytes that are held at one time.
    pub(crate) fn peak(&self) -> u64 {
        let area = |width: u32, height: u32| u64::from(width) * u64::from(height);
        let (width, height) = self.kept;
        let rgb = area(width, height) * 3;
        let turn = if self.turned { rgb * 2 } else { 0 };
        // The filter brings columns to their height first. Its weights: four for each pixel of the source and three
        // for each of the result, of 8 bytes and again of 2.
        let between = area(width, self.target.1) * 3;
        let weights = u64::from(width + height) * 40 + u64::from(self.target.0 + self.target.1) * 80;
        let result = area(self.target.0, self.target.1) * 3 + area(self.size, self.size) * 3;
        let resize = rgb + between + weights + result;
        // After the picture was let go.
        let convert = area(self.target.0, self.target.1) * 3 + self.conversion;
        FIXED + self.decode.max(turn).max(resize).max(convert)
    }
}
