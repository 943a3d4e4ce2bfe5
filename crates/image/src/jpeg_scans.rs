//! A JPEG's scans, walked through without their pixels: how many there are, and whether any is missing.

use crate::guard::damaged;
use crate::jpeg_header::{EOI, Frame, JpegHeader, Markers, SOI, SOS, truncated};
use crate::{Error, Format};

/// What was sent of a channel: for each of its 64 coefficients the bits that are still missing, `None` for all.
type Sent = [Option<u8>; 64];

/// The scans so far.
struct Scans<'a> {
    frame: &'a Frame,
    count: u64,
    sent: [Sent; 4],
}

impl Scans<'_> {
    /// Takes note of a scan's header: which channels it has, and of a progressive one which coefficients and bits.
    fn add(&mut self, header: &[u8]) {
        self.count += 1;
        let Some((&channels, rest)) = header.split_first() else { return };
        let channels = usize::from(channels).min(4);
        let Some((channels, &[first, last, bits, ..])) = rest.split_at_checked(channels * 2) else { return };
        let (first, last, missing) = match self.frame.progressive {
            true => (usize::from(first.min(63)), usize::from(last.min(63)), bits & 15),
            false => (0, 63, 0),
        };
        for channel in channels.chunks_exact(2) {
            let Some(at) = self.frame.ids.iter().position(|&id| id == Some(channel[0])) else { continue };
            for coefficient in self.sent[at].iter_mut().take(last + 1).skip(first) {
                *coefficient = Some(missing);
            }
        }
    }

    /// Every channel has at least its mean values.
    fn shows_all_channels(&self) -> bool {
        self.channels().all(|sent| sent[0].is_some())
    }

    /// Nothing can follow: every coefficient was sent, with all of its bits.
    fn is_complete(&self) -> bool {
        self.channels().flatten().all(|&missing| missing == Some(0))
    }

    fn channels(&self) -> impl Iterator<Item = &Sent> {
        self.sent.iter().take(self.frame.channels())
    }
}

/// Counts the scans up to the end marker, or to the end of the bytes where the last scan was the last one needed.
///
/// # Errors
/// [`Error::Truncated`] where scans are missing: without the end marker all of them must be there, with it each channel
/// must have one, or the picture's colours would be made up.
pub(crate) fn count(header: &JpegHeader, bytes: &[u8]) -> Result<u64, Error> {
    let mut markers = Markers { bytes, at: header.first_scan };
    let mut scans = Scans { frame: &header.frame, count: 0, sent: [[None; 64]; 4] };
    loop {
        match markers.next() {
            Some((EOI, _)) if scans.shows_all_channels() => return Ok(scans.count),
            None if scans.is_complete() => return Ok(scans.count),
            Some((EOI, _)) | None => return Err(truncated(bytes)),
            Some((SOS, _)) => scans.add(markers.segment()?),
            Some((SOI, _)) => return Err(damaged(Format::Jpeg, "a second start marker")),
            Some((code @ 0x02..=0xbf, _)) => {
                let words = format!("unknown marker {code:02x} in its data");
                return Err(damaged(Format::Jpeg, &words));
            }
            Some(_) => {
                markers.segment()?;
            }
        }
    }
}
