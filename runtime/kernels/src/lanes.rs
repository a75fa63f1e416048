//! The unit of all values: 16 numbers side by side.

/// How many images, or channels of one image, stand side by side.
pub const LANES: usize = 16;

/// 16 numbers side by side: one from each of [`LANES`] images, or from each of 16 channels of one image.
#[derive(Clone, Copy, PartialEq, Debug)]
#[repr(C, align(64))]
pub struct Lanes(pub [f32; LANES]);

impl Lanes {
    /// All zero.
    pub const ZERO: Lanes = Lanes([0.0; LANES]);
}
