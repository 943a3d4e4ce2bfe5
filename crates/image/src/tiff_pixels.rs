//! TIFF pixels by the `tiff` crate, and what it leaves to its callers: palettes, inks, luma, Lab, planes.

use crate::colour::{in_place, to_rgb};
use crate::conversion::{Conversion, Space};
use crate::crop::{Pixels, Rect};
use crate::exif::Directory;
use crate::guard::damaged;
use crate::header::{Raster, Stored};
use crate::pieces::Pieces;
use crate::raster::WORKING_MEMORY;
use crate::tiff::{COLOURS, PHOTOMETRIC, Tags};
use crate::tiff_kind::{Kind, Layout, kind};
use crate::{Error, Format, lab};
use image::ColorType;
use std::io::ErrorKind;
use tiff::TiffError;
use tiff::decoder::{Decoder, Limits};

pub(crate) fn decode(bytes: &[u8], stored: &Stored, raster: &Raster, rect: Rect) -> Result<Pixels, Error> {
    let outside = || damaged(Format::Tiff, "its directory lies outside the file");
    let tags = Tags(Directory::first(bytes).ok_or_else(outside)?);
    let layout = kind(&tags)?;
    let raw = samples(bytes, stored, raster, &tags, &layout)?;
    let raw = if layout.planar { together(&raw, &layout) } else { raw };
    let rgb = shown(raw, bytes, &tags, &layout, stored.width, rect)
        .ok_or_else(|| damaged(Format::Tiff, "its colour map is too short"))?;
    Ok(Pixels { rgb, width: rect.width, height: rect.height })
}

/// The samples as they are stored, in this machine's order of bytes.
fn samples(bytes: &[u8], stored: &Stored, raster: &Raster, tags: &Tags, layout: &Layout) -> Result<Vec<u8>, Error> {
    let fail = |error| from_codec(bytes.len(), error);
    let mut decoder = Decoder::new(disguised(bytes, tags, layout)).map_err(fail)?;
    // The limits were checked on our reading of the header: the codec must have read the same.
    if decoder.dimensions().map_err(fail)? != (stored.width, stored.height) {
        return Err(damaged(Format::Tiff, "its headers name different sizes"));
    }
    let wanted = decoder.image_buffer_layout().map_err(fail)?;
    let length = wanted.complete_len as u64;
    if length > raster.raw {
        let words = format!("its header says {} bytes of pixels, its decoder {length}", raster.raw);
        return Err(damaged(Format::Tiff, &words));
    }
    // A last line of defence only: what the codec takes was added up from the header.
    let most = usize::try_from(2 * (raster.raw + raster.codec) + WORKING_MEMORY).unwrap_or(usize::MAX);
    let mut limits = Limits::default();
    (limits.decoding_buffer_size, limits.intermediate_buffer_size, limits.ifd_value_size) = (most, most, most);
    let mut decoder = decoder.with_limits(limits);
    let mut raw = vec![0; wanted.complete_len];
    decoder.read_image_bytes(&mut raw).map_err(fail)?;
    Ok(raw)
}

/// The file with its colours called what the decoder knows: a palette's numbers are grey to it, Lab is RGB.
fn disguised<'a>(bytes: &'a [u8], tags: &Tags, layout: &Layout) -> Pieces<'a> {
    let name = match layout.kind {
        Kind::Palette => 1,
        Kind::Lab { .. } => 2,
        // It turns grey round, but not beside alpha.
        Kind::Grey if layout.inverted => 1,
        _ => return Pieces::whole(bytes),
    };
    match tags.0.place(PHOTOMETRIC) {
        Some(at) => Pieces::patched(bytes, at, tags.0.short_entry(PHOTOMETRIC, name)),
        None => Pieces::whole(bytes),
    }
}

/// Planes of one channel each put together to pixels.
fn together(planes: &[u8], layout: &Layout) -> Vec<u8> {
    let (channels, wide) = (layout.shown as usize, layout.bits.div_ceil(8) as usize);
    let plane = planes.len() / channels;
    let mut pixels = vec![0; plane * channels];
    for (channel, plane) in planes.chunks_exact(plane.max(1)).take(channels).enumerate() {
        for (pixel, sample) in pixels.chunks_exact_mut(channels * wide).zip(plane.chunks_exact(wide)) {
            pixel[channel * wide..][..wide].copy_from_slice(sample);
        }
    }
    pixels
}

