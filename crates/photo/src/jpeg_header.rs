//! A JPEG's structure, read without its pixels: size, orientation, colour, scans, and whether it is whole.

use crate::guard::damaged;
use crate::orient::Orientation;
use crate::{Error, Format, exif};

/// The frame header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    width: u32,
    height: u32,
    progressive: bool,
    /// How often each channel is sampled, across and down, 0 where there is no such channel.
    pub(crate) sampling: [(u32, u32); 4],
}

impl Frame {
    pub(crate) fn channels(&self) -> usize {
        self.sampling.iter().filter(|(across, _)| *across > 0).count()
    }
}

/// What the markers ahead of the first scan say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JpegHeader {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) orientation: Orientation,
    /// An Adobe marker is there: its CMYK is stored inverted.
    pub(crate) adobe: bool,
    pub(crate) frame: Frame,
    /// All coefficients are kept until the last scan was read: there are several scans.
    pub(crate) several_scans: bool,
    /// Where the first scan's marker begins.
    first_scan: usize,
}

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP1: u8 = 0xe1;
const APP14: u8 = 0xee;

/// Goes from marker to marker as libjpeg does: bytes between segments are skipped.
struct Markers<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Markers<'a> {
    /// The next marker's code and position, stuffed and filling bytes and restarts aside.
    fn next(&mut self) -> Option<(u8, usize)> {
        loop {
            self.at += self.bytes.get(self.at..)?.iter().position(|&b| b == 0xff)?;
            let code = *self.bytes.get(self.at + 1)?;
            match code {
                // A filling byte: the marker may begin with the second one.
                0xff => self.at += 1,
                // Stuffing, TEM and restarts belong to the data around them.
                0x00 | 0x01 | 0xd0..=0xd7 => self.at += 2,
                _ => {
                    let start = self.at;
                    self.at += 2;
                    return Some((code, start));
                }
            }
        }
    }

    /// The content of the segment whose marker was just read.
    fn segment(&mut self) -> Result<&'a [u8], Error> {
        let cut = || truncated(self.bytes);
        let length = self.bytes.get(self.at..self.at + 2).ok_or_else(cut)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        if length < 2 {
            return Err(damaged(Format::Jpeg, "a segment is shorter than its length"));
        }
        let content = self.bytes.get(self.at + 2..self.at + length).ok_or_else(cut)?;
        self.at += length;
        Ok(content)
    }
}

fn truncated(bytes: &[u8]) -> Error {
    Error::truncated(Format::Jpeg, bytes)
}

/// Reads everything ahead of the first scan.
pub(crate) fn read(bytes: &[u8]) -> Result<JpegHeader, Error> {
    let mut markers = Markers { bytes, at: 2 };
    let mut frame = None;
    let mut orientation = None;
    let mut adobe = false;
    loop {
        let (code, start) = markers.next().ok_or_else(|| truncated(bytes))?;
        match code {
            SOS => {
                let frame: Frame =
                    frame.ok_or_else(|| damaged(Format::Jpeg, "a scan comes ahead of the frame header"))?;
                let scanned = markers.segment()?.first().map_or(0, |&channels| usize::from(channels));
                return Ok(JpegHeader {
                    width: frame.width,
                    height: frame.height,
                    orientation: orientation.unwrap_or_default(),
                    adobe,
                    frame,
                    several_scans: frame.progressive || scanned < frame.channels(),
                    first_scan: start,
                });
            }
            EOI => return Err(damaged(Format::Jpeg, "it has no picture in it")),
            SOI => return Err(damaged(Format::Jpeg, "a second start marker")),
            // Of the codes C0 to CF, three are tables and an extension: DHT, JPG and DAC.
            0xc0..=0xcf if !matches!(code, 0xc4 | 0xc8 | 0xcc) => {
                let header = read_frame(code, markers.segment()?)?;
                if frame.replace(header).is_some() {
                    return Err(damaged(Format::Jpeg, "two frame headers"));
                }
            }
            APP1 => {
                let content = markers.segment()?;
                if content.starts_with(b"Exif\0\0") && orientation.is_none() {
                    orientation = Some(exif::orientation(content));
                }
            }
            APP14 => {
                let content = markers.segment()?;
                adobe |= content.starts_with(b"Adobe") && content.len() >= 12;
            }
            _ => {
                markers.segment()?;
            }
        }
    }
}

fn read_frame(code: u8, content: &[u8]) -> Result<Frame, Error> {
    let unsupported = |feature: &str| Error::UnsupportedFeature { format: Format::Jpeg, feature: feature.to_string() };
    let &[bits, h1, h0, w1, w0, components, ref channels @ ..] = content else {
        return Err(damaged(Format::Jpeg, "the frame header is too short"));
    };
    match code {
        0xc0..=0xc2 => {}
        0xc3 => return Err(unsupported("lossless coding")),
        0xc5..=0xc7 => return Err(unsupported("hierarchical coding")),
        _ => return Err(unsupported("arithmetic coding")),
    }
    if bits != 8 {
        return Err(unsupported(&format!("{bits} bits a sample")));
    }
    // Two channels, or five, have no meaning that could be shown; the codec would accept up to ten.
    if !matches!(components, 1 | 3 | 4) {
        return Err(unsupported(&format!("{components} channels")));
    }
    let width = u32::from(u16::from_be_bytes([w1, w0]));
    let height = u32::from(u16::from_be_bytes([h1, h0]));
    let mut sampling = [(0, 0); 4];
    for (channel, sampling) in channels.chunks_exact(3).take(usize::from(components)).zip(&mut sampling) {
        // The codec refuses factors outside of 1 to 4.
        *sampling = (u32::from(channel[1] >> 4).clamp(1, 4), u32::from(channel[1] & 15).clamp(1, 4));
    }
    Ok(Frame { width, height, progressive: code == 0xc2, sampling })
}

impl JpegHeader {
    /// Counts the scans up to the end marker.
    ///
    /// # Errors
    /// [`Error::Truncated`] where there is no end marker: half a picture with a grey rest would be
    /// stored as if it were the photo, so it is refused, as a PNG in this state is.
    pub(crate) fn count_scans(&self, bytes: &[u8]) -> Result<u64, Error> {
        let mut markers = Markers { bytes, at: self.first_scan };
        let mut scans = 0;
        loop {
            let (code, _) = markers.next().ok_or_else(|| truncated(bytes))?;
            match code {
                EOI => return Ok(scans),
                SOS => {
                    scans += 1;
                    markers.segment()?;
                }
                SOI => return Err(damaged(Format::Jpeg, "a second start marker")),
                0x02..=0xbf => {
                    let words = format!("unknown marker {code:02x} in its data");
                    return Err(damaged(Format::Jpeg, &words));
                }
                _ => {
                    markers.segment()?;
                }
            }
        }
    }
}
