//! Somebody wearing the garment: only what the garment leaves free is ever seen.

use crate::annotation::View;
use crate::colour::{DENIMS, DYES, Rgb};
use crate::dice::Dice;
use crate::kind::Kind;
use crate::outline::{Outline, Pt};
use crate::part::{Mark, Part};
use crate::pattern::{Fabric, Pattern, Weave};
use crate::pose::{ANKLE, FORE, KNEE, Pose, UPPER, WAIST};

const SKINS: [Rgb; 6] = [
    Rgb::hex(0xf0cdb4),
    Rgb::hex(0xe3b391),
    Rgb::hex(0xc98f68),
    Rgb::hex(0xa46f4c),
    Rgb::hex(0x7a4d34),
    Rgb::hex(0x553526),
];
const HAIRS: [Rgb; 6] = [
    Rgb::hex(0x1e1a19),
    Rgb::hex(0x3a2a20),
    Rgb::hex(0x5e4028),
    Rgb::hex(0x8d6236),
    Rgb::hex(0xc29a5b),
    Rgb::hex(0x83807c),
];

/// The wearer's looks.
pub(crate) struct Person {
    pub(crate) skin: Rgb,
    pub(crate) hair: Rgb,
    long_hair: bool,
    top: Fabric,
    bottom: Fabric,
    shoes: Rgb,
    /// Turned to the viewer's left (1) or right (-1) in a side view.
    facing: f32,
}

impl Person {
    pub(crate) fn new(dice: &mut Dice, kind: Kind, facing: f32) -> Self {
        let cloth = |base: Rgb, weave| Fabric { base, second: base, third: base, pattern: Pattern::Plain, weave };
        let top = dice.pick(&[DYES[0], DYES[1], DYES[3], DYES[11], DYES[2], DYES[9]]).rgb;
        let bottom = dice.pick(&DENIMS).rgb;
        let bare = matches!(kind, Kind::Dress | Kind::Skirt | Kind::Shorts);
        Self {
            skin: dice.pick(&SKINS),
            hair: dice.pick(&HAIRS),
            long_hair: dice.chance(0.5),
            top: cloth(top, Weave::Jersey),
            bottom: if bare { Fabric::flat(Rgb::hex(0)) } else { cloth(bottom, Weave::Twill) },
            shoes: dice.pick(&[Rgb::hex(0xe9e6df), Rgb::hex(0x2a292b), Rgb::hex(0x8a6242)]),
            facing,
        }
    }

    fn limb(&self, joints: &[(Pt, f32)]) -> Part {
        Part::flat(Outline::limb(joints), self.skin).volume(0.6, 0.05).shadow(0.3)
    }

    /// Forearm and hand, from a distance along the arm (0 is the shoulder).
    fn arm(&self, pose: &Pose, right: bool, start: Pt, from: f32) -> Part {
        let arm = pose.arm(right);
        let half = |d: f32| 0.046 - 0.021 * (d / (UPPER + FORE)).min(1.0);
        let end = UPPER + FORE;
        let mut joints: Vec<(Pt, f32)> = [from, (from + end) / 2.0, UPPER, end - 0.03]
            .into_iter()
            .filter(|&d| d >= from)
            .map(|d| (arm.along(start, right, d), half(d)))
            .collect();
        joints.sort_by(|a, b| a.0.1.total_cmp(&b.0.1));
        if arm.in_front() || arm.lift > 1.0 {
            // A raised arm does not run downwards: keep its order along the limb instead.
            joints = [from, (from + end) / 2.0, end - 0.03].map(|d| (arm.along(start, right, d), half(d))).to_vec();
        }
        for (d, half) in [(end, 0.026), (end + 0.045, 0.034), (end + 0.1, 0.024), (end + 0.13, 0.012)] {
            joints.push((arm.along(start, right, d), half));
        }
        self.limb(&joints)
    }

    /// Everything behind the garment, the lowest first.
    pub(crate) fn behind(&self, kind: Kind, pose: &Pose) -> Vec<Part> {
        let mut parts = Vec::new();
        let side = pose.view == View::Side;
        if self.long_hair && pose.view != View::Back {
            let x = if side { 0.03 * self.facing } else { 0.0 };
            let shape = Outline::block(x - 0.1, -0.32, 0.2, 0.36, 0.1);
            parts.push(Part::flat(shape, self.hair.times(0.8)).volume(0.5, 0.06));
        }
        self.legs(pose, &mut parts);
        if side {
            self.trunk_side(&mut parts)
        } else {
            self.trunk(kind, pose, &mut parts)
        }
        self.head(pose, &mut parts);
        parts
    }