/// RGB of the pixels inside `rect`; `None` where the palette does not have them.
fn shown(mut raw: Vec<u8>, bytes: &[u8], tags: &Tags, layout: &Layout, width: u32, rect: Rect) -> Option<Vec<u8>> {
    let deep = layout.bits == 16;
    Some(match (layout.kind, layout.shown) {
        (Kind::Grey, 1) if !deep => {
            let most = (1u32 << layout.bits) - 1;
            let light = |value: usize| ((value as u32 * 255 + most / 2) / most) as u8;
            let numbers = unpacked(raw, layout.bits, width, rect);
            numbers.into_iter().flat_map(|value| [light(usize::from(value)); 3]).collect()
        }
        (Kind::Palette, _) => {
            let colours = colours(tags, layout.bits)?;
            let numbers = unpacked(raw, layout.bits, width, rect);
            numbers.into_iter().flat_map(|number| colours[usize::from(number)]).collect()
        }
        (Kind::Grey, channels) => {
            if layout.inverted {
                let alpha = if deep { 2..4 } else { 1..2 };
                for (at, byte) in raw.iter_mut().enumerate() {
                    // All ones less a number is the number with its bits turned round, whatever the order of bytes.
                    *byte ^= if alpha.contains(&(at % alpha.end)) { 0 } else { 0xff };
                }
            }
            let color = match (channels, deep) {
                (1, _) => ColorType::L16,
                (_, false) => ColorType::La8,
                (_, true) => ColorType::La16,
            };
            to_rgb(raw, color, layout.alpha, width, rect)?
        }
        (Kind::Rgb, channels) => {
            let color = match (channels, deep) {
                (3, false) => ColorType::Rgb8,
                (3, true) => ColorType::Rgb16,
                (_, false) => ColorType::Rgba8,
                (_, true) => ColorType::Rgba16,
            };
            to_rgb(raw, color, layout.alpha, width, rect)?
        }
        (Kind::Inks, _) => inks(raw, bytes, deep, width, rect),
        (Kind::Luma, _) => in_place::<3>(raw, width, rect, from_luma),
        (Kind::Lab { signed }, _) => {
            // To what numbers above or below zero stand for: 128 is in the middle then, as it is where it was added.
            let turned = if signed { 0x80 } else { 0 };
            match deep {
                false => in_place::<3>(raw, width, rect, |[l, a, b]| {
                    lab::to_rgb(f32::from(l) / 255.0, f32::from(a ^ turned) - 128.0, f32::from(b ^ turned) - 128.0)
                }),
                true => in_place::<6>(raw, width, rect, |p| {
                    let word = |channel: usize| u16::from_ne_bytes([p[2 * channel], p[2 * channel + 1]]);
                    let side = |channel| f32::from(word(channel) ^ (u16::from(turned) << 8)) / 256.0 - 128.0;
                    lab::to_rgb(f32::from(word(0)) / 65_535.0, side(1), side(2))
                }),
            }
        }
    })
}

/// The numbers of the pixels inside `rect`, a byte for each; those of less than eight bits stand in one together.
fn unpacked(raw: Vec<u8>, bits: u32, width: u32, rect: Rect) -> Vec<u8> {
    let row = (width as usize * bits as usize).div_ceil(8);
    let mut numbers = Vec::with_capacity(rect.width as usize * rect.height as usize);
    for line in raw.chunks_exact(row.max(1)).skip(rect.y as usize).take(rect.height as usize) {
        numbers.extend((rect.x..rect.x + rect.width).map(|x| {
            let bit = x * bits;
            let byte = line[(bit / 8) as usize];
            byte >> (8 - bits - bit % 8) & (0xff >> (8 - bits))
        }));
    }
    numbers
}

/// The colour map: all reds, all greens, all blues, of 16 bits each; `None` where it is too short.
fn colours(tags: &Tags, bits: u32) -> Option<Vec<[u8; 3]>> {
    let (numbers, count) = (tags.0.numbers(COLOURS), 1usize << bits);
    if numbers.len() < count * 3 {
        return None;
    }
    // Some programs write eight bits: then none is above 255.
    let shift = if numbers.iter().all(|&number| number < 256) { 0 } else { 8 };
    Some((0..count).map(|at| [0, 1, 2].map(|channel| (numbers[channel * count + at] >> shift) as u8)).collect())
}

fn inks(raw: Vec<u8>, bytes: &[u8], deep: bool, width: u32, rect: Rect) -> Vec<u8> {
    let raw = match deep {
        true => raw.as_chunks::<2>().0.iter().map(|&two| (u16::from_ne_bytes(two) >> 8) as u8).collect(),
        false => raw,
    };
    match Conversion::of(Format::Tiff, bytes, Space::Inks) {
        Some(conversion) => {
            let kept = inside(&raw, width, rect);
            kept.flat_map(|row| conversion.shown(row)).collect()
        }
        None => in_place::<4>(raw, width, rect, |[c, m, y, k]| {
            [c, m, y].map(|ink| ((u32::from(255 - ink) * u32::from(255 - k) + 127) / 255) as u8)
        }),
    }
}

/// The part of each row of four-byte pixels that lies inside `rect`.
fn inside(raw: &[u8], width: u32, rect: Rect) -> impl Iterator<Item = &[u8]> {
    let rows = raw.chunks_exact(width as usize * 4).skip(rect.y as usize).take(rect.height as usize);
    rows.map(move |row| &row[rect.x as usize * 4..][..rect.width as usize * 4])
}

/// As JPEG has it: full range, the weights of television.
fn from_luma([y, blue, red]: [u8; 3]) -> [u8; 3] {
    let (y, blue, red) = (f32::from(y), f32::from(blue) - 128.0, f32::from(red) - 128.0);
    [y + 1.402 * red, y - 0.344_136 * blue - 0.714_136 * red, y + 1.772 * blue].map(|v| v.round() as u8)
}

fn from_codec(bytes: usize, error: TiffError) -> Error {
    let format = Format::Tiff;
    match error {
        TiffError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => Error::Truncated { format, bytes },
        TiffError::UnsupportedError(feature) => Error::UnsupportedFeature { format, feature: feature.to_string() },
        TiffError::LimitsExceeded => {
            let words = format!("what stands beside its pixels needs more than {} MiB", WORKING_MEMORY >> 20);
            damaged(format, &words)
        }
        other => damaged(format, &other.to_string()),
    }
}
