//! What is asked of a consumer photo, and the plan drawn up to meet it.

use crate::annotation::View;
use crate::dice::Dice;
use crate::kind::Kind;
use crate::pose::{Arm, Pose};

/// How hard a consumer photo is to match, after FindFashion's strata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Difficulty {
    /// The front, whole and unhidden, in kind light.
    Easy,
    /// The side or the back.
    HardView,
    /// The front, heavily hidden.
    HardOcclusion,
    /// The front, heavily cropped.
    HardCropping,
    /// A mixture: most photos have one flaw or another.
    Mixed,
}

/// Where a garment is when the photo is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Worn,
    Hung,
    Laid,
}

/// Everything decided before drawing starts.
pub(crate) struct Plan {
    pub(crate) pose: Pose,
    pub(crate) setting: Setting,
    /// Angle of a side view in radians; its sign tells which way the front looks.
    pub(crate) turn: f32,
    pub(crate) yaw: f32,
    pub(crate) pitch: f32,
    pub(crate) roll: f32,
    /// Wanted fractions.
    pub(crate) occlusion: f32,
    pub(crate) cropping: f32,
    pub(crate) wrinkles: f32,
    pub(crate) harsh: f32,
}

impl Plan {
    pub(crate) fn draw(dice: &mut Dice, difficulty: Difficulty, kind: Kind) -> Self {
        let easy = difficulty == Difficulty::Easy;
        let view = match difficulty {
            Difficulty::HardView => dice.pick(&[View::Side, View::Back]),
            Difficulty::Mixed => dice.pick(&[View::Front, View::Front, View::Front, View::Side, View::Back]),
            _ => View::Front,
        };
        let light = |dice: &mut Dice| dice.range(0.1, 0.2);
        let heavy = |dice: &mut Dice| dice.range(0.3, 0.45);
        let occlusion = match difficulty {
            Difficulty::HardOcclusion => heavy(dice),
            Difficulty::Mixed if dice.chance(0.4) => {
                if dice.chance(0.65) {
                    light(dice)
                } else {
                    heavy(dice)
                }
            }
            _ => 0.0,
        };
        let cropping = match difficulty {
            Difficulty::HardCropping => heavy(dice),
            Difficulty::Mixed if dice.chance(0.35) => {
                if dice.chance(0.65) {
                    light(dice)
                } else {
                    heavy(dice)
                }
            }
            _ => 0.0,
        };
        let setting = match kind {
            Kind::Shoe => Setting::Laid,
            Kind::Bag => {
                if view == View::Side {
                    Setting::Hung
                } else {
                    dice.pick(&[Setting::Hung, Setting::Laid])
                }
            }
            // A side view needs somebody inside.
            _ if view == View::Side => Setting::Worn,
            _ => dice.pick(&[Setting::Worn, Setting::Worn, Setting::Worn, Setting::Laid, Setting::Hung]),
        };
        let turn = dice.range(1.0, 1.35) * dice.sign();
        let pose = pose(dice, view, setting, turn, easy, kind);
        let loose = if setting == Setting::Laid { 0.35 } else { 0.09 };
        let skew = if easy { 0.12 } else { 0.3 };
        Self {
            pose,
            setting,
            turn,
            yaw: dice.spread(skew),
            pitch: dice.spread(skew * 0.8),
            roll: dice.spread(if easy { loose * 0.4 } else { loose }),
            occlusion,
            cropping,
            wrinkles: if easy { dice.range(0.7, 1.0) } else { dice.range(0.8, 1.45) },
            harsh: if easy { dice.range(0.25, 0.5) } else { dice.range(0.5, 1.0) },
        }
    }
}

fn pose(dice: &mut Dice, view: View, setting: Setting, turn: f32, easy: bool, kind: Kind) -> Pose {
    let mut pose = Pose::flat(view);
    let wide = matches!(kind, Kind::Coat | Kind::Dress);
    match setting {
        Setting::Laid => {
            for arm in &mut pose.arms {
                *arm = Arm { lift: dice.range(0.2, 0.75), bend: dice.spread(0.35) };
            }
        }
        Setting::Hung => {
            let lift = dice.range(0.12, 0.2);
            pose.arms = [Arm { lift, bend: dice.range(0.02, 0.1) }; 2];
        }
        Setting::Worn => {
            pose.worn = true;
            pose.legs = [dice.range(0.0, 0.09), dice.range(0.0, 0.09)];
            for arm in &mut pose.arms {
                *arm = match dice.below(5) {
                    // A hand on the hip, or in front of the body.
                    0 => Arm { lift: 0.62, bend: dice.range(1.0, 1.15) },
                    1 if !easy && !wide => Arm { lift: 0.35, bend: dice.range(1.5, 2.0) },
                    _ => Arm { lift: dice.range(0.16, 0.32), bend: dice.range(0.04, 0.24) },
                };
            }
            if view == View::Side {
                // Swings back a little and bends forward, whichever way the wearer looks.
                let facing = turn.signum();
                let arm = Arm { lift: facing * dice.range(-0.1, 0.35), bend: facing * dice.range(0.1, 0.7) };
                pose.arms = [arm; 2];
            } else if view == View::Back {
                for arm in &mut pose.arms {
                    if arm.in_front() {
                        *arm = Arm { lift: 0.24, bend: 0.12 };
                    }
                }
            }
            if easy {
                for arm in &mut pose.arms {
                    if arm.in_front() {
                        *arm = Arm { lift: 0.22, bend: 0.12 };
                    }
                }
            }
        }
    }
    pose
}
