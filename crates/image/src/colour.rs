//! Every pixel layout that a decoder delivers, brought to 8-bit RGB on white.

use crate::crop::Rect;
use crate::header::Alpha;
use image::ColorType;

/// Whether [`to_rgb`] knows the layout: floating point has no settled meaning.
pub(crate) fn is_known(color: ColorType) -> bool {
    use ColorType::{L8, L16, La8, La16, Rgb8, Rgb16, Rgba8, Rgba16};
    matches!(color, L8 | La8 | L16 | La16 | Rgb8 | Rgba8 | Rgb16 | Rgba16)
}

/// Converts the pixels inside `rect` of a picture `width` pixels wide; `None` for unknown layouts.
///
/// Where a pixel has three bytes or more it happens in place, so that a 16-bit RGBA picture needs 8
/// bytes a pixel in all and not 11.
pub(crate) fn to_rgb(raw: Vec<u8>, color: ColorType, alpha: Alpha, width: u32, rect: Rect) -> Option<Vec<u8>> {
    Some(match (color, alpha) {
        (ColorType::Rgba8, Alpha::NoneIfZero) if raw.as_chunks::<4>().0.iter().all(|p| p[3] == 0) => {
            in_place::<4>(raw, width, rect, |[r, g, b, _]| [r, g, b])
        }
        (ColorType::Rgba8, Alpha::Multiplied) => {
            in_place::<4>(raw, width, rect, |[r, g, b, a]| [r, g, b].map(|v| v.saturating_add(255 - a)))
        }
        (ColorType::La8, Alpha::Multiplied) => grown::<2>(raw, width, rect, |[v, a]| [v.saturating_add(255 - a); 3]),
        (ColorType::La16, Alpha::Multiplied) => {
            in_place::<4>(raw, width, rect, |p| [narrow(word(&p, 0).saturating_add(65_535 - word(&p, 1))); 3])
        }
        (ColorType::Rgba16, Alpha::Multiplied) => in_place::<8>(raw, width, rect, |p| {
            [0, 1, 2].map(|c| narrow(word(&p, c).saturating_add(65_535 - word(&p, 3))))
        }),
        _ => return straight(raw, color, width, rect),
    })
}

fn straight(raw: Vec<u8>, color: ColorType, width: u32, rect: Rect) -> Option<Vec<u8>> {
    Some(match color {
        ColorType::L8 => grown::<1>(raw, width, rect, |[v]| [v; 3]),
        ColorType::La8 => grown::<2>(raw, width, rect, |[v, a]| [on_white(v, a); 3]),
        ColorType::L16 => grown::<2>(raw, width, rect, |v| [narrow(u16::from_ne_bytes(v)); 3]),
        ColorType::La16 => in_place::<4>(raw, width, rect, |p| [narrow(on_white16(word(&p, 0), word(&p, 1))); 3]),
        ColorType::Rgb8 if raw.len() == rect.width as usize * rect.height as usize * 3 => raw,
        ColorType::Rgb8 => in_place::<3>(raw, width, rect, |p| p),
        ColorType::Rgba8 => {
            in_place::<4>(raw, width, rect, |[r, g, b, a]| [on_white(r, a), on_white(g, a), on_white(b, a)])
        }
        ColorType::Rgb16 => in_place::<6>(raw, width, rect, |p| [0, 1, 2].map(|c| narrow(word(&p, c)))),
        ColorType::Rgba16 => {
            in_place::<8>(raw, width, rect, |p| [0, 1, 2].map(|c| narrow(on_white16(word(&p, c), word(&p, 3)))))
        }
        _ => return None,
    })
}

/// For pixels of fewer bytes than the result's.
pub(crate) fn grown<const N: usize>(
    raw: Vec<u8>,
    width: u32,
    rect: Rect,
    convert: impl Fn([u8; N]) -> [u8; 3],
) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(rect.width as usize * rect.height as usize * 3);
    for y in rect.y..rect.y + rect.height {
        let start = (y as usize * width as usize + rect.x as usize) * N;
        let row = &raw[start..start + rect.width as usize * N];
        rgb.extend(row.as_chunks::<N>().0.iter().flat_map(|&p| convert(p)));
    }
    rgb
}

/// For pixels of at least the result's bytes: the place written to is never ahead of the one read.
pub(crate) fn in_place<const N: usize>(
    mut raw: Vec<u8>,
    width: u32,
    rect: Rect,
    convert: impl Fn([u8; N]) -> [u8; 3],
) -> Vec<u8> {
    let length = rect.width as usize * rect.height as usize * 3;
    let mut to = 0;
    for y in rect.y..rect.y + rect.height {
        let mut from = (y as usize * width as usize + rect.x as usize) * N;
        for _ in 0..rect.width {
            let mut pixel = [0; N];
            pixel.copy_from_slice(&raw[from..from + N]);
            raw[to..to + 3].copy_from_slice(&convert(pixel));
            from += N;
            to += 3;
        }
    }
    raw.truncate(length);
    raw.shrink_to_fit();
    raw
}

fn word(pixel: &[u8], channel: usize) -> u16 {
    u16::from_ne_bytes([pixel[2 * channel], pixel[2 * channel + 1]])
}

/// 16 to 8 bits, rounded: 65,535 is 257 times 255.
fn narrow(value: u16) -> u8 {
    ((u32::from(value) + 128) / 257) as u8
}

fn on_white(value: u8, alpha: u8) -> u8 {
    let (v, a) = (u32::from(value), u32::from(alpha));
    ((v * a + 255 * (255 - a) + 127) / 255) as u8
}

fn on_white16(value: u16, alpha: u16) -> u16 {
    let (v, a) = (u64::from(value), u64::from(alpha));
    ((v * a + 65_535 * (65_535 - a) + 32_767) / 65_535) as u16
}
