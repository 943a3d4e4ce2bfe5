//! Images as a database stores them.

use grnet_features::value::{self, Dtype, Features, HEADER, ImageDigest};
use grnet_score::scorer::{PreparedFeatures, Scorer};
use tch::Tensor;

use crate::error::EvalError;

/// Images in one number type, ready to be scored.
#[derive(Debug)]
pub struct Stored {
    /// Global vectors, of unit norm.
    pub globals: Vec<Vec<f32>>,
    /// What the scorer takes.
    pub prepared: Vec<PreparedFeatures>,
    /// Bytes of a value.
    pub bytes: usize,
}

impl Stored {
    /// Stores regions `[n, M, C]` and reads them again.
    ///
    /// # Errors
    /// A number is beyond what the type holds.
    pub fn of(scorer: &Scorer, regions: &Tensor, dtype: Dtype) -> Result<Self, EvalError> {
        let head = scorer.head();
        let (count, rows, channels) = regions.size3()?;
        let (mut globals, mut prepared) = (Vec::new(), Vec::new());
        for image in 0..count {
            let values = Vec::<f32>::try_from(regions.f_select(0, image)?.f_contiguous()?.f_view([-1])?)?;
            // Whose image it is changes no score.
            let value = value::encode(head.id, ImageDigest([0; 16]), &head.grids, head.channels, dtype, &values)?;
            let value = Features::parse(&value)?;
            globals.push(value.global());
            prepared.push(scorer.prepare(&value)?);
        }
        Ok(Self { globals, prepared, bytes: HEADER + dtype.bytes(rows as usize, channels as usize) })
    }
}
