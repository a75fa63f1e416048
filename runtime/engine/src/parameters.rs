//! The parameters of one layer, as fields of a net's parameter struct. Gradients and the
//! optimiser's state have the same types.
#![allow(unsafe_code)]

use crate::Flat;

/// The weight and the bias of a layer.
#[repr(C)]
#[derive(PartialEq, Debug)]
pub struct WeightBias<W, B> {
    /// The factors, in PyTorch's order of dimensions.
    pub weight: W,
    /// What is added to each output channel.
    pub bias: B,
}

/// The weight of a layer without bias.
#[repr(C)]
#[derive(PartialEq, Debug)]
pub struct Weight<W> {
    /// The factors, in PyTorch's order of dimensions.
    pub weight: W,
}

/// The parameters and the running statistics of a batch norm; `C` has a number for each channel.
#[repr(C)]
#[derive(PartialEq, Debug)]
pub struct BatchNorm<C> {
    /// The factors.
    pub weight: C,
    /// What is added.
    pub bias: C,
    /// The mean that inference uses. It has no gradient.
    pub running_mean: C,
    /// The variance that inference uses. It has no gradient.
    pub running_var: C,
}

/// The running statistics of a batch norm without parameters.
#[repr(C)]
#[derive(PartialEq, Debug)]
pub struct Running<C> {
    /// The mean that inference uses. It has no gradient.
    pub running_mean: C,
    /// The variance that inference uses. It has no gradient.
    pub running_var: C,
}

/// Two arrays, one after the other, in a net with generics: `C + 4` rows, for example, since stable Rust has
/// no array of that length. The rows are in the order of the sum.
///
/// ```
/// use typenet_engine::{Flat, parameters::Joined};
///
/// let rows: Joined<[[f32; 2]; 1], [[f32; 2]; 2]> = Joined([[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]);
/// assert_eq!(rows.as_flat(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// ```
#[repr(C)]
#[derive(Copy, PartialEq, Debug)]
pub struct Joined<A, B>(
    /// The first rows.
    pub A,
    /// The rows after them.
    pub B,
);

// `clone_from` keeps a layer's numbers off the stack, which may be too small for them.

impl<W: Clone, B: Clone> Clone for WeightBias<W, B> {
    fn clone(&self) -> WeightBias<W, B> {
        WeightBias { weight: self.weight.clone(), bias: self.bias.clone() }
    }

    fn clone_from(&mut self, source: &WeightBias<W, B>) {
        self.weight.clone_from(&source.weight);
        self.bias.clone_from(&source.bias);
    }
}

impl<W: Clone> Clone for Weight<W> {
    fn clone(&self) -> Weight<W> {
        Weight { weight: self.weight.clone() }
    }

    fn clone_from(&mut self, source: &Weight<W>) {
        self.weight.clone_from(&source.weight);
    }
}

impl<C: Clone> Clone for BatchNorm<C> {
    fn clone(&self) -> BatchNorm<C> {
        BatchNorm {
            weight: self.weight.clone(),
            bias: self.bias.clone(),
            running_mean: self.running_mean.clone(),
            running_var: self.running_var.clone(),
        }
    }

    fn clone_from(&mut self, source: &BatchNorm<C>) {
        self.weight.clone_from(&source.weight);
        self.bias.clone_from(&source.bias);
        self.running_mean.clone_from(&source.running_mean);
        self.running_var.clone_from(&source.running_var);
    }
}

impl<C: Clone> Clone for Running<C> {
    fn clone(&self) -> Running<C> {
        Running { running_mean: self.running_mean.clone(), running_var: self.running_var.clone() }
    }

    fn clone_from(&mut self, source: &Running<C>) {
        self.running_mean.clone_from(&source.running_mean);
        self.running_var.clone_from(&source.running_var);
    }
}

impl<A: Clone, B: Clone> Clone for Joined<A, B> {
    fn clone(&self) -> Joined<A, B> {
        Joined(self.0.clone(), self.1.clone())
    }

    fn clone_from(&mut self, source: &Joined<A, B>) {
        self.0.clone_from(&source.0);
        self.1.clone_from(&source.1);
    }
}

// SAFETY: repr(C) with two fields of f32 alignment, neither with padding.
unsafe impl<A: Flat, B: Flat> Flat for Joined<A, B> {}
// SAFETY: repr(C) with two fields of f32 alignment, neither with padding.
unsafe impl<W: Flat, B: Flat> Flat for WeightBias<W, B> {}
// SAFETY: repr(C) with four fields of one type without padding.
unsafe impl<C: Flat> Flat for BatchNorm<C> {}
// SAFETY: repr(C) with two fields of one type without padding.
unsafe impl<C: Flat> Flat for Running<C> {}
// SAFETY: repr(C) with one field.
unsafe impl<W: Flat> Flat for Weight<W> {}

/// What the passes need of the parameters of a layer with factors.
pub trait LayerParameters {
    /// The weight's numbers.
    fn weight(&self) -> &[f32];
    /// The bias's numbers, if there is a bias.
    fn bias(&self) -> Option<&[f32]>;
    /// Both, to change.
    fn both_mut(&mut self) -> (&mut [f32], Option<&mut [f32]>);
}

impl<W: Flat, B: Flat> LayerParameters for WeightBias<W, B> {
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

impl<W: Flat> LayerParameters for Weight<W> {
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

/// What the passes need of a norm's parameters, if it has any.
pub trait NormParameters {
    /// The weight's numbers.
    fn weight(&self) -> Option<&[f32]> {
        None
    }
    /// The bias's numbers.
    fn bias(&self) -> Option<&[f32]> {
        None
    }
    /// The running mean and variance.
    fn running(&self) -> Option<(&[f32], &[f32])> {
        None
    }
    /// Weight and bias, to change.
    fn both_mut(&mut self) -> Option<(&mut [f32], &mut [f32])> {
        None
    }
}

impl NormParameters for () {}

impl<W: Flat, B: Flat> NormParameters for WeightBias<W, B> {
    fn weight(&self) -> Option<&[f32]> {
        Some(self.weight.as_flat())
    }
    fn bias(&self) -> Option<&[f32]> {
        Some(self.bias.as_flat())
    }
    fn both_mut(&mut self) -> Option<(&mut [f32], &mut [f32])> {
        Some((self.weight.as_flat_mut(), self.bias.as_flat_mut()))
    }
}

impl<C: Flat> NormParameters for BatchNorm<C> {
    fn weight(&self) -> Option<&[f32]> {
        Some(self.weight.as_flat())
    }
    fn bias(&self) -> Option<&[f32]> {
        Some(self.bias.as_flat())
    }
    fn running(&self) -> Option<(&[f32], &[f32])> {
        Some((self.running_mean.as_flat(), self.running_var.as_flat()))
    }
    fn both_mut(&mut self) -> Option<(&mut [f32], &mut [f32])> {
        Some((self.weight.as_flat_mut(), self.bias.as_flat_mut()))
    }
}

impl<C: Flat> NormParameters for Running<C> {
    fn running(&self) -> Option<(&[f32], &[f32])> {
        Some((self.running_mean.as_flat(), self.running_var.as_flat()))
    }
}
