//! Weight files that are part of a program: what their headers say, compared with a net's tensors.
#![allow(clippy::panic, reason = "a panic in a constant is how its message reaches the user")]

use crate::checked::Message;
use crate::{Graph, Shape, Tensor};

/// The header of a weight file in the safetensors format.
#[derive(Clone, Copy, Debug)]
pub struct WeightFile<'a> {
    /// Its path as it was written, for messages.
    pub path: &'a str,
    /// Its tensors in the order in which their numbers stand in the file.
    pub tensors: &'a [FileTensor<'a>],
}

/// A tensor in a [`WeightFile`].
#[derive(Clone, Copy, Debug)]
pub struct FileTensor<'a> {
    /// Its name: `conv1.weight`.
    pub name: &'a str,
    /// The type of its numbers as the format names it: `F32`.
    pub dtype: &'a str,
    /// Its shape, outermost dimension first.
    pub shape: &'a [usize],
    /// Where its numbers start, in bytes behind the header.
    pub start: usize,
}

/// How many bytes a number of this type takes, by the format's name for the type; `None` if no net can be read
/// from it.
pub const fn size_of_number(dtype: &str) -> Option<usize> {
    match dtype.as_bytes() {
        b"F16" | b"BF16" => Some(2),
        b"F32" => Some(4),
        b"F64" => Some(8),
        _ => None,
    }
}

/// The most tensors that a message lists.
const LISTED: usize = 6;

impl WeightFile<'_> {
    /// The index of the file's tensor with this tensor's name. The search starts at index `from` and wraps
    /// around, because files have the order of nets.
    pub const fn find(&self, graph: &Graph<'_>, tensor: &Tensor, from: usize) -> Option<usize> {
        let mut count = 0;
        while count < self.tensors.len() {
            let at = (from + count) % self.tensors.len();
            if is_name(self.tensors[at].name, graph, tensor) {
                return Some(at);
            }
            count += 1;
        }
        None
    }

    /// Whether the file holds the numbers as the net's parameter struct does: all of type F32, in the same
    /// order, from the first on.
    pub const fn is_in_order(&self, graph: &Graph<'_>, tensors: &[Tensor]) -> bool {
        let mut i = 0;
        while i < tensors.len() {
            let in_place = match self.find(graph, &tensors[i], i) {
                Some(at) => {
                    let found = &self.tensors[at];
                    same(found.dtype, "F32") && found.start == tensors[i].offset * size_of::<f32>()
                }
                None => false,
            };
            if !in_place {
                return false;
            }
            i += 1;
        }
        true
    }

    /// Whether a net needs no such tensor and yet may be read from this file: PyTorch counts the batches that
    /// a batch norm has met.
    const fn is_ignored(&self, at: usize) -> bool {
        ends_with(self.tensors[at].name, ".num_batches_tracked")
    }
}

