//! What the generated passes call: one method for each kind of layer, which finds the layer's
//! buffers in the arena of a group of images and runs its kernels.

mod conv2d;
mod enlarge;
mod joins;
mod norms;
mod parts;
mod pools;

use typenet_shape::{Activation, Buffer, Buffers, Op, Source, Step};

pub(crate) use self::conv2d::kernel_of;
use self::parts::Steps;
use crate::folded::Folded;
use crate::kernels::{self, Isa, Lanes, activation, dropout, join, linear, softmax};
use crate::parameters::LayerParameters;
use crate::single::Image;
use crate::trained::Needs;
use crate::transformed::Prepared;

/// Whether a pass trains, and for training which random numbers are its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    Training { seed: u64, pass: u64, group: usize, dropout: bool },
    Inference,
}

impl Mode {
    /// Where a step reads and writes.
    fn buffers(self, step: &Step) -> &Buffers {
        match self {
            Mode::Training { .. } => &step.training,
            Mode::Inference => &step.inference,
        }
    }

    /// The random numbers of a dropout layer in this pass, if it drops anything.
    fn dropout_key(self, node: usize) -> Option<dropout::Key> {
        match self {
            Mode::Training { seed, pass, group, dropout: true } => {
                Some(dropout::Key { seed, pass, node: node as u64, group: group as u64 })
            }
            _ => None,
        }
    }
}

/// Where a group of images stands in a training step.
#[derive(Debug)]
pub(crate) struct Segment<'a> {
    /// The segment that runs; see [`Plan::norms`](typenet_shape::Plan::norms).
    pub(crate) index: usize,
    /// How many images the group has.
    pub(crate) images: usize,
    /// For each node, what the backward pass does for it.
    pub(crate) needs: &'a [Needs],
    /// What the group gathers for the batch norm at which the segment ends.
    pub(crate) gathered: &'a mut [f32],
    /// Mean and `1 / √(variance + eps)` of all batch norms so far.
    pub(crate) statistics: &'a [f32],
    /// In a backward pass: the means of the gradients of all batch norms so far.
    pub(crate) means: &'a [f32],
}

impl Segment<'_> {
    /// Whether a batch norm takes its running statistics.
    pub(crate) fn is_fixed(&self, node: usize) -> bool {
        self.needs.get(node).is_some_and(|needs| needs.fixed)
    }
}

/// The forward pass of one group of images. While training it goes through the same calls once for
/// each segment, and each call runs in its own.
#[derive(Debug)]
pub struct Forward<'a> {
    pub(crate) arena: &'a mut [Lanes],
    mode: Mode,
    pub(crate) isa: Isa,
    /// The segment of a training step.
    pub(crate) segment: Option<Segment<'a>>,
    /// The one image, where there is only one.
    pub(crate) image: Option<Image<'a>>,
    /// The parameters of layers that have taken in a batch norm.
    pub(crate) folded: Option<&'a Folded>,
    /// The weights of convolutions that transform them.
    transformed: &'a [f32],
    /// Memory that a step needs while it runs.
    scratch: &'a mut [Lanes],
    /// How many images there are.
    images: usize,
    /// The steps of the net, for nets that are layers of it.
    steps: Steps,
}

