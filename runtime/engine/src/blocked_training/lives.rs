//! How long values and gradients live, and where they stand.
//!
//! Calls run forward at times `0..C` and backward at times `C..2C`. A value lives from its call to the last
//! one, forward or backward, that reads it; a gradient from the backward call that first writes it to that of
//! its own value. Where a call has no other use for the gradient of its value, it leaves another one in its
//! place: a batch norm the gradient of what it reads, any call that of a value which it adds.

use std::ops::Range;

use typenet_kernels::batch_norm;
use typenet_shape::{Activation, Op, Step};

use super::place::{Item, place};
use super::plan::{BlockedTrainingPlan, Call, Draft, DraftFrom, DraftRead, From, Read, Value, len};
use super::run::room_len;
use crate::spec::NetSpec;

pub(super) fn plan(
    spec: &NetSpec,
    images: usize,
    drafts: Vec<Draft>,
    shapes: &[typenet_shape::Shape],
    of_node: &[Option<DraftFrom>],
) -> BlockedTrainingPlan {
    let trained = trained(&drafts, shapes.len());
    let outputs: Vec<Option<usize>> = spec
        .layout
        .outputs
        .iter()
        .map(|output| match of_node[output.node] {
            Some(DraftFrom::Value(value)) => Some(value),
            _ => None,
        })
        .collect();
    let Gradients { slot, writes } = gradients(&drafts, &trained, &outputs);
    let last = 2 * drafts.len();
    let back = |call: usize| last - 1 - call;
    // Values, then gradients by their slots, then what calls need for themselves.
    let count = shapes.len();
    let mut items = vec![Item::at(0, 0); 2 * count];
    for (value, shape) in shapes.iter().enumerate() {
        items[value].len = images * len(*shape);
    }
    for (call, draft) in drafts.iter().enumerate() {
        let value = draft.value;
        items[value] = Item::at(items[value].len, call);
        let is_trained = trained[value];
        let [reads_input, reads_output] = draft.step.map_or([false; 2], reads_backward);
        for read in draft.reads.iter().chain(&draft.added) {
            let DraftFrom::Value(source) = read.from else { continue };
            items[source].live_at(call);
            if is_trained && reads_input {
                items[source].live_at(back(call));
            }
        }
        if is_trained && reads_output {
            items[value].live_at(back(call));
        }
    }
    for value in outputs.iter().flatten() {
        items[*value].live_at(drafts.len());
    }
    let mut of_slot = vec![None; count];
    let mut gradient_at = |items: &mut Vec<Item>, value: usize, time: usize| {
        let slot = count + slot[value];
        match of_slot[slot - count] {
            Some(()) => items[slot].live_at(time),
            None => {
                items[slot] = Item::at(images * len(shapes[value]), time);
                of_slot[slot - count] = Some(());
            }
        }
    };
    for value in outputs.iter().flatten().filter(|&&value| trained[value]) {
        gradient_at(&mut items, *value, drafts.len() - 1);
    }
    for (call, draft) in drafts.iter().enumerate().rev() {
        if !trained[draft.value] {
            continue;
        }
        gradient_at(&mut items, draft.value, back(call));
        for read in draft.reads.iter().chain(&draft.added) {
            if let DraftFrom::Value(source) = read.from
                && trained[source]
            {
                gradient_at(&mut items, source, back(call));
            }
        }
    }
    for (call, draft) in drafts.iter().enumerate() {
        let [forward, backward] = room_len(draft, shapes, images);
        items.push(Item::at(forward, call));
        let backward = if trained[draft.value] { backward } else { 0 };
        items.push(Item::at(backward, back(call)));
    }
    let arena_len = place(&mut items);
    let value = |number: usize| Value {
        shape: shapes[number],
        offset: items[number].offset,
        gradient: trained[number].then(|| items[count + slot[number]].offset),
    };
    let room = |call: usize, pass: usize| -> Range<usize> {
        let item = items[2 * count + 2 * call + pass];
        item.offset..item.offset + item.len
    };
    let calls = drafts.into_iter().enumerate().map(|(call, draft)| {
        let read = |read: DraftRead, (adds, in_place): (bool, bool)| Read {
            node: read.node,
            from: match read.from {
                DraftFrom::Image(start, shape) => From::Image(start, shape),
                DraftFrom::Value(number) => From::Value(value(number)),
            },
            adds,
            in_place,
        };
        let (of_reads, of_added) = &writes[call];
        Call {
            step: draft.step,
            node: draft.node,
            reads: draft.reads.iter().zip(of_reads).map(|(&r, &write)| read(r, write)).collect(),
            added: draft.added.map(|added| read(added, *of_added)),
            value: value(draft.value),
            room: [room(call, 0), room(call, 1)],
        }
    });
    let calls = calls.collect();
    let outputs = outputs.into_iter().flatten().map(value).collect();
    BlockedTrainingPlan { images, calls, arena_len, outputs }
}

