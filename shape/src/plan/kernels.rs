//! Which kernels the convolutions of a net take, and what these keep.

use super::{Buffer, Step, norms};
use crate::{Conv2d, Conv2dKernel, Conv2dPass, Op};

/// A convolution whose kernel needs its weight, or its weight's gradient, transformed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Transformed {
    /// Its node.
    pub node: usize,
    /// Its geometry.
    pub geometry: Conv2d,
    /// Its kernel.
    pub kernel: Conv2dKernel,
    /// Where its weight stands among the net's parameters.
    pub weight: Buffer,
    /// Where its transformed numbers stand among those of all convolutions in one pass.
    pub place: Buffer,
}

/// In the order of their numbers.
const PASSES: [Conv2dPass; 3] =
    [Conv2dPass::Forward, Conv2dPass::BackwardData, Conv2dPass::BackwardWeight];

/// The convolutions of a pass that transform.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Kernels<const N: usize> {
    all: [Transformed; N],
    count: usize,
    /// Transformed numbers of all of them.
    len: usize,
    /// Numbers of 16 images that one of them needs while it runs.
    pub(super) scratch_len: usize,
}

impl<const N: usize> Kernels<N> {
    pub(super) const NONE: Kernels<N> = {
        let none = Transformed {
            node: 0,
            geometry: Conv2d::new(crate::Shape::new(&[1, 1, 1]), 1, [1, 1]),
            kernel: Conv2dKernel::Direct,
            weight: Buffer::NONE,
            place: Buffer::NONE,
        };
        Kernels { all: [none; N], count: 0, len: 0, scratch_len: 0 }
    };

    /// Chooses the kernels for these steps in each pass, and tells the steps. `weights` are the places
    /// of all nodes' weights among the net's parameters.
    pub(super) const fn choose(steps: &mut [Step], weights: &[Buffer; N]) -> [Kernels<N>; 3] {
        let mut kernels = [const { Kernels::NONE }; 3];
        let mut i = 0;
        while i < steps.len() {
            let step = &mut steps[i];
            if step.normalizes.is_some()
                && let Some(geometry) = step.op.conv2d(step.input)
            {
                // In training alone, as this pass is.
                let pass = Conv2dPass::BackwardWeight as usize;
                kernels[pass].make_room(norms::scratch_len(&geometry));
            }
            if let Op::Conv2d { .. } = step.op
                && let Some(geometry) = step.op.conv2d(step.input)
            {
                let mut p = 0;
                while p < PASSES.len() {
                    kernels[p].add(step, &geometry, PASSES[p], weights);
                    p += 1;
                }
            }
            i += 1;
        }
        kernels
    }

    /// Chooses the kernel of a convolution.
    const fn add(
        &mut self,
        step: &mut Step,
        geometry: &Conv2d,
        pass: Conv2dPass,
        weights: &[Buffer; N],
    ) {
        let runs = match pass {
            Conv2dPass::Forward => true,
            Conv2dPass::BackwardData => step.input_gradient.is_some(),
            Conv2dPass::BackwardWeight => !step.frozen,
        };
        if !runs {
            return;
        }
        let kernel = Conv2dKernel::choose(geometry, pass);
        if let Conv2dKernel::Gemm = kernel {
            step.kernels[pass as usize] = Some((kernel, Buffer::NONE));
            self.make_room(kernel.scratch_len(geometry, pass));
        }
        if let Some(tiling) = kernel.tiling(geometry, pass) {
            let len = match pass {
                Conv2dPass::BackwardWeight => tiling.weight_sums_len(),
                Conv2dPass::Forward | Conv2dPass::BackwardData => tiling.transformed_len(),
            };
            let place = Buffer { offset: self.len, len };
            step.kernels[pass as usize] = Some((kernel, place));
            self.all[self.count] = Transformed {
                node: step.node,
                geometry: *geometry,
                kernel,
                weight: weights[step.node],
                place,
            };
            self.count += 1;
            self.len = place.end();
            self.make_room(tiling.scratch_len(pass));
        }
    }

    const fn make_room(&mut self, scratch_len: usize) {
        if scratch_len > self.scratch_len {
            self.scratch_len = scratch_len;
        }
    }

    pub(super) const fn all(&self) -> &[Transformed] {
        self.all.split_at(self.count).0
    }
}
