extern crate std;
use std::vec::Vec;

use super::*;
use crate::{Activation, Approximate, Graph, Head, Marks, Node, Op, Padding, Shape};

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

const POOL: Op =
    Op::MaxPool2d { kernel: [2, 2], stride: [2, 2], padding: [0, 0], ceil_mode: false };

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

#[test]
fn a_direct_convolution_pools_and_a_max_pool_undoes_its_activation() {
    static PLAN: Plan<9> = Plan::new(&LENET);
    let (conv1, pool1, conv2, pool2) = (PLAN.step(1), PLAN.step(3), PLAN.step(4), PLAN.step(6));
    let pooled = conv1.pooled.expect("a direct convolution");
    assert_eq!(pooled.output, pool1.inference.output);
    assert_eq!((pooled.is_max, pooled.geometry.input), (true, Shape::new(&[6, 24, 24])));
    assert!(pool1.in_convolution && !pool2.in_convolution);
    assert!(PLAN.scratch_len(false) >= 2 * 24 * 6);
    // Winograd's kernels do not go row by row.
    assert!(conv2.kernels[0].is_some() && conv2.pooled.is_none());
    assert_eq!((pool1.undoes, pool2.undoes), (Activation::Relu, Activation::Relu));
    assert!(conv1.is_undone && conv2.is_undone && !PLAN.step(8).is_undone);
    // The convolution's input is read while the pooled rows are written.
    let (from, to) = (conv1.inference.input, pooled.output);
    assert!(from.end() <= to.offset || to.end() <= from.offset);
}

#[test]
fn no_buffer_is_overwritten_while_it_is_needed() {
    static PLAN: Plan<9> = Plan::new(&LENET);
    run_on_paper(&PLAN);
    static GATED_PLAN: Plan<6> = Plan::new(&GATED);
    run_on_paper(&GATED_PLAN);
    static SEPARABLE_PLAN: Plan<11> = Plan::new(&SEPARABLE);
    run_on_paper(&SEPARABLE_PLAN);
}

