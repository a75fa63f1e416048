//! What all calls of a step share.

use std::ops::Range;

use typenet_kernels::team::{Team, chunks, chunks_mut};
use typenet_kernels::{Isa, Lanes, activation, elementwise};
use typenet_shape::Activation;

use super::call::{Call, Read, Write};
use crate::arena::at_least;
use crate::layout::Layout;
use crate::pass::Mode;
use crate::trainable::{Needs, Trainable};

/// What works number by number is shared out in pieces of so many [`Lanes`].
pub(super) const PIECE: usize = 4096;

/// A pass of a step over all images.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) isa: Isa,
    pub(super) team: &'a Team,
    pub(super) images: usize,
    pub(super) layout: &'a Layout,
    pub(super) trained: &'a Trainable,
    pub(super) parameters: &'a [f32],
    /// The inputs as they came.
    pub(super) inputs: &'a [f32],
    pub(super) arena: &'a mut [Lanes],
    /// What threads need for themselves.
    pub(super) rooms: &'a mut Vec<Lanes>,
    pub(super) mode: Mode,
}

/// Several parts of an arena at the same time; empty ones are all the same.
#[allow(clippy::panic)]
pub(super) fn apart<const K: usize>(
    arena: &mut [Lanes],
    ranges: [Range<usize>; K],
) -> [&mut [Lanes]; K] {
    let ranges = ranges.map(|range| if range.is_empty() { 0..0 } else { range });
    match arena.get_disjoint_mut(ranges) {
        Ok(slices) => slices,
        // The plan's tests show that this cannot be; going on would compute nonsense.
        Err(_) => panic!("the memory plan lets buffers of one call overlap"),
    }
}

/// What a call reads, what it adds, which may be the same, and what it writes.
pub(super) struct Operands<'a> {
    pub(super) x: &'a [Lanes],
    pub(super) other: Option<&'a [Lanes]>,
    pub(super) room: &'a mut [Lanes],
    pub(super) y: &'a mut [Lanes],
}

impl Run<'_> {
    /// Where a value that a call reads stands; nowhere, if it is an image as it came.
    pub(super) fn read(&self, read: &Read) -> Range<usize> {
        read.value().map_or(0..0, |value| value.range(self.images))
    }

    /// The operands of a forward call.
    pub(super) fn operands(&mut self, call: &Call) -> Operands<'_> {
        let x = call.reads.first().map_or(0..0, |read| self.read(read));
        let other = call.added.as_ref().map(|added| self.read(added));
        let aside = other.clone().filter(|other| *other != x).unwrap_or(0..0);
        let (y, room) = (call.value.range(self.images), call.room[0].clone());
        let [x, aside, room, y] = apart(self.arena, [x, aside, room, y]);
        let x: &[Lanes] = x;
        let other = other.map(|_| if aside.is_empty() { x } else { &*aside });
        Operands { x, other, room, y }
    }

    /// What is to be done for a node.
    pub(super) fn needs(&self, node: usize) -> Needs {
        self.trained.of(node)
    }

    /// Memory for each thread, all of them in a row.
    pub(super) fn scratch(rooms: &mut Vec<Lanes>, len: usize) -> &mut [Lanes] {
        at_least(rooms, len, Lanes::ZERO);
        &mut rooms[..len]
    }

    /// Calls `work` with pieces of two parts of the arena, of which the second is written.
    pub(super) fn by_pieces(
        &mut self,
        x: Range<usize>,
        y: Range<usize>,
        work: impl Fn(Isa, &[Lanes], &mut [Lanes]) + Sync,
    ) {
        let isa = self.isa;
        let [x, y] = apart(self.arena, [x, y]);
        let parts = (chunks(x, PIECE), chunks_mut(y, PIECE));
        self.team.for_each(parts, |_, (x, y)| work(isa, x, y));
    }
}

/// Gradients.
impl Run<'_> {
    /// The gradient of a call's value, if something that is trained lies at or before it.
    pub(super) fn output_gradient(&self, call: &Call) -> Option<Range<usize>> {
        call.value.gradient(self.images).filter(|_| self.needs(call.node).value)
    }

    /// Where the gradient of a value goes that a call reads, if it is of use.
    pub(super) fn input_gradient(&self, read: &Read) -> Option<Range<usize>> {
        let is_written = read.write != Write::Nothing && self.needs(read.node).value;
        read.value()?.gradient(self.images).filter(|_| is_written)
    }

    /// Turns the gradient of the activated value into that of the value before the activation.
    pub(super) fn undo_activation(&mut self, call: &Call, f: Activation) {
        let Some(gradient) = self.output_gradient(call) else { return };
        if f != Activation::Identity {
            self.by_pieces(call.value.range(self.images), gradient, |isa, y, dy| {
                activation::backward_in_place(isa, f, y, dy);
            });
        }
    }

    /// The gradient of the value before the activation is also that of the value which the call adds.
    pub(super) fn give(&mut self, call: &Call) {
        let (Some(gradient), Some(added)) = (self.output_gradient(call), &call.added) else {
            return;
        };
        let Some(to) = self.input_gradient(added) else { return };
        match added.write {
            Write::Nothing | Write::InPlace => {}
            Write::First => self.by_pieces(gradient, to, |_, dy, dx| dx.copy_from_slice(dy)),
            Write::Adds => self.by_pieces(gradient, to, elementwise::add),
        }
    }

    /// Where a kernel that cannot add writes the gradient of what the call reads: there itself, or aside.
    pub(super) fn target(&self, call: &Call, read: &Read) -> Option<Range<usize>> {
        let to = self.input_gradient(read)?;
        Some(if read.write == Write::Adds {
            let end = call.room[1].end;
            end - to.len()..end
        } else {
            to
        })
    }

    /// Adds a gradient that was written aside.
    pub(super) fn add_up(&mut self, call: &Call, read: &Read) {
        if let (Write::Adds, Some(to), Some(from)) =
            (read.write, self.input_gradient(read), self.target(call, read))
        {
            self.by_pieces(from, to, elementwise::add);
        }
    }
}
