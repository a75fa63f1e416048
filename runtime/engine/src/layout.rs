//! The sizes and places of a net.

use std::ops::Range;

use typenet_shape::{
    Buffer, Conv2dPass, Norm, Output, Plan, Step, Tensor, TensorKind, Transformed,
};

use typenet_kernels::winograd;

/// The sizes and places of a net, all known at compile time.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Numbers of one input image.
    pub input_len: usize,
    /// Numbers of one output.
    pub output_len: usize,
    /// Numbers of all parameters and running statistics.
    pub parameters: usize,
    /// The parameters and running statistics in order.
    pub tensors: &'static [Tensor],
    /// The kernel calls in order.
    pub steps: &'static [Step],
    /// The batch norms in order.
    pub norms: &'static [Norm],
    /// The convolutions that transform their weight, or its gradient, in each pass, by the number of
    /// the [`Conv2dPass`].
    pub transformed: [&'static [Transformed]; 3],
    /// Scratch memory of a step, in numbers of 16 images: while training, and in inference.
    pub scratch_len: [usize; 2],
    /// The outputs in order.
    pub outputs: &'static [Output],
    /// The inputs in the arena while training.
    pub training_input: Buffer,
    /// The inputs in the arena in inference.
    pub inference_input: Buffer,
    /// Numbers an image that training needs in the arena.
    pub training_len: usize,
    /// Numbers an image that inference needs in the arena.
    pub inference_len: usize,
}

impl Layout {
    /// The layout of a net with this plan and these tensors.
    pub const fn new<const N: usize>(plan: &'static Plan<N>, tensors: &'static [Tensor]) -> Layout {
        let parameters = match tensors {
            [.., last] => last.offset + last.shape.elements(),
            [] => 0,
        };
        Layout {
            input_len: plan.training_input.len,
            output_len: match plan.outputs() {
                [.., last] => last.row.end(),
                [] => 0,
            },
            parameters,
            tensors,
            steps: plan.steps(),
            norms: plan.norms(),
            transformed: [
                plan.transformed(Conv2dPass::Forward),
                plan.transformed(Conv2dPass::BackwardData),
                plan.transformed(Conv2dPass::BackwardWeight),
            ],
            scratch_len: [plan.scratch_len(true), plan.scratch_len(false)],
            outputs: plan.outputs(),
            training_input: plan.training_input,
            inference_input: plan.inference_input,
            training_len: plan.training_len,
            inference_len: plan.inference_len,
        }
    }

    /// Numbers that the convolutions transform in a pass, all together.
    pub(crate) fn transformed_len(&self, pass: Conv2dPass) -> usize {
        match self.transformed[pass as usize] {
            [.., last] if winograd::is_enabled() => last.place.end(),
            _ => 0,
        }
    }

    /// Whether another layer does the work of this one in inference.
    pub(crate) fn is_folded(&self, node: usize) -> bool {
        self.steps.iter().any(|step| step.node == node && step.folded)
    }

    /// One of a layer's tensors among these numbers of all; `None`, if it has none of that kind.
    pub(crate) fn tensor<'n>(
        &self,
        numbers: &'n [f32],
        node: usize,
        kind: TensorKind,
    ) -> Option<&'n [f32]> {
        let place = self.place(node, kind);
        (!place.is_empty()).then(|| &numbers[place])
    }

    /// Where one of a layer's tensors stands among all; nowhere, if it has none of that kind.
    pub fn place(&self, node: usize, kind: TensorKind) -> Range<usize> {
        let own = self.tensors.iter().find(|tensor| tensor.node == node && tensor.kind == kind);
        own.map_or(0..0, |tensor| tensor.offset..tensor.offset + tensor.shape.elements())
    }
}