impl<'a> Forward<'a> {
    pub(crate) fn training(
        arena: &'a mut [Lanes],
        scratch: &'a mut [Lanes],
        transformed: &'a [f32],
        mode: Mode,
        segment: Segment<'a>,
        steps: &'static [Step],
    ) -> Forward<'a> {
        let (images, isa, segment) = (segment.images, kernels::isa(), Some(segment));
        let (image, folded, steps) = (None, None, Steps::new(steps));
        Forward { arena, mode, isa, segment, image, folded, transformed, scratch, images, steps }
    }

    pub(crate) fn inference(
        arena: &'a mut [Lanes],
        scratch: &'a mut [Lanes],
        prepared: Prepared<'a>,
        images: usize,
        steps: &'static [Step],
    ) -> Forward<'a> {
        let (mode, isa, Prepared { folded, transformed }) =
            (Mode::Inference, kernels::isa(), prepared);
        let (segment, image, steps) = (None, None, Steps::new(steps));
        Forward { arena, mode, isa, segment, image, folded, transformed, scratch, images, steps }
    }

    /// Inference of one image.
    pub(crate) fn of_image(
        arena: &'a mut [Lanes],
        scratch: &'a mut [Lanes],
        image: Image<'a>,
        steps: &'static [Step],
    ) -> Forward<'a> {
        let prepared = Prepared { folded: None, transformed: &[] };
        let forward = Forward::inference(arena, scratch, prepared, 1, steps);
        Forward { image: Some(image), ..forward }
    }

    /// Whether a step runs in this segment, and no other does its work.
    pub(crate) fn runs(&self, step: &Step) -> bool {
        match &self.segment {
            Some(segment) => step.segment == segment.index,
            None => !(step.folded || step.in_convolution && self.image.is_none()),
        }
    }

    /// The activation that a step applies to its value.
    pub(crate) fn activation_of(&self, step: &Step) -> Activation {
        self.mode.buffers(step).activation
    }

    pub(crate) fn buffers(&mut self, step: &Step) -> (&[Lanes], &mut [Lanes]) {
        let buffers = self.mode.buffers(step);
        let [x, y] = apart(self.arena, [buffers.input, buffers.output]);
        (x, y)
    }

    /// The value that a step reads first, the one that it adds, and the one that it writes.
    pub(crate) fn operands(&mut self, step: &Step) -> (&[Lanes], Option<&[Lanes]>, &mut [Lanes]) {
        operands(self.arena, self.mode.buffers(step))
    }

    /// A layer of one value: `image` where there is one image, else `kernel`, which reads the first
    /// value and writes the second.
    pub(crate) fn of_one(
        &mut self,
        step: &Step,
        image: impl FnOnce(&Image<'_>, Isa, &mut [Lanes]),
        kernel: impl FnOnce(Isa, &[Lanes], &mut [Lanes]),
    ) {
        if !self.runs(step) {
            return;
        }
        let isa = self.isa;
        if let Some(one) = &self.image {
            return image(one, isa, self.arena);
        }
        let (x, y) = self.buffers(step);
        kernel(isa, x, y);
    }

    /// A layer's weight and bias: those that have taken in a batch norm, or its own.
    pub(crate) fn weights<'p>(
        &self,
        step: &Step,
        parameters: &'p impl LayerParameters,
    ) -> (&'p [f32], Option<&'p [f32]>)
    where
        'a: 'p,
    {
        match self.folded.and_then(|folded| folded.of(step.node)) {
            Some((weight, bias)) => (weight, Some(bias)),
            None => (parameters.weight(), parameters.bias()),
        }
    }

    /// One of the values that a step reads, and the one that it writes.
    pub(crate) fn of(&self, step: &Step, source: &Source) -> [Buffer; 2] {
        match self.mode {
            Mode::Training { .. } => [source.training, step.training.output],
            Mode::Inference => [source.inference, step.inference.output],
        }
    }

    /// `W x + b` with activation.
    pub fn linear(&mut self, step: &Step, parameters: &impl LayerParameters) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        if let Some(image) = &self.image {
            return image.linear(self.isa, step, self.arena);
        }
        let (weight, bias) = self.weights(step, parameters);
        self.linear_with(step, weight, bias);
    }

    fn linear_with(&mut self, step: &Step, weight: &[f32], bias: Option<&[f32]>) {
        let (isa, f) = (self.isa, self.activation_of(step));
        let (x, other, y) = self.operands(step);
        linear::forward_and_add(isa, x, weight, bias, other, f, y);
    }

    /// An activation that is not fused into the layer before it.
    pub fn activation(&mut self, step: &Step) {
        let step = self.at(step);
        self.of_one(
            step,
            |image, isa, arena| image.activation(isa, step, arena),
            |isa, x, y| activation::forward(isa, own_activation(step), x, y),
        );
    }

    /// Zeroes some values while training; in inference the buffers are one and nothing is done.
    pub fn dropout(&mut self, step: &Step) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        let Op::Dropout { p } = step.op else { return wrong(step) };
        if let Mode::Training { .. } = self.mode {
            let key = self.mode.dropout_key(step.node);
            let isa = self.isa;
            let (x, y) = self.buffers(step);
            match key {
                Some(key) => dropout::forward(isa, p, key, x, y),
                None => y.copy_from_slice(x),
            }
        }
    }

    /// Softmax over the channels.
    pub fn softmax(&mut self, step: &Step) {
        let step = self.at(step);
        self.of_one(
            step,
            |image, _, arena| image.softmax(step, arena),
            |isa, x, y| softmax::forward(isa, step.input.dim(0), x, y),
        );
    }

    /// The softmax's logarithm.
    pub fn log_softmax(&mut self, step: &Step) {
        let step = self.at(step);
        self.of_one(
            step,
            |image, _, arena| image.softmax(step, arena),
            |isa, x, y| softmax::log_forward(isa, step.input.dim(0), x, y),
        );
    }

    /// The value times a constant.
    pub fn scale(&mut self, step: &Step) {
        let step = self.at(step);
        let Op::Scale { factor } = step.op else { return wrong(step) };
        self.of_one(
            step,
            |image, isa, arena| image.scale(isa, step, factor, arena),
            |isa, x, y| kernels::scale(isa, factor, x, y),
        );
    }
}

