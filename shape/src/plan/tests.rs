extern crate std;
use std::vec::Vec;

use super::*;
use crate::{Activation, Graph, Node, Op, Padding, Shape};

const fn conv(out_channels: usize, kernel: usize) -> Op {
    Op::Conv2d {
        out_channels,
        kernel: [kernel, kernel],
        stride: [1, 1],
        padding: Padding::Zeros([0, 0]),
        dilation: [1, 1],
        groups: 1,
        bias: true,
    }
}

const POOL: Op = Op::MaxPool2d { kernel: [2, 2], stride: [2, 2], padding: [0, 0] };

const LENET: Graph<'static> = Graph::new(
    "LeNet5",
    &[
        Node { name: "input", op: Op::Input { shape: Shape::new(&[1, 28, 28]) }, inputs: &[] },
        Node { name: "conv1", op: conv(6, 5), inputs: &[0] },
        Node { name: "relu", op: Op::Relu, inputs: &[1] },
        Node { name: "max_pool2d", op: POOL, inputs: &[2] },
        Node { name: "conv2", op: conv(16, 5), inputs: &[3] },
        Node { name: "relu", op: Op::Relu, inputs: &[4] },
        Node { name: "max_pool2d", op: POOL, inputs: &[5] },
        Node { name: "flatten", op: Op::Flatten, inputs: &[6] },
        Node { name: "fc1", op: Op::Linear { out_features: 10, bias: true }, inputs: &[7] },
    ],
);

#[test]
fn lenet_has_its_steps_and_shapes() {
    static PLAN: Plan<9> = Plan::new(&LENET);
    assert_eq!(PLAN.steps().len(), 5);
    assert_eq!(const { LENET.shapes::<9>() }[7], Shape::new(&[256]));
    assert_eq!(PLAN.step(1).training.activation, Activation::Relu);
    assert_eq!(PLAN.step(1).output, Shape::new(&[6, 24, 24]));
    assert_eq!(PLAN.step(8).training.input, PLAN.step(6).training.output);
    assert_eq!(PLAN.step(1).input_gradient, None);
    assert!(PLAN.inference_len < PLAN.training_len);
    let tensors = const { LENET.tensors::<9, 6>() };
    assert_eq!(tensors[5].offset, 150 + 6 + 2400 + 16 + 2560);
}

/// Runs the plan on paper: whatever a step reads must be what was last written there.
#[test]
fn no_buffer_is_overwritten_while_it_is_needed() {
    static PLAN: Plan<9> = Plan::new(&LENET);
    let mut arena = [usize::MAX; 20_000];
    let mut write = |b: Buffer, tag: usize| arena[b.offset..b.end()].fill(tag);
    write(PLAN.training_input, 0);
    let mut tags = [0; 9];
    let mut source = 0;
    for (i, step) in PLAN.steps().iter().enumerate() {
        arena[step.training.input.offset..step.training.input.end()]
            .iter()
            .for_each(|&tag| assert_eq!(tag, source));
        source = i + 1;
        tags[i] = source;
        arena[step.training.output.offset..step.training.output.end()].fill(source);
    }
    let gradient = PLAN.output_gradient;
    arena[gradient.offset..gradient.end()].fill(100 + source);
    for (i, step) in PLAN.steps().iter().enumerate().rev() {
        let holds = |b: Buffer, tag: usize| arena[b.offset..b.end()].iter().all(|&t| t == tag);
        assert!(holds(step.output_gradient.expect("trained"), 100 + i + 1), "step {i}");
        if build::reads_input_backward(&step.op, step.frozen) {
            assert!(holds(step.training.input, i), "step {i} input");
        }
        if step.training.activation != Activation::Identity
            || matches!(step.op, Op::MaxPool2d { .. })
        {
            assert!(holds(step.training.output, i + 1), "step {i} output");
        }
        if let Some(b) = step.input_gradient {
            arena[b.offset..b.end()].fill(100 + i);
        }
    }
}

const NORM: Op = Op::BatchNorm { affine: true, momentum: 0.1, eps: 1e-5 };

/// A residual block with batch norms, and one behind the sum that nothing can take in.
const NORMED: Graph<'static> = Graph::new(
    "Normed",
    &[
        Node { name: "input", op: Op::Input { shape: Shape::new(&[3, 8, 8]) }, inputs: &[] },
        Node { name: "conv1", op: conv(3, 1), inputs: &[0] },
        Node { name: "bn1", op: NORM, inputs: &[1] },
        Node { name: "relu", op: Op::Relu, inputs: &[2] },
        Node { name: "conv2", op: conv(3, 1), inputs: &[3] },
        Node { name: "bn2", op: NORM, inputs: &[4] },
        Node { name: "add", op: Op::Add, inputs: &[5, 3] },
        Node { name: "bn3", op: NORM, inputs: &[6] },
        Node { name: "relu", op: Op::Relu, inputs: &[7] },
    ],
);

#[test]
fn a_batch_norm_begins_a_segment() {
    static PLAN: Plan<9> = Plan::new(&NORMED);
    let segments: Vec<usize> = PLAN.steps().iter().map(|step| step.segment).collect();
    assert_eq!(segments, [0, 1, 1, 2, 2, 3]);
    let norms: Vec<(usize, usize)> =
        PLAN.norms().iter().map(|norm| (norm.node, norm.statistics.offset)).collect();
    assert_eq!(norms, [(2, 0), (5, 6), (7, 12)]);
    assert!(PLAN.norms().iter().all(|norm| norm.channels == 3 && norm.pixels == 64));
}

#[test]
fn a_batch_norm_is_folded_into_the_convolution_before_it() {
    static PLAN: Plan<9> = Plan::new(&NORMED);
    assert!(PLAN.step(2).folded && PLAN.step(5).folded && !PLAN.step(7).folded);
    assert_eq!(PLAN.step(1).inference.activation, Activation::Relu);
    assert_eq!(PLAN.step(1).training.activation, Activation::Identity);
    assert_eq!(PLAN.step(2).training.activation, Activation::Relu);
    assert_eq!(PLAN.step(4).inference.activation, Activation::Identity);
    assert_eq!(PLAN.step(4).inference.input, PLAN.step(1).inference.output);
    assert_ne!(PLAN.step(1).training.output, PLAN.step(2).training.output);
}
