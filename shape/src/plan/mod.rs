//! Which numbers stand where in the arena, and when. `build` finds how long each buffer lives,
//! `place` gives it its offset.

mod build;
mod kernels;
mod norms;
mod place;
mod pools;
#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests;

pub use kernels::Transformed;
pub use place::{Item, place};

use self::kernels::Kernels;
use crate::MAX_INPUTS;
use crate::{Activation, Checked, Conv2dKernel, Conv2dPass, Graph, Op, Pool2d, Shape};

/// The most outputs that a net can have.
pub const MAX_HEADS: usize = 16;

/// A range of the arena, counted in numbers for one image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Buffer {
    /// Where it starts.
    pub offset: usize,
    /// How long it is.
    pub len: usize,
}

impl Buffer {
    /// No numbers.
    pub const NONE: Buffer = Buffer { offset: 0, len: 0 };

    /// The first index behind the buffer.
    pub const fn end(&self) -> usize {
        self.offset.saturating_add(self.len)
    }
}

/// Where a step reads and writes in one mode.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Buffers {
    /// The value it reads.
    pub input: Buffer,
    /// The value it writes.
    pub output: Buffer,
    /// A value that is added before the activation.
    pub added: Option<Buffer>,
    /// The activation applied before the store.
    pub activation: Activation,
}

/// One of the values that a step reads.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Source {
    /// Its node.
    pub node: usize,
    /// Its shape.
    pub shape: Shape,
    /// Where it stands while training.
    pub training: Buffer,
    /// Where it stands in inference.
    pub inference: Buffer,
    /// Its gradient; `None` where no trained parameter lies before it.
    pub gradient: Option<Buffer>,
    /// Whether this step adds to that gradient, because a later step has written it already.
    pub adds: bool,
}

/// One kernel call: a layer, with the activation behind it where that is fused.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Step {
    /// The layer's node.
    pub node: usize,
    /// The last node that is computed in its pass while training.
    pub value: usize,
    /// What it does.
    pub op: Op,
    /// Shape of the value it reads.
    pub input: Shape,
    /// Shape of the value it writes.
    pub output: Shape,
    /// Its buffers while training, with the activation behind it.
    pub training: Buffers,
    /// Its buffers in inference, with the activation behind it or behind the batch norm that is
    /// folded into it.
    pub inference: Buffers,
    /// Whether another layer's call does its work in inference, as for a folded batch norm or a fused
    /// activation.
    pub folded: bool,
    /// The segment of a training step in which it runs; see [`Plan::norms`].
    pub segment: usize,
    /// Whether its parameters stay as they are, and so have no gradients. A frozen batch norm uses its
    /// running statistics while training too.
    pub frozen: bool,
    /// Where a batch norm's statistics stand among those of all batch norms; [`Buffer::NONE`] for a frozen one
    /// and for other layers.
    pub statistics: Buffer,
    /// The gradient of the value it writes; `None` where no trained parameter lies before it.
    pub output_gradient: Option<Buffer>,
    /// Where a layer with one input writes that input's gradient; `None` where no trained parameter lies before
    /// the input.
    pub input_gradient: Option<Buffer>,
    /// Whether the step adds to that gradient, because a later step has written it already.
    pub accumulates: bool,
    /// The gradient to which `input_gradient` is then added, where the step accumulates and its kernel cannot
    /// add by itself.
    pub adds_to: Option<Buffer>,
    /// The gradient of the value that is added while training, and whether the step adds to it; `None` where no
    /// trained parameter lies before that value.
    pub added_gradient: Option<(Buffer, bool)>,
    /// The node of that value; the step's own `node` where nothing is added.
    pub added: usize,
    /// Scratch memory for a gradient. A product needs it as long as its output. A layer norm or group norm
    /// needs it as long as its input, where it has no input gradient to write.
    pub scratch: Option<Buffer>,
    /// For each [`Conv2dPass`] of a convolution: its kernel, and where its transformed numbers stand, if it
    /// transforms; `None` for the direct kernel.
    pub kernels: [Option<(Conv2dKernel, Buffer)>; 3],
    /// The pooling layer that a convolution computes in inference of 16 images, instead of storing its own
    /// value.
    pub pooled: Option<Pooled>,
    /// Whether this is such a pooling layer.
    pub in_convolution: bool,
    /// The activation of the layer before that this max pooling layer undoes in the backward pass.
    pub undoes: Activation,
    /// Whether a max pooling layer undoes this layer's activation.
    pub is_undone: bool,
    /// The batch norm whose statistics this convolution gathers while it computes its value.
    pub gathers_for: Option<usize>,
    /// Whether a convolution gathers the statistics of this batch norm.
    pub is_gathered: bool,
    /// The step of the batch norm that this convolution applies, while training in groups of 16 images, to what it
    /// reads: it reads that norm's input.
    pub normalizes: Option<usize>,
    /// Whether a convolution does so for this batch norm, whose value then is nowhere in memory.
    pub is_applied_by_reader: bool,
    sources: [Source; MAX_INPUTS],
    source_count: usize,
}

/// A pooling layer as the convolution before it computes it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pooled {
    /// Its windows on the convolution's value.
    pub geometry: Pool2d,
    /// Whether it takes the maximum, else the average.
    pub is_max: bool,
    /// Where its value stands in inference.
    pub output: Buffer,
}

