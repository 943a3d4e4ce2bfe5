//! Wraps the front and the back of a trunk around a body and looks at it from the side.

use crate::canvas::Canvas;
use libm::{asinf, atan2f, cosf, sinf};
use tiny_skia::Pixmap;

/// First and last covered column of every row, if any.
fn extents(image: &Pixmap) -> Vec<Option<(f32, f32)>> {
    image
        .data()
        .chunks_exact(image.width() as usize * 4)
        .map(|row| {
            let covered = |pixel: &[u8]| pixel[3] > 100;
            let first = row.chunks_exact(4).position(covered)?;
            let last = row.chunks_exact(4).rposition(covered)?;
            Some((first as f32, last as f32))
        })
        .collect()
}

fn sample(row: &[u8], x: f32) -> [f32; 4] {
    let last = row.len() / 4 - 1;
    let x = x.clamp(0.0, last as f32);
    let i = (x as usize).min(last.saturating_sub(1));
    let f = x - i as f32;
    core::array::from_fn(|k| {
        let (a, b) = (f32::from(row[i * 4 + k]), f32::from(row[(i * 4 + 4 + k).min(row.len() - 1)]));
        a + (b - a) * f
    })
}

/// Replaces `front` by its view after the body turned by `angle` radians (positive: the front looks
/// to the viewer's left). `depth` is the body's depth relative to its width; both canvases must have
/// the same size and frame, the back as seen from behind.
pub(crate) fn turn(front: &mut Canvas, back: &Canvas, depth: f32, angle: f32) {
    let width = front.pixels.width() as usize;
    let (sin, cos) = (sinf(angle), cosf(angle));
    let squeeze = (cos * cos + depth * depth * sin * sin).sqrt();
    let offset = atan2f(depth * sin, cos);
    let (ahead, behind) = (extents(&front.pixels), extents(&back.pixels));
    let rows = front.pixels.data_mut().chunks_exact_mut(width * 4);
    let backs = back.pixels.data().chunks_exact(width * 4);
    let mut copy = vec![0u8; width * 4];
    for (((row, rear), ahead), behind) in rows.zip(backs).zip(ahead).zip(behind) {
        let Some((left, right)) = ahead.or(behind) else {
            continue;
        };
        let (rear_left, rear_right) = behind.unwrap_or((left, right));
        copy.copy_from_slice(row);
        row.fill(0);
        let (middle, half) = ((left + right) / 2.0, (right - left) / 2.0 + 0.5);
        let (rear_middle, rear_half) = ((rear_left + rear_right) / 2.0, (rear_right - rear_left) / 2.0 + 0.5);
        let reach = half * squeeze;
        let first = (middle - reach).max(0.0) as usize;
        let last = ((middle + reach) as usize + 1).min(width - 1);
        for x in first..=last {
            let across = (x as f32 - middle) / reach;
            let cover = ((1.0 - across.abs()) * reach + 0.5).clamp(0.0, 1.0);
            if cover <= 0.0 {
                continue;
            }
            let at = asinf(across.clamp(-1.0, 1.0)) + offset;
            let texel = if cosf(at) >= 0.0 {
                sample(&copy, middle + half * sinf(at) * 0.985)
            } else {
                sample(rear, rear_middle - rear_half * sinf(at) * 0.985)
            };
            let round = 0.68 + 0.34 * (1.0 - across * across).max(0.0).sqrt();
            let shade = cover * round.min(1.0);
            let pixel = &mut row[x * 4..x * 4 + 4];
            for k in 0..3 {
                pixel[k] = (texel[k] * shade) as u8;
            }
            pixel[3] = (texel[3] * cover) as u8;
        }
    }
}
