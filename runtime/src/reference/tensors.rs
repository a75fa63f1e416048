//! The numbers of one layer.

/// What a layer owns.
pub(super) struct Own<'a> {
    pub(super) weight: Option<&'a [f64]>,
    pub(super) bias: Option<&'a [f64]>,
    pub(super) running: Option<(&'a [f64], &'a [f64])>,
}
