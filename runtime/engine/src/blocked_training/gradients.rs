//! Where a pass leaves what it computes beside values.

use typenet_shape::TensorKind;

use crate::layout::Layout;

/// Where the gradients of the parameters go.
pub(super) struct Gradients<'a> {
    pub(super) all: &'a mut [f32],
    /// Whether they are added to what stands there.
    pub(super) accumulate: bool,
}

/// The gradients of a layer's weight and bias, as far as it has them.
pub(super) fn own<'a>(
    layout: &Layout,
    node: usize,
    gradients: &'a mut [f32],
) -> [Option<&'a mut [f32]>; 2] {
    let places = [TensorKind::Weight, TensorKind::Bias].map(|kind| layout.place(node, kind));
    match gradients.get_disjoint_mut(places) {
        Ok(both) => both.map(|gradient| (!gradient.is_empty()).then_some(gradient)),
        Err(_) => [None, None],
    }
}

/// Two numbers for each channel of each batch norm.
pub(super) struct Statistics<'a> {
    /// Mean and `1 / √(variance + eps)`.
    pub(super) of_batch: &'a mut [f32],
    /// The running statistics that a forward pass leaves; the means of the gradients in a backward pass.
    pub(super) moved: &'a mut [f32],
}
