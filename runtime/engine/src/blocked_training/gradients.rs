//! Where a pass leaves what it computes beside values.

use typenet_shape::TensorKind;

use crate::layout::Layout;

/// Where the gradients of the parameters go.
#[derive(Debug)]
pub(crate) struct Gradients<'a> {
    pub(crate) all: &'a mut [f32],
    /// Whether they are added to what stands there.
    pub(crate) accumulate: bool,
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
#[derive(Debug)]
pub(crate) struct Statistics<'a> {
    /// Mean and `1 / √(variance + eps)`.
    pub(crate) of_batch: &'a mut [f32],
    /// The running statistics that a forward pass leaves; the means of the gradients in a backward pass.
    pub(crate) moved: &'a mut [f32],
}
