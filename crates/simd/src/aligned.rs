//! Memory that begins at a cache line.

use std::collections::TryReserveError;

/// Floats of a cache line: vectors of this width do not cross lines where rows begin at one.
pub const LINE: usize = 16;

/// Floats that begin at a cache line.
#[derive(Debug, Default, Clone)]
pub struct AlignedBuffer {
    values: Vec<f32>,
    skip: usize,
}

impl AlignedBuffer {
    /// At least `n` elements; what is in them is left over.
    ///
    /// # Errors
    /// There is no memory for them.
    pub fn try_grow(&mut self, n: usize) -> Result<(), TryReserveError> {
        if self.values.len() < n + LINE {
            self.values.try_reserve_exact(n + LINE - self.values.len())?;
            self.values.resize(n + LINE, 0.0);
            // `usize::MAX` where it cannot be said, as in an interpreter: then nothing is aligned and nothing is wrong.
            let skip = self.values.as_ptr().align_offset(LINE * size_of::<f32>());
            self.skip = if skip < LINE { skip } else { 0 };
        }
        Ok(())
    }

    /// The elements.
    pub fn get(&self) -> &[f32] {
        self.values.get(self.skip..).unwrap_or_default()
    }

    /// The elements, to write.
    pub fn get_mut(&mut self) -> &mut [f32] {
        self.values.get_mut(self.skip..).unwrap_or_default()
    }
}
