//! The unit of all values: 16 numbers side by side.

/// How many images stand side by side.
pub const LANES: usize = 16;

/// The same number of [`LANES`] images.
#[derive(Clone, Copy, PartialEq, Debug)]
#[repr(C, align(64))]
pub struct Lanes(pub [f32; LANES]);

impl Lanes {
    /// All zero.
    pub const ZERO: Lanes = Lanes([0.0; LANES]);
}
