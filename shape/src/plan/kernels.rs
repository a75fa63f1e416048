//! Which kernels the convolutions of a net take, and what these keep.

use super::{Buffer, Step};
use crate::{Conv2d, Conv2dKernel, Conv2dPass, Op};

/// A convolution whose kernel needs its weight, or its weight's gradient, transformed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Transformed {
    /// Its node.
    pub node: usize,
    /// Its numbers.
    pub geometry: Conv2d,
    /// Which kernel.
    pub kernel: Conv2dKernel,
    /// Where its weight stands among the net's parameters.
    pub weight: Buffer,
    /// Where the transformed numbers stand among those of all convolutions in one pass.
    pub place: Buffer,
}

/// The convolutions of a pass that transform.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Kernels<const N: usize> {
    all: [Transformed; N],
    count: usize,
    /// Numbers of 16 images that one of them needs while it runs.
    pub(super) scratch_len: usize,
}

impl<const N: usize> Kernels<N> {
    /// Chooses the kernels of one pass for these steps, and tells the steps. `weights` are the places
    /// of all nodes' weights among the net's parameters.
    pub(super) const fn choose(
        steps: &mut [Step],
        weights: &[Buffer; N],
        pass: Conv2dPass,
    ) -> Kernels<N> {
        let none = Transformed {
            node: 0,
            geometry: Conv2d::new(crate::Shape::new(&[1, 1, 1]), 1, [1, 1]),
            kernel: Conv2dKernel::Direct,
            weight: Buffer::NONE,
            place: Buffer::NONE,
        };
        let mut kernels = Kernels { all: [none; N], count: 0, scratch_len: 0 };
        let (mut offset, mut i) = (0, 0);
        while i < steps.len() {
            let step = &mut steps[i];
            let runs = match pass {
                Conv2dPass::Forward => true,
                Conv2dPass::BackwardData => step.input_gradient.is_some(),
                Conv2dPass::BackwardWeight => !step.frozen,
            };
            if let (Op::Conv2d { .. }, Some(geometry), true) =
                (&step.op, step.op.conv2d(step.input), runs)
            {
                let kernel = Conv2dKernel::choose(&geometry, pass);
                let len = match pass {
                    Conv2dPass::BackwardWeight => kernel.weight_sums_len(&geometry),
                    _ => kernel.transformed_len(&geometry),
                };
                if len > 0 {
                    let place = Buffer { offset, len };
                    offset += len;
                    let weight = weights[step.node];
                    let own = Transformed { node: step.node, geometry, kernel, weight, place };
                    step.transformed[pass as usize] = Some((kernel, place));
                    kernels.all[kernels.count] = own;
                    kernels.count += 1;
                    let scratch = kernel.scratch_len(&geometry, pass);
                    if scratch > kernels.scratch_len {
                        kernels.scratch_len = scratch;
                    }
                }
            }
            i += 1;
        }
        kernels
    }

    pub(super) const fn all(&self) -> &[Transformed] {
        self.all.split_at(self.count).0
    }
}
