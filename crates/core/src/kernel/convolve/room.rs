//! Memory that a photo's maps need, kept between photos.

use crate::kernel::scratch::Aligned;

/// Memory that one photo at a time needs.
#[derive(Debug, Default)]
pub struct Room {
    /// The map so far, `[cells, channels]`.
    pub(super) map: Aligned,
    /// The next one; in the end the last one, as an operand.
    pub(super) next: Aligned,
    /// The photo between its zeros.
    pub(super) pixels: Aligned,
}

/// Memory that one strip of a map needs.
#[derive(Debug, Default)]
pub struct Strip {
    /// The cells under it, in panels.
    pub(super) cells: Aligned,
    /// Channels of a part of them, expanded, row by row without zeros.
    pub(super) expanded: Aligned,
    /// The same between their zeros.
    pub(super) plane: Aligned,
    /// What comes out of the depthwise convolution, in panels.
    pub(super) panels: Aligned,
}

/// The first `count` places.
///
/// # Panics
/// If there is no memory for them.
pub fn places(room: &mut Aligned, count: usize) -> &mut [f32] {
    room.try_grow(count).unwrap_or_else(|error| panic!("{error}"));
    &mut room.get_mut()[..count]
}
