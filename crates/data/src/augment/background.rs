//! Another place: the white paper around a shop's image becomes a piece of another image.

use crate::augment::canvas::Canvas;

/// A pixel's light is its darkest channel. Paper is as light as the lightest quarter of the picture's edge, and that is
/// at least this: studios print 255, lit walls and tables are darker and no paper.
const LIGHT: u8 = 226;
/// JPEG and shadows leave paper darker by up to this.
const SHADE: u8 = 9;
/// Shares of the picture that the paper may have: below there is nothing to gain, above hardly a garment is left.
const SHARE: [f64; 2] = [0.08, 0.9];
/// How much darker than paper a garment must be to be told from it, three pixels inside, and for what share of its
/// outline.
const DARKER: u8 = 14;
const TOLD: f64 = 0.7;

/// Where the paper is: 255 on it, 0 on the garment, between the two at its edge. `None` where there is none, or where a
/// garment is so light that its outline cannot be told: a white shirt must not be eaten.
pub(super) fn paper(canvas: &Canvas) -> Option<Vec<u8>> {
    let (width, height) = (canvas.width, canvas.height);
    let darkest: Vec<u8> = canvas.rgb.as_chunks::<3>().0.iter().map(|[r, g, b]| *r.min(g).min(b)).collect();
    let paper = edge(&darkest, width, height).filter(|light| *light >= LIGHT)?.saturating_sub(SHADE);
    let mut mask = flooded(&darkest, paper, width, height);
    let share = mask.iter().filter(|on| **on > 0).count() as f64 / mask.len() as f64;
    if !(SHARE[0]..=SHARE[1]).contains(&share) || !is_told(&mask, &darkest, paper - DARKER, width, height) {
        return None;
    }
    // The outermost pixel of a garment on paper is half paper: it goes with it, and the rest fades in.
    widen(&mut mask, width, height);
    Some(faded(&mask, width, height))
}

/// The light that the lightest quarter of the picture's edge reaches.
fn edge(darkest: &[u8], width: usize, height: usize) -> Option<u8> {
    let sides = (0..height).flat_map(|y| [darkest[y * width], darkest[y * width + width - 1]]);
    let mut edge: Vec<u8> =
        darkest[..width].iter().chain(&darkest[darkest.len() - width..]).copied().chain(sides).collect();
    let at = edge.len() * 3 / 4;
    edge.select_nth_unstable(at);
    edge.get(at).copied()
}

/// Everything that is paper and hangs together with the picture's edge.
fn flooded(darkest: &[u8], paper: u8, width: usize, height: usize) -> Vec<u8> {
    let mut mask = vec![0u8; darkest.len()];
    let mut open = Vec::new();
    let mut visit = |at: usize, open: &mut Vec<usize>| {
        if darkest[at] >= paper && mask[at] == 0 {
            mask[at] = 255;
            open.push(at);
        }
    };
    for x in 0..width {
        visit(x, &mut open);
        visit((height - 1) * width + x, &mut open);
    }
    for y in 0..height {
        visit(y * width, &mut open);
        visit(y * width + width - 1, &mut open);
    }
    while let Some(at) = open.pop() {
        let x = at % width;
        if x > 0 {
            visit(at - 1, &mut open);
        }
        if x + 1 < width {
            visit(at + 1, &mut open);
        }
        if at >= width {
            visit(at - width, &mut open);
        }
        if at + width < darkest.len() {
            visit(at + width, &mut open);
        }
    }
    mask
}

/// Whether the garment is darker than the paper along most of its outline.
fn is_told(mask: &[u8], darkest: &[u8], dark: u8, width: usize, height: usize) -> bool {
    let (mut edge, mut told) = (0u32, 0u32);
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            if mask[at] > 0 {
                continue;
            }
            // Away from the paper beside it.
            let inner = if x > 0 && mask[at - 1] > 0 {
                y * width + (x + 3).min(width - 1)
            } else if x + 1 < width && mask[at + 1] > 0 {
                y * width + x.saturating_sub(3)
            } else if y > 0 && mask[at - width] > 0 {
                (y + 3).min(height - 1) * width + x
            } else if y + 1 < height && mask[at + width] > 0 {
                y.saturating_sub(3) * width + x
            } else {
                continue;
            };
            edge += 1;
            told += u32::from(darkest[inner] < dark);
        }
    }
    edge > 0 && f64::from(told) >= TOLD * f64::from(edge)
}

