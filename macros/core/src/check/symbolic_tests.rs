//! What is left to the compiler, tried out here: what it says is what the macro says of the same
//! declaration with numbers.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use typenet_shape as rt;

use super::*;
use crate::layers::Given;
use crate::number::Atom;

/// The net as it was understood, and the messages.
fn net(text: &str) -> (Checked, Vec<String>) {
    let (declaration, mistakes) = crate::parse::parse(text.parse().unwrap());
    assert!(mistakes.is_empty(), "{text}: {mistakes:?}");
    let (checked, mistakes) = check(&declaration.unwrap());
    (checked, mistakes.into_iter().map(|mistake| mistake.message).collect())
}

/// A number where every symbol is `value`.
fn evaluate(number: &Number, value: usize) -> usize {
    let atom = |atom: &Atom| match atom {
        Atom::Symbol(..) => value,
        Atom::Quotient(sides) => {
            rt::quotient(evaluate(&sides[0], value), evaluate(&sides[1], value))
        }
        Atom::Remainder(sides) => {
            rt::remainder(evaluate(&sides[0], value), evaluate(&sides[1], value))
        }
        Atom::Unknown(_) => panic!("a number that is nowhere written"),
    };
    let term = |(factor, atoms): (i128, &[Atom])| {
        factor * atoms.iter().map(|one| atom(one) as i128).product::<i128>()
    };
    let (added, taken): (Vec<i128>, Vec<i128>) =
        number.terms().map(term).partition(|term| *term > 0);
    let taken = -taken.into_iter().sum::<i128>();
    rt::difference(added.into_iter().sum::<i128>() as usize, taken as usize)
}

fn shape_of(dims: &[Number], value: usize) -> Shape {
    Shape::new(&dims.iter().map(|dim| evaluate(dim, value)).collect::<Vec<_>>())
}

/// The operation of a node where every symbol is `value`.
fn op(node: &Node, value: usize) -> Op {
    let Some(layer) = node.layer else {
        return Op::Input { shape: shape_of(&node.dims().unwrap(), value) };
    };
    let given = |setting: &Setting| {
        let numbers: Vec<usize> =
            setting.numbers().iter().map(|number| evaluate(number, value)).collect();
        match setting.given {
            Given::Count(_) => Given::Count(numbers[0]),
            Given::Pair(_) => Given::Pair([numbers[0], numbers[1]]),
            Given::Shape(_) => Given::Shape(Shape::new(&numbers)),
            given => given,
        }
    };
    (layer.build)(&node.settings.iter().map(given).collect::<Vec<_>>())
}

/// What the compiler says of a net of `N` nodes.
fn compiler<const N: usize>(checked: &Checked, value: usize) -> Vec<String> {
    let nodes: Vec<rt::Node<'_>> = checked
        .nodes
        .iter()
        .map(|node| rt::Node { name: &node.name, op: op(node, value), inputs: &node.inputs })
        .collect();
    let name = checked.name.to_string();
    let graph = rt::Graph { name: &name, nodes: &nodes, marks: &[], heads: &[] };
    let findings = rt::Checked::<N>::new(&graph);
    let number = |number: &Number| evaluate(number, value);
    let say = |check: &Check| {
        let note = check.note.as_str();
        match &check.rule {
            Rule::Range(node, argument) => rt::check_argument(&graph, *node, *argument, note),
            Rule::Fit(node, argument) => findings.check_fit(&graph, *node, *argument, note),
            Rule::Layer(node, others) => findings.check_layer(&graph, *node, others, note),
            // Only the compiler can know what these stand for.
            Rule::Part(_) | Rule::Arguments(_) | Rule::Net(_) => {}
            Rule::Join(node, at, words) => {
                words.borrowed(|join| findings.check_join(&graph, *node, *at, &join, note));
            }
            Rule::Dimension(what, dims, axis) => {
                rt::check_dimension(what, shape_of(dims, value), *axis);
            }
            Rule::Header(what, dims) => rt::check_header(what, shape_of(dims, value)),
            Rule::Output(node, dims) => {
                findings.check_output(&graph, *node, shape_of(dims, value));
            }
            Rule::Difference(name, text, [left, right]) => {
                rt::check_difference(name, text, number(left), number(right), note);
            }
            Rule::Divisor(name, text, [left, right], operator) => {
                let sign = format!(" {operator} ");
                rt::check_divisor(name, text, [number(left), number(right)], &sign, note);
            }
        }
    };
    let caught = checked.checks.iter().filter_map(|check| {
        let panic = catch_unwind(AssertUnwindSafe(|| say(check))).err()?;
        Some(panic.downcast_ref::<String>().unwrap().clone())
    });
    caught.collect()
}