/// Runs the plan of a chain of layers on paper: whatever a step reads must be what was last written
/// there.
fn run_on_paper<const N: usize>(plan: &Plan<N>) {
    let mut arena = [usize::MAX; 40_000];
    // What a step reads is the value of the step before it, or what the norm reads that it applies itself.
    let read = |i: usize, step: &Step| step.normalizes.unwrap_or(i);
    let mut write = |b: Buffer, tag: usize| arena[b.offset..b.end()].fill(tag);
    write(plan.training_input, 0);
    let mut source = 0;
    for (i, step) in plan.steps().iter().enumerate() {
        arena[step.training.input.offset..step.training.input.end()]
            .iter()
            .for_each(|&tag| assert_eq!(tag, read(source, step)));
        source = i + 1;
        arena[step.training.output.offset..step.training.output.end()].fill(source);
    }
    let gradient = plan.outputs()[0].gradient.expect("trained");
    arena[gradient.offset..gradient.end()].fill(100 + source);
    for (i, step) in plan.steps().iter().enumerate().rev() {
        let holds = |b: Buffer, tag: usize| arena[b.offset..b.end()].iter().all(|&t| t == tag);
        assert!(holds(step.output_gradient.expect("trained"), 100 + i + 1), "step {i}");
        if build::reads_input_backward(&step.op, step.frozen) {
            assert!(holds(step.training.input, read(i, step)), "step {i} input");
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
    for (i, step) in plan.steps().iter().enumerate().filter(|(_, step)| step.sums_at_end()) {
        let holds = |b: Buffer, tag: usize| arena[b.offset..b.end()].iter().all(|&t| t == tag);
        assert!(holds(step.training.input, i), "step {i} input at the end");
        assert!(holds(step.output_gradient.expect("trained"), 100 + i + 1), "step {i} at the end");
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
    assert_eq!(segments, [0, 1, 1, 2, 3]);
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

/// A depthwise-separable block, whose norms the convolutions behind them apply.
const SEPARABLE: Graph<'static> = Graph::new(
    "Separable",
    &[
        Node { name: "input", op: Op::Input { shape: Shape::new(&[3, 8, 8]) }, inputs: &[] },
        Node { name: "conv", op: conv(48, 1), inputs: &[0] },
        Node { name: "bn1", op: NORM, inputs: &[1] },
        Node { name: "relu", op: Op::Relu, inputs: &[2] },
        Node { name: "depthwise", op: DEPTHWISE, inputs: &[3] },
        Node { name: "bn2", op: NORM, inputs: &[4] },
        Node { name: "relu6", op: Op::Relu6, inputs: &[5] },
        Node { name: "pointwise", op: POINTWISE, inputs: &[6] },
        Node { name: "bn3", op: NORM, inputs: &[7] },
        Node { name: "relu", op: Op::Relu, inputs: &[8] },
        Node { name: "pool", op: Op::GlobalAvgPool, inputs: &[9] },
    ],
);

const DEPTHWISE: Op = Op::DepthwiseConv2d {
    kernel: [3, 3],
    multiplier: 1,
    stride: [1, 1],
    padding: Padding::Zeros([1, 1]),
    dilation: [1, 1],
    bias: false,
};

const POINTWISE: Op = Op::Conv2d {
    out_channels: 40,
    kernel: [1, 1],
    stride: [1, 1],
    padding: Padding::Zeros([0, 0]),
    dilation: [1, 1],
    groups: 1,
    bias: false,
};

#[test]
fn convolutions_apply_the_norms_that_they_alone_read() {
    static PLAN: Plan<11> = Plan::new(&SEPARABLE);
    for (reader, norm) in [(4, 2), (7, 5)] {
        let (reader, norm) = (PLAN.step(reader), PLAN.step(norm));
        assert!(norm.is_applied_by_reader && norm.training.output.len == 0);
        let index = reader.normalizes.expect("a norm");
        assert_eq!(PLAN.steps()[index], norm);
        assert_eq!(reader.training.input, norm.training.input);
        assert_eq!(reader.sources()[0].training, norm.training.input);
        assert_eq!(reader.sources()[0].node, norm.value);
        // Gradients are where they are without.
        assert_eq!(reader.input_gradient, norm.output_gradient);
        assert_eq!(reader.input_gradient.expect("trained").len, 48 * 64);
    }
    // A pooling layer reads the last one's value.
    let last = PLAN.step(8);
    assert!(!last.is_applied_by_reader && last.training.output.len > 0);
}

/// Only the norm needs scratch memory: a channel, while training.
#[test]
fn a_depthwise_convolution_normalizes_a_channel_at_a_time() {
    const GRAPH: Graph<'static> = Graph::new(
        "Depthwise",
        &[
            Node { name: "input", op: Op::Input { shape: Shape::new(&[3, 9, 7]) }, inputs: &[] },
            Node { name: "bn", op: NORM, inputs: &[0] },
            Node { name: "depthwise", op: DEPTHWISE, inputs: &[1] },
        ],
    );
    static PLAN: Plan<3> = Plan::new(&GRAPH);
    assert_eq!((PLAN.step(2).normalizes, PLAN.step(2).training.input.len), (Some(0), 3 * 63));
    assert_eq!((PLAN.scratch_len(true), PLAN.scratch_len(false)), (63, 0));
}

#[test]
fn a_norm_is_stored_where_its_value_is_needed() {
    // An output, and a frozen norm.
    const HEADS: [Head<'static>; 2] =
        [Head { name: "middle", node: 3 }, Head { name: "last", node: 10 }];
    const WITH_HEADS: Graph<'static> = SEPARABLE.with_heads(&HEADS);
    const FROZEN: Graph<'static> = {
        const MARKS: &[Marks<'static>] = &[Marks::of(2).frozen()];
        SEPARABLE.with_marks(MARKS)
    };
    for plan in [Plan::<11>::new(&WITH_HEADS), Plan::new(&FROZEN)] {
        assert!(plan.step(4).normalizes.is_none() && plan.step(2).training.output.len > 0);
        assert!(plan.step(7).normalizes.is_some());
    }
    static PLAN: Plan<9> = Plan::new(&NORMED);
    assert!(PLAN.steps().iter().all(|step| step.normalizes.is_none()));
    assert!(PLAN.steps().iter().all(|step| step.training.output.len > 0));
}

/// Whether this convolution applies the norm before it, with this activation in between.
fn applies(input: [usize; 3], f: Op, reader: Op, is_read_twice: bool) -> bool {
    let nodes = [
        Node { name: "input", op: Op::Input { shape: Shape::new(&input) }, inputs: &[] },
        Node { name: "bn", op: NORM, inputs: &[0] },
        Node { name: "f", op: f, inputs: &[1] },
        Node { name: "reader", op: reader, inputs: &[2] },
        Node { name: "add", op: Op::Add, inputs: &[2, if is_read_twice { 2 } else { 0 }] },
    ];
    let graph = |nodes| Plan::<5>::new(&Graph::new("Pair", nodes)).step(3).normalizes.is_some();
    let whole = Plan::<4>::new(&Graph::new("Alone", &nodes[..4])).step(3).normalizes.is_some();
    if is_read_twice { graph(&nodes) } else { whole }
}

#[test]
fn some_convolutions_and_activations_can_apply_norms() {
    let Op::DepthwiseConv2d { multiplier, stride, padding, dilation, bias, .. } = DEPTHWISE else {
        unreachable!()
    };
    let depthwise = |kernel, stride, dilation| Op::DepthwiseConv2d {
        kernel: [kernel, kernel],
        multiplier,
        stride,
        padding,
        dilation,
        bias,
    };
    let leaky = Op::LeakyRelu { negative_slope: 0.1 };
    let size = [32, 12, 12];
    for f in [Op::Relu, Op::Relu6, leaky] {
        assert!(applies(size, f, DEPTHWISE, false) && applies(size, f, POINTWISE, false), "{f:?}");
        assert!(!applies(size, f, DEPTHWISE, true) && !applies(size, f, POINTWISE, true), "{f:?}");
    }
    for f in [Op::Tanh, Op::Sigmoid, GELU] {
        assert!(
            !applies(size, f, DEPTHWISE, false) && !applies(size, f, POINTWISE, false),
            "{f:?}"
        );
    }
    assert!(applies(size, Op::Relu, depthwise(5, [2, 2], dilation), false));
    for other in [
        depthwise(7, stride, dilation),
        depthwise(3, [2, 1], dilation),
        depthwise(3, stride, [2, 2]),
    ] {
        assert!(!applies(size, Op::Relu, other, false), "{other:?}");
    }
    // Few channels, which are not packed, and channels that are too large.
    assert!(!applies([31, 12, 12], Op::Relu, POINTWISE, false));
    assert!(!applies([3, 91, 91], Op::Relu, DEPTHWISE, false));
    assert!(applies([3, 90, 91], Op::Relu, DEPTHWISE, false));
}

const GELU: Op = Op::Gelu { approximate: Approximate::None };

/// An activation whose slope is no function of its value, behind a layer that could take it in.
const GATED: Graph<'static> = Graph::new(
    "Gated",
    &[
        Node { name: "input", op: Op::Input { shape: Shape::new(&[3, 8, 8]) }, inputs: &[] },
        Node { name: "conv1", op: conv(4, 1), inputs: &[0] },
        Node { name: "gelu", op: GELU, inputs: &[1] },
        Node { name: "conv2", op: conv(5, 1), inputs: &[2] },
        Node { name: "relu6", op: Op::Relu6, inputs: &[3] },
        Node { name: "silu", op: Op::Silu, inputs: &[4] },
    ],
);

#[test]
fn what_has_no_slope_from_its_value_is_a_step_of_its_own_in_training() {
    static PLAN: Plan<6> = Plan::new(&GATED);
    let nodes: Vec<usize> = PLAN.steps().iter().map(|step| step.node).collect();
    assert_eq!(nodes, [1, 2, 3, 5]);
    let gelu = Activation::Gelu { approximate: Approximate::None };
    let (conv1, conv2) = (PLAN.step(1), PLAN.step(3));
    assert_eq!(conv1.training.activation, Activation::Identity);
    assert_eq!((conv1.inference.activation, PLAN.step(2).folded), (gelu, true));
    assert_eq!(conv2.inference.input, conv1.inference.output);
    assert_eq!(conv2.training.activation, Activation::Relu6);
    // One activation a pass.
    assert_eq!((conv2.inference.activation, PLAN.step(5).folded), (Activation::Relu6, false));
    // The gelu reads its input again, and the convolution behind it that gelu's value.
    let apart = [PLAN.step(2).training.input, conv2.training.input, PLAN.step(5).training.input];
    for (i, a) in apart.iter().enumerate() {
        assert!(apart[i + 1..].iter().all(|b| a.end() <= b.offset || b.end() <= a.offset));
    }
}

/// A sum with such an activation, whose summands are read elsewhere too.
const SUMMED: Graph<'static> = Graph::new(
    "Summed",
    &[
        Node { name: "input", op: Op::Input { shape: Shape::new(&[4, 8, 8]) }, inputs: &[] },
        Node { name: "conv1", op: conv(4, 1), inputs: &[0] },
        Node { name: "bn1", op: NORM, inputs: &[1] },
        Node { name: "gelu", op: GELU, inputs: &[2] },
        Node { name: "add", op: Op::Add, inputs: &[3, 1] },
        Node { name: "silu", op: Op::Silu, inputs: &[4] },
        Node { name: "mul", op: Op::Mul, inputs: &[5, 3] },
        Node { name: "hardswish", op: Op::Hardswish, inputs: &[6] },
    ],
);

#[test]
fn sums_take_such_an_activation_in_inference_only_and_products_none() {
    static PLAN: Plan<8> = Plan::new(&SUMMED);
    let nodes: Vec<usize> = PLAN.steps().iter().map(|step| step.node).collect();
    assert_eq!(nodes, [1, 2, 3, 4, 5, 6, 7]);
    // The convolution's value is read twice: nothing goes into it. The norm stays and takes the gelu.
    let gelu = Activation::Gelu { approximate: Approximate::None };
    assert_eq!(PLAN.step(1).inference.activation, Activation::Identity);
    assert_eq!((PLAN.step(2).inference.activation, PLAN.step(3).folded), (gelu, true));
    assert_eq!((PLAN.step(4).inference.activation, PLAN.step(5).folded), (Activation::Silu, true));
    assert_eq!(PLAN.step(4).training.activation, Activation::Identity);
    assert_eq!(PLAN.step(6).inference.activation, Activation::Identity);
    assert!(!PLAN.step(6).folded && !PLAN.step(7).folded);
}

#[test]
fn a_sum_is_computed_with_the_later_value() {
    static PLAN: Plan<9> = Plan::new(&NORMED);
    let (first, conv, norm) = (PLAN.step(2), PLAN.step(4), PLAN.step(5));
    // While training in the batch norm's pass, in inference in that of its convolution.
    assert_eq!((norm.training.added, conv.training.added), (Some(first.training.output), None));
    assert_eq!(conv.inference.added, Some(PLAN.step(1).inference.output));
    assert_eq!(PLAN.step(7).training.input, norm.training.output);
    // The sum's gradient comes first, and the convolution adds its own.
    assert_eq!(norm.added_gradient, Some((first.output_gradient.expect("trained"), false)));
    assert!(conv.accumulates && conv.adds_to.is_none());
    assert_eq!(conv.input_gradient, first.output_gradient);
}

/// The same net with some layers frozen.
const fn frozen(nodes: &'static [Marks<'static>]) -> Graph<'static> {
    NORMED.with_marks(nodes)
}