/// The greatest of a pixel and its neighbours left, right, above and below.
fn widen(mask: &mut [u8], width: usize, height: usize) {
    let narrow = mask.to_owned();
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            let near = [
                narrow[y * width + x.saturating_sub(1)],
                narrow[y * width + (x + 1).min(width - 1)],
                narrow[y.saturating_sub(1) * width + x],
                narrow[(y + 1).min(height - 1) * width + x],
            ];
            mask[at] = near.into_iter().fold(narrow[at], u8::max);
        }
    }
}

/// The mean of 3 × 3 pixels.
fn faded(mask: &[u8], width: usize, height: usize) -> Vec<u8> {
    let mut across = vec![0u16; mask.len()];
    for (row, out) in mask.chunks_exact(width).zip(across.chunks_exact_mut(width)) {
        for (x, out) in out.iter_mut().enumerate() {
            let (left, right) = (row[x.saturating_sub(1)], row[(x + 1).min(width - 1)]);
            *out = u16::from(left) + u16::from(row[x]) + u16::from(right);
        }
    }
    let mut soft = vec![0; mask.len()];
    for (y, out) in soft.chunks_exact_mut(width).enumerate() {
        let row = |y: usize| &across[y * width..(y + 1) * width];
        let (upper, here, lower) = (row(y.saturating_sub(1)), row(y), row((y + 1).min(height - 1)));
        for (x, out) in out.iter_mut().enumerate() {
            *out = ((upper[x] + here[x] + lower[x]) / 9) as u8;
        }
    }
    soft
}

/// Lays `scene`, which has the canvas's size, where the mask is.
pub(super) fn replace(canvas: &mut Canvas, mask: &[u8], scene: &Canvas) {
    let scene = scene.rgb.as_chunks::<3>().0;
    for ((pixel, share), other) in canvas.rgb.as_chunks_mut::<3>().0.iter_mut().zip(mask).zip(scene) {
        match share {
            0 => {}
            255 => *pixel = *other,
            share => {
                let share = f32::from(*share) / 255.0;
                for (value, other) in pixel.iter_mut().zip(other) {
                    *value = (f32::from(*value) * (1.0 - share) + f32::from(*other) * share + 0.5) as u8;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square of one grey on paper, with a hole of paper in it.
    fn garment(grey: u8, paper: u8) -> Canvas {
        let mut canvas = Canvas { rgb: vec![paper; 40 * 40 * 3], width: 40, height: 40 };
        for (at, pixel) in canvas.rgb.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let (x, y) = (at % 40, at / 40);
            if (10..30).contains(&x) && (10..30).contains(&y) && !((18..22).contains(&x) && (18..22).contains(&y)) {
                *pixel = [grey; 3];
            }
        }
        canvas
    }

    #[test]
    fn paper_around_a_garment_is_replaced_and_white_inside_it_stays() {
        for light in [253, 238] {
            let mut canvas = garment(90, light);
            let mask = paper(&canvas).unwrap();
            replace(&mut canvas, &mask, &Canvas { rgb: vec![10; 40 * 40 * 3], width: 40, height: 40 });
            let at = |x: usize, y: usize| canvas.rgb[(y * 40 + x) * 3];
            assert_eq!([at(0, 0), at(5, 20), at(15, 15), at(20, 20)], [10, 10, 90, light]);
            // No white seam.
            assert!((0..20).all(|x| at(x, 15) <= 90));
        }
    }

    #[test]
    fn a_white_garment_a_room_and_blank_paper_stay_as_they_are() {
        assert!(paper(&garment(244, 253)).is_none());
        assert!(paper(&Canvas { rgb: vec![200; 300], width: 10, height: 10 }).is_none());
        assert!(paper(&Canvas { rgb: vec![255; 300], width: 10, height: 10 }).is_none());
        assert!(paper(&Canvas { rgb: vec![255; 3], width: 1, height: 1 }).is_none());
    }
}
