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

/// Interleaves images: `rows` holds up to [`LANES`] images of `lanes.len()` numbers each; missing
/// images become zeros.
///
/// # Panics
/// When `rows` is no whole number of images, or more than [`LANES`].
pub fn pack(rows: &[f32], lanes: &mut [Lanes]) {
    let len = lanes.len();
    assert!(rows.len().is_multiple_of(len) && rows.len() <= len * LANES, "whole images, at most 16");
    let images = rows.len() / len;
    for (i, lane) in lanes.iter_mut().enumerate() {
        for image in 0..LANES {
            lane.0[image] = if image < images { rows[image * len + i] } else { 0.0 };
        }
    }
}

/// The inverse of [`pack`]; lanes behind the last image are dropped.
///
/// # Panics
/// As [`pack`].
pub fn unpack(lanes: &[Lanes], rows: &mut [f32]) {
    let len = lanes.len();
    assert!(rows.len().is_multiple_of(len) && rows.len() <= len * LANES, "whole images, at most 16");
    for (image, row) in rows.chunks_exact_mut(len).enumerate() {
        for (number, lane) in row.iter_mut().zip(lanes) {
            *number = lane.0[image];
        }
    }
}