#[test]
fn what_is_frozen_with_all_below_it_has_no_gradients() {
    const GRAPH: Graph<'static> = frozen(&[Marks::of(1).frozen(), Marks::of(2).frozen()]);
    static PLAN: Plan<9> = Plan::new(&GRAPH);
    static WHOLE: Plan<9> = Plan::new(&NORMED);
    for node in [1, 2] {
        let step = PLAN.step(node);
        assert_eq!((step.output_gradient, step.input_gradient), (None, None));
        assert!(step.frozen);
    }
    // What reads the frozen part has a gradient of its own, and none to pass on.
    assert!(PLAN.step(4).output_gradient.is_some() && PLAN.step(4).input_gradient.is_none());
    assert!(PLAN.step(5).added_gradient.is_none());
    // A frozen batch norm needs no other group of images.
    let segments: Vec<usize> = PLAN.steps().iter().map(|step| step.segment).collect();
    assert_eq!(segments, [0, 0, 0, 1, 2]);
    assert_eq!(PLAN.norms().len(), 2);
    assert!(PLAN.training_len < WHOLE.training_len);
    assert_eq!(PLAN.inference_len, WHOLE.inference_len);
}

#[test]
fn a_frozen_layer_passes_gradients_on_to_what_is_trained_below() {
    const GRAPH: Graph<'static> = frozen(&[Marks::of(4).frozen(), Marks::of(5).frozen()]);
    static PLAN: Plan<9> = Plan::new(&GRAPH);
    let (first, conv, norm) = (PLAN.step(2), PLAN.step(4), PLAN.step(5));
    assert_eq!(norm.added_gradient, Some((first.output_gradient.expect("trained"), false)));
    assert_eq!(conv.input_gradient, first.output_gradient);
    assert!(conv.accumulates && conv.frozen && norm.frozen && !first.frozen);
    assert_eq!(PLAN.norms().len(), 2);
    assert!(GRAPH.trains(1) && !GRAPH.trains(4) && !GRAPH.trains(3));
}

