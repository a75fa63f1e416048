//! Layers that read several values.

use super::plan::{CHUNK, Task};
use super::run::{Run, activate};
use crate::arena::apart;
use typenet_kernels::{Lanes, activation, elementwise};

impl Run<'_> {
    /// The sum of values, with activation; of tangents likewise.
    pub(super) fn add(&mut self, task: &Task) {
        let step = task.step;
        let (isa, plan) = (self.isa, self.plan);
        let y = plan.buffer(task.value);
        for all in [&mut *self.values, &mut *self.tangents] {
            for (k, source) in step.sources().iter().enumerate() {
                let [x, y] = apart(all, [plan.buffer(source.node), y]);
                if k == 0 { y.copy_from_slice(x) } else { elementwise::add(isa, x, y) }
            }
        }
        let own = y.offset..y.end();
        let value = &mut self.values[own.clone()];
        activation::forward_in_place(isa, task.fused(), value);
        activate(isa, task.activation, value, &mut self.tangents[own]);
    }

    /// The product of values; the sum of the products in which one of them is its tangent.
    pub(super) fn mul(&mut self, task: &Task) {
        let step = task.step;
        let (isa, plan, sources) = (self.isa, self.plan, step.sources());
        let y = plan.buffer(task.value);
        for (k, source) in sources.iter().enumerate() {
            let [x, y] = apart(self.values, [plan.buffer(source.node), y]);
            if k == 0 { y.copy_from_slice(x) } else { elementwise::multiply(isa, x, y) }
        }
        let channels = step.output.dim(0);
        let area = y.len / channels;
        let at_once = (CHUNK / area).clamp(1, channels);
        let (values, tangents, scratch) = (&*self.values, &mut *self.tangents, &mut *self.scratch);
        for first in (0..channels).step_by(at_once) {
            let count = at_once.min(channels - first);
            let own = y.offset + first * area..y.offset + (first + count) * area;
            tangents[own.clone()].fill(Lanes::ZERO);
            for k in 0..sources.len() {
                let product = &mut scratch[..count * area];
                product.fill(Lanes([1.0; typenet_kernels::LANES]));
                for (other, source) in sources.iter().enumerate() {
                    let from: &[Lanes] = if other == k { tangents } else { values };
                    let from =
                        &from[plan.buffer(source.node).offset..][..plan.buffer(source.node).len];
                    // One number for each pixel, or for each channel.
                    let each = from.len() / channels;
                    elementwise::multiply(isa, &from[first * each..][..count * each], product);
                }
                elementwise::add(isa, product, &mut tangents[own.clone()]);
            }
        }
    }

    /// Values one after the other along the channels; tangents likewise.
    pub(super) fn concat(&mut self, task: &Task) {
        let step = task.step;
        let plan = self.plan;
        let y = plan.buffer(task.value);
        for all in [&mut *self.values, &mut *self.tangents] {
            let mut start = 0;
            for source in step.sources() {
                let [x, y] = apart(all, [plan.buffer(source.node), y]);
                y[start..start + x.len()].copy_from_slice(x);
                start += x.len();
            }
        }
    }
}