const K: &str = "crate::K";

#[test]
fn the_compiler_says_what_the_macro_says_of_numbers() {
    for (value, layers) in [
        (
            5,
            "a: conv2d(6, kernel = crate::K), b: conv2d(6, crate::K), c: conv2d(6, crate::K), flatten, d: linear(10)",
        ),
        (
            7,
            "a: conv2d(crate::K, kernel = 5), b: conv2d(6, kernel = 1, groups = 2), c: relu, flatten, d: linear(10)",
        ),
        (
            0,
            "a: conv2d(crate::K, kernel = 5), b: conv2d(6, kernel = 1), c: relu, flatten, d: linear(10)",
        ),
        (
            0,
            "a: conv2d(3, 5, stride = (crate::K, 1)), b: conv2d(6, kernel = 1), c: relu, flatten, d: linear(10)",
        ),
        (
            3,
            "a: max_pool2d(crate::K, padding = 2), b: max_pool2d(3, padding = crate::K), c: relu, flatten, d: linear(10)",
        ),
        (3, "a: flatten, b: linear(crate::K), c: tanh, d: linear(crate::K * 4), e: tanh"),
        (
            12,
            "a: conv2d(crate::K, 1), b: global_avg_pool, c: linear(10), d: relu, e: linear(crate::K)",
        ),
        (11, "a: conv2d(crate::K, 1), b: global_avg_pool, c: relu, d: relu, e: relu"),
        (2, "skip: conv2d(crate::K, 1), b: conv2d(4, 1), c: add(skip), flatten, d: linear(10)"),
        (
            2,
            "skip: max_pool2d(crate::K), from(input), b: conv2d(4, 1), c: add(skip), flatten, d: linear(10)",
        ),
        (
            2,
            "skip: max_pool2d(crate::K), from(input), b: conv2d(4, 1), c: mul(skip), flatten, d: linear(10)",
        ),
        (
            2,
            "skip: max_pool2d(crate::K), from(input), b: conv2d(4, 1), c: concat(skip), flatten, d: linear(10)",
        ),
        (
            2,
            "r: residual { conv2d(4, kernel = crate::K) } a: relu, b: relu, flatten, d: linear(10)",
        ),
        (
            4,
            "r: residual { conv2d(4, 1) } shortcut { conv2d(crate::K * 2, 1) } flatten, b: relu, d: linear(10)",
        ),
        (
            4,
            "r: residual { max_pool2d(crate::K) } shortcut {} flatten, a: relu, b: relu, d: linear(10)",
        ),
        (
            3,
            "r: concat { branch { conv2d(4, 1) } x: branch { conv2d(4, crate::K) } } flatten, a: relu, d: linear(10)",
        ),
        (
            3,
            "r: concat { branch {} branch { conv2d(4, crate::K) } } flatten, a: relu, b: relu, d: linear(10)",
        ),
        (9, "block b(k) { conv2d(4, k), relu }\na: b(1), c: b(crate::K), flatten, d: linear(10)"),
        (0, "block b(k) { conv2d(4, k), relu }\na: b(1), c: b(crate::K), flatten, d: linear(10)"),
        (3, "a: repeat(4) { conv2d(2, kernel = crate::K) } flatten, d: linear(10)"),
        (7, "a: group_norm(crate::K), b: relu, c: relu, flatten, d: linear(10)"),
        (7, "a: reshape([2, crate::K, 9]), b: relu, c: relu, flatten, d: linear(10)"),
        (0, "a: reshape([2, crate::K, 9]), b: relu, c: relu, flatten, d: linear(10)"),
        (100_000, "a: flatten, b: linear(crate::K), c: linear(crate::K), d: linear(10), e: relu"),
        (
            100_000,
            "a: conv2d(crate::K, 1), b: conv2d(crate::K, 1), c: relu, flatten, d: linear(10)",
        ),
        (3, "a: conv2d(crate::K - 4, 1), b: relu, c: relu, flatten, d: linear(10)"),
        (0, "a: conv2d(6 / crate::K, 1), b: relu, c: relu, flatten, d: linear(10)"),
        (0, "a: conv2d(6 % crate::K, 1), b: relu, c: relu, flatten, d: linear(10)"),
        (
            3,
            "a: conv2d(crate::K, 1), b: upsample((crate::K, 16000000)), c: relu, flatten, d: linear(10)",
        ),
        (
            4,
            "a: conv_transpose2d(2, 3, padding = crate::K), b: relu, c: relu, flatten, d: linear(10)",
        ),
        (
            3,
            "a: conv_transpose2d(2, 3, output_padding = crate::K), b: relu, c: relu, flatten, d: linear(10)",
        ),
        (
            2,
            "a: conv2d(4, 3, padding = same, stride = crate::K), b: relu, c: relu, flatten, d: linear(10)",
        ),
    ] {
        let text = format!("struct N: [1, 6, 6] -> [10] {{ {layers} }}");
        let (checked, mistakes) = net(&text);
        assert!(mistakes.is_empty(), "{text}: {mistakes:?}");
        let (_, numbers) = net(&text.replace(K, &value.to_string()));
        assert!(!numbers.is_empty(), "{text}");
        let compiler = |checked: &Checked, name: &str| -> Vec<String> {
            let messages = match checked.nodes.len() {
                4 => compiler::<4>(checked, value),
                5 => compiler::<5>(checked, value),
                6 => compiler::<6>(checked, value),
                7 => compiler::<7>(checked, value),
                8 => compiler::<8>(checked, value),
                9 => compiler::<9>(checked, value),
                len => panic!("{text}: {len} nodes"),
            };
            messages.iter().map(|message| message.replace(name, &value.to_string())).collect()
        };
        assert_eq!(compiler(&checked, K), numbers, "{text}");
        // So it does of a generic, where the parameters have types.
        let generic = text.replace("struct N", "struct N<const K: usize>").replace(K, "K");
        let (checked, mistakes) = net(&generic);
        if mistakes.is_empty() {
            assert_eq!(compiler(&checked, "K"), numbers, "{generic}");
        } else {
            let refused = "and stable Rust has arrays of products and sums of generics alone";
            assert!(
                mistakes.len() == 1 && mistakes[0].contains(refused),
                "{generic}: {mistakes:?}"
            );
        }
    }
}

