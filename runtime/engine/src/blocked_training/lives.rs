//! How long values and gradients live, and where they stand.
//!
//! Calls run forward at times `0..C` and backward at times `C..2C`. A value lives from its call to the last
//! one, forward or backward, that reads it; a gradient from the backward call that first writes it to that of
//! its own value. Where a call has no other use for the gradient of its value, it leaves another one in its
//! place: a batch norm the gradient of what it reads, any call that of a value which it adds.

use std::ops::Range;

use typenet_shape::{Activation, Item, Norm, Op, Shape, Step, place};

use super::call::{
    BlockedTrainingPlan, Call, Draft, DraftFrom, From, Output, Read, Value, Write, len,
};
use super::rooms::room_len;
use crate::spec::NetSpec;

/// The plan of these calls, whose values have these shapes; `of_node` is where each node's value comes from.
pub(super) fn plan(
    spec: &NetSpec,
    images: usize,
    drafts: Vec<Draft>,
    shapes: &[Shape],
    of_node: &[Option<DraftFrom>],
) -> BlockedTrainingPlan {
    let trained = trained(&drafts, shapes.len());
    let outputs: Vec<DraftFrom> =
        spec.layout.outputs.iter().filter_map(|output| of_node[output.node]).collect();
    let Gradients { slot, writes } = gradients(&drafts, &trained, &outputs);
    let count = shapes.len();
    let back = |call: usize| 2 * drafts.len() - 1 - call;
    // Values, then gradients by their slots, then what calls need for themselves.
    let mut items = Items(vec![NOTHING; 2 * count]);
    let lanes = |value: usize| images * len(shapes[value]);
    for (call, draft) in drafts.iter().enumerate() {
        items.live(draft.value, lanes(draft.value), call);
        let [reads_input, reads_output] = draft.step.map_or([false; 2], reads_backward);
        for read in draft.reads.iter().chain(&draft.added) {
            let DraftFrom::Value(source) = read.from else { continue };
            items.live(source, lanes(source), call);
            if trained[draft.value] && reads_input {
                items.live(source, lanes(source), back(call));
            }
        }
        if trained[draft.value] && reads_output {
            items.live(draft.value, lanes(draft.value), back(call));
        }
    }
    for output in &outputs {
        let &DraftFrom::Value(value) = output else { continue };
        items.live(value, lanes(value), drafts.len());
        if trained[value] {
            items.live(count + slot[value], lanes(value), drafts.len() - 1);
        }
    }
    for (call, draft) in drafts.iter().enumerate().filter(|(_, draft)| trained[draft.value]) {
        items.live(count + slot[draft.value], lanes(draft.value), back(call));
        for read in draft.reads.iter().chain(&draft.added) {
            if let DraftFrom::Value(source) = read.from
                && trained[source]
            {
                items.live(count + slot[source], lanes(source), back(call));
            }
        }
    }
    for (call, draft) in drafts.iter().enumerate() {
        let [forward, backward] = room_len(draft, &writes[call].reads, shapes, images);
        items.0.push(at(forward, call));
        items.0.push(at(if trained[draft.value] { backward } else { 0 }, back(call)));
    }
    let Items(mut items) = items;
    let [mut heap, mut next] = [(); 2].map(|()| vec![0; items.len()]);
    let arena_len = place(&mut items, &mut heap, &mut next);

    let value = |number: usize| Value {
        shape: shapes[number],
        offset: items[number].offset,
        gradient: trained[number].then(|| items[count + slot[number]].offset),
    };
    let from = |from: DraftFrom| match from {
        DraftFrom::Image(start, _) => From::Image(start),
        DraftFrom::Value(number) => From::Value(value(number)),
    };
    let room = |call: usize, pass: usize| -> Range<usize> {
        let item = items[2 * count + 2 * call + pass];
        item.offset..item.offset + item.len
    };
    let mut calls = Vec::with_capacity(drafts.len());
    for (call, (draft, writes)) in drafts.iter().zip(&writes).enumerate() {
        let reads = draft.reads.iter().zip(&writes.reads).map(|(read, &write)| Read {
            node: read.node,
            from: from(read.from),
            write,
        });
        let added = draft.added.as_ref().map(|added| Read {
            node: added.node,
            from: from(added.from),
            write: writes.added,
        });
        calls.push(Call {
            step: draft.step,
            node: draft.node,
            reads: reads.collect(),
            added,
            value: value(draft.value),
            room: [room(call, 0), room(call, 1)],
        });
    }
    let output = |(index, &output): (usize, &DraftFrom)| Output {
        from: from(output),
        adds: outputs[..index].contains(&output),
    };
    let outputs = outputs.iter().enumerate().map(output).collect();
    let call_of = |norm: &Norm| {
        calls.iter().position(|call| call.step.is_some_and(|step| step.node == norm.node))
    };
    let norms = spec.layout.norms.iter().filter_map(call_of).collect();
    BlockedTrainingPlan { images, calls, norms, arena_len, outputs }
}

