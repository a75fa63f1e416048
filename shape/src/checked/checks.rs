//! One call for each rule, at the place in the declaration to which a mistake belongs.
#![allow(clippy::panic, reason = "a panic in a constant is how its message reaches the user")]

use super::words::Join;
use super::{Checked, Found, Message};
use crate::{Argument, Graph, MAX_INPUTS, Op, Shape, ShapeError};

/// How many shapes a message shows at most.
const MOST: usize = 6;

/// Checks an argument by itself. `note` is a line about where it stands, or empty.
///
/// # Panics
/// When the argument is out of its range.
#[track_caller]
pub const fn check_argument(graph: &Graph<'_>, node: usize, argument: Argument, note: &str) {
    let op = &graph.nodes[node].op;
    if let Err(error) = op.check(argument) {
        let mut message = about(graph.nodes[node].name);
        message.push(error.message().as_str());
        message.push_line("", note);
        message.push_line("help: ", error.help().as_str());
        panic!("{}", message.as_str());
    }
}

/// Checks that a dimension of the `what` shape (`input`, or `` `class` output``) is not zero.
///
/// # Panics
/// When it is zero, and no dimension before it is.
#[track_caller]
pub const fn check_dimension(what: &str, shape: Shape, axis: usize) {
    let mut before = 0;
    while before < axis {
        if shape.dim(before) == 0 {
            return;
        }
        before += 1;
    }
    if shape.dim(axis) == 0 {
        header(what, &ShapeError::ZeroDimension { shape }, "every dimension is at least 1");
    }
}

/// Checks that the `what` shape (`input` or `output`) is not too large.
///
/// # Panics
/// When it is too large.
#[track_caller]
pub const fn check_header(what: &str, shape: Shape) {
    if let Err(error @ ShapeError::Overflow { .. }) = shape.checked() {
        header(what, &error, "");
    }
}

#[track_caller]
const fn header(what: &str, error: &ShapeError, help: &str) {
    let mut message = Message::new();
    message.push("the ");
    message.push(what);
    message.push(" shape: ");
    message.push(error.message().as_str());
    message.push_line("help: ", help);
    panic!("{}", message.as_str());
}

/// Checks that the difference that is written as `text` is not negative. `name` is the layer to blame, or
/// empty.
///
/// # Panics
/// When it is negative.
#[track_caller]
pub const fn check_difference(name: &str, text: &str, left: usize, right: usize, note: &str) {
    if left < right {
        arithmetic(name, text, " is negative: ", [left, right], " - ", note);
    }
}

/// Checks that the quotient or remainder that is written as `text` does not divide by zero. `name` is the layer
/// to blame, or empty.
///
/// # Panics
/// When it divides by zero.
#[track_caller]
pub const fn check_divisor(
    name: &str,
    text: &str,
    [left, right]: [usize; 2],
    sign: &str,
    note: &str,
) {
    if right == 0 {
        arithmetic(name, text, " divides by zero: ", [left, right], sign, note);
    }
}

#[track_caller]
const fn arithmetic(name: &str, text: &str, what: &str, sides: [usize; 2], sign: &str, note: &str) {
    let mut message = if name.is_empty() { Message::new() } else { about(name) };
    message.push("`");
    message.push(text);
    message.push("`");
    message.push(what);
    message.push_number(sides[0]);
    message.push(sign);
    message.push_number(sides[1]);
    message.push_line("", note);
    if sides[1] > 0 {
        message.push_line("help: ", "every number here is 0 or more");
    }
    panic!("{}", message.as_str());
}

/// The difference; 1 where it is negative, which [`check_difference`] reports.
pub const fn difference(number: usize, less: usize) -> usize {
    if number < less { 1 } else { number - less }
}

/// The quotient, rounded down; 1 for a division by zero, which [`check_divisor`] reports.
pub const fn quotient(number: usize, by: usize) -> usize {
    match number.checked_div(by) {
        Some(quotient) => quotient,
        None => 1,
    }
}

/// The remainder; 1 for a division by zero, which [`check_divisor`] reports.
pub const fn remainder(number: usize, by: usize) -> usize {
    match number.checked_rem(by) {
        Some(remainder) => remainder,
        None => 1,
    }
}

