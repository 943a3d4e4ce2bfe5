//! How a region's numbers are stored.

use std::str::FromStr;

use crate::error::FeatureError;

/// How a region's values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// 4 bytes a value.
    F32,
    /// 2 bytes a value, the default.
    F16,
    /// 1 byte a value, and one f32 scale a region.
    I8,
}

impl Dtype {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::F32, Self::F16, Self::I8];

    /// The name shown to users.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::I8 => "i8",
        }
    }

    /// Bytes that the regions of a value take behind its header.
    pub fn bytes(self, regions: usize, channels: usize) -> usize {
        match self {
            Self::F32 => regions * channels * 4,
            Self::F16 => regions * channels * 2,
            Self::I8 => regions * (channels + 4),
        }
    }
}

impl FromStr for Dtype {
    type Err = FeatureError;

    fn from_str(name: &str) -> Result<Self, FeatureError> {
        let known = Self::ALL.into_iter().find(|dtype| dtype.name() == name);
        known.ok_or_else(|| FeatureError::DtypeName(name.to_owned()))
    }
}
