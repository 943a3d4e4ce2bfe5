//! Rooms and streets behind whoever wears the garment.

use crate::canvas::Canvas;
use crate::colour::Rgb;
use crate::dice::Dice;
use crate::outline::Outline;
use crate::part::Part;

const WALLS: [Rgb; 9] = [
    Rgb::hex(0xd9d2c5),
    Rgb::hex(0xc9cfd0),
    Rgb::hex(0xb9c4b4),
    Rgb::hex(0xd3bfae),
    Rgb::hex(0xa7b3bd),
    Rgb::hex(0xe2ddd4),
    Rgb::hex(0x8f9a93),
    Rgb::hex(0xc4a99a),
    Rgb::hex(0x6e7783),
];
const FLOORS: [Rgb; 6] = [
    Rgb::hex(0xa27b56),
    Rgb::hex(0x8a7f74),
    Rgb::hex(0x6f553f),
    Rgb::hex(0xc0ab8e),
    Rgb::hex(0x9a9a98),
    Rgb::hex(0x5a5049),
];
const THINGS: [Rgb; 10] = [
    Rgb::hex(0xb5533c),
    Rgb::hex(0x2f5d62),
    Rgb::hex(0xd9a441),
    Rgb::hex(0x4b5d8a),
    Rgb::hex(0x8a9a5b),
    Rgb::hex(0xe8e2d4),
    Rgb::hex(0x3b3836),
    Rgb::hex(0xb98aa0),
    Rgb::hex(0x7a5a45),
    Rgb::hex(0x93b5c6),
];

/// A brush over a canvas, in fractions of its width and height.
struct Brush<'a> {
    canvas: &'a mut Canvas,
    width: f32,
    height: f32,
}

impl Brush<'_> {
    fn shape(&mut self, shape: &Outline, colour: Rgb, volume: f32, shadow: f32) {
        let (w, h) = (self.width, self.height);
        let part = Part::flat(shape.map(|(x, y)| (x * w, y * h)), colour).volume(volume, 0.06).shadow(shadow);
        self.canvas.lay(&part);
    }

    fn block(&mut self, x: f32, y: f32, width: f32, height: f32, colour: Rgb) {
        self.shape(&Outline::block(x, y, width, height, 0.0), colour, 0.0, 0.0);
    }

    fn solid(&mut self, x: f32, y: f32, width: f32, height: f32, colour: Rgb) {
        self.shape(&Outline::block(x, y, width, height, 0.004), colour, 0.25, 0.35);
    }
}

/// Paints a room or a street over the whole canvas.
pub(crate) fn paint(canvas: &mut Canvas, dice: &mut Dice) {
    let (width, height) = (canvas.pixels.width() as f32, canvas.pixels.height() as f32);
    let mut brush = Brush { canvas, width, height };
    if dice.chance(0.3) { street(&mut brush, dice) } else { room(&mut brush, dice) }
}

fn room(brush: &mut Brush, dice: &mut Dice) {
    let wall = dice.pick(&WALLS).times(dice.range(0.85, 1.05));
    let floor = dice.pick(&FLOORS);
    let horizon = dice.range(0.74, 0.95);
    brush.block(-0.1, -0.1, 1.2, 1.2, wall);
    if dice.chance(0.25) {
        // Panelling or wallpaper.
        let tone = wall.times(0.94);
        for step in 0..9 {
            brush.block(step as f32 * 0.125, 0.0, 0.055, horizon, tone);
        }
    }
    brush.block(-0.1, horizon, 1.2, 0.5, floor);
    for step in 1..5 {
        let y = horizon + (1.0 - horizon) * (step * step) as f32 / 25.0;
        brush.block(0.0, y, 1.0, 0.006, floor.times(0.85));
    }
    brush.solid(-0.1, horizon - 0.035, 1.2, 0.04, Rgb::hex(0xe9e5dc).mix(wall, 0.3));
    let mut sides = [0.0, 1.0];
    dice.shuffle(&mut sides);
    for side in sides.into_iter().take(1 + dice.below(2)) {
        thing(brush, dice, side, horizon);
    }
    for _ in 0..dice.below(3) {
        let (x, y) = (dice.range(-0.05, 0.85), dice.range(0.02, 0.3));
        let (w, h) = (dice.range(0.12, 0.26), dice.range(0.12, 0.24));
        brush.solid(x, y, w, h, dice.pick(&[Rgb::hex(0x3a322b), Rgb::hex(0xf2efe8), Rgb::hex(0x9a7148)]));
        brush.block(x + 0.018, y + 0.018, w - 0.036, h - 0.036, Rgb::hex(0xeeeae0));
        brush.block(x + 0.04, y + 0.045, w - 0.08, (h - 0.09) * 0.6, dice.pick(&THINGS));
    }
}