    fn legs(&self, pose: &Pose, parts: &mut Vec<Part>) {
        let side = pose.view == View::Side;
        let clothed = self.bottom.weave != Weave::Smooth;
        for right in [false, true] {
            let spread = pose.legs[usize::from(right)];
            let (hip, knee, ankle) = if side {
                let step = if right { -spread * 2.0 } else { spread * 2.2 + 0.02 };
                (0.0, step * 0.5, step)
            } else {
                let sign = if right { 1.0 } else { -1.0 };
                (0.086 * sign, (0.088 + spread * 0.45) * sign, (0.088 + spread) * sign)
            };
            let wide: f32 = if clothed { 1.25 } else { 1.0 };
            let toe = if side { -0.075 * self.facing } else { 0.02 * (ankle - knee).signum() };
            let shoe = Outline::limb(&[
                ((ankle + if side { 0.025 * self.facing } else { 0.0 }, ANKLE + 0.012), 0.042),
                ((ankle + toe * 0.4, ANKLE + 0.045), 0.045),
                ((ankle + toe, ANKLE + if side { 0.055 } else { 0.09 }), 0.03),
            ]);
            let joints = [
                ((hip, 0.5), if side { 0.11 } else { 0.092 }),
                ((hip, 0.62), 0.09 * wide.min(1.1)),
                ((knee, KNEE), 0.058 * wide),
                ((knee * 0.4 + ankle * 0.6, KNEE + 0.17), 0.053 * wide),
                ((ankle, ANKLE - 0.01), 0.034 * wide * wide),
            ];
            let leg = Part::new(Outline::limb(&joints), if clothed { self.bottom } else { Fabric::flat(self.skin) })
                .volume(0.6, 0.07)
                .light(if side && !right { 0.75 } else { 1.0 });
            let shoe = Part::flat(shoe, self.shoes).volume(0.6, 0.04);
            if clothed { parts.extend([shoe, leg]) } else { parts.extend([leg, shoe]) }
        }
    }

    fn trunk(&self, kind: Kind, pose: &Pose, parts: &mut Vec<Part>) {
        let dressed = kind.is_bottom() || matches!(kind, Kind::Jacket | Kind::Coat);
        let long = kind.is_bottom();
        for right in [false, true] {
            let start = if right { (0.15, 0.1) } else { (-0.15, 0.1) };
            let crosses = pose.arm(right).in_front();
            if !crosses || long {
                parts.push(self.arm(pose, right, start, 0.0));
            }
            if long {
                let arm = pose.arm(right);
                let joints = [0.0, UPPER * 0.4, UPPER * 0.75].map(|d| (arm.along(start, right, d), 0.07 - d * 0.05));
                parts.push(Part::new(Outline::limb(&joints), self.top).volume(0.6, 0.05));
            }
        }
        let bottom = if self.bottom.weave == Weave::Smooth { Fabric::flat(self.skin) } else { self.bottom };
        let hips = Outline::at(0.0, WAIST - 0.02)
            .line(0.13, WAIST - 0.02)
            .bend(0.165, 0.45, 0.172, 0.54)
            .line(0.165, 0.62)
            .bend(0.08, 0.68, 0.0, 0.655)
            .symmetric();
        parts.push(Part::new(hips, bottom).volume(0.5, 0.08));
        let neck = [((0.0, -0.14), 0.05), ((0.0, -0.04), 0.049), ((0.0, 0.03), 0.064)];
        let depth = if pose.view == View::Back { -0.01 } else { 0.07 };
        let chest = |low: f32| {
            Outline::at(0.0, low)
                .bend(0.05, low, 0.075, -0.01)
                .bend(0.12, 0.02, 0.175, 0.06)
                .bend(0.165, 0.14, 0.155, 0.23)
                .bend(0.13, 0.33, 0.13, WAIST + 0.1)
                .line(0.0, WAIST + 0.1)
                .symmetric()
        };
        parts.push(Part::flat(chest(-0.012), self.skin).volume(0.4, 0.07));
        parts.push(self.limb(&neck).shadow(0.12));
        if dressed {
            let wide = if long { 1.08 } else { 1.0 };
            let shirt = chest(depth).map(|(x, y)| (x * wide, y));
            parts.push(Part::new(shirt, self.top).volume(0.5, 0.08).shadow(0.2));
        }
    }

    fn trunk_side(&self, parts: &mut Vec<Part>) {
        let f = self.facing;
        let neck = [((-0.01 * f, -0.15), 0.046), ((0.005 * f, -0.04), 0.047), ((0.015 * f, 0.03), 0.062)];
        parts.push(self.limb(&neck));
        let trunk = [
            ((0.0, 0.02), 0.07),
            ((-0.008 * f, 0.12), 0.108),
            ((-0.012 * f, 0.23), 0.112),
            ((0.0, WAIST), 0.095),
            ((0.008 * f, 0.52), 0.118),
        ];
        parts.push(Part::new(Outline::limb(&trunk), self.top).volume(0.6, 0.08));
    }