#[test]
fn headers_are_checked_by_the_compiler_too() {
    for (value, header) in [
        (0, "[crate::K, 6, 6] -> [10]"),
        (0, "[2, 6, crate::K * 3] -> [10]"),
        (3, "[2, 6, 6] -> [crate::K]"),
        (0, "[2, 6, 6] -> [crate::K]"),
        (100_000, "[crate::K, crate::K, 6] -> [10]"),
        (3, "[crate::K - 5, 6, 6] -> [10]"),
    ] {
        let text = format!("struct N: {header} {{ a: relu, b: flatten, c: linear(10) }}");
        let (checked, mistakes) = net(&text);
        assert!(mistakes.is_empty(), "{text}: {mistakes:?}");
        let (_, numbers) = net(&text.replace(K, &value.to_string()));
        let compiler: Vec<String> = compiler::<4>(&checked, value)
            .iter()
            .map(|message| message.replace(K, &value.to_string()))
            .collect();
        assert_eq!(compiler, numbers, "{text}");
    }
}

#[test]
fn what_the_macro_can_know_it_says() {
    for (text, message) in [
        (
            "[1, 8, 8] -> [10] { conv2d(crate::K, kernel = 9), flatten, linear(10) }",
            "`conv2d_1`: kernel 9×9 does not fit its input of 8×8\n\
          shapes so far: input [1, 8, 8]\nhelp: use `kernel = 8` or less, or `padding = 1`",
        ),
        (
            "[1, crate::K, 8] -> [10] { linear(10) }",
            "`linear_1`: needs an input of [features], but gets [1, crate::K, 8]\n\
          shapes so far: input [1, crate::K, 8]\nhelp: put `flatten` (or `global_avg_pool`) before it",
        ),
        (
            "[crate::K] -> [10] { a: linear(crate::K), max_pool2d(2), linear(10) }",
            "`max_pool2d`: needs an input of [channels, height, width], but gets [crate::K]\n\
          shapes so far: input [crate::K]\nhelp: put it before `a`, where the value is still an image",
        ),
        (
            "[crate::K, 8, 8] -> [10] { relu }",
            "`N`: the layers arrive at [crate::K, 8, 8], but [10] is declared\n\
          shapes so far: input [crate::K, 8, 8]\nhelp: add `flatten, linear(10)` at the end, or declare `-> [crate::K, 8, 8]`",
        ),
        (
            "[crate::K, 8, 8] -> [crate::K, 7, 8] { relu }",
            "`N`: the layers arrive at [crate::K, 8, 8], but [crate::K, 7, 8] is declared\n\
          shapes so far: input [crate::K, 8, 8]\nhelp: declare `-> [crate::K, 8, 8]`",
        ),
        (
            "[crate::K, 0, 8] -> [10] { flatten, linear(10) }",
            "the input shape: a dimension of [crate::K, 0, 8] is zero\nhelp: every dimension is at least 1",
        ),
        (
            "[crate::K, 8] -> [10] { linear(10) }",
            "the input shape has 2 dimensions, but is [channels, height, width] or [features]\n\
             help: write `[1, crate::K, 8]` for grey images, or `[3, crate::K, 8]` for \
             coloured ones",
        ),
        (
            "[8] { linear(crate::K) }",
            "`N`: the output shape is missing\nhelp: write it after the input shape: `-> [crate::K]`",
        ),
        (
            "[8] -> [8] { linear(8, bias = crate::K) }",
            "`linear_1`: `bias` is `true` or `false`, not `crate::K`\nhelp: a path stands for a whole number, a `usize`",
        ),
        (
            "[8] -> [8] { linear(8 / (crate::K - crate::K)) }",
            "`8 / (crate::K - crate::K)` divides by zero: 8 / 0",
        ),
        (
            "[8] -> [8] { repeat(crate::K) { linear(8) } }",
            "`repeat_1`: how often must be known here, which `crate::K` is not\n\
          help: write a number, or declare `const ROUNDS: usize = …;`",
        ),
    ] {
        let (_, messages) = net(&format!("struct N: {text}"));
        assert_eq!(messages, [message], "{text}");
    }
}

