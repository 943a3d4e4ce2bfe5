//! Memory that an image's maps need, kept between images.

use grnet_simd::AlignedBuffer;

/// Memory that one image at a time needs.
#[derive(Debug, Default)]
pub struct Workspace {
    /// The map so far, `[cells, channels]`.
    pub(super) map: AlignedBuffer,
    /// The next one; in the end the last one, as an operand.
    pub(super) next: AlignedBuffer,
    /// The image between its zeros.
    pub(super) pixels: AlignedBuffer,
}

/// Memory that one strip of a map needs.
#[derive(Debug, Default)]
pub struct Strip {
    /// The cells under it, in panels.
    pub(super) cells: AlignedBuffer,
    /// Channels of a part of them, expanded, row by row without zeros.
    pub(super) expanded: AlignedBuffer,
    /// The same between their zeros.
    pub(super) plane: AlignedBuffer,
    /// What comes out of the depthwise convolution, in panels.
    pub(super) panels: AlignedBuffer,
}

/// The first `count` elements.
///
/// # Panics
/// If there is no memory for them.
pub fn take(workspace: &mut AlignedBuffer, count: usize) -> &mut [f32] {
    workspace.try_grow(count).unwrap_or_else(|error| panic!("{error}"));
    &mut workspace.get_mut()[..count]
}
