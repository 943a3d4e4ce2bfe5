//! Things that come between the camera and the garment, sized to hide a wanted share of it.

use crate::colour::Rgb;
use crate::dice::Dice;
use crate::outline::{Outline, Pt};
use crate::part::{Mark, Part};
use tiny_skia::{FillRule, Mask, Transform};

/// Where the photo was taken: not everything turns up everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Somebody wears the garment.
    Worn,
    /// It hangs.
    Hung,
    /// It lies.
    Laid,
}

/// Parts that cover about `wanted` (a fraction) of the pixels marked in `cover`. `covered` is what
/// already hides the garment and counts towards it.
pub(crate) fn place(
    cover: &[u8],
    covered: &mut Mask,
    wanted: f32,
    place: Place,
    skin: Rgb,
    dice: &mut Dice,
) -> Vec<Part> {
    let (width, height) = (covered.width() as usize, covered.height() as usize);
    let Some(bounds) = crate::drape::bounds(cover, width) else {
        return Vec::new();
    };
    let mut spot = (0.0, 0.0);
    for _ in 0..24 {
        // Aim at cloth, away from its border.
        spot = (
            bounds.left as f32 + bounds.width as f32 * dice.range(0.22, 0.78),
            bounds.top as f32 + bounds.height as f32 * dice.range(0.2, 0.85),
        );
        let at = (spot.1 as usize).min(height - 1) * width + (spot.0 as usize).min(width - 1);
        if cover[at] > 127 {
            break;
        }
    }
    let centre = (width as f32 / 2.0, height as f32 / 2.0);
    let parts = thing(place, skin, spot, centre, dice);
    let size = (bounds.width.max(bounds.height)) as f32;
    let (mut small, mut large) = (0.05, 1.6);
    let mut best = Vec::new();
    for _ in 0..7 {
        let scale = (small + large) / 2.0 * size;
        let scaled: Vec<Part> =
            parts.iter().map(|part| part.moved(|(x, y)| (spot.0 + x * scale, spot.1 + y * scale))).collect();
        let mut mask = covered.clone();
        stamp(&mut mask, &scaled);
        if hidden(cover, &mask) > wanted {
            large = scale / size
        } else {
            small = scale / size
        }
        best = scaled;
    }
    stamp(covered, &best);
    best
}

/// Adds parts to a mask.
pub(crate) fn stamp(mask: &mut Mask, parts: &[Part]) {
    for part in parts {
        if let Some(path) = part.shape.path(true) {
            mask.fill_path(&path, FillRule::Winding, true, Transform::identity());
        }
    }
}

/// The share of the garment's pixels that a mask covers.
pub(crate) fn hidden(cover: &[u8], mask: &Mask) -> f32 {
    let (mut all, mut under) = (0u32, 0u32);
    for (garment, over) in cover.iter().zip(mask.data()) {
        if *garment > 127 {
            all += 1;
            under += u32::from(*over > 127);
        }
    }
    under as f32 / all.max(1) as f32
}

/// A thing around (0, 0) in units of its own size.
fn thing(place: Place, skin: Rgb, spot: Pt, centre: Pt, dice: &mut Dice) -> Vec<Part> {
    let turn = dice.spread(0.35);
    let colour = dice.pick(&[
        Rgb::hex(0x7a4a2f),
        Rgb::hex(0x2b2a2c),
        Rgb::hex(0xc08f5a),
        Rgb::hex(0x8c2f39),
        Rgb::hex(0x3d5a5b),
        Rgb::hex(0xd9cbb5),
        Rgb::hex(0x4f6285),
    ]);
    let choice = match place {
        Place::Worn => dice.pick(&[0, 1, 2, 3]),
        Place::Hung => dice.pick(&[1, 3, 3, 6]),
        Place::Laid => dice.pick(&[3, 4, 5, 6]),
    };
    let parts = match choice {
        0 => phone(skin, spot, centre),
        1 | 2 => handbag(colour),
        3 => arm(skin, spot, centre, dice),
        4 => cat(colour.mix(Rgb::hex(0x8a6a4c), 0.5)),
        5 => cushion(colour),
        _ => leaves(dice),
    };
    let turn = if matches!(choice, 0 | 3) { turn * 0.4 } else { turn };
    parts.into_iter().map(|part| part.moved(|p| turned(p, turn))).collect()
}