impl Step {
    /// All values that it reads.
    pub const fn sources(&self) -> &[Source] {
        self.sources.split_at(self.source_count).0
    }

    /// Whether its weight has a gradient that is computed when the backward pass ends, for all images at once;
    /// see [`Op::sums_at_end`]. Its input and its output's gradient live until then.
    pub const fn sums_at_end(&self) -> bool {
        self.op.sums_at_end() && !self.frozen
    }
}

/// One of the net's outputs. All outputs of an image form one row of numbers, one output after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Output {
    /// Its node.
    pub node: usize,
    /// Where it stands in the row.
    pub row: Buffer,
    /// Where it stands while training.
    pub training: Buffer,
    /// Where it stands in inference.
    pub inference: Buffer,
    /// Its gradient; `None` where no trained parameter lies before it.
    pub gradient: Option<Buffer>,
    /// Whether the loss adds to that gradient, because an output before it has the same gradient buffer.
    pub adds: bool,
}

impl Output {
    const NOTHING: Output = Output {
        node: 0,
        row: Buffer::NONE,
        training: Buffer::NONE,
        inference: Buffer::NONE,
        gradient: None,
        adds: false,
    };
}

/// A batch norm in the plan. Its statistics are those of the whole batch, so all groups of images must reach it
/// before any goes on. It ends one segment of a training step and begins the next. In the backward pass, the
/// groups wait for each other at the same places.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Norm {
    /// Its node.
    pub node: usize,
    /// The segment that begins with it.
    pub segment: usize,
    /// Channels of its value.
    pub channels: usize,
    /// Numbers of each channel in one image.
    pub pixels: usize,
    /// Its statistics among those of all batch norms: two numbers a channel.
    pub statistics: Buffer,
    /// The share of a new batch in the running statistics.
    pub momentum: f32,
    /// Added to the variance.
    pub eps: f32,
    /// Whether its parameters or some before it are trained.
    pub trained: bool,
}

/// Which numbers stand where in the arena, and when: the steps of a net in order, and offsets such
/// that buffers that live at the same time do not overlap. `N` is the number of nodes.
///
/// Training runs the steps forward at times `0..S` and backward at times `S..2S`. A value lives
/// from its step to the last step, forward or backward, that reads it; a gradient from the backward
/// step that first writes it to the backward step of the value's own layer; both to time `2S` where
/// [`Step::sums_at_end`]. Buffers are placed largest first, each at the lowest offset that is free
/// for its whole life.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Plan<const N: usize> {
    steps: [Step; N],
    step_count: usize,
    /// The index of each node's step.
    step_of: [usize; N],
    norms: [Norm; N],
    norm_count: usize,
    kernels: [Kernels<N>; 3],
    /// What layers of the user's own need beside the arena, while training and in inference.
    own_len: [usize; 2],
    /// What convolutions need beside it in inference that compute the pooling layer behind them.
    band_len: usize,
    outputs: [Output; N],
    output_count: usize,
    /// The net's inputs while training, one after the other.
    pub training_input: Buffer,
    /// The net's inputs in inference.
    pub inference_input: Buffer,
    /// The length of the arena that training needs, in numbers per image.
    pub training_len: usize,
    /// The length of the arena that inference needs, in numbers per image.
    pub inference_len: usize,
}

impl<const N: usize> Plan<N> {
    /// The plan of a graph that may break a rule. If it does, the plan has no steps, so that the compiler
    /// reports that rule and nothing else.
    pub const fn of(graph: &Graph<'_>, checked: &Checked<N>) -> Plan<N> {
        if checked.is_sound() { Plan::new(graph) } else { Plan::nothing(checked.shapes()[0]) }
    }

    /// The steps in order.
    pub const fn steps(&self) -> &[Step] {
        self.steps.split_at(self.step_count).0
    }

    /// The batch norms in order, without frozen ones. A training step has one more segment than there are norms
    /// here.
    pub const fn norms(&self) -> &[Norm] {
        self.norms.split_at(self.norm_count).0
    }

    /// The net's outputs, in order.
    pub const fn outputs(&self) -> &[Output] {
        self.outputs.split_at(self.output_count).0
    }

    /// The convolutions that transform their weight, or its gradient, in a pass.
    pub const fn transformed(&self, pass: Conv2dPass) -> &[Transformed] {
        self.kernels[pass as usize].all()
    }

    /// The most scratch memory that a step needs, while training or in inference, in vectors of 16 numbers.
    pub const fn scratch_len(&self, training: bool) -> usize {
        let passes = if training { self.kernels.len() } else { 1 };
        let own = self.own_len[if training { 0 } else { 1 }];
        let mut most = if training || own > self.band_len { own } else { self.band_len };
        let mut pass = 0;
        while pass < passes {
            // The forward pass is the first.
            let len = self.kernels[pass].scratch_len;
            if len > most {
                most = len;
            }
            pass += 1;
        }
        most
    }

    /// The step of the layer at `node`.
    ///
    /// # Panics
    /// When that node is no step, though the plan has steps.
    #[allow(clippy::panic, reason = "the macro names steps only; this runs in constants")]
    pub const fn step(&self, node: usize) -> Step {
        let index = self.step_of[node];
        let is_step = index < self.step_count && self.steps[index].node == node;
        if !is_step && self.step_count > 0 {
            panic!("this node has no kernel call of its own");
        }
        self.steps[index]
    }
}