fn thing(brush: &mut Brush, dice: &mut Dice, side: f32, horizon: f32) {
    // `at(x)` is x counted from the wall on the chosen side.
    let at = |x: f32, w: f32| if side > 0.5 { 1.0 - x - w } else { x };
    match dice.below(6) {
        0 => {
            // A window with a curtain.
            let (x, w) = (at(-0.08, 0.42), 0.42);
            brush.solid(x, 0.04, w, 0.5, Rgb::hex(0xf4f2ec));
            brush.block(x + 0.025, 0.065, w / 2.0 - 0.04, 0.45, Rgb::hex(0xdcebf5));
            brush.block(x + w / 2.0 + 0.015, 0.065, w / 2.0 - 0.04, 0.45, Rgb::hex(0xe9f2f8));
            let curtain = dice.pick(&THINGS).mix(Rgb::hex(0xffffff), 0.35);
            for step in 0..5 {
                let cx = at(step as f32 * 0.034 - 0.04, 0.034);
                brush.solid(cx, -0.02, 0.034, horizon - 0.03, curtain.times(if step % 2 == 0 { 1.0 } else { 0.86 }));
            }
        }
        1 => {
            // A door.
            let wood = dice.pick(&[Rgb::hex(0xece8df), Rgb::hex(0x8e6b4c), Rgb::hex(0xb9a58c)]);
            let x = at(-0.02, 0.36);
            brush.solid(x - 0.02, 0.0, 0.4, horizon, wood.times(0.9));
            brush.solid(x, 0.02, 0.36, horizon - 0.02, wood);
            for y in [0.08, 0.42] {
                brush.solid(x + 0.05, y, 0.26, 0.26, wood.times(0.95));
            }
            brush.solid(at(0.3, 0.03), 0.44, 0.03, 0.015, Rgb::hex(0xc8b27a));
        }
        2 => {
            // Shelves of books.
            let wood = dice.pick(&[Rgb::hex(0xe8e4da), Rgb::hex(0x7c5b3e), Rgb::hex(0x3e3a37)]);
            let x = at(-0.06, 0.38);
            brush.solid(x, 0.05, 0.38, horizon - 0.06, wood);
            for shelf in 0..4 {
                let y = 0.08 + shelf as f32 * 0.18;
                if y + 0.15 > horizon {
                    break;
                }
                brush.block(x + 0.02, y, 0.34, 0.15, wood.times(0.62));
                let mut book = x + 0.03;
                while book < x + 0.31 {
                    let (w, h) = (dice.range(0.02, 0.05), dice.range(0.09, 0.14));
                    brush.solid(book, y + 0.15 - h, w, h, dice.pick(&THINGS));
                    book += w + if dice.chance(0.2) { 0.06 } else { 0.003 };
                }
            }
        }
        3 => {
            // A plant in a pot.
            let x = at(0.04, 0.2);
            brush.solid(
                x + 0.03,
                horizon - 0.05,
                0.14,
                0.14,
                dice.pick(&[Rgb::hex(0xb5653c), Rgb::hex(0xe9e4da), Rgb::hex(0x5a646a)]),
            );
            for _ in 0..16 {
                let green = Rgb::hex(0x4f7a48).mix(Rgb::hex(0x9fb86a), dice.unit()).times(dice.range(0.7, 1.1));
                let (lean, long) = (dice.spread(1.15), dice.range(0.16, 0.4));
                let tip = (x + 0.1 + libm::sinf(lean) * long, horizon - 0.05 - libm::cosf(lean) * long);
                let mid = ((x + 0.1 + tip.0) / 2.0, (horizon - 0.1 + tip.1) / 2.0 - 0.03);
                let leaf = Outline::limb(&[((x + 0.1, horizon - 0.03), 0.006), (mid, 0.022), (tip, 0.003)]);
                brush.shape(&leaf, green, 0.4, 0.2);
            }
        }
        4 => {
            // A rail with clothes.
            let rail = dice.range(0.08, 0.16);
            let mut x = at(-0.06, 0.4);
            let end = x + 0.4;
            while x < end {
                let w = dice.range(0.035, 0.07);
                brush.solid(x, rail + 0.02, w, dice.range(0.32, 0.5), dice.pick(&THINGS).mix(Rgb::hex(0x999999), 0.2));
                x += w * 0.9;
            }
            brush.solid(at(-0.06, 0.44), rail, 0.44, 0.014, Rgb::hex(0x55524e));
        }
        _ => {
            // A bed or sofa with cushions.
            let x = at(-0.1, 0.6);
            let cloth = dice.pick(&THINGS).mix(Rgb::hex(0xc9c4ba), 0.5);
            brush.shape(&Outline::block(x, horizon - 0.26, 0.6, 0.4, 0.05), cloth, 0.5, 0.3);
            brush.shape(&Outline::block(x - 0.02, horizon - 0.1, 0.64, 0.3, 0.04), cloth.times(1.08), 0.5, 0.4);
            for step in 0..2 {
                let cushion = Outline::block(x + 0.06 + step as f32 * 0.24, horizon - 0.22, 0.2, 0.17, 0.05);
                brush.shape(&cushion, dice.pick(&THINGS), 0.6, 0.4);
            }
        }
    }
}