/// Checks that a layer of the user's own gets as many arguments as it takes. `path` is what the declaration
/// calls it, and `takes` has the names of its arguments. `None` is another net, which takes none.
///
/// # Panics
/// When `given` is another number.
#[track_caller]
pub const fn check_arguments(
    name: &str,
    path: &str,
    takes: Option<&[&str]>,
    given: usize,
    note: &str,
) {
    let arguments = match takes {
        Some(arguments) => arguments,
        None => &[],
    };
    if arguments.len() == given {
        return;
    }
    let mut message = about(name);
    message.push("`");
    message.push(path);
    message.push(if takes.is_none() { "` is a net and takes " } else { "` takes " });
    if arguments.is_empty() {
        message.push("no arguments, but ");
    } else {
        message.push_number(arguments.len());
        message.push(if arguments.len() == 1 { " argument, but " } else { " arguments, but " });
    }
    message.push_number(given);
    message.push(if given == 1 { " is given" } else { " are given" });
    message.push_line("", note);
    message.push("\nhelp: write `");
    message.push(path);
    let mut i = 0;
    while i < arguments.len() {
        message.push(if i == 0 { "(" } else { ", " });
        message.push(arguments[i]);
        i += 1;
    }
    message.push(if arguments.is_empty() { "`" } else { ")`" });
    panic!("{}", message.as_str());
}

/// Checks that a net can be a layer: it has one input, and one output without a name. `path` is what the
/// declaration calls it; a `net` of `None` is a layer of the user's own.
///
/// # Panics
/// When it cannot.
#[track_caller]
pub const fn check_net(name: &str, path: &str, net: Option<Graph<'_>>, note: &str) {
    let Some(graph) = net else { return };
    if graph.can_be_layer() {
        return;
    }
    let (inputs, outputs) = (graph.input_count(), graph.heads.len());
    let mut message = about(name);
    message.push("the net `");
    message.push(path);
    message.push("` has ");
    if inputs > 1 {
        message.push_number(inputs);
        message.push(" inputs");
        let mut i = 0;
        while i < inputs {
            push_listed(&mut message, i, graph.nodes[i].name);
            i += 1;
        }
        message.push(if outputs > 0 { ") and " } else { ")" });
    }
    if outputs > 0 {
        if outputs > 1 {
            message.push_number(outputs);
            message.push(" outputs");
        } else {
            message.push("a named output");
        }
        let mut i = 0;
        while i < outputs {
            push_listed(&mut message, i, graph.heads[i].name);
            i += 1;
        }
        message.push(")");
    }
    message.push(", but a net that is a layer has ");
    message.push(match (inputs > 1, outputs) {
        (true, 0) => "one input",
        (true, _) => "one input, and one output without a name",
        (false, _) => "one output without a name",
    });
    message.push_line("", note);
    if inputs == 1 && outputs == 1 {
        message.push("\nhelp: declare that output without a name: `-> […]`");
    } else {
        message.push("\nhelp: declare the layers that both need as a net with one input and one ");
        message.push("output, and write that net in both");
    }
    panic!("{}", message.as_str());
}

const fn push_listed(message: &mut Message, index: usize, name: &str) {
    message.push(if index == 0 { " (`" } else { ", `" });
    message.push(name);
    message.push("`");
}

/// `` `conv1`:  ``
const fn about(name: &str) -> Message {
    let mut message = Message::new();
    message.push("`");
    message.push(name);
    message.push("`: ");
    message
}

impl<const N: usize> Checked<N> {
    /// Checks that a layer fits its input, as far as `argument` is the one to change.
    ///
    /// # Panics
    /// When it does not, and `argument` is to blame.
    #[track_caller]
    pub const fn check_fit(&self, graph: &Graph<'_>, node: usize, argument: Argument, note: &str) {
        if let Found::Wrong(error) = self.found[node]
            && let Some(blamed) = error.blamed(&graph.nodes[node].op)
            && same(blamed, argument)
        {
            let message = self.misfit(graph, node, &error, note);
            panic!("{}", message.as_str());
        }
    }

    /// Checks that a layer fits its input, as far as none of the arguments in `others` is the one to change.
    ///
    /// # Panics
    /// When it does not, and none of `others` is to blame.
    #[track_caller]
    pub const fn check_layer(
        &self,
        graph: &Graph<'_>,
        node: usize,
        others: &[Argument],
        note: &str,
    ) {
        let Found::Wrong(error) = self.found[node] else { return };
        if let Some(blamed) = error.blamed(&graph.nodes[node].op) {
            let mut i = 0;
            while i < others.len() {
                if same(blamed, others[i]) {
                    return;
                }
                i += 1;
            }
        }
        let message = self.misfit(graph, node, &error, note);
        panic!("{}", message.as_str());
    }

