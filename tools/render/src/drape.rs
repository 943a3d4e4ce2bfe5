//! Puts a painted garment into a photo: perspective, wrinkles, and the record of where it landed.

use crate::annotation::BoundingBox;
use crate::camera::Camera;
use crate::canvas::Canvas;
use crate::folds::Folds;

/// Draws the garment over the photo; returns its coverage (one byte a pixel of the photo).
pub(crate) fn drape(photo: &mut Canvas, cloth: &Canvas, camera: &Camera, folds: &Folds) -> Vec<u8> {
    let (width, height) = (photo.pixels.width() as usize, photo.pixels.height() as usize);
    let (cw, ch) = (cloth.pixels.width() as usize, cloth.pixels.height() as usize);
    let frame = cloth.frame;
    let end = (frame.origin.0 + cw as f32 / frame.scale, frame.origin.1 + ch as f32 / frame.scale);
    let area = camera.footprint([frame.origin.0, frame.origin.1, end.0, end.1]);
    let clamp = |v: f32, limit: usize| v.max(0.0).min(limit as f32) as usize;
    let columns = clamp(area[0] - 1.0, width)..clamp(area[2] + 2.0, width);
    let mut cover = vec![0u8; width * height];
    let source = cloth.pixels.data();
    let target = photo.pixels.data_mut();
    let limit = (cw as f32 - 1.001, ch as f32 - 1.001);
    for y in clamp(area[1] - 1.0, height)..clamp(area[3] + 2.0, height) {
        for x in columns.clone() {
            let (bx, by) = camera.unproject((x as f32 + 0.5, y as f32 + 0.5));
            let [shade, dx, dy] = folds.at(bx, by);
            let u = (bx + dx - frame.origin.0) * frame.scale - 0.5;
            let v = (by + dy - frame.origin.1) * frame.scale - 0.5;
            if !(u >= 0.0 && v >= 0.0 && u < limit.0 && v < limit.1) {
                continue;
            }
            let (i, j) = (u as usize, v as usize);
            let (fu, fv) = (u - i as f32, v - j as f32);
            let at = (j * cw + i) * 4;
            let (top, bottom) = (&source[at..at + 8], &source[at + cw * 4..at + cw * 4 + 8]);
            let texel: [f32; 4] = core::array::from_fn(|k| {
                let a = f32::from(top[k]) + (f32::from(top[k + 4]) - f32::from(top[k])) * fu;
                let b = f32::from(bottom[k]) + (f32::from(bottom[k + 4]) - f32::from(bottom[k])) * fu;
                a + (b - a) * fv
            });
            if texel[3] < 1.0 {
                continue;
            }
            let keep = 1.0 - texel[3] / 255.0;
            let pixel = &mut target[(y * width + x) * 4..(y * width + x) * 4 + 3];
            for (slot, value) in pixel.iter_mut().zip(texel) {
                *slot = (value * shade + f32::from(*slot) * keep + 0.5) as u8;
            }
            cover[y * width + x] = texel[3] as u8;
        }
    }
    cover
}

/// The box around every pixel that is at least half covered, if there is one.
pub(crate) fn bounds(cover: &[u8], width: usize) -> Option<BoundingBox> {
    let mut found: Option<[usize; 4]> = None;
    for (y, row) in cover.chunks_exact(width).enumerate() {
        let Some(first) = row.iter().position(|&c| c > 127) else {
            continue;
        };
        let last = row.iter().rposition(|&c| c > 127).unwrap_or(first);
        found = Some(match found {
            None => [first, y, last, y],
            Some([l, t, r, _]) => [l.min(first), t, r.max(last), y],
        });
    }
    found.map(|[l, t, r, b]| BoundingBox {
        left: l as u32,
        top: t as u32,
        width: (r - l + 1) as u32,
        height: (b - t + 1) as u32,
    })
}

/// Points of a garment, one every few pixels of its canvas, in body units.
pub(crate) fn points(cloth: &Canvas) -> Vec<(f32, f32)> {
    let width = cloth.pixels.width() as usize;
    let height = cloth.pixels.height() as usize;
    let data = cloth.pixels.data();
    let mut list = Vec::new();
    for y in (1..height).step_by(4) {
        for x in (1..width).step_by(4) {
            if data[(y * width + x) * 4 + 3] > 127 {
                let frame = cloth.frame;
                list.push((
                    frame.origin.0 + (x as f32 + 0.5) / frame.scale,
                    frame.origin.1 + (y as f32 + 0.5) / frame.scale,
                ));
            }
        }
    }
    list
}

/// The share of a garment's points that a camera puts outside a photo.
pub(crate) fn outside(points: &[(f32, f32)], camera: &Camera, width: f32, height: f32) -> f32 {
    let gone = points
        .iter()
        .filter(|&&point| {
            let (x, y) = camera.project(point);
            !(x >= 0.0 && y >= 0.0 && x < width && y < height)
        })
        .count();
    gone as f32 / points.len().max(1) as f32
}
