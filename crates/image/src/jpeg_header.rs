//! A JPEG's structure, read without its pixels: size, orientation, colour, scans, and whether it is whole.

use crate::conversion::Space;
use crate::guard::damaged;
use crate::orient::Orientation;
use crate::{Error, Format, exif, xmp};

/// The frame header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) progressive: bool,
    /// What its scans call each channel.
    pub(crate) ids: [Option<u8>; 4],
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
    pub(crate) first_scan: usize,
}

pub(crate) const SOI: u8 = 0xd8;
pub(crate) const EOI: u8 = 0xd9;
pub(crate) const SOS: u8 = 0xda;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP14: u8 = 0xee;

/// What an XMP packet begins with.
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// What a piece of a colour profile begins with; then come its number, from 1, and how many there are.
const PROFILE: &[u8] = b"ICC_PROFILE\0";

/// Goes from marker to marker as libjpeg does: bytes between segments are skipped.
pub(crate) struct Markers<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Markers<'a> {
    /// The next marker's code and position, stuffed and filling bytes and restarts aside.
    pub(crate) fn next(&mut self) -> Option<(u8, usize)> {
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
    pub(crate) fn segment(&mut self) -> Result<&'a [u8], Error> {
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

pub(crate) fn truncated(bytes: &[u8]) -> Error {
    Error::truncated(Format::Jpeg, bytes)
}

/// Reads everything ahead of the first scan.
pub(crate) fn read(bytes: &[u8]) -> Result<JpegHeader, Error> {
    let mut markers = Markers { bytes, at: 2 };
    let mut frame = None;
    // Without a word about it in EXIF, XMP may have one.
    let (mut in_exif, mut in_xmp) = (None, None);
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
                    orientation: in_exif.flatten().or(in_xmp).map(Orientation::from_exif).unwrap_or_default(),
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
                if content.starts_with(b"Exif\0\0") {
                    // Of two blocks the second one goes on with the first.
                    in_exif = in_exif.or_else(|| Some(exif::orientation(content)));
                } else if let Some(packet) = content.strip_prefix(XMP) {
                    in_xmp = in_xmp.or_else(|| xmp::orientation(packet));
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

pub(crate) fn read_frame(code: u8, content: &[u8]) -> Result<Frame, Error> {
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
    let (mut sampling, mut ids) = ([(0, 0); 4], [None; 4]);
    let channels = channels.chunks_exact(3).take(usize::from(components));
    for (channel, (sampling, id)) in channels.zip(sampling.iter_mut().zip(&mut ids)) {
        *id = Some(channel[0]);
        // The codec refuses factors outside of 1 to 4.
        *sampling = (u32::from(channel[1] >> 4).clamp(1, 4), u32::from(channel[1] & 15).clamp(1, 4));
    }
    Ok(Frame { width, height, progressive: code == 0xc2, ids, sampling })
}

/// The pieces of the colour profile in their order; empty where there is none, or a piece is missing.
pub(crate) fn profile(bytes: &[u8]) -> Vec<&[u8]> {
    let mut markers = Markers { bytes, at: 2 };
    let mut pieces: Vec<(u8, u8, &[u8])> = Vec::new();
    while let Some((code, _)) = markers.next() {
        let Ok(content) = markers.segment() else { break };
        match (code, content.strip_prefix(PROFILE)) {
            (SOS, _) => break,
            // Their number is one byte.
            (APP2, Some(_)) if pieces.len() == 255 => return Vec::new(),
            (APP2, Some(&[number, count, ref piece @ ..])) => pieces.push((number, count, piece)),
            _ => {}
        }
    }
    pieces.sort_by_key(|&(number, ..)| number);
    match pieces.first() {
        Some(&(_, count, _)) if usize::from(count) == pieces.len() => pieces.iter().map(|piece| piece.2).collect(),
        _ => Vec::new(),
    }
}

impl JpegHeader {
    /// What its numbers are for a colour profile.
    pub(crate) fn space(&self) -> Space {
        match self.frame.channels() {
            1 => Space::Grey,
            4 => Space::Inks,
            _ => Space::Rgb,
        }
    }
}