/// Checks a weight file against a net: each needs the tensors of the other, with the same shapes and a type
/// that can be read.
///
/// # Panics
/// When tensors are missing or differ, with a list of them. In constant evaluation that is an error of the
/// compiler.
#[track_caller]
pub const fn check_weights(graph: &Graph<'_>, tensors: &[Tensor], file: &WeightFile<'_>) {
    let mut message = Message::new();
    message.push("`");
    message.push(file.path);
    message.push("` does not fit `");
    message.push(graph.name);
    message.push("`");
    let (mut wrong, mut found, mut from) = (0, 0, 0);
    let mut i = 0;
    while i < tensors.len() {
        match file.find(graph, &tensors[i], from) {
            None => {
                if wrong < LISTED {
                    push_tensor(&mut message, graph, &tensors[i]);
                    message.push(" in the net, missing in the file");
                }
                wrong += 1;
            }
            Some(at) => {
                (found, from) = (found + 1, at + 1);
                let other = &file.tensors[at];
                let is_read = size_of_number(other.dtype).is_some();
                if !(is_read && same_shape(&tensors[i].shape, other.shape)) {
                    if wrong < LISTED {
                        push_tensor(&mut message, graph, &tensors[i]);
                        message.push(if is_read {
                            " in the net, "
                        } else {
                            " of F32 in the net, "
                        });
                        push_shape(&mut message, other.shape);
                        if !is_read {
                            message.push(" of ");
                            message.push(other.dtype);
                        }
                        message.push(" in the file");
                    }
                    wrong += 1;
                }
            }
        }
        i += 1;
    }
    let mut at = 0;
    // Only where some are left over need they be looked for.
    while found < file.tensors.len() && at < file.tensors.len() {
        if !file.is_ignored(at) && !is_of_net(file.tensors[at].name, graph, tensors) {
            if wrong < LISTED {
                message.push("\n`");
                message.push(file.tensors[at].name);
                message.push("`: ");
                push_shape(&mut message, file.tensors[at].shape);
                message.push(" in the file, not in the net");
            }
            wrong += 1;
        }
        at += 1;
    }
    if wrong > LISTED {
        message.push("\nand ");
        message.push_number(wrong - LISTED);
        message.push(" more");
    }
    if wrong > 0 {
        message.push_line(
            "help: ",
            "save the weights from a net with this declaration, \
             or read the file with `load_with` and `LoadOptions` and save it",
        );
        panic!("{}", message.as_str());
    }
}

/// Checks that a file is still what it was when the macro read its header.
///
/// # Panics
/// When the [`hash`] of its first `length` bytes is not `expected`.
#[track_caller]
pub const fn check_unchanged(path: &str, bytes: &[u8], length: usize, expected: u64) {
    if hash(bytes, length) != expected {
        let mut message = Message::new();
        message.push("`");
        message.push(path);
        message.push("` changed while the program was compiled\nhelp: compile again");
        panic!("{}", message.as_str());
    }
}

/// The 64-bit FNV-1a hash of the first `length` bytes.
pub const fn hash(bytes: &[u8], length: usize) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut i = 0;
    while i < length && i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0100_0000_01b3);
        i += 1;
    }
    hash
}

const fn push_tensor(message: &mut Message, graph: &Graph<'_>, tensor: &Tensor) {
    message.push("\n`");
    let name = graph.file_name(tensor.node);
    message.push(name);
    message.push(if name.is_empty() { "" } else { "." });
    message.push(tensor.kind.name());
    message.push("`: ");
    message.push_shape(&tensor.shape);
}

const fn push_shape(message: &mut Message, shape: &[usize]) {
    message.push("[");
    let mut i = 0;
    while i < shape.len() {
        message.push(if i > 0 { ", " } else { "" });
        message.push_number(shape[i]);
        i += 1;
    }
    message.push("]");
}

const fn is_of_net(name: &str, graph: &Graph<'_>, tensors: &[Tensor]) -> bool {
    let mut i = 0;
    while i < tensors.len() {
        if is_name(name, graph, &tensors[i]) {
            return true;
        }
        i += 1;
    }
    false
}

/// Whether this is what weight files call the tensor: `<layer>.<kind>`.
const fn is_name(name: &str, graph: &Graph<'_>, tensor: &Tensor) -> bool {
    let (layer, kind) = (graph.file_name(tensor.node), tensor.kind.name());
    let (name, length) = (name.as_bytes(), layer.len() + 1 + kind.len());
    name.len() == length
        && name[layer.len()] == b'.'
        && is_at(name, layer.len() + 1, kind.as_bytes())
        && is_at(name, 0, layer.as_bytes())
}

/// Whether the part stands there; there is room for it.
const fn is_at(whole: &[u8], at: usize, part: &[u8]) -> bool {
    // Names of one net differ rather at their ends.
    let mut i = part.len();
    while i > 0 {
        i -= 1;
        if whole[at + i] != part[i] {
            return false;
        }
    }
    true
}

const fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && is_at(a.as_bytes(), 0, b.as_bytes())
}

const fn ends_with(text: &str, end: &str) -> bool {
    text.len() >= end.len() && is_at(text.as_bytes(), text.len() - end.len(), end.as_bytes())
}

const fn same_shape(shape: &Shape, dims: &[usize]) -> bool {
    if shape.rank() != dims.len() {
        return false;
    }
    let mut i = 0;
    while i < dims.len() {
        if shape.dim(i) != dims[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::{Node, Op};

    const GRAPH: Graph<'static> = Graph::new(
        "Line",
        &[
            Node { name: "input", op: Op::Input { shape: Shape::new(&[3]) }, inputs: &[] },
            Node { name: "fc", op: Op::Linear { out_features: 2, bias: true }, inputs: &[0] },
        ],
    );

    const WEIGHT: FileTensor<'static> =
        FileTensor { name: "fc.weight", dtype: "F32", shape: &[2, 3], start: 0 };
    const BIAS: FileTensor<'static> =
        FileTensor { name: "fc.bias", dtype: "F32", shape: &[2], start: 24 };

    fn message(file: &[FileTensor<'_>]) -> Option<std::string::String> {
        let tensors: [Tensor; 2] = GRAPH.tensors::<2, 2>();
        let file = WeightFile { path: "line.safetensors", tensors: file };
        let caught = std::panic::catch_unwind(|| check_weights(&GRAPH, &tensors, &file));
        caught.err().and_then(|error| error.downcast_ref::<std::string::String>().cloned())
    }

    #[test]
    fn a_file_of_the_net_fits_in_any_order() {
        let tensors: [Tensor; 2] = GRAPH.tensors::<2, 2>();
        let in_order = |tensors_in: &[FileTensor<'_>]| {
            WeightFile { path: "", tensors: tensors_in }.is_in_order(&GRAPH, &tensors)
        };
        assert_eq!(message(&[WEIGHT, BIAS]), None);
        assert!(in_order(&[WEIGHT, BIAS]));
        let turned = [FileTensor { start: 0, ..BIAS }, FileTensor { start: 8, ..WEIGHT }];
        assert_eq!(message(&turned), None);
        assert!(!in_order(&turned));
        assert!(!in_order(&[FileTensor { dtype: "F16", ..WEIGHT }, BIAS]));
        let counted =
            FileTensor { name: "bn.num_batches_tracked", dtype: "I64", shape: &[], start: 32 };
        assert_eq!(message(&[WEIGHT, BIAS, counted]), None);
    }

    #[test]
    fn what_does_not_fit_is_listed() {
        let help = "\nhelp: save the weights from a net with this declaration, \
                    or read the file with `load_with` and `LoadOptions` and save it";
        let start = "`line.safetensors` does not fit `Line`\n";
        let says = |file: &[FileTensor<'_>], lines: &str| {
            assert_eq!(message(file), Some(std::format!("{start}{lines}{help}")));
        };
        says(&[WEIGHT], "`fc.bias`: [2] in the net, missing in the file");
        let other = FileTensor { shape: &[2, 4], ..WEIGHT };
        says(&[other, BIAS], "`fc.weight`: [2, 3] in the net, [2, 4] in the file");
        let whole = FileTensor { dtype: "I64", ..BIAS };
        says(&[WEIGHT, whole], "`fc.bias`: [2] of F32 in the net, [2] of I64 in the file");
        let more = FileTensor { name: "fc2.bias", ..BIAS };
        says(&[WEIGHT, BIAS, more], "`fc2.bias`: [2] in the file, not in the net");
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let many = names.map(|name| FileTensor { name, ..BIAS });
        let text = message(&many).unwrap_or_default();
        assert!(text.contains("missing in the file") && text.contains("\nand 4 more\n"), "{text}");
    }
}
