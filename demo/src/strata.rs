//! The strata of FindFashion, in words.

use grnet_render::Difficulty;

/// Every stratum, in the order in which the queries take turns.
pub const ALL: [(Difficulty, &str); 5] = [
    (Difficulty::Easy, "easy"),
    (Difficulty::HardView, "hard view"),
    (Difficulty::HardOcclusion, "hard occlusion"),
    (Difficulty::HardCropping, "hard cropping"),
    (Difficulty::Mixed, "mixed"),
];
