//! How a garment is laid out or worn: the seen side and the position of arms and legs.

use crate::annotation::View;
use crate::outline::Pt;
use libm::{cosf, sinf};

/// Length of an upper arm and of a forearm without the hand, in body units.
pub(crate) const UPPER: f32 = 0.265;
pub(crate) const FORE: f32 = 0.245;
/// Heights of the waist, crotch, knees and ankles below the neck.
pub(crate) const WAIST: f32 = 0.39;
pub(crate) const CROTCH: f32 = 0.64;
pub(crate) const KNEE: f32 = 0.98;
pub(crate) const ANKLE: f32 = 1.37;

/// One arm in the plane of the picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arm {
    /// Angle of the upper arm away from hanging straight down, outwards, in radians.
    pub(crate) lift: f32,
    /// How much the elbow turns the forearm back inwards.
    pub(crate) bend: f32,
}

impl Arm {
    /// The unit vector along the upper arm, or the forearm.
    fn direction(self, fore: bool, right: bool) -> Pt {
        let angle = if fore { self.lift - self.bend } else { self.lift };
        let x = sinf(angle);
        (if right { x } else { -x }, cosf(angle))
    }

    /// The point `distance` along the arm from its `start` at the shoulder.
    pub(crate) fn along(self, start: Pt, right: bool, distance: f32) -> Pt {
        let upper = self.direction(false, right);
        let first = distance.min(UPPER);
        let elbow = (start.0 + upper.0 * first, start.1 + upper.1 * first);
        let rest = (distance - UPPER).max(0.0);
        let fore = self.direction(true, right);
        (elbow.0 + fore.0 * rest, elbow.1 + fore.1 * rest)
    }

    /// Whether the forearm crosses in front of the body.
    pub(crate) fn in_front(self) -> bool {
        self.bend > self.lift + 0.55
    }
}

/// Everything that a garment needs to know to be cut out for one photo.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pose {
    pub(crate) view: View,
    /// Somebody is inside, so no lining shows.
    pub(crate) worn: bool,
    /// The arms on the viewer's left and right.
    pub(crate) arms: [Arm; 2],
    /// How far the ankles on the viewer's left and right stand out.
    pub(crate) legs: [f32; 2],
}

impl Pose {
    /// Laid flat or on an invisible mannequin.
    pub(crate) fn flat(view: View) -> Self {
        let arm = Arm { lift: 0.42, bend: 0.06 };
        Self { view, worn: false, arms: [arm; 2], legs: [0.025; 2] }
    }

    /// The arm on the viewer's right or left.
    pub(crate) fn arm(&self, right: bool) -> Arm {
        self.arms[usize::from(right)]
    }
}
