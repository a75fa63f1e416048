//! What runs in which order, and what it reads and writes: once planned, and before values have places.

use std::ops::Range;

use typenet_kernels::blocked;
use typenet_shape::{Shape, Step};

/// How a training step of so many images runs.
#[derive(Debug)]
pub(crate) struct BlockedTrainingPlan {
    pub(super) images: usize,
    pub(super) calls: Vec<Call>,
    /// The call of each of the layout's batch norms.
    pub(super) norms: Vec<usize>,
    /// [`Lanes`] of all buffers.
    pub(super) arena_len: usize,
    /// Where each output stands.
    pub(super) outputs: Vec<Output>,
}

impl BlockedTrainingPlan {
    /// The calls between two of the layout's batch norms; the first segment has none before it, the last none
    /// behind it.
    pub(super) fn segment(&self, index: usize) -> Segment<'_> {
        let call_of = |norm: usize| {
            let call = &self.calls[*self.norms.get(norm)?];
            Some((call, call.step?))
        };
        let begin = index.checked_sub(1).and_then(|before| self.norms.get(before));
        let end = self.norms.get(index).copied().unwrap_or(self.calls.len());
        Segment {
            first: index.checked_sub(1).and_then(call_of),
            calls: &self.calls[begin.map_or(0, |before| before + 1)..end],
            next: call_of(index),
        }
    }
}

/// Part of a step: the batch norm with which it begins, its other calls, and the batch norm at which it ends.
pub(super) struct Segment<'a> {
    pub(super) first: Option<(&'a Call, &'static Step)>,
    pub(super) calls: &'a [Call],
    pub(super) next: Option<(&'a Call, &'static Step)>,
}

/// An output of the net.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) from: From,
    /// Whether its gradient is added to that of an output before it, which is the same value.
    pub(super) adds: bool,
}

/// What runs at one time: a step, or a value turned from one way of storing it to another.
#[derive(Debug)]
pub(super) struct Call {
    /// The step; `None` where a value is turned.
    pub(super) step: Option<&'static Step>,
    /// The node whose value it writes.
    pub(super) node: usize,
    pub(super) reads: Vec<Read>,
    /// The value that is added before this one is activated.
    pub(super) added: Option<Read>,
    pub(super) value: Value,
    /// What the call needs for itself, forward and backward.
    pub(super) room: [Range<usize>; 2],
}

/// A value that a call reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    pub(super) node: usize,
    pub(super) from: From,
    /// How the call writes its gradient.
    pub(super) write: Write,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum From {
    /// One of the inputs as it came: from this number of each image's on.
    Image(usize),
    Value(Value),
}

/// A value in the arena, of all images one behind the other: blocks of 16 channels for `[c, h, w]`, rows of
/// whole [`Lanes`] for `[f]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) shape: Shape,
    /// Where the first image starts.
    pub(super) offset: usize,
    /// Where the first image's gradient starts, if there can be one.
    pub(super) gradient: Option<usize>,
}

impl Value {
    /// [`Lanes`] of an image.
    pub(super) fn len(&self) -> usize {
        len(self.shape)
    }

    /// All images.
    pub(super) fn range(&self, images: usize) -> Range<usize> {
        self.offset..self.offset + images * self.len()
    }

    /// The gradient of all images.
    pub(super) fn gradient(&self, images: usize) -> Option<Range<usize>> {
        self.gradient.map(|offset| offset..offset + images * self.len())
    }
}

impl Read {
    /// The value, where it is not an image as it came.
    pub(super) fn value(&self) -> Option<Value> {
        match self.from {
            From::Image(..) => None,
            From::Value(value) => Some(value),
        }
    }
}

/// [`Lanes`] of a value of one image.
pub(super) fn len(shape: Shape) -> usize {
    blocked::blocks(shape.dim(0)) * (shape.elements() / shape.dim(0))
}

/// A call before values have places: they are numbers.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) step: Option<&'static Step>,
    pub(super) node: usize,
    pub(super) reads: Vec<DraftRead>,
    pub(super) added: Option<DraftRead>,
    pub(super) value: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct DraftRead {
    pub(super) node: usize,
    pub(super) from: DraftFrom,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum DraftFrom {
    Image(usize, Shape),
    Value(usize),
}

/// How a call writes the gradient of a value that it reads.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Write {
    /// Not at all: nothing before the value is trained.
    Nothing,
    /// It is the first to write it.
    First,
    /// It adds to what a later call has written.
    Adds,
    /// It is the first, and leaves it where the gradient of its own value stands.
    InPlace,
}
