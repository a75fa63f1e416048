//! The forward pass with 16 channels side by side: one method for each kind of layer.

use typenet_kernels::blocked::{self, GroupNorm, LayerNorm, Pixels, Rows};
use typenet_kernels::team::{Team, chunks, chunks_mut, equal_mut};
use typenet_kernels::winograd::blocked as blocked_winograd;
use typenet_kernels::{Isa, LANES, Lanes, activation, elementwise, pool2d, upsample};
use typenet_shape::{Activation, Buffer, Conv2dKernel, Op, Own, Parameters, Shape, Step};

use super::plan::Memory;
use super::plan::{BlockedPlan, Place, Read, area, is_depthwise};
use super::weights::BlockedWeights;
use crate::arena::{apart, wrong};

/// How many [`Lanes`] the pass of an elementwise step shares out at a time.
const PIECE: usize = 4096;

/// The forward pass of one image or several, from their values in the memory of some steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocked<'a> {
    pub(crate) plan: &'a BlockedPlan,
    pub(crate) weights: &'a BlockedWeights,
    pub(crate) memory: &'a Memory,
    pub(crate) team: &'a Team,
    pub(crate) images: usize,
    /// The inputs of these images.
    pub(crate) pixels: &'a [f32],
    /// Numbers of all inputs of an image.
    pub(crate) input_len: usize,
}

/// What a step reads, adds and writes.
struct Operands<'a> {
    x: &'a [Lanes],
    /// What is added.
    other: Option<&'a [Lanes]>,
    room: &'a mut [Lanes],
    y: &'a mut [Lanes],
}

