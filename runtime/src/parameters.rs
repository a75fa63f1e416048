//! The parameters of one layer, as fields of a net's parameter struct. Gradients and the
//! optimiser's state have the same types.
#![allow(unsafe_code)]

use crate::Plain;

/// The weight and the bias of a layer.
#[repr(C)]
#[derive(Clone, PartialEq, Debug)]
pub struct WeightBias<W, B> {
    /// The factors, in PyTorch's order of dimensions.
    pub weight: W,
    /// What is added to each output channel.
    pub bias: B,
}

/// The weight of a layer without bias.
#[repr(C)]
#[derive(Clone, PartialEq, Debug)]
pub struct Weight<W> {
    /// The factors, in PyTorch's order of dimensions.
    pub weight: W,
}

// SAFETY: repr(C) with two fields of f32 alignment, neither with padding.
unsafe impl<W: Plain, B: Plain> Plain for WeightBias<W, B> {}
// SAFETY: repr(C) with one field.
unsafe impl<W: Plain> Plain for Weight<W> {}

/// What the passes need of a layer's parameters.
pub trait LayerParameters {
    /// The weight's numbers.
    fn weight(&self) -> &[f32];
    /// The bias's numbers, if there is a bias.
    fn bias(&self) -> Option<&[f32]>;
    /// Both, to change.
    fn both_mut(&mut self) -> (&mut [f32], Option<&mut [f32]>);
}

impl<W: Plain, B: Plain> LayerParameters for WeightBias<W, B> {
    fn weight(&self) -> &[f32] {
        self.weight.as_flat()
    }
    fn bias(&self) -> Option<&[f32]> {
        Some(self.bias.as_flat())
    }
    fn both_mut(&mut self) -> (&mut [f32], Option<&mut [f32]>) {
        (self.weight.as_flat_mut(), Some(self.bias.as_flat_mut()))
    }
}

impl<W: Plain> LayerParameters for Weight<W> {
    fn weight(&self) -> &[f32] {
        self.weight.as_flat()
    }
    fn bias(&self) -> Option<&[f32]> {
        None
    }
    fn both_mut(&mut self) -> (&mut [f32], Option<&mut [f32]>) {
        (self.weight.as_flat_mut(), None)
    }
}
