//! The passes of layers that read several values.

use typenet_shape::{Buffer, Step};

use super::{Backward, Forward, by_channels};
use crate::arena::apart;
use typenet_kernels::{Lanes, elementwise};

impl Forward<'_> {
    /// The sum of values, with activation.
    pub fn add(&mut self, step: &Step) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        if let Some(blocked) = self.side_by_side() {
            return blocked.add(self.isa, step, self.arena);
        }
        let (isa, f, sources) = (self.isa, self.activation_of(step), step.sources());
        for (k, source) in sources.iter().enumerate() {
            let [x, y] = apart(self.arena, self.of(step, source));
            match k {
                0 => by_channels::copy(&mut self.crew, x, y),
                _ if k + 1 == sources.len() => {
                    by_channels::add_activated(isa, &mut self.crew, x, f, y);
                }
                _ => by_channels::add(isa, &mut self.crew, x, y),
            }
        }
    }

    /// The product of values.
    pub fn mul(&mut self, step: &Step) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        let isa = self.isa;
        if let Some(blocked) = self.side_by_side() {
            return blocked.mul(isa, step, self.arena);
        }
        for (k, source) in step.sources().iter().enumerate() {
            let [x, y] = apart(self.arena, self.of(step, source));
            match k {
                0 => y.copy_from_slice(x),
                _ => elementwise::multiply(isa, x, y),
            }
        }
    }

    /// Values one after the other along the channels.
    pub fn concat(&mut self, step: &Step) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        if let Some(blocked) = self.side_by_side() {
            return blocked.concat(step, self.arena);
        }
        let mut start = 0;
        for source in step.sources() {
            let [x, y] = apart(self.arena, self.of(step, source));
            y[start..start + x.len()].copy_from_slice(x);
            start += x.len();
        }
    }
}

impl Backward<'_> {
    /// Each summand has the gradient of the sum.
    pub fn add(&mut self, step: &Step) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        let Some(gradient) = self.output_gradient(step) else { return };
        self.undo_activation(step, gradient);
        let isa = self.isa;
        for source in step.sources() {
            let Some(input_gradient) = self.gradient_of(source) else { continue };
            let [dy, dx] = apart(self.arena, [gradient, input_gradient]);
            if source.adds { elementwise::add(isa, dy, dx) } else { dx.copy_from_slice(dy) }
        }
    }

    /// Each factor has the gradient of the product times the other factors.
    pub fn mul(&mut self, step: &Step) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        let gradient = self.output_gradient(step);
        let (Some(gradient), Some(scratch)) = (gradient, step.scratch) else { return };
        let isa = self.isa;
        for (k, source) in step.sources().iter().enumerate() {
            let Some(input_gradient) = self.gradient_of(source) else { continue };
            let [dy, product] = apart(self.arena, [gradient, scratch]);
            product.copy_from_slice(dy);
            for (other, factor) in step.sources().iter().enumerate() {
                if other != k {
                    let [x, product] = apart(self.arena, [factor.training, scratch]);
                    elementwise::multiply(isa, x, product);
                }
            }
            let [product, dx] = apart(self.arena, [scratch, input_gradient]);
            if !source.adds {
                dx.fill(Lanes::ZERO);
            }
            elementwise::add_channels(isa, product, dx);
        }
    }

    /// Each value has its own part of the gradient.
    pub fn concat(&mut self, step: &Step) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        let Some(gradient) = self.output_gradient(step) else { return };
        let isa = self.isa;
        let mut start = 0;
        for source in step.sources() {
            let part = Buffer { offset: gradient.offset + start, len: source.training.len };
            start += part.len;
            let Some(input_gradient) = self.gradient_of(source) else { continue };
            let [dy, dx] = apart(self.arena, [part, input_gradient]);
            if source.adds { elementwise::add(isa, dy, dx) } else { dx.copy_from_slice(dy) }
        }
    }
}
