//! The outputs of one image, which may be too large for the stack.

use typenet_engine::Flat;
use typenet_engine::pass::Forward;
use typenet_engine::rows::softmax;
use typenet_shape::{Graph, Node, Op, Text};

use super::{Network, inference};
use crate::net::output_value::OutputValue;
use crate::net::workspace::Workspace;

/// Outputs of more bytes than this are not returned by value.
const LARGE: usize = 64 * 1024;

/// Shows `look` the outputs of one image, in a workspace's memory or else in memory that the thread keeps:
/// they may be too large for the stack.
pub(super) fn look<N: Network, R>(
    net: &N,
    ws: Option<&mut Workspace<N>>,
    image: &N::Input,
    look: impl FnOnce(&mut [f32]) -> R,
) -> R {
    let memory = ws.map(|ws| &mut ws.memory);
    let group = |run: &mut Forward<'_>| N::forward_group(net.model().parameters(), run);
    inference(net, &group).look(memory, image.as_flat(), look)
}

/// A row of outputs as it is returned.
pub(super) fn value<N: Network>(row: &mut [f32]) -> N::OutputValue {
    match N::Output::from_flat(row) {
        Some(output) => OutputValue::copied(output),
        None => unreachable!("a row has as many numbers as its net has outputs"),
    }
}

/// Turns a row of outputs into probabilities, in place.
pub(super) fn as_probabilities(graph: &Graph<'_>, row: &mut [f32]) {
    let mut last = graph.nodes[graph.output_node(0)];
    while let Node { op: Op::NetOutput { .. }, inputs: &[inner], .. } = last {
        last = graph.nodes[inner];
    }
    match last.op {
        Op::Softmax | Op::Sigmoid => {}
        Op::LogSoftmax => row.iter_mut().for_each(|x| *x = x.exp()),
        _ => softmax(row),
    }
}

/// Says what to do where an output is too large to be returned by value and no type can box it, because
/// its size is a generic.
#[allow(clippy::panic, reason = "a constant that is wrong stops the compiler")]
#[track_caller]
pub(super) const fn check_size<N: Network>() {
    let bytes = size_of::<N::OutputValue>();
    if bytes > LARGE {
        let text = Text::new().str("`").str(N::GRAPH.name).str("`: an output of ").number(bytes);
        let text = text.str(
            " bytes is too large for the stack, and its size is a generic, so that no type can box it\n\
             help: `outputs(std::slice::from_ref(&image))` gives it on the heap, `outputs_into` writes \
             it where you say",
        );
        panic!("{}", text.as_str());
    }
}
