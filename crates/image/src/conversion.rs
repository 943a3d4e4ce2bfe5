//! From a picture's own colours, as its profile says, to sRGB.
//!
//! It happens after the picture was reduced, on the pixels of the result: 50,000 and not 12 million. The filter then
//! averages the numbers of another space, but all of these spaces have a curve close to sRGB's, which is what the filter
//! averages without a profile. Inks are converted while they are decoded, since what follows knows three channels.

use crate::Format;
use crate::curve;
use crate::profile;
use moxcms::{
    ColorProfile, DataColorSpace, Layout, LutWarehouse, ParsingOptions, RenderingIntent, Transform8BitExecutor,
    TransformOptions,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What the numbers of a picture are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Space {
    Grey,
    Rgb,
    Inks,
}

/// A conversion to sRGB.
pub(crate) struct Conversion {
    space: Space,
    executor: Arc<Transform8BitExecutor>,
}

/// The tags that say what colours are. Others are texts, or lead back from colours to numbers.
const TAGS: [&[u8; 4]; 12] =
    [b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"wtpt", b"chad", b"A2B0", b"A2B1", b"bkpt"];

/// Most tags that a profile's table may have; real ones have 9 to 40.
const MOST_TAGS: usize = 200;

/// Largest difference of two colours' coordinates that nobody sees: a profile that near to sRGB's is one of its many copies.
const NEAR: f64 = 0.003;

/// What a conversion takes beside its profile, in bytes: grids of 17^4 and 33^3 colours, curves.
const FIXED: u64 = 3 << 20;

/// The most bytes that [`Conversion::of`] takes for this file, and keeps.
pub(crate) fn memory(format: Format, bytes: &[u8]) -> u64 {
    match profile::bound(format, bytes) {
        0 => 0,
        // The profile, and two of its tables in memory, of which one was brought to floating point.
        length => length * 4 + FIXED,
    }
}

impl Conversion {
    /// The conversion that a file's profile asks for. `None` where it has none, has sRGB's, or has one that is broken or
    /// for other kinds of pixels: like other programs, this one then shows the numbers as they are.
    pub(crate) fn of(format: Format, bytes: &[u8], space: Space) -> Option<Self> {
        let bytes = profile::read(format, bytes)?;
        // A profile that makes the library panic is broken.
        catch_unwind(AssertUnwindSafe(|| Self::from_profile(bytes, space))).ok().flatten()
    }

    fn from_profile(mut bytes: Vec<u8>, space: Space) -> Option<Self> {
        leave_out_others(&mut bytes)?;
        let limits = ParsingOptions { max_profile_size: bytes.len() + 1, ..ParsingOptions::default() };
        let mut profile = ColorProfile::new_from_slice_with_options(&bytes, limits).ok()?;
        drop(bytes);
        let (wanted, layout) = match space {
            Space::Grey => (DataColorSpace::Gray, Layout::Gray),
            Space::Rgb => (DataColorSpace::Rgb, Layout::Rgb),
            Space::Inks => (DataColorSpace::Cmyk, Layout::Rgba),
        };
        if profile.color_space != wanted || is_srgb(&profile) {
            return None;
        }
        if profile.lut_a_to_b_perceptual.is_none() {
            profile.lut_a_to_b_perceptual = profile.lut_a_to_b_colorimetric.take();
        }
        if profile.lut_a_to_b_perceptual.as_ref().is_some_and(|table| !has_channels(table, layout.channels())) {
            return None;
        }
        let options = TransformOptions { rendering_intent: RenderingIntent::Perceptual, ..TransformOptions::default() };
        let executor = profile.create_transform_8bit(layout, &ColorProfile::new_srgb(), Layout::Rgb, options).ok()?;
        Some(Conversion { space, executor })
    }

    /// Converts RGB pixels; those of a grey picture have three equal channels.
    pub(crate) fn apply(&self, pixels: &mut [u8]) {
        match self.space {
            Space::Grey => {
                let every: Vec<u8> = (0..=255).collect();
                let shown = self.shown(&every);
                pixels.chunks_exact_mut(3).for_each(|p| p.copy_from_slice(&shown[usize::from(p[0]) * 3..][..3]));
            }
            Space::Rgb => {
                // Some rows at a time: the library does not convert in place.
                for part in pixels.chunks_mut(3 * 4096) {
                    let shown = self.shown(part);
                    part.copy_from_slice(&shown);
                }
            }
            Space::Inks => {}
        }
    }

    /// RGB of pixels of four inks, 255 for all ink that there is.
    pub(crate) fn shown(&self, pixels: &[u8]) -> Vec<u8> {
        let channels = match self.space {
            Space::Grey => 1,
            Space::Rgb => 3,
            Space::Inks => 4,
        };
        let mut rgb = vec![0; pixels.len() / channels * 3];
        let converted = catch_unwind(AssertUnwindSafe(|| self.executor.transform(pixels, &mut rgb).is_ok()));
        if matches!(converted, Ok(true)) { rgb } else { pixels.chunks_exact(channels).flat_map(plain).collect() }
    }
}

/// A pixel's colour as it is without a profile, where the library fails after all.
fn plain(pixel: &[u8]) -> [u8; 3] {
    match *pixel {
        [light] => [light; 3],
        [red, green, blue] => [red, green, blue],
        [cyan, magenta, yellow, black] => {
            [cyan, magenta, yellow].map(|ink| ((u32::from(255 - ink) * u32::from(255 - black) + 127) / 255) as u8)
        }
        _ => [0; 3],
    }
}

/// Makes the library pass over all tags but the first of each kind that is needed: the others cost time and memory, and
/// one of them that is broken would take the whole profile with it. `None` where there is no table of tags.
fn leave_out_others(profile: &mut [u8]) -> Option<()> {
    let count: [u8; 4] = profile.get(128..132)?.try_into().ok()?;
    let count = u32::from_be_bytes(count) as usize;
    if count > MOST_TAGS {
        return None;
    }
    let table = profile.get_mut(132..132 + count * 12)?;
    let mut seen = [false; TAGS.len()];
    for entry in table.chunks_exact_mut(12) {
        match TAGS.iter().position(|tag| entry.starts_with(*tag)) {
            Some(at) if !seen[at] => seen[at] = true,
            _ => entry[..4].fill(0),
        }
    }
    Some(())
}

/// Whether a table takes that many channels and gives the three of a connection space: the library trusts it.
fn has_channels(table: &LutWarehouse, channels: usize) -> bool {
    let (takes, gives) = match table {
        LutWarehouse::Lut(table) => (table.num_input_channels, table.num_output_channels),
        LutWarehouse::Multidimensional(table) => (table.num_input_channels, table.num_output_channels),
    };
    usize::from(takes) == channels && gives == 3
}

/// Whether the profile is sRGB's, however it is written down: most are, and converting would cost time for nothing.
fn is_srgb(profile: &ColorProfile) -> bool {
    if profile.lut_a_to_b_perceptual.is_some() || profile.lut_a_to_b_colorimetric.is_some() {
        return false;
    }
    match profile.color_space {
        DataColorSpace::Gray => profile.gray_trc.as_ref().is_some_and(curve::is_srgb),
        DataColorSpace::Rgb => {
            let srgb = ColorProfile::new_srgb();
            let near = |a: moxcms::Xyzd, b: moxcms::Xyzd| {
                [a.x - b.x, a.y - b.y, a.z - b.z].iter().all(|difference| difference.abs() < NEAR)
            };
            let curves = [&profile.red_trc, &profile.green_trc, &profile.blue_trc];
            near(profile.red_colorant, srgb.red_colorant)
                && near(profile.green_colorant, srgb.green_colorant)
                && near(profile.blue_colorant, srgb.blue_colorant)
                && curves.iter().all(|curve| curve.as_ref().is_some_and(curve::is_srgb))
        }
        _ => false,
    }
}