fn street(brush: &mut Brush, dice: &mut Dice) {
    let sky = Rgb::hex(0xbdd3e6).mix(Rgb::hex(0xe9e4dc), dice.unit());
    brush.block(-0.1, -0.1, 1.2, 1.2, sky);
    let horizon = dice.range(0.66, 0.82);
    let mut x = -0.1;
    while x < 1.05 {
        let w = dice.range(0.18, 0.4);
        let top = dice.range(-0.1, 0.35);
        let stone = dice.pick(&WALLS).mix(dice.pick(&FLOORS), 0.4);
        brush.solid(x, top, w, horizon - top, stone);
        let glass = stone.times(0.55).mix(Rgb::hex(0x9db4c4), 0.35);
        let mut y = top + 0.05;
        while y < horizon - 0.12 {
            for column in 0..3 {
                brush.block(x + w * (0.12 + 0.29 * column as f32), y, w * 0.17, 0.075, glass);
            }
            y += 0.13;
        }
        x += w;
    }
    for _ in 0..dice.below(3) {
        let (cx, cy) = (dice.range(0.0, 1.0), dice.range(0.2, 0.45));
        brush.block(cx - 0.012, cy, 0.024, horizon - cy, Rgb::hex(0x57432f));
        for _ in 0..12 {
            let green = Rgb::hex(0x577a45).mix(Rgb::hex(0xa3b567), dice.unit());
            let blob = Outline::ellipse(cx + dice.spread(0.16), cy + dice.spread(0.15), 0.085, 0.075);
            brush.shape(&blob, green, 0.5, 0.2);
        }
    }
    let paving = Rgb::hex(0xa5a29c).mix(Rgb::hex(0x7e7468), dice.unit());
    brush.block(-0.1, horizon, 1.2, 0.5, paving);
    brush.block(-0.1, horizon, 1.2, 0.02, paving.times(0.75));
    for step in 1..6 {
        let y = horizon + (1.0 - horizon) * (step * step) as f32 / 36.0;
        brush.block(0.0, y, 1.0, 0.005, paving.times(0.88));
    }
    for _ in 0..dice.below(7) {
        // Lamps out of focus.
        let glow = Outline::ellipse(dice.unit(), dice.range(0.05, 0.6), 0.03, 0.025);
        brush.shape(&glow, Rgb::hex(0xf7dfae), 0.0, 0.0);
    }
}