/// Two inputs; a head in the middle that the layer behind it reads, another that is the same numbers.
const HEADED: Graph<'static> = Graph::new(
    "Headed",
    &[
        Node { name: "image", op: Op::Input { shape: Shape::new(&[2, 3, 3]) }, inputs: &[] },
        Node { name: "pose", op: Op::Input { shape: Shape::new(&[18]) }, inputs: &[] },
        Node { name: "flatten", op: Op::Flatten, inputs: &[0] },
        Node { name: "add", op: Op::Add, inputs: &[2, 1] },
        Node { name: "map", op: Op::Reshape { shape: Shape::new(&[2, 3, 3]) }, inputs: &[3] },
        Node { name: "conv", op: conv(4, 1), inputs: &[4] },
        Node { name: "relu", op: Op::Relu, inputs: &[5] },
        Node { name: "flat", op: Op::Flatten, inputs: &[6] },
        Node { name: "fc", op: Op::Linear { out_features: 5, bias: true }, inputs: &[7] },
        Node { name: "tanh", op: Op::Tanh, inputs: &[8] },
    ],
)
.with_heads(&[
    Head { name: "raw", node: 5 },
    Head { name: "map", node: 6 },
    Head { name: "flat", node: 7 },
    Head { name: "pose", node: 1 },
    Head { name: "last", node: 9 },
]);

