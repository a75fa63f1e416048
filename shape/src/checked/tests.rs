extern crate std;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::string::String;

use super::*;
use crate::{Node, Padding, Plan};

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

const fn linear(out_features: usize) -> Op {
    Op::Linear { out_features, bias: false }
}

const fn net(second: Op) -> [Node<'static>; 6] {
    [
        Node { name: "input", op: Op::Input { shape: Shape::new(&[1, 8, 8]) }, inputs: &[] },
        Node { name: "conv1", op: conv(4, 5), inputs: &[0] },
        Node { name: "conv2", op: second, inputs: &[1] },
        Node { name: "flatten", op: Op::Flatten, inputs: &[2] },
        Node { name: "fc1", op: linear(7), inputs: &[3] },
        Node { name: "fc2", op: linear(2), inputs: &[4] },
    ]
}

/// The message of a panic, if there is one.
fn said(check: impl FnOnce()) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(check)).err()?;
    panic.downcast_ref::<String>().cloned()
}

#[test]
fn a_graph_that_fits_is_as_it_is_without_checks() {
    const NODES: [Node<'static>; 6] = net(conv(3, 3));
    const GRAPH: Graph<'static> = Graph { name: "Net", nodes: &NODES, marks: &[], heads: &[] };
    static CHECKED: Checked<6> = Checked::new(&GRAPH);
    assert!(CHECKED.is_sound());
    assert_eq!(CHECKED.shapes(), GRAPH.shapes());
    assert_eq!(CHECKED.tensors::<6>(&GRAPH), GRAPH.tensors::<6, 6>());
    assert_eq!(CHECKED.layers(&GRAPH), GRAPH.layers(&GRAPH.shapes()));
    assert_eq!(Plan::of(&GRAPH, &CHECKED), Plan::<6>::new(&GRAPH));
    CHECKED.check_output(&GRAPH, 5, Shape::new(&[2]));
}

/// Nothing but the broken rule fails: shapes, tensors and the plan are something.
#[test]
fn after_a_mistake_everything_can_still_be_evaluated() {
    for second in [conv(3, 5), conv(0, 3), conv(3, 0), conv(usize::MAX, 3)] {
        // The names in the table of layers live as long as the program.
        let nodes = std::boxed::Box::leak(std::boxed::Box::new(net(second)));
        let graph = Graph { name: "Net", nodes, marks: &[], heads: &[] };
        let checked = Checked::<6>::new(&graph);
        assert!(!checked.is_sound());
        let shapes = checked.shapes();
        assert_eq!((shapes[2].rank(), shapes[4]), (3, Shape::new(&[7])));
        let (tensors, layers) = (checked.tensors::<6>(&graph), checked.layers(&graph));
        assert_eq!((tensors[2].node, layers[2].name), (2, "conv2"));
        assert_eq!(tensors[graph.tensor_count() - 1].shape, Shape::new(&[2, 7]));
        let plan = Plan::<6>::of(&graph, &checked);
        assert_eq!((plan.steps().len(), plan.step(1).output.rank()), (0, 3));
        // The output is known nevertheless.
        let message = said(|| checked.check_output(&graph, 5, Shape::new(&[3])));
        assert_eq!(
            message.as_deref(),
            Some(
                "`Net`: the layers arrive at [2], but [3] is declared\n\
                 shapes so far: … → fc1 [7] → fc2 [2]\n\
                 help: use `fc2: linear(3)`, or declare `-> [2]`"
            ),
            "{second:?}"
        );
    }
}

#[test]
fn a_mistake_is_said_where_its_argument_stands_and_nowhere_else() {
    let nodes = net(conv(3, 5));
    let graph = Graph { name: "Net", nodes: &nodes, marks: &[], heads: &[] };
    let checked = Checked::<6>::new(&graph);
    let fit = |node, argument| said(|| checked.check_fit(&graph, node, argument, "in a block"));
    assert_eq!(
        fit(2, Argument::Kernel).as_deref(),
        Some(
            "`conv2`: kernel 5×5 does not fit its input of 4×4\nin a block\n\
             shapes so far: input [1, 8, 8] → conv1 [4, 4, 4]\n\
             help: use `kernel = 4` or less, or `padding = 1`"
        )
    );
    assert_eq!(fit(2, Argument::Groups), None);
    assert_eq!(fit(1, Argument::Kernel), None);
    let layer = |others| said(|| checked.check_layer(&graph, 2, others, ""));
    assert!(layer(&[Argument::Groups]).is_some());
    assert_eq!(layer(&[Argument::Groups, Argument::Kernel]), None);
    let range = |op: Op| {
        let nodes = net(op);
        let graph = Graph { name: "Net", nodes: &nodes, marks: &[], heads: &[] };
        said(|| check_argument(&graph, 2, Argument::OutChannels, ""))
    };
    let message = "`conv2`: `out_channels` must be at least 1, but is 0";
    assert_eq!(range(conv(0, 9)).as_deref(), Some(message));
    assert_eq!(range(conv(1, 0)), None);
}

/// The shapes on the way are cut to the last six, or to the last five and a sign.
#[test]
fn long_ways_show_their_end() {
    for length in 1..10 {
        let mut nodes = [Node { name: "c", op: conv(4, 2), inputs: &[] }; 12];
        const INPUTS: [[usize; 1]; 12] =
            [[0], [0], [1], [2], [3], [4], [5], [6], [7], [8], [9], [10]];
        for (node, inputs) in nodes.iter_mut().zip(&INPUTS).skip(1) {
            node.inputs = inputs;
        }
        nodes[0] = net(conv(1, 1))[0];
        nodes[0].op = Op::Input { shape: Shape::new(&[4, 20, 20]) };
        nodes[length + 1].op = conv(4, 30);
        let graph = Graph { name: "Net", nodes: &nodes, marks: &[], heads: &[] };
        let checked = Checked::<12>::new(&graph);
        let message = said(|| checked.check_layer(&graph, length + 1, &[], "")).expect("a mistake");
        let shown = message.split(" → ").count();
        assert_eq!(shown, if length < 6 { length + 1 } else { 6 }, "{message}");
        assert_eq!(message.contains("far: … →"), length >= 6, "{message}");
        assert!(message.contains("[4, 20, 20]") == (length < 6), "{message}");
    }
}

#[test]
fn arithmetic_that_fails_gives_one() {
    assert_eq!((difference(3, 2), difference(2, 2), difference(2, 3)), (1, 0, 1));
    assert_eq!((quotient(7, 2), quotient(7, 0)), (3, 1));
    assert_eq!((remainder(7, 4), remainder(7, 0)), (3, 1));
}

#[test]
fn a_message_that_is_too_long_loses_whole_parts() {
    let mut message = Message::new();
    for _ in 0..1000 {
        message.push("×××");
    }
    message.push_line("help: ", "");
    assert_eq!(message.as_str().chars().filter(|&letter| letter == '×').count(), 2048 / 6 * 3);
}

#[test]
fn a_layer_is_no_net_with_several_inputs_or_with_outputs_by_name() {
    use crate::Head;
    let input = |name| Node { name, op: Op::Input { shape: Shape::new(&[4]) }, inputs: &[] };
    let nodes = [
        input("image"),
        input("pose"),
        Node { name: "sum", op: Op::Add, inputs: &[0, 1] },
        Node { name: "class", op: linear(3), inputs: &[2] },
        Node { name: "bbox", op: linear(2), inputs: &[2] },
    ];
    let heads = [Head { name: "class", node: 3 }, Head { name: "bbox", node: 4 }];
    let says = |inputs: usize, outputs: usize, note: &str| {
        let nodes = &nodes[2 - inputs..];
        let graph = Graph::new("Net", nodes).with_heads(&heads[..outputs]);
        said(|| check_net("fused", "my::Net", Some(graph), note))
    };
    assert_eq!(said(|| check_net("swirl", "my::Swirl", None, "")), None);
    assert_eq!(says(1, 0, ""), None);
    let share = "\nhelp: declare the layers that both need as a net with one input and one output, \
                 and write that net in both";
    let expected = [
        (1, 1, "a named output (`class`), but a net that is a layer has one output without a name"),
        (
            1,
            2,
            "2 outputs (`class`, `bbox`), but a net that is a layer has one output without a name",
        ),
        (2, 0, "2 inputs (`image`, `pose`), but a net that is a layer has one input"),
        (
            2,
            2,
            "2 inputs (`image`, `pose`) and 2 outputs (`class`, `bbox`), but a net that is a layer \
             has one input, and one output without a name",
        ),
    ];
    for (inputs, outputs, expected) in expected {
        let help = if (inputs, outputs) == (1, 1) {
            "\nhelp: declare that output without a name: `-> […]`"
        } else {
            share
        };
        let expected = std::format!("`fused`: the net `my::Net` has {expected}\nin a block{help}");
        assert_eq!(says(inputs, outputs, "in a block"), Some(expected));
    }
}
