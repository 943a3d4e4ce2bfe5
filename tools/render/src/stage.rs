//! What shop and consumer photos have in common: cutting, painting and turning a garment.

use crate::annotation::View;
use crate::camera::Camera;
use crate::canvas::{Canvas, Frame};
use crate::folds::Fall;
use crate::garment::{assemble, wraps};
use crate::item::Item;
use crate::kind::Kind;
use crate::part::{Part, bounds};
use crate::pose::Pose;

/// A painted garment, ready to be put into a photo.
pub(crate) struct Painted {
    pub(crate) canvas: Canvas,
}

/// The box around an item in a pose, without painting it.
pub(crate) fn measure(item: &Item, pose: &Pose) -> [f32; 4] {
    let garment = assemble(item, pose);
    if pose.view == View::Side && wraps(item.kind).is_some() {
        return bounds(garment.trunk.iter().chain(&garment.over));
    }
    bounds(garment.parts())
}

/// Paints an item at `unit` pixels a body unit. `turn` is the angle of a side view.
pub(crate) fn paint(item: &Item, pose: &Pose, unit: f32, turn: f32) -> Painted {
    let garment = assemble(item, pose);
    let depth = wraps(item.kind).filter(|_| pose.view == View::Side);
    let area = measure(item, pose);
    let margin = 0.035;
    let origin = (area[0] - margin, area[1] - margin);
    let size = (area[2] - area[0] + 2.0 * margin, area[3] - area[1] + 2.0 * margin);
    let blank = || {
        let side = |length: f32| (length * unit).min(4096.0) as u32 + 1;
        Canvas::new(side(size.0), side(size.1), Frame { origin, scale: unit })
    };
    let mut canvas = blank();
    let Some(depth) = depth else {
        canvas.lay_all(garment.parts());
        return Painted { canvas };
    };
    let mut behind = blank();
    let rear = assemble(item, &Pose { view: View::Back, ..*pose });
    canvas.lay_all(trunk(&garment.under, item.kind).chain(&garment.trunk));
    behind.lay_all(trunk(&rear.under, item.kind).chain(&rear.trunk));
    crate::turn::turn(&mut canvas, &behind, depth, turn);
    canvas.lay_all(&garment.over);
    Painted { canvas }
}

/// Of the lower parts only a bag's handle goes along when the trunk is turned.
fn trunk(under: &[Part], kind: Kind) -> impl Iterator<Item = &Part> {
    under.iter().filter(move |_| kind == Kind::Bag)
}

/// How the cloth of a kind falls.
pub(crate) fn fall(kind: Kind) -> Fall {
    match kind {
        Kind::Dress | Kind::Skirt | Kind::Coat => Fall::Drape,
        Kind::Shoe | Kind::Bag => Fall::Stiff,
        _ => Fall::Body,
    }
}

/// Darkens a photo under the garment's silhouette, shifted by (dx, dy) pixels and softened.
pub(crate) fn cast(
    photo: &mut Canvas,
    painted: &Painted,
    camera: &Camera,
    shift: (f32, f32),
    radius: f32,
    strength: f32,
) {
    const COARSE: usize = 4;
    let (width, height) = (photo.pixels.width() as usize, photo.pixels.height() as usize);
    let (w, h) = (width.div_ceil(COARSE) + 1, height.div_ceil(COARSE) + 1);
    let mut shade = vec![0.0f32; w * h];
    let cloth = &painted.canvas;
    let (cw, ch) = (cloth.pixels.width() as i32, cloth.pixels.height() as i32);
    let Frame { origin, scale } = cloth.frame;
    for (row, line) in shade.chunks_exact_mut(w).enumerate() {
        for (column, value) in line.iter_mut().enumerate() {
            let at = ((column * COARSE) as f32 - shift.0, (row * COARSE) as f32 - shift.1);
            let (x, y) = camera.unproject(at);
            let (u, v) = (((x - origin.0) * scale) as i32, ((y - origin.1) * scale) as i32);
            if u >= 0 && v >= 0 && u < cw && v < ch {
                *value = f32::from(cloth.pixels.data()[((v * cw + u) * 4 + 3) as usize]) / 255.0;
            }
        }
    }
    crate::blur::soften(&mut shade, w, ((radius / COARSE as f32) as usize).max(1), 2);
    for (y, line) in photo.pixels.data_mut().chunks_exact_mut(width * 4).enumerate() {
        let (j, fv) = (y / COARSE, (y % COARSE) as f32 / COARSE as f32);
        for (x, pixel) in line.chunks_exact_mut(4).enumerate() {
            let (i, fu) = (x / COARSE, (x % COARSE) as f32 / COARSE as f32);
            let at = j * w + i;
            let top = shade[at] + (shade[at + 1] - shade[at]) * fu;
            let bottom = shade[at + w] + (shade[at + w + 1] - shade[at + w]) * fu;
            let dark = (top + (bottom - top) * fv) * strength;
            if dark > 0.004 {
                let keep = ((1.0 - dark) * 256.0) as u32;
                for channel in &mut pixel[..3] {
                    *channel = ((u32::from(*channel) * keep) >> 8) as u8;
                }
            }
        }
    }
}
