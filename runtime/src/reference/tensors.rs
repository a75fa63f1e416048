//! The numbers of one layer.

/// What a layer owns.
pub(super) struct Own<'a, T = f64> {
    pub(super) weight: Option<&'a [T]>,
    pub(super) bias: Option<&'a [T]>,
    pub(super) running: Option<(&'a [T], &'a [T])>,
}
