//! What an image may cost before it is refused.

use crate::Error;

/// The longest side of an image in pixels, whatever its other side is: the resize filter keeps four
/// 8-byte weights for each source column, so a PNG of 64,000,000 x 1 would take 2 GB for them alone.
/// It is also the longest side that GIF and the BMP decoder know (libjpeg ends at 65,500).
pub const MAX_SIDE: u32 = 65_535;

/// The largest size that [`crate::prepare`] produces, in pixels (4096 x 4096 x 3 bytes are 50 MB).
pub const MAX_SIZE: u32 = 4096;

/// Limits on what is given, checked against the file's length and its header before any memory in
/// proportion to the declared size is taken.
///
/// What decoding an image within them takes is said by [`crate::Plan::memory`]: from less than a byte
/// a pixel (a JPEG of one scan, reduced) to 16 (a TIFF of 16-bit RGBA), and up to 128 MiB for metadata
/// or tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes that a file may have.
    pub max_bytes: u64,
    /// Most pixels (width times height) that its header may declare.
    pub max_pixels: u64,
}

impl Default for Limits {
    /// 32 MiB and 64 million pixels: the defaults of the extension's settings.
    fn default() -> Self {
        Limits { max_bytes: 32 << 20, max_pixels: 64_000_000 }
    }
}

impl Limits {
    pub(crate) fn check_bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        let got = bytes.len() as u64;
        if got > self.max_bytes {
            return Err(Error::TooManyBytes { got, limit: self.max_bytes });
        }
        if bytes.is_empty() {
            return Err(Error::Empty);
        }
        Ok(())
    }

    pub(crate) fn check_pixels(&self, width: u32, height: u32) -> Result<(), Error> {
        let got = u64::from(width) * u64::from(height);
        if got > self.max_pixels {
            return Err(Error::TooManyPixels { got, limit: self.max_pixels });
        }
        if width.max(height) > MAX_SIDE {
            return Err(Error::SideTooLong { width, height, limit: MAX_SIDE });
        }
        Ok(())
    }
}

pub(crate) fn check_size(size: u32) -> Result<(), Error> {
    if size == 0 || size > MAX_SIZE {
        return Err(Error::BadSize { got: size, limit: MAX_SIZE });
    }
    Ok(())
}