impl Blocked<'_> {
    /// Whether a step runs in this memory.
    pub(crate) fn runs(&self, step: &Step) -> bool {
        self.plan.nodes[step.node].runs && self.memory.nodes.contains(&step.node)
    }

    fn place(&self, step: &Step) -> &Place {
        &self.plan.nodes[step.node]
    }

    /// A buffer of one image in the arena of these.
    fn of_images(&self, Buffer { offset, len }: Buffer) -> Buffer {
        Buffer { offset: offset * self.images, len: len * self.images }
    }

    /// Where a step finds what it reads; nowhere, if that is an input as the caller gave it.
    fn read(&self, read: &Read) -> Buffer {
        self.of_images(match read.view {
            Some(view) => self.memory.view(view),
            None => self.memory.value(&self.plan.nodes[read.node]),
        })
    }

    /// Converts what a step reads to the order in which the step reads it.
    fn turn(&self, step: &Step, arena: &mut [Lanes]) {
        for read in &self.place(step).reads {
            let (Some(_), source) = (read.view, &self.plan.nodes[read.node]) else { continue };
            let to = self.read(read);
            if let Some(pixels) = &source.pixels {
                let [to]: [&mut [Lanes]; 1] = apart(arena, [to]);
                let planar = |image: usize| &self.pixels[image * self.input_len..][pixels.clone()];
                self.team.for_each(equal_mut(to, self.images), |image, to| {
                    blocked::from_planar(planar(image), read.channels, to);
                });
            } else {
                let from = self.of_images(self.memory.value(source));
                let [from, to] = apart(arena, [from, to]);
                let from = chunks(from, source.len());
                self.team.for_each((from, equal_mut(to, self.images)), |_, (from, to)| {
                    blocked::rearrange(from, source.channels, to, read.channels);
                });
            }
        }
    }

    /// What a step reads first, in its order, and the rest.
    fn operands<'a>(&self, step: &Step, arena: &'a mut [Lanes]) -> Operands<'a> {
        self.turn(step, arena);
        let place = self.place(step);
        let nothing = Buffer::NONE;
        let x = place.reads.first().map_or(nothing, |read| self.read(read));
        let other = place.reads.last().filter(|_| place.adds).map(|read| self.read(read));
        let y = self.of_images(self.memory.value(place));
        let room = self.of_images(self.memory.room(step.node));
        match other {
            Some(other) if other != x => {
                let [x, other, room, y] = apart(arena, [x, other, room, y]);
                Operands { x, other: Some(other), room, y }
            }
            other => {
                let [x, room, y] = apart(arena, [x, room, y]);
                let x: &[Lanes] = x;
                Operands { x, other: other.map(|_| x), room, y }
            }
        }
    }

    /// The input that a step reads first, if it is one as the caller gave it: its numbers from the first
    /// image's on.
    fn as_it_came(&self, step: &Step) -> Option<&[f32]> {
        let read = self.place(step).reads.first()?;
        let pixels = self.plan.nodes[read.node].pixels.as_ref()?;
        read.view.is_none().then(|| &self.pixels[pixels.start..])
    }

    /// What a convolution reads: an input as the caller gave it, or the value `x`.
    fn pixels<'a>(&'a self, step: &Step, x: &'a [Lanes]) -> Pixels<'a> {
        match self.as_it_came(step) {
            Some(numbers) => Pixels::Planar { numbers, step: self.input_len },
            None => Pixels::Blocked(x),
        }
    }

    fn packed(&self, step: &Step) -> &[Lanes] {
        &self.weights.packed[self.place(step).packed.clone()]
    }

    pub(crate) fn conv2d(&self, isa: Isa, step: &Step, arena: &mut [Lanes], scratch: &mut [Lanes]) {
        let Some(g) = step.op.conv2d(step.input) else { return wrong(step) };
        let (team, packed, f) = (self.team, self.packed(step), step.inference.activation);
        let Operands { x, other, room, y } = self.operands(step, arena);
        let (kernel, pixels) = (self.place(step).kernel, self.pixels(step, x));
        if is_depthwise(&g) {
            blocked::depthwise_conv2d(isa, team, &g, x, packed, other, f, y);
        } else if kernel != Conv2dKernel::Direct {
            blocked_winograd::forward(isa, team, kernel, &g, x, packed, other, f, y, scratch);
        } else if room.is_empty() {
            blocked::conv2d(isa, team, &g, pixels, packed, other, f, y);
        } else if blocked::filled_conv2d(&g).is_none() {
            blocked::strided_conv2d(isa, team, &g, x, packed, other, f, room, y);
        } else {
            blocked::grouped_conv2d(isa, team, &g, pixels, packed, other, f, room, y);
        }
    }

    pub(crate) fn conv_transpose2d(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let Some(g) = step.op.conv_transpose2d(step.input) else { return wrong(step) };
        let (team, packed, f) = (self.team, self.packed(step), step.inference.activation);
        let Operands { x, other, room, y } = self.operands(step, arena);
        let pixels = self.pixels(step, x);
        if room.is_empty() {
            blocked::conv_transpose2d(isa, team, &g, pixels, packed, other, f, y);
        } else {
            blocked::grouped_conv_transpose2d(isa, team, &g, pixels, packed, other, f, room, y);
        }
    }

    pub(crate) fn linear(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let packed = self.packed(step);
        let Operands { x, other, y, .. } = self.operands(step, arena);
        let of_image = LANES * x.len() / self.images;
        let inputs = step.input.elements();
        let x = match self.as_it_came(step) {
            Some(numbers) => Rows { numbers, len: inputs, step: self.input_len },
            None => {
                let read = self.place(step).reads.first();
                let in_order = read.is_some_and(|read| read.channels == inputs);
                let len = if in_order { inputs } else { of_image };
                Rows { numbers: blocked::flat(x), len, step: of_image }
            }
        };
        blocked::linear(isa, self.team, x, packed, other, step.inference.activation, y);
    }

    pub(crate) fn pool2d(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let Operands { x, y, .. } = self.operands(step, arena);
        let plane = Shape::new(&[1, step.input.dim(1), step.input.dim(2)]);
        let Some(g) = step.op.pool2d(plane) else { return wrong(step) };
        let parts = (chunks(x, plane.elements()), chunks_mut(y, area(step.output)));
        self.team.for_each(parts, |_, (x, y)| match step.op {
            Op::MaxPool2d { .. } => pool2d::max_forward(isa, &g, x, y),
            _ => pool2d::avg_forward(isa, &g, x, y),
        });
    }

    pub(crate) fn upsample(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let Operands { x, y, .. } = self.operands(step, arena);
        let plane = Shape::new(&[1, step.input.dim(1), step.input.dim(2)]);
        let Some(g) = step.op.upsample2d(plane) else { return wrong(step) };
        let parts = (chunks(x, plane.elements()), chunks_mut(y, area(step.output)));
        self.team.for_each(parts, |_, (x, y)| upsample::forward(isa, &g, x, y));
    }

    pub(crate) fn global_avg_pool(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let Operands { x, y, .. } = self.operands(step, arena);
        // A few planes at a time, so that each hand-off is worth it.
        let planes = (PIECE / area(step.input)).max(1);
        let parts = (chunks(x, planes * area(step.input)), chunks_mut(y, planes));
        self.team.for_each(parts, |_, (x, y)| pool2d::global_avg_forward(isa, x, y));
    }

    /// An elementwise step, from `x` to `y`.
    fn by_number(
        &self,
        x: &[Lanes],
        y: &mut [Lanes],
        work: impl Fn(&[Lanes], &mut [Lanes]) + Sync,
    ) {
        self.team.for_each((chunks(x, PIECE), chunks_mut(y, PIECE)), |_, (x, y)| work(x, y));
    }

    pub(crate) fn scale(&self, isa: Isa, step: &Step, factor: f32, arena: &mut [Lanes]) {
        let Operands { x, y, .. } = self.operands(step, arena);
        self.by_number(x, y, |x, y| elementwise::scale(isa, factor, x, y));
    }

    pub(crate) fn activation(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let f = step.op.activation().unwrap_or(step.inference.activation);
        let Operands { x, y, .. } = self.operands(step, arena);
        self.by_number(x, y, |x, y| activation::forward(isa, f, x, y));
    }

    pub(crate) fn softmax(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let (channels, log) = (step.input.dim(0), matches!(step.op, Op::LogSoftmax));
        let Operands { x, y, .. } = self.operands(step, arena);
        let of_image = x.len() / self.images;
        let parts = (chunks(x, of_image), chunks_mut(y, of_image));
        self.team.for_each(parts, |_, (x, y)| blocked::softmax(isa, channels, log, x, y));
    }

    pub(crate) fn batch_norm(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let packed = self.packed(step);
        let (scale, shift) = packed.split_at(packed.len() / 2);
        let (area, f) = (area(step.input), step.inference.activation);
        let Operands { x, other, y, .. } = self.operands(step, arena);
        blocked::affine(isa, self.team, area, x, [scale, shift], other, f, y);
    }

    /// A layer norm or a group norm, image by image.
    pub(crate) fn group_norm(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        let packed = self.packed(step);
        let f = step.inference.activation;
        let (has_weight, channels) = (!packed.is_empty(), self.place(step).channels);
        let (weight, bias) = packed.split_at(packed.len() / 2);
        let [weight, bias] = [weight, bias].map(|part| has_weight.then_some(part));
        let Operands { x, room, y, .. } = self.operands(step, arena);
        let of_image = x.len() / self.images;
        let parts = (chunks(x, of_image), equal_mut(room, self.images), chunks_mut(y, of_image));
        match step.op {
            Op::GroupNorm { num_groups, eps, .. } => {
                let norm = GroupNorm { channels, groups: num_groups, eps, weight, bias };
                self.team.for_each(parts, |_, (x, room, y)| {
                    blocked::group_norm(isa, &norm, x, f, room, y);
                });
            }
            Op::LayerNorm { eps, .. } => {
                let norm = LayerNorm { channels, eps, weight, bias };
                self.team.for_each(parts, |_, (x, _, y)| {
                    blocked::layer_norm(isa, &norm, x, f, y);
                });
            }
            _ => wrong(step),
        }
    }

    /// A layer of the user's own, which reads and writes images in order.
    pub(crate) fn own(
        &self,
        step: &Step,
        own: &Own,
        parameters: Parameters<'_>,
        arena: &mut [Lanes],
        scratch: &mut [Lanes],
    ) {
        let (place, input) = (self.place(step), self.as_it_came(step));
        let [x_len, y_len] = [step.input.elements(), step.output.elements()];
        let channels = place.reads.first().map_or(x_len, |read| read.channels);
        let Operands { x, y, .. } = self.operands(step, arena);
        let (images, threads) = (self.images, self.team.threads());
        let rooms = equal_mut(scratch, threads);
        let x_step = x.len() / images;
        self.team.for_each_with(rooms, equal_mut(y, images), |room, image, y| {
            let (own_x, own_y) = room.split_at_mut(x_len.div_ceil(LANES));
            let x = match input {
                Some(numbers) => &numbers[image * self.input_len..][..x_len],
                None => {
                    let x = &x[image * x_step..][..x_step];
                    let numbers = &mut blocked::flat_mut(own_x)[..x_len];
                    blocked::to_planar(x, channels, numbers);
                    numbers
                }
            };
            let numbers = &mut blocked::flat_mut(own_y)[..y_len];
            numbers.fill(0.0);
            own.layer.forward(step.input, parameters, x, numbers);
            blocked::from_planar(numbers, place.channels, y);
        });
    }

    /// For each value that a step reads: where that value stands, and where the step's own value stands.
    fn sources<'a>(&'a self, step: &Step) -> impl Iterator<Item = [Buffer; 2]> + 'a {
        let place = &self.plan.nodes[step.node];
        let y = self.of_images(self.memory.value(place));
        place.reads.iter().map(move |read| [self.read(read), y])
    }

    pub(crate) fn add(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        self.turn(step, arena);
        let (f, last) = (step.inference.activation, step.sources().len() - 1);
        for (k, buffers) in self.sources(step).enumerate() {
            let [x, y] = apart(arena, buffers);
            let f = if k == last { f } else { Activation::Identity };
            self.by_number(x, y, |x, y| match k {
                0 => y.copy_from_slice(x),
                _ => elementwise::add_activated(isa, x, f, y),
            });
        }
    }

    pub(crate) fn mul(&self, isa: Isa, step: &Step, arena: &mut [Lanes]) {
        self.turn(step, arena);
        for (k, buffers) in self.sources(step).enumerate() {
            let [x, y] = apart(arena, buffers);
            match k {
                0 => self.by_number(x, y, |x, y| y.copy_from_slice(x)),
                _ if x.len() == y.len() => {
                    self.by_number(x, y, |x, y| elementwise::multiply(isa, x, y));
                }
                // A factor for each channel.
                _ => {
                    let planes = chunks_mut(y, area(step.output));
                    self.team.for_each((chunks(x, 1), planes), |_, (x, y)| {
                        elementwise::multiply(isa, x, y);
                    });
                }
            }
        }
    }

    pub(crate) fn concat(&self, step: &Step, arena: &mut [Lanes]) {
        self.turn(step, arena);
        let mut start = 0;
        for (read, [x, y]) in self.place(step).reads.iter().zip(self.sources(step)) {
            let (first, channels) = (start, read.channels);
            start += channels;
            if (y.offset..y.end()).contains(&x.offset) {
                // It was computed where it belongs.
                continue;
            }
            let [x, y] = apart(arena, [x, y]);
            let parts = (chunks(x, x.len() / self.images), equal_mut(y, self.images));
            self.team.for_each(parts, |_, (x, y)| blocked::join_channels(x, channels, first, y));
        }
    }

    /// Copies the value of `node` in order: of each image to its row of `outputs`, at `place`.
    pub(crate) fn store(&self, node: usize, arena: &[Lanes], place: Buffer, outputs: &mut [f32]) {
        let value = &self.plan.nodes[node];
        let from = self.of_images(self.memory.value(value));
        let rows = chunks_mut(outputs, outputs.len() / self.images);
        self.team.for_each(rows, |image, row| {
            let row = &mut row[place.offset..place.end()];
            match &value.pixels {
                Some(pixels) => {
                    row.copy_from_slice(&self.pixels[image * self.input_len..][pixels.clone()]);
                }
                None => {
                    let from = &arena[from.offset + image * value.len()..][..value.len()];
                    if value.is_in_order() {
                        row.copy_from_slice(&blocked::flat(from)[..row.len()]);
                    } else {
                        blocked::to_planar(from, value.channels, row);
                    }
                }
            }
        });
    }
}