const NOTHING: Item = Item { len: 0, start: 0, end: 0, offset: 0 };

fn at(len: usize, time: usize) -> Item {
    Item { len, start: time, end: time, offset: 0 }
}

struct Items(Vec<Item>);

impl Items {
    /// Lets an item of this length live at this time, too.
    fn live(&mut self, item: usize, len: usize, time: usize) {
        let item = &mut self.0[item];
        if item.len == 0 {
            *item = at(len, time);
        }
        item.start = item.start.min(time);
        item.live_until(time);
    }
}

/// Whether each value can have a gradient: something that is trained lies at or before it.
fn trained(drafts: &[Draft], values: usize) -> Vec<bool> {
    let mut trained = vec![false; values];
    for draft in drafts {
        trained[draft.value] = match (draft.step, draft.reads.first()) {
            (Some(step), _) => step.output_gradient.is_some(),
            (None, Some(read)) => match read.from {
                DraftFrom::Image(..) => false,
                DraftFrom::Value(source) => trained[source],
            },
            (None, None) => false,
        };
    }
    trained
}

struct Gradients {
    /// The value in whose gradient's place that of each value stands: itself, or another.
    slot: Vec<usize>,
    /// What each call writes.
    writes: Vec<Writes>,
}

struct Writes {
    reads: Vec<Write>,
    added: Write,
}

fn gradients(drafts: &[Draft], trained: &[bool], outputs: &[DraftFrom]) -> Gradients {
    let mut slot: Vec<usize> = (0..trained.len()).collect();
    let mut written = vec![false; trained.len()];
    // The loss writes the gradients of the outputs.
    for output in outputs {
        if let &DraftFrom::Value(value) = output {
            written[value] = true;
        }
    }
    let mut writes = Vec::with_capacity(drafts.len());
    for draft in drafts.iter().rev() {
        let own = draft.value;
        let mut write = |from: DraftFrom, may_replace: bool| match from {
            DraftFrom::Value(source) if trained[own] && trained[source] => {
                if std::mem::replace(&mut written[source], true) {
                    return Write::Adds;
                }
                if may_replace {
                    slot[source] = slot[own];
                    return Write::InPlace;
                }
                Write::First
            }
            _ => Write::Nothing,
        };
        let added = draft.added.as_ref().map_or(Write::Nothing, |added| {
            // What is read and added as well is added to, before the gradient has served.
            write(added.from, draft.reads.iter().all(|read| read.from != added.from))
        });
        let is_norm = draft.step.is_some_and(|step| matches!(step.op, Op::BatchNorm { .. }));
        let replaces = is_norm && added != Write::InPlace;
        let reads = draft.reads.iter().map(|read| write(read.from, replaces)).collect();
        writes.push(Writes { reads, added });
    }
    writes.reverse();
    Gradients { slot, writes }
}

/// Whether a step reads its inputs, and its output, in the backward pass.
fn reads_backward(step: &Step) -> [bool; 2] {
    if let Some(f) = step.op.activation() {
        return [!f.from_output(), f.from_output()];
    }
    let fused = step.training.activation;
    let undoes = fused != Activation::Identity && !step.is_undone;
    match step.op {
        Op::BatchNorm { .. } if step.frozen => [false, undoes],
        Op::BatchNorm { .. } => {
            [true, undoes && (step.training.added.is_some() || !fused.is_simple())]
        }
        Op::MaxPool2d { .. } => [true; 2],
        Op::Softmax | Op::LogSoftmax => [false, true],
        Op::LayerNorm { .. } | Op::GroupNorm { .. } | Op::Mul | Op::Own(_) => [true, undoes],
        op if op.takes_factors() => [!step.frozen, undoes],
        _ => [false, undoes],
    }
}
