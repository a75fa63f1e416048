//! Layers of the user's own, which read and write images in order.

use typenet_kernels::team::{chunks, chunks_mut, equal_mut};
use typenet_kernels::{LANES, Lanes, blocked};
use typenet_shape::{Gradients as OwnGradients, Own, Parameters, Step, TensorKind};

use super::call::{Call, len};
use super::gradients::{Gradients, own};
use super::run::{Run, apart};

/// [`Lanes`] that hold so many numbers.
fn lanes(numbers: usize) -> usize {
    numbers.div_ceil(LANES)
}

/// Numbers of the input, the output, and the parameters.
struct Sizes {
    x: usize,
    y: usize,
    weight: usize,
    bias: usize,
}

impl Sizes {
    fn new(step: &Step, own: &Own) -> Sizes {
        let [weight, bias] =
            [own.weight, own.bias].map(|shape| shape.map_or(0, |shape| shape.elements()));
        Sizes { x: step.input.elements(), y: step.output.elements(), weight, bias }
    }

    /// [`Lanes`] of an image, forward and backward.
    fn rooms(&self) -> [usize; 2] {
        let forward = lanes(self.x) + lanes(self.y);
        [forward, forward + lanes(self.x) + lanes(self.weight) + lanes(self.bias)]
    }
}

/// What an image needs in a backward pass.
struct Room<'a> {
    x: &'a mut [f32],
    dy: &'a mut [f32],
    dx: &'a mut [f32],
    weight: &'a mut [f32],
    bias: &'a mut [f32],
}

impl Sizes {
    fn split<'a>(&self, room: &'a mut [Lanes]) -> Room<'a> {
        let mut rest = room;
        let mut next = |numbers: usize| {
            let (own, behind) = std::mem::take(&mut rest).split_at_mut(lanes(numbers));
            rest = behind;
            &mut blocked::flat_mut(own)[..numbers]
        };
        Room {
            x: next(self.x),
            dy: next(self.y),
            dx: next(self.x),
            weight: next(self.weight),
            bias: next(self.bias),
        }
    }
}

/// [`Lanes`] that a layer needs for itself, forward and backward.
pub(super) fn room_len(step: &Step, own: &Own, images: usize) -> [usize; 2] {
    Sizes::new(step, own).rooms().map(|len| images * len)
}

impl Run<'_> {
    /// The value of each image by itself.
    pub(super) fn own(&mut self, call: &Call, step: &Step, layer: &Own) {
        let (sizes, images) = (Sizes::new(step, layer), self.images);
        let parameters = parameters(self, step);
        let [from, to] = [step.input, step.output];
        let ranges = [self.read(&call.reads[0]), call.value.range(images), call.room[0].clone()];
        let [x, y, room] = apart(self.arena, ranges);
        let parts = (chunks(x, len(from)), chunks_mut(y, len(to)), equal_mut(room, images));
        self.team.for_each(parts, |_, (x, y, room)| {
            let (own_x, own_y) = room.split_at_mut(lanes(sizes.x));
            let numbers = &mut blocked::flat_mut(own_x)[..sizes.x];
            blocked::to_planar(x, from.dim(0), numbers);
            let result = &mut blocked::flat_mut(own_y)[..sizes.y];
            result.fill(0.0);
            layer.layer.forward(from, parameters, numbers, result);
            blocked::from_planar(result, to.dim(0), y);
        });
    }

    /// The gradients of each image by itself; those of the parameters are added up in the order of the
    /// images.
    pub(super) fn own_backward(
        &mut self,
        call: &Call,
        step: &Step,
        layer: &Own,
        gradients: &mut Gradients<'_>,
    ) {
        let Some(gradient) = self.output_gradient(call) else { return };
        let (sizes, images) = (Sizes::new(step, layer), self.images);
        let parameters = parameters(self, step);
        let [from, to] = [step.input, step.output];
        let (read, room) = (&call.reads[0], call.room[1].clone());
        let of_image = sizes.rooms()[1];
        // What it reads and the gradients stand in each image's room, one behind the other.
        let room = room.start..room.start + images * of_image;
        let [x, dy, rooms] = apart(self.arena, [self.read(read), gradient, room.clone()]);
        let parts = (chunks(x, len(from)), chunks(dy, len(to)), equal_mut(rooms, images));
        self.team.for_each(parts, |_, (x, dy, room)| {
            let own = sizes.split(room);
            blocked::to_planar(x, from.dim(0), own.x);
            blocked::to_planar(dy, to.dim(0), own.dy);
            for zeros in [&mut *own.dx, &mut *own.weight, &mut *own.bias] {
                zeros.fill(0.0);
            }
            let gradients = OwnGradients { weight: own.weight, bias: own.bias };
            layer.layer.backward(from, parameters, own.x, own.dy, own.dx, gradients);
        });
        if self.needs(step.node).own {
            let accumulate = gradients.accumulate;
            let [dw, db] = own(self.layout, step.node, gradients.all);
            for gradient in [dw, db].into_iter().flatten().filter(|_| !accumulate) {
                gradient.fill(0.0);
            }
            let [dw, db] = own(self.layout, step.node, gradients.all);
            let mut both = [dw.unwrap_or_default(), db.unwrap_or_default()];
            for room in self.arena[room.clone()].chunks_exact_mut(of_image) {
                let own = sizes.split(room);
                for (sum, part) in both.iter_mut().zip([&*own.weight, &*own.bias]) {
                    sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
                }
            }
        }
        let Some(target) = self.target(call, read) else { return };
        // The gradient may stand aside, behind the rooms.
        let [rooms, dx] = apart(self.arena, [room, target]);
        let parts = (equal_mut(rooms, images), chunks_mut(dx, len(from)));
        self.team.for_each(parts, |_, (room, dx)| {
            blocked::from_planar(sizes.split(room).dx, from.dim(0), dx);
        });
        self.add_up(call, read);
    }
}

fn parameters<'a>(run: &Run<'a>, step: &Step) -> Parameters<'a> {
    let [weight, bias] = [TensorKind::Weight, TensorKind::Bias]
        .map(|kind| &run.parameters[run.layout.place(step.node, kind)]);
    Parameters { weight, bias }
}