#[test]
fn shapes_are_shown_with_what_was_written() {
    let (checked, messages) =
        net("struct N: [1, self::S, 28] -> [my::sizes::C] { const W: usize = crate::W * 2; \
         conv2d(W, 3), max_pool2d(2), conv2d(W + 1, 3, padding = same), \
         skip: batch_norm, concat { branch {} branch { conv2d(W, 1) } } \
         conv2d(8, (3, ::k::K), stride = 2, padding = 1), flatten, linear(my::sizes::C) }");
    assert!(messages.is_empty(), "{messages:?}");
    assert_eq!(
        checked.to_string(),
        "input: the input → [1, self::S, 28]\n\
         conv2d_1: conv2d(2 * crate::W, kernel = 3) → [2 * crate::W, self::S - 2, 26]\n\
         max_pool2d: max_pool2d(2) → [2 * crate::W, (self::S - 2) / 2, 13]\n\
         conv2d_2: conv2d(2 * crate::W + 1, kernel = 3, padding = same) → [2 * crate::W + 1, (self::S - 2) / 2, 13]\n\
         skip: batch_norm → [2 * crate::W + 1, (self::S - 2) / 2, 13]\n\
         conv2d_3: conv2d(2 * crate::W, kernel = 1) → [2 * crate::W, (self::S - 2) / 2, 13]\n\
         concat: concat of skip, conv2d_3 → [4 * crate::W + 1, (self::S - 2) / 2, 13]\n\
         conv2d_4: conv2d(8, kernel = (3, ::k::K), stride = 2, padding = 1) → [8, ((self::S - 2) / 2 + 1) / 2, (17 - ::k::K) / 2]\n\
         flatten: flatten → [8 * (((self::S - 2) / 2 + 1) / 2) * ((17 - ::k::K) / 2)]\n\
         linear_1: linear(my::sizes::C) → [my::sizes::C]\n"
    );
}