    /// Checks that values go together, as far as the `at`-th of them is the one that differs (0 where it is
    /// none by itself).
    ///
    /// # Panics
    /// When they do not, and that one differs.
    #[track_caller]
    pub const fn check_join(
        &self,
        graph: &Graph<'_>,
        node: usize,
        at: usize,
        join: &Join<'_>,
        note: &str,
    ) {
        let Found::Wrong(error) = self.found[node] else { return };
        let (op, inputs) = (&graph.nodes[node].op, graph.nodes[node].inputs);
        let mut values = [self.shapes[0]; MAX_INPUTS];
        let mut k = 0;
        while k < inputs.len() {
            values[k] = self.shapes[inputs[k]];
            k += 1;
        }
        let values = values.split_at(k).0;
        let other = Join::unlike(op, values);
        if other != at {
            return;
        }
        let start = match join {
            Join::Residual { start, .. } => self.shapes[*start],
            _ => values[0],
        };
        let mut message = about(graph.nodes[node].name);
        join.explain(&mut message, op, &error, values, other);
        message.push_line("", note);
        self.push_path(
            &mut message,
            graph,
            match join {
                Join::Branches { .. } => inputs[other],
                _ => inputs[0],
            },
        );
        let mut help = Message::new();
        join.help(&mut help, op, &error, values, other, start);
        message.push_line("help: ", help.as_str());
        panic!("{}", message.as_str());
    }

    /// Checks that the layers arrive at the shape that the header declares.
    ///
    /// # Panics
    /// When they do not.
    #[track_caller]
    pub const fn check_output(&self, graph: &Graph<'_>, output: usize, declared: Shape) {
        let arrived = self.shapes[output];
        if !self.is_sure(graph, output) || declared.checked().is_err() || arrived.equals(&declared)
        {
            return;
        }
        let mut message = about(match head_of(graph, output) {
            Some(head) => head,
            None => graph.name,
        });
        message.push("the layers arrive at ");
        message.push_shape(&arrived);
        message.push(", but ");
        message.push_shape(&declared);
        message.push(" is declared");
        self.push_path(&mut message, graph, output);
        message.push("\nhelp: ");
        self.push_way(&mut message, graph, output, declared);
        panic!("{}", message.as_str());
    }

    /// Checks that another net or a layer of the user's own fits its input. It begins at the node `first`;
    /// `node` has its name.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub const fn check_part(&self, graph: &Graph<'_>, first: usize, node: usize, note: &str) {
        let Found::Wrong(error) = self.found[first] else { return };
        if let ShapeError::NetInput { takes, .. } = error
            && takes.rank() == 0
        {
            // That net has a mistake of its own.
            return;
        }
        let message = self.misfit_of(graph, first, graph.nodes[node].name, &error, note);
        panic!("{}", message.as_str());
    }

    const fn misfit(
        &self,
        graph: &Graph<'_>,
        node: usize,
        error: &ShapeError,
        note: &str,
    ) -> Message {
        self.misfit_of(graph, node, graph.nodes[node].name, error, note)
    }

    const fn misfit_of(
        &self,
        graph: &Graph<'_>,
        node: usize,
        name: &str,
        error: &ShapeError,
        note: &str,
    ) -> Message {
        let mut message = about(name);
        message.push(error.message().as_str());
        message.push_line("", note);
        let before = graph.nodes[node].inputs[0];
        if error.concerns_input() {
            self.push_path(&mut message, graph, before);
        }
        if !matches!(error, ShapeError::NeedsImage { .. }) {
            message.push_line("help: ", error.help().as_str());
            return message;
        }
        message.push("\nhelp: ");
        match last_on_the_way(graph, before, false) {
            Some(flattener) => {
                message.push("put it before `");
                message.push(graph.nodes[flattener].name);
                message.push("`, where the value is still an image");
            }
            None => message.push("declare the input as `[channels, height, width]`"),
        }
        message
    }

    /// How the layers could arrive at the declared shape, or the other way round.
    const fn push_way(
        &self,
        message: &mut Message,
        graph: &Graph<'_>,
        output: usize,
        declared: Shape,
    ) {
        let arrived = &self.shapes[output];
        let last = last_on_the_way(graph, output, true);
        let features = declared.rank() == 1 && arrived.rank() == 1;
        let sizes = declared.rank() == 3
            && arrived.rank() == 3
            && declared.dim(1) == arrived.dim(1)
            && declared.dim(2) == arrived.dim(2);
        match last {
            Some(node) if features && matches!(graph.nodes[node].op, Op::Linear { .. }) => {
                message.push("use `");
                push_written(message, graph, node);
                message.push("linear(");
                message.push_number(declared.dim(0));
                message.push(")`, or ");
            }
            Some(node) if sizes && matches!(graph.nodes[node].op, Op::Conv2d { .. }) => {
                message.push("use `");
                push_written(message, graph, node);
                message.push("conv2d(");
                message.push_number(declared.dim(0));
                message.push(", …)`, or ");
            }
            _ if declared.rank() == 1 => {
                message.push(if features { "add `linear(" } else { "add `flatten, linear(" });
                message.push_number(declared.dim(0));
                message.push(")` at the end, or ");
            }
            _ => {}
        }
        match head_of(graph, output) {
            Some(head) => {
                message.push("declare `");
                message.push(head);
                message.push(": ");
            }
            None => message.push("declare `-> "),
        }
        message.push_shape(arrived);
        message.push("`");
    }

    /// The last layers on the way to `node` that changed the shape, with their shapes.
    const fn push_path(&self, message: &mut Message, graph: &Graph<'_>, node: usize) {
        // From the last to the first; a node whose shape is not sure hides all before it.
        let mut shown = [0; MOST + 1];
        let (mut count, mut at, mut cut) = (0, node, false);
        loop {
            if !self.is_sure(graph, at) {
                cut = true;
                break;
            }
            let inputs = graph.nodes[at].inputs;
            let changes = inputs.is_empty()
                || !self.is_sure(graph, inputs[0])
                || !self.shapes[at].equals(&self.shapes[inputs[0]]);
            if changes {
                shown[count] = at;
                count += 1;
            }
            if inputs.is_empty() || count > MOST {
                break;
            }
            at = inputs[0];
        }
        if count > MOST {
            (count, cut) = (MOST - 1, true);
        } else if cut && count == MOST {
            count = MOST - 1;
        }
        message.push("\nshapes so far: ");
        if cut {
            message.push("…");
        }
        let mut is_first = true;
        while count > 0 {
            count -= 1;
            let node = shown[count];
            if cut || !is_first {
                message.push(" → ");
            }
            is_first = false;
            message.push(graph.nodes[node].name);
            message.push(" ");
            message.push_shape(&self.shapes[node]);
        }
    }
}