/// Whether each value can have a gradient: something that is trained lies at or before it.
fn trained(drafts: &[Draft], values: usize) -> Vec<bool> {
    let mut trained = vec![false; values];
    for draft in drafts {
        trained[draft.value] = match draft.step {
            Some(step) => step.output_gradient.is_some(),
            None => match draft.reads[0].from {
                DraftFrom::Image(..) => false,
                DraftFrom::Value(source) => trained[source],
            },
        };
    }
    trained
}

struct Gradients {
    /// The value in whose gradient's place that of each value stands: itself, or another.
    slot: Vec<usize>,
    /// For each call and each value that it reads, whether it adds to that gradient, and whether that
    /// stands in the place of its own value's; and the same for the value that it adds.
    writes: Vec<(Vec<(bool, bool)>, (bool, bool))>,
}

fn gradients(drafts: &[Draft], trained: &[bool], outputs: &[Option<usize>]) -> Gradients {
    let mut slot: Vec<usize> = (0..trained.len()).collect();
    let mut written = vec![false; trained.len()];
    // The loss writes the gradients of the outputs.
    for output in outputs.iter().flatten() {
        written[*output] = true;
    }
    let mut writes = Vec::with_capacity(drafts.len());
    for draft in drafts.iter().rev() {
        let own = draft.value;
        let mut write = |from: DraftFrom, may_replace: bool| {
            let DraftFrom::Value(source) = from else { return (false, false) };
            if !trained[own] || !trained[source] {
                return (false, false);
            }
            let adds = written[source];
            written[source] = true;
            let in_place = may_replace && !adds && source != own;
            if in_place {
                slot[source] = slot[own];
            }
            (adds, in_place)
        };
        // What is added twice, or read and added, needs the gradient as it is.
        let may_replace = |from: DraftFrom| draft.reads.iter().all(|read| read.from != from);
        let added = draft
            .added
            .map_or((false, false), |added| write(added.from, may_replace(added.from)));
        let is_norm = draft.step.is_some_and(|step| matches!(step.op, Op::BatchNorm { .. }));
        let replaces = is_norm && !added.1;
        let reads = draft.reads.iter().map(|read| write(read.from, replaces)).collect();
        writes.push((reads, added));
    }
    writes.reverse();
    Gradients { slot, writes }
}

/// Whether a step reads its inputs, and its output, in the backward pass.
fn reads_backward(step: &Step) -> [bool; 2] {
    let fused = step.training.activation;
    let undoes_own = fused != Activation::Identity && !step.is_undone;
    if let Some(f) = step.op.activation() {
        return [!f.from_output(), f.from_output()];
    }
    match step.op {
        Op::BatchNorm { .. } => {
            let again = step.training.added.is_none() && batch_norm::recomputes(fused);
            [!step.frozen, undoes_own && !(again && !step.frozen)]
        }
        Op::MaxPool2d { .. } => [true; 2],
        Op::Softmax | Op::LogSoftmax => [false, true],
        Op::LayerNorm { .. } | Op::GroupNorm { .. } | Op::Mul | Op::Own(_) => [true, undoes_own],
        op if op.takes_factors() => [!step.frozen, undoes_own],
        _ => [false, undoes_own],
    }
}