#[test]
fn inputs_stand_in_a_row_and_heads_leave_the_net() {
    static PLAN: Plan<10> = Plan::new(&HEADED);
    let (input, add) = (PLAN.training_input, PLAN.step(3));
    assert_eq!((HEADED.input_count(), input.len), (2, 36));
    let sources: Vec<Buffer> = add.sources().iter().map(|source| source.training).collect();
    let halves = [0, 18].map(|at| Buffer { offset: input.offset + at, len: 18 });
    assert_eq!(sources, halves);

    let [raw, map, flat, pose, last]: [Output; 5] =
        PLAN.outputs().try_into().expect("five outputs");
    let rows: Vec<usize> = PLAN.outputs().iter().map(|output| output.row.offset).collect();
    assert_eq!((rows, last.row.end()), ([0, 36, 72, 108, 126].into(), 131));
    // A head is in memory before what follows is computed.
    assert_eq!(PLAN.step(5).training.activation, Activation::Identity);
    assert_eq!(PLAN.step(8).training.activation, Activation::Tanh);
    assert_eq!((map.training, map.gradient), (flat.training, flat.gradient));
    assert_eq!(
        [raw, map, flat, pose, last].map(|output| output.adds),
        [false, false, true, false, false]
    );
    assert_eq!((pose.training, pose.gradient), (halves[1], None));
    // Other readers add to what the loss has written.
    assert!(PLAN.step(8).accumulates && PLAN.step(6).adds_to == raw.gradient);
    for (outputs, what) in [
        (PLAN.outputs().iter().map(|output| output.training).collect::<Vec<_>>(), "training"),
        (PLAN.outputs().iter().map(|output| output.inference).collect(), "inference"),
        (PLAN.outputs().iter().filter_map(|output| output.gradient).collect(), "gradients"),
    ] {
        for (i, one) in outputs.iter().enumerate() {
            for other in &outputs[..i] {
                let apart = one.end() <= other.offset || other.end() <= one.offset;
                assert!(apart || one == other, "{what}: {one:?} and {other:?}");
            }
        }
    }
}