fn turned((x, y): Pt, angle: f32) -> Pt {
    let (s, c) = (libm::sinf(angle), libm::cosf(angle));
    (c * x - s * y, s * x + c * y)
}

fn soft(shape: Outline, colour: Rgb) -> Part {
    Part::flat(shape, colour).volume(0.6, 0.09).shadow(0.5)
}

/// A forearm reaching in from the nearer side.
fn arm(skin: Rgb, spot: Pt, centre: Pt, dice: &mut Dice) -> Vec<Part> {
    let side = if spot.0 < centre.0 { -1.0 } else { 1.0 };
    let drop = dice.range(0.3, 0.9);
    let at = |t: f32| (side * t, t * drop);
    let mut parts = vec![soft(
        Outline::limb(&[(at(-0.02), 0.1), (at(0.2), 0.088), (at(0.6), 0.12), (at(1.4), 0.17), (at(4.0), 0.3)]),
        skin,
    )];
    let sleeve = dice.chance(0.6);
    if sleeve {
        let cloth = dice.pick(&[Rgb::hex(0x3a4256), Rgb::hex(0xd8d2c6), Rgb::hex(0x6b3a3f), Rgb::hex(0x55604d)]);
        parts.push(soft(Outline::limb(&[(at(0.62), 0.15), (at(1.4), 0.2), (at(4.0), 0.36)]), cloth));
    }
    for finger in 0..4 {
        let spread = (finger as f32 - 1.5) * 0.06;
        let start = (-side * 0.02 - spread * drop, spread * side * 0.6 - 0.01);
        let tip = (start.0 - side * 0.17, start.1 - 0.1 * drop + spread * 0.4);
        let mid = ((start.0 + tip.0) / 2.0, (start.1 + tip.1) / 2.0 - 0.012);
        parts.push(
            Part::flat(Outline::limb(&[(start, 0.034), (mid, 0.031), (tip, 0.02)]), skin)
                .volume(0.5, 0.03)
                .shadow(0.25),
        );
    }
    parts
}

/// A phone held up in front of a mirror.
fn phone(skin: Rgb, spot: Pt, centre: Pt) -> Vec<Part> {
    let side = if spot.0 < centre.0 { -1.0 } else { 1.0 };
    let body = Outline::block(-0.17, -0.34, 0.34, 0.68, 0.06);
    let camera = Outline::block(-0.14, -0.31, 0.13, 0.15, 0.04);
    let lens = |x: f32, y: f32| Mark::fill(Outline::ellipse(x, y, 0.025, 0.025), Rgb::hex(0x0b0c10), 1.0);
    let wrist = Outline::limb(&[((side * 0.1, 0.15), 0.13), ((side * 0.3, 0.55), 0.12), ((side * 0.9, 1.9), 0.22)]);
    let mut parts = vec![
        soft(wrist, skin),
        Part::flat(body, Rgb::hex(0x2c2e33))
            .volume(0.4, 0.04)
            .shadow(0.5)
            .mark(Mark::fill(camera, Rgb::hex(0x1d1e22), 1.0))
            .mark(lens(-0.105, -0.27))
            .mark(lens(-0.045, -0.2)),
    ];
    for finger in 0..4 {
        let y = -0.08 + finger as f32 * 0.09;
        let shape = Outline::limb(&[
            ((side * 0.2, y + 0.03), 0.045),
            ((side * 0.08, y), 0.044),
            ((-side * 0.06, y + 0.012), 0.034),
        ]);
        parts.push(Part::flat(shape, skin).volume(0.5, 0.03).shadow(0.35));
    }
    parts
}