/// The name of the head whose value that of `node` is.
const fn head_of<'a>(graph: &Graph<'a>, node: usize) -> Option<&'a str> {
    let mut i = 0;
    while i < graph.heads.len() {
        if graph.heads[i].node == node {
            return Some(graph.heads[i].name);
        }
        i += 1;
    }
    None
}

/// The last layer on the way to `node` that gave the value its rank, or with `channels` its first
/// dimension.
const fn last_on_the_way(graph: &Graph<'_>, node: usize, channels: bool) -> Option<usize> {
    let mut at = node;
    loop {
        match graph.nodes[at].op {
            Op::Flatten | Op::GlobalAvgPool | Op::Linear { .. } => return Some(at),
            Op::Conv2d { .. } if channels => return Some(at),
            _ => {}
        }
        if graph.nodes[at].inputs.is_empty() {
            return None;
        }
        at = graph.nodes[at].inputs[0];
    }
}

/// The name and a colon, where the name was written.
const fn push_written(message: &mut Message, graph: &Graph<'_>, node: usize) {
    let (name, kind) = (graph.nodes[node].name.as_bytes(), graph.nodes[node].op.kind().as_bytes());
    // `linear_1`, perhaps behind a scope, is the name of a layer that has none.
    let mut digits = name.len();
    while digits > 0 && name[digits - 1].is_ascii_digit() {
        digits -= 1;
    }
    let numbered = digits > kind.len()
        && digits < name.len()
        && name[digits - 1] == b'_'
        && ends_with(name.split_at(digits - 1).0, kind);
    if !numbered && !ends_with(name, kind) {
        let mut start = name.len();
        while start > 0 && name[start - 1] != b'.' {
            start -= 1;
        }
        let (_, own) = graph.nodes[node].name.split_at(start);
        message.push(own);
        message.push(": ");
    }
}

const fn ends_with(text: &[u8], end: &[u8]) -> bool {
    if text.len() < end.len() {
        return false;
    }
    let (_, tail) = text.split_at(text.len() - end.len());
    let mut i = 0;
    while i < end.len() {
        if tail[i] != end[i] {
            return false;
        }
        i += 1;
    }
    true
}

const fn same(a: Argument, b: Argument) -> bool {
    a as usize == b as usize
}

impl ShapeError {
    /// The argument to point at where this layer does not fit, or `None` for the layer itself.
    pub const fn blamed(&self, op: &Op) -> Option<Argument> {
        match (self, op) {
            (ShapeError::Overflow { .. }, Op::Conv2d { .. } | Op::ConvTranspose2d { .. }) => {
                Some(Argument::OutChannels)
            }
            (ShapeError::Overflow { .. }, Op::Upsample { .. }) => Some(Argument::ScaleFactor),
            (ShapeError::Overflow { .. }, Op::Linear { .. }) => Some(Argument::OutFeatures),
            _ => self.argument(),
        }
    }
}