/// The backward pass of one group of images, called in the reverse order of the steps.
/// A step before which nothing is trained has no gradient buffers, and nothing is done for it.
#[derive(Debug)]
pub struct Backward<'a> {
    pub(crate) arena: &'a mut [Lanes],
    mode: Mode,
    pub(crate) isa: Isa,
    pub(crate) segment: Segment<'a>,
    room: Room<'a>,
    steps: Steps,
}

/// What convolutions that transform need beside the arena in a backward pass.
#[derive(Debug)]
pub(crate) struct Room<'a> {
    /// The weights transformed for the data gradient.
    pub(crate) transformed: &'a [f32],
    /// Where the gradients of transformed weights are added up.
    pub(crate) sums: &'a mut [Lanes],
    /// Memory that a step needs while it runs.
    pub(crate) scratch: &'a mut [Lanes],
}

impl<'a> Backward<'a> {
    pub(crate) fn new(
        arena: &'a mut [Lanes],
        mode: Mode,
        segment: Segment<'a>,
        room: Room<'a>,
        steps: &'static [Step],
    ) -> Backward<'a> {
        Backward { arena, mode, isa: kernels::isa(), segment, room, steps: Steps::new(steps) }
    }

    /// Whether a step runs in this segment.
    pub(crate) fn runs(&self, step: &Step) -> bool {
        step.segment == self.segment.index
    }

    /// What is to be done for a node.
    pub(crate) fn needs(&self, node: usize) -> Needs {
        self.segment.needs.get(node).copied().unwrap_or_default()
    }

    /// The gradient of the value that a step writes, if something that is trained lies before it.
    pub(crate) fn output_gradient(&self, step: &Step) -> Option<Buffer> {
        step.output_gradient.filter(|_| self.needs(step.value).value)
    }

    /// Where the gradient of one of the values goes that a step reads, if it is of use.
    pub(crate) fn gradient_of(&self, source: &Source) -> Option<Buffer> {
        source.gradient.filter(|_| self.needs(source.node).value)
    }

    /// Where a layer of one input writes its gradient, if it is of use.
    pub(crate) fn input_gradient(&self, step: &Step) -> Option<Buffer> {
        let source = step.sources().first()?;
        step.input_gradient.filter(|_| self.needs(source.node).value)
    }

    /// Both.
    pub(crate) fn both(&self, step: &Step) -> Option<(Buffer, Buffer)> {
        Some((self.output_gradient(step)?, self.input_gradient(step)?))
    }

    /// Turns the gradient of the activated value into that of the value before the activation.
    pub(crate) fn undo_activation(&mut self, step: &Step, gradient: Buffer) {
        if step.training.activation != Activation::Identity && !step.is_undone {
            let [y, dy] = apart(self.arena, [step.training.output, gradient]);
            activation::backward_in_place(self.isa, step.training.activation, y, dy);
        }
    }

    /// Undoes the activation, and gives the value that the step adds its gradient.
    pub(crate) fn pass_on(&mut self, step: &Step, gradient: Buffer) {
        self.undo_activation(step, gradient);
        self.give(step, gradient);
    }

    /// The gradient of the value before the activation is also that of the value which the step adds.
    pub(crate) fn give(&mut self, step: &Step, gradient: Buffer) {
        if let Some((added, accumulates)) = step.added_gradient
            && self.needs(step.added).value
        {
            let [dy, dx] = apart(self.arena, [gradient, added]);
            if accumulates { join::add(self.isa, dy, dx) } else { dx.copy_from_slice(dy) }
        }
    }

    /// Adds a gradient that was written aside to that from the other readers of the value.
    pub(crate) fn add_up(&mut self, step: &Step) {
        if let (Some(part), Some(sum)) = (self.input_gradient(step), step.adds_to) {
            let [part, sum] = apart(self.arena, [part, sum]);
            join::add(self.isa, part, sum);
        }
    }

    /// A layer of one value without parameters: `kernel` reads the gradient of its output and writes
    /// that of its input.
    pub(crate) fn of_one(&mut self, step: &Step, kernel: impl FnOnce(Isa, &[Lanes], &mut [Lanes])) {
        if !self.runs(step) {
            return;
        }
        let Some((gradient, input_gradient)) = self.both(step) else { return };
        let [dy, dx] = apart(self.arena, [gradient, input_gradient]);
        kernel(self.isa, dy, dx);
        self.add_up(step);
    }

    /// [`of_one`](Self::of_one) for a softmax, whose kernel reads the number of channels and the output.
    fn of_softmax(
        &mut self,
        step: &Step,
        kernel: fn(Isa, usize, &[Lanes], &[Lanes], &mut [Lanes]),
    ) {
        if !self.runs(step) {
            return;
        }
        let Some((gradient, input_gradient)) = self.both(step) else { return };
        let [y, dy, dx] = apart(self.arena, [step.training.output, gradient, input_gradient]);
        kernel(self.isa, step.input.dim(0), y, dy, dx);
        self.add_up(step);
    }

    /// Gradients of a linear layer but for its weight's, which is computed of all groups together; the
    /// bias's is added to `gradients`.
    pub fn linear(
        &mut self,
        step: &Step,
        parameters: &impl LayerParameters,
        gradients: &mut impl LayerParameters,
    ) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        self.linear_with(step, parameters.weight(), gradients.both_mut().1);
    }

    fn linear_with(&mut self, step: &Step, weight: &[f32], db: Option<&mut [f32]>) {
        let Some(gradient) = self.output_gradient(step) else { return };
        self.pass_on(step, gradient);
        let isa = self.isa;
        if let Some(db) = db.filter(|_| self.needs(step.node).own) {
            let dy = &self.arena[gradient.offset..gradient.end()];
            linear::backward_bias(isa, dy, db);
        }
        if let Some(input_gradient) = self.input_gradient(step) {
            let [dy, dx] = apart(self.arena, [gradient, input_gradient]);
            if step.accumulates {
                linear::add_backward_data(isa, dy, weight, dx);
            } else {
                linear::backward_data(isa, dy, weight, dx);
            }
        }
    }

    /// The gradient times the activation's derivative.
    pub fn activation(&mut self, step: &Step) {
        let step = self.at(step);
        if !self.runs(step) {
            return;
        }
        let Some((gradient, input_gradient)) = self.both(step) else { return };
        let (isa, f) = (self.isa, own_activation(step));
        let [dy, dx] = apart(self.arena, [gradient, input_gradient]);
        dx.copy_from_slice(dy);
        // The plan keeps the one that is read.
        if f.from_output() {
            let [y, dx] = apart(self.arena, [step.training.output, input_gradient]);
            activation::backward_in_place(isa, f, y, dx);
        } else {
            let [x, dx] = apart(self.arena, [step.training.input, input_gradient]);
            activation::backward_from_input(isa, f, x, dx);
        }
        self.add_up(step);
    }

    /// The gradient where the value was kept.
    pub fn dropout(&mut self, step: &Step) {
        let step = self.at(step);
        let Op::Dropout { p } = step.op else { return wrong(step) };
        let key = self.mode.dropout_key(step.node);
        self.of_one(step, |isa, dy, dx| match key {
            Some(key) => dropout::backward(isa, p, key, dy, dx),
            None => dx.copy_from_slice(dy),
        });
    }

    /// `dx = y · (dy − Σ y dy)`
    pub fn softmax(&mut self, step: &Step) {
        let step = self.at(step);
        self.of_softmax(step, softmax::backward);
    }

    /// `dx = dy − eʸ Σ dy`
    pub fn log_softmax(&mut self, step: &Step) {
        let step = self.at(step);
        self.of_softmax(step, softmax::log_backward);
    }

    /// The gradient times the constant.
    pub fn scale(&mut self, step: &Step) {
        let step = self.at(step);
        let Op::Scale { factor } = step.op else { return wrong(step) };
        self.of_one(step, |isa, dy, dx| kernels::scale(isa, factor, dy, dx));
    }
}