    fn head(&self, pose: &Pose, parts: &mut Vec<Part>) {
        let hair = |shape: Outline| Part::flat(shape, self.hair).volume(0.55, 0.06).shadow(0.25);
        let face =
            |cx: f32| Part::flat(Outline::ellipse(cx, -0.205, 0.079, 0.108), self.skin).volume(0.5, 0.06).shadow(0.25);
        let dark = self.skin.times(0.45);
        let stroke = |shape: Outline, width: f32, alpha: f32| Mark::Line {
            shape,
            width,
            colour: dark,
            alpha,
            dash: 0.0,
            closed: false,
        };
        match pose.view {
            View::Front => {
                for x in [-0.078, 0.078] {
                    parts.push(Part::flat(Outline::ellipse(x, -0.2, 0.016, 0.027), self.skin.times(0.92)));
                }
                let mut head = face(0.0);
                for x in [-0.032, 0.032] {
                    let brow = Outline::at(x - 0.018, -0.231).bend(x, -0.24, x + 0.018, -0.231);
                    head = head
                        .mark(Mark::Line {
                            shape: brow,
                            width: 0.007,
                            colour: self.hair,
                            alpha: 0.75,
                            dash: 0.0,
                            closed: false,
                        })
                        .mark(Mark::fill(Outline::ellipse(x, -0.212, 0.0095, 0.0065), Rgb::hex(0x2b211c), 0.85));
                }
                head = head
                    .mark(stroke(Outline::at(0.002, -0.205).bend(0.012, -0.176, -0.002, -0.174), 0.006, 0.3))
                    .mark(Mark::fill(
                        Outline::at(-0.024, -0.146).bend(0.0, -0.153, 0.024, -0.146).bend(0.0, -0.128, -0.024, -0.146),
                        Rgb::hex(0x9c4a44).mix(self.skin, 0.35),
                        0.9,
                    ));
                parts.push(head);
                let fringe = Outline::at(0.0, -0.33)
                    .bend(0.1, -0.33, 0.09, -0.2)
                    .bend(0.08, -0.235, 0.06, -0.262)
                    .bend(0.03, -0.282, 0.0, -0.268)
                    .symmetric();
                parts.push(hair(fringe));
            }
            View::Back => {
                let low = if self.long_hair { 0.06 } else { -0.11 };
                parts.push(hair(Outline::block(-0.088, -0.325, 0.176, low + 0.325, 0.085)));
            }
            View::Side => {
                let f = self.facing;
                let profile = Outline::at(0.05, -0.29)
                    .bend(-0.06, -0.32, -0.078, -0.235)
                    .line(-0.082, -0.215)
                    .bend(-0.1, -0.19, -0.101, -0.182)
                    .line(-0.084, -0.174)
                    .line(-0.09, -0.158)
                    .line(-0.084, -0.15)
                    .line(-0.088, -0.138)
                    .bend(-0.08, -0.105, -0.05, -0.1)
                    .bend(0.02, -0.12, 0.07, -0.18)
                    .map(|(x, y)| (x * f, y));
                parts.push(Part::flat(profile, self.skin).volume(0.5, 0.05).mark(Mark::fill(
                    Outline::ellipse(-0.066 * f, -0.213, 0.007, 0.006),
                    Rgb::hex(0x2b211c),
                    0.85,
                )));
                let low = if self.long_hair { 0.03 } else { -0.13 };
                let cap = Outline::at(-0.082, -0.25)
                    .bend(-0.07, -0.335, 0.02, -0.335)
                    .bend(0.105, -0.33, 0.103, -0.21)
                    .line(0.1, low)
                    .line(0.03, low)
                    .bend(0.01, -0.16, -0.012, -0.22)
                    .bend(-0.03, -0.26, -0.082, -0.25)
                    .map(|(x, y)| (x * f, y));
                parts.push(hair(cap));
            }
        }
    }

    /// What crosses in front of the garment: hands, and the near arm in a side view. `reach` is how
    /// far down the arm the garment's own sleeve goes.
    pub(crate) fn ahead(&self, kind: Kind, pose: &Pose, reach: f32) -> Vec<Part> {
        let mut parts = Vec::new();
        if pose.view == View::Side {
            let start = (-0.005, 0.105);
            if kind.is_bottom() {
                let arm = pose.arms[1];
                parts.push(self.arm(pose, true, start, UPPER * 0.6));
                let joints = [0.0, UPPER * 0.45, UPPER * 0.8].map(|d| (arm.along(start, true, d), 0.072 - d * 0.05));
                parts.push(Part::new(Outline::limb(&joints), self.top).volume(0.6, 0.05));
            } else {
                parts.push(self.arm(pose, true, start, reach.max(0.0)));
            }
            return parts;
        }
        if pose.view == View::Front && !kind.is_bottom() {
            for right in [false, true] {
                if pose.arm(right).in_front() {
                    let start = if right { (0.15, 0.1) } else { (-0.15, 0.1) };
                    parts.push(self.arm(pose, right, start, reach));
                }
            }
        }
        parts
    }
}
