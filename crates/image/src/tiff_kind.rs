//! What the channels of a TIFF are, from its directory.

use crate::Error;
use crate::header::Alpha;
use crate::tiff::{
    BITS, COLOURS, EXTRA_SAMPLES, MAX_SAMPLES, PHOTOMETRIC, PLANAR, PREDICTOR, SAMPLE_FORMAT, SAMPLES, Tags,
    unsupported,
};

/// What numbers a pixel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Grey,
    /// A number of the colour map.
    Palette,
    Rgb,
    /// Cyan, magenta, yellow and black.
    Inks,
    /// Luma and two differences of colour, as in a JPEG.
    Luma,
    /// CIE's L*, a*, b*.
    Lab {
        /// a* and b* are below zero or above; else 128 is added to them.
        signed: bool,
    },
}

/// Channels of a pixel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) kind: Kind,
    /// Bits of a channel: 1, 2, 4, 8 or 16.
    pub(crate) bits: u32,
    /// Channels in the file.
    pub(crate) stored: u64,
    /// Channels as the decoder delivers them.
    pub(crate) shown: u64,
    pub(crate) alpha: Alpha,
    /// Zero is white, and the decoder does not turn it round.
    pub(crate) inverted: bool,
    /// Each channel is a picture of its own.
    pub(crate) planar: bool,
}

/// Refuses channels that the decoder would mistake for others.
pub(crate) fn kind(tags: &Tags) -> Result<Layout, Error> {
    let samples = tags.number(SAMPLES)?.unwrap_or(1);
    if samples == 0 || samples > MAX_SAMPLES {
        return Err(unsupported(format!("{samples} channels")));
    }
    let extra = match (tags.0.count(EXTRA_SAMPLES), tags.number(EXTRA_SAMPLES)) {
        (0, _) => None,
        (1, value) => value?,
        (count, _) => return Err(unsupported(format!("{count} channels besides its colours"))),
    };
    let photometric = tags.number(PHOTOMETRIC)?;
    match (tags.first_of(SAMPLE_FORMAT)?, photometric) {
        (None | Some(1), _) | (Some(2), Some(8)) => {}
        (Some(3), _) => return Err(unsupported("floating-point samples".to_string())),
        (Some(other), _) => return Err(unsupported(format!("samples of format {other}"))),
    }
    let planar = samples > 1 && tags.number(PLANAR)? == Some(2);
    let predicted = tags.number(PREDICTOR)?.unwrap_or(1) != 1;
    let of = |kind, alpha| {
        let channels = u64::from(samples);
        Layout { kind, bits: 0, stored: channels, shown: channels, alpha, inverted: false, planar }
    };
    let straight = |kind| of(kind, Alpha::Straight);
    let layout = match (photometric, samples, extra) {
        (Some(0 | 1), 1, None) => straight(Kind::Grey),
        // Without a word about the second channel it is taken as alpha, as a fourth one beside colours is.
        (Some(zero @ (0 | 1)), 2, None | Some(0 | 2)) => Layout { inverted: zero == 0, ..straight(Kind::Grey) },
        (Some(zero @ (0 | 1)), 2, Some(1)) => Layout { inverted: zero == 0, ..of(Kind::Grey, Alpha::Multiplied) },
        (Some(2), 3, None) => straight(Kind::Rgb),
        (Some(2), 4, None | Some(2)) => straight(Kind::Rgb),
        (Some(2), 4, Some(1)) => of(Kind::Rgb, Alpha::Multiplied),
        // The decoder drops the fourth channel, and then undoes a predictor as if there still were four.
        (Some(2), 4, Some(0)) if predicted && !planar => {
            return Err(unsupported("a predictor with a channel that is neither colour nor alpha".to_string()));
        }
        (Some(2), 4, Some(0)) => Layout { shown: 3, ..straight(Kind::Rgb) },
        (Some(3), 1, None) if tags.0.count(COLOURS) > 0 => straight(Kind::Palette),
        (Some(5), 4, None) => straight(Kind::Inks),
        (Some(6), 3, None) => straight(Kind::Luma),
        (Some(8), 3, None) => straight(Kind::Lab { signed: true }),
        (Some(9), 3, None) => straight(Kind::Lab { signed: false }),
        (Some(0..=9), _, None) => return Err(unsupported(format!("{samples} channels"))),
        (Some(0..=9), _, Some(kind)) => {
            return Err(unsupported(format!("{samples} channels, one of them extra (of kind {kind})")));
        }
        (Some(other), ..) => return Err(unsupported(format!("colours of kind {other}"))),
        (None, ..) => return Err(unsupported("colours of no kind".to_string())),
    };
    let bits = tags.first_of(BITS)?.unwrap_or(1);
    match (layout.kind, samples, bits) {
        (_, _, 8) | (Kind::Grey | Kind::Palette, 1, 1 | 2 | 4) => {}
        (Kind::Grey | Kind::Rgb | Kind::Inks | Kind::Lab { .. }, _, 16) => {}
        _ => return Err(unsupported(format!("{bits} bits a sample"))),
    }
    Ok(Layout { bits, ..layout })
}