fn own_activation(step: &Step) -> Activation {
    step.op.activation().unwrap_or(Activation::Identity)
}

/// The generated code calls the method of a step's own kind; anything else is a bug of typenet.
pub(crate) fn wrong(step: &Step) {
    debug_assert!(false, "a step of kind {} was run as another kind", step.op.kind());
}

/// The buffers of a step's first input, of the value that it adds, which may be the same, and of its
/// output.
pub(crate) fn operands<'a>(
    arena: &'a mut [Lanes],
    &Buffers { input, added, output, .. }: &Buffers,
) -> (&'a [Lanes], Option<&'a [Lanes]>, &'a mut [Lanes]) {
    match added {
        Some(added) if added != input => {
            let [x, other, y] = apart(arena, [input, added, output]);
            (x, Some(other), y)
        }
        added => {
            let [x, y] = apart(arena, [input, output]);
            let x: &[Lanes] = x;
            (x, added.map(|_| x), y)
        }
    }
}

/// Several buffers of one arena at the same time.
#[allow(clippy::panic)]
pub(crate) fn apart<const K: usize>(
    arena: &mut [Lanes],
    buffers: [Buffer; K],
) -> [&mut [Lanes]; K] {
    match arena.get_disjoint_mut(buffers.map(|buffer| buffer.offset..buffer.end())) {
        Ok(slices) => slices,
        // The plan's tests show that this cannot be; going on would compute nonsense.
        Err(_) => panic!("the memory plan lets buffers of one step overlap"),
    }
}