/// A bag on a strap.
fn handbag(colour: Rgb) -> Vec<Part> {
    let strap = Outline::limb(&[((-0.22, -0.15), 0.025), ((-0.2, -0.6), 0.025), ((-0.05, -1.6), 0.03)]);
    let body = Outline::at(-0.28, -0.2)
        .line(0.28, -0.2)
        .bend(0.36, 0.3, 0.3, 0.3)
        .line(-0.3, 0.3)
        .bend(-0.36, 0.3, -0.28, -0.2);
    let flap = Outline::at(-0.285, -0.21)
        .line(0.285, -0.21)
        .bend(0.31, 0.1, 0.15, 0.1)
        .line(-0.15, 0.1)
        .bend(-0.31, 0.1, -0.285, -0.21);
    let clasp = Outline::block(-0.035, 0.05, 0.07, 0.05, 0.012);
    let rim =
        Mark::Line { shape: flap.clone(), width: 0.01, colour: colour.seam(), alpha: 0.6, dash: 0.0, closed: true };
    vec![
        soft(strap, colour.times(0.85)),
        soft(body, colour),
        soft(flap, colour.times(1.06)).mark(rim).mark(Mark::fill(clasp, Rgb::hex(0xcfae66), 1.0)),
    ]
}

/// A cat asleep.
fn cat(fur: Rgb) -> Vec<Part> {
    let tail = Outline::limb(&[((0.42, 0.1), 0.05), ((0.52, 0.25), 0.05), ((0.3, 0.34), 0.045), ((0.05, 0.33), 0.035)]);
    let ear = |x: f32| Outline::of(&[(x - 0.06, -0.16), (x, -0.31), (x + 0.075, -0.17)]);
    let eye = |x: f32| Mark::Line {
        shape: Outline::at(x - 0.03, -0.08).bend(x, -0.055, x + 0.03, -0.08),
        width: 0.008,
        colour: Rgb::hex(0x2a201b),
        alpha: 0.9,
        dash: 0.0,
        closed: false,
    };
    vec![
        soft(Outline::ellipse(0.08, 0.06, 0.44, 0.28), fur),
        soft(ear(-0.34), fur.times(0.85)),
        soft(ear(-0.16), fur.times(0.85)),
        soft(Outline::ellipse(-0.25, -0.07, 0.18, 0.145), fur.times(1.05))
            .mark(eye(-0.31))
            .mark(eye(-0.19))
            .mark(Mark::fill(Outline::ellipse(-0.25, -0.035, 0.016, 0.011), Rgb::hex(0xc98a84), 1.0)),
        soft(tail, fur.times(0.9)),
        soft(Outline::ellipse(-0.12, 0.2, 0.12, 0.055), fur.times(1.1)),
    ]
}

fn cushion(colour: Rgb) -> Vec<Part> {
    let shape = Outline::at(-0.4, -0.4)
        .bend(0.0, -0.3, 0.4, -0.4)
        .bend(0.31, 0.0, 0.4, 0.4)
        .bend(0.0, 0.31, -0.4, 0.4)
        .bend(-0.31, 0.0, -0.4, -0.4);
    let band = |y: f32| Mark::Line {
        shape: Outline::at(-0.5, y).bend(0.0, y * 0.9, 0.5, y),
        width: 0.03,
        colour: Rgb::hex(0xefe8da),
        alpha: 0.75,
        dash: 0.0,
        closed: false,
    };
    vec![soft(shape, colour).volume(0.8, 0.16).marks([band(-0.18), band(-0.1), band(0.14), band(0.22)])]
}

fn leaves(dice: &mut Dice) -> Vec<Part> {
    (0..9)
        .map(|step| {
            let angle = step as f32 * 0.7 + dice.spread(0.2);
            let long = dice.range(0.45, 0.7);
            let tip = (libm::cosf(angle) * long, libm::sinf(angle) * long);
            let mid = (tip.0 * 0.5 + dice.spread(0.05), tip.1 * 0.5);
            let vein = Mark::Line {
                shape: Outline::of(&[(0.0, 0.0), mid, tip]),
                width: 0.008,
                colour: Rgb::hex(0xa9bf86),
                alpha: 0.7,
                dash: 0.0,
                closed: false,
            };
            let green = Rgb::hex(0x3f6b45).mix(Rgb::hex(0x7d9a55), dice.unit());
            soft(Outline::limb(&[((0.0, 0.0), 0.01), (mid, 0.12), (tip, 0.006)]), green).mark(vein)
        })
        .collect()
}
