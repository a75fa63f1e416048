//! Nets with blocks, repeats and values that are read by name.
#![allow(clippy::unwrap_used, clippy::panic)]

use typenet_shape::{Join, Message, ShapeError, Shortcut};

use super::*;

fn net(text: &str) -> (Checked, Vec<String>) {
    let (declaration, mistakes) = crate::parse::parse(text.parse().unwrap());
    assert!(mistakes.is_empty(), "{text}: {mistakes:?}");
    let (checked, mistakes) = check(&declaration.unwrap());
    (checked, mistakes.into_iter().map(|mistake| mistake.message).collect())
}

fn layers(text: &str) -> (Checked, Vec<String>) {
    net(&format!("struct N: [8, 16, 16] -> [8, 16, 16] {{ {text} }}"))
}

/// The nodes of a net without mistakes, one a line, without the input.
fn graph(text: &str) -> String {
    let (checked, messages) = layers(text);
    assert!(messages.is_empty(), "{text}: {messages:?}");
    let text = checked.to_string();
    text.split_once('\n').unwrap().1.replace(" → [8, 16, 16]", "")
}

/// The names of all parameters of a net without mistakes.
fn parameters(text: &str) -> Vec<String> {
    let (checked, messages) = net(text);
    assert!(messages.is_empty(), "{text}: {messages:?}");
    checked.nodes.iter().filter_map(|node| node.field.as_deref()).map(path_text).collect()
}

#[test]
fn values_are_read_by_name() {
    assert_eq!(
        graph("a: tanh, b: relu, add(a), c: mul(a, input), from(b), sigmoid, add(c)"),
        "a: tanh\nb: relu\nadd: add(a) of b, a\nc: mul(a, input) of add, a, input\n\
         sigmoid: sigmoid of b\nadd: add(c) of sigmoid, c\n"
    );
}

#[test]
fn residuals_add_their_body_and_what_they_start_from() {
    assert_eq!(
        graph(
            "residual { relu, tanh } r: residual { relu } shortcut { tanh, sigmoid } residual { relu } shortcut {}"
        ),
        "relu: relu\ntanh: tanh\nresidual: add of tanh, input\n\
         r.relu: relu\nr.tanh: tanh of residual\nr.sigmoid: sigmoid\nr: add of r.relu, r.sigmoid\n\
         relu: relu\nresidual: add of relu, r\n"
    );
}

#[test]
fn branches_are_joined_in_order() {
    let (checked, messages) =
        net("struct N: [8, 4, 4] -> [15, 4, 4] { concat { branch { conv2d(3, 1) }, branch {} \
         left: branch { relu, conv2d(4, 1) } } }");
    assert!(messages.is_empty(), "{messages:?}");
    assert_eq!(
        checked.to_string(),
        "input: the input → [8, 4, 4]\nconv2d_1: conv2d(3, kernel = 1) → [3, 4, 4]\n\
         left.relu: relu of input → [8, 4, 4]\nleft.conv2d_1: conv2d(4, kernel = 1) → [4, 4, 4]\n\
         concat: concat of conv2d_1, input, left.conv2d_1 → [15, 4, 4]\n"
    );
}

#[test]
fn structures_may_be_read_by_their_names() {
    assert_eq!(
        graph(
            "block act() { relu, tanh } a: act, b: repeat(2) { relu } c: residual { relu } \
             d: concat { branch { conv2d(4, 1) } branch { conv2d(4, 1) } } add(a, b, c)"
        ),
        "a.relu: relu\na.tanh: tanh\nb.0.relu: relu\nb.1.relu: relu\nc.relu: relu\n\
         c: add of c.relu, b.1.relu\nd.conv2d_1: conv2d(4, kernel = 1) → [4, 16, 16]\n\
         d.conv2d_2: conv2d(4, kernel = 1) of c → [4, 16, 16]\nd: concat of d.conv2d_1, d.conv2d_2\n\
         add: add(a, b, c) of d, a.tanh, b.1.relu, c\n"
    );
}

/// Names with their scopes: braces without a name go on numbering, all others begin anew.
#[test]
fn parameters_are_named_by_their_scopes() {
    assert_eq!(
        parameters(
            "struct N: [8, 4, 4] -> [8, 4, 4] {
                block pair(out) { conv2d(out, 1), second: conv2d(out, 1) }
                conv2d(8, 1), residual { conv2d(8, 1) } shortcut { conv2d(8, 1) }
                r: residual { conv2d(8, 1), residual { x: conv2d(8, 1) } }
                conv2d(8, 1), pair(8), named: pair(8), pair(8),
                stage1: repeat(2) { conv2d(8, 1), pair(8) }
                repeat(1) { conv2d(8, 1), repeat(2) { pair(8) } }
                concat { branch { conv2d(4, 1) } left: branch { conv2d(4, 1) } }
            }"
        ),
        [
            "conv2d_1",
            "conv2d_2",
            "conv2d_3",
            "r.conv2d_1",
            "r.x",
            "conv2d_4",
            "pair_1.conv2d_1",
            "pair_1.second",
            "named.conv2d_1",
            "named.second",
            "pair_3.conv2d_1",
            "pair_3.second",
            "stage1.0.conv2d_1",
            "stage1.0.pair_1.conv2d_1",
            "stage1.0.pair_1.second",
            "stage1.1.conv2d_1",
            "stage1.1.pair_1.conv2d_1",
            "stage1.1.pair_1.second",
            "repeat_2.0.conv2d_1",
            "repeat_2.0.repeat_1.0.pair_1.conv2d_1",
            "repeat_2.0.repeat_1.0.pair_1.second",
            "repeat_2.0.repeat_1.1.pair_1.conv2d_1",
            "repeat_2.0.repeat_1.1.pair_1.second",
            "conv2d_5",
            "left.conv2d_1",
        ]
    );
}

#[test]
fn inner_names_shadow_outer_ones() {
    assert_eq!(
        graph(
            "a: tanh, residual { a: relu, tanh, add(a) } add(a), r: residual { r: relu, add(a) }"
        ),
        "a: tanh\na: relu\ntanh: tanh\nadd: add(a) of tanh, a\nresidual: add of add, a\n\
         add: add(a) of residual, a\nr.r: relu\nadd: add(a) of r.r, a\nr: add of r.add, add\n"
            .replace("\nadd: add(a) of r.r", "\nr.add: add(a) of r.r")
    );
}

#[test]
fn numbers_are_arithmetic_over_constants_and_parameters() {
    let (checked, messages) = net("struct N: [W / 2, S - 1, S + 1] -> [C] {
            const W: usize = 2 * (3 + 5);
            const S: usize = W % 10 + 2;
            const C: usize = W - 2 - 4;
            block b(out, k = 3, pad = (k / 2, k - k / 2 - 1), biased = false) {
                conv2d(out * 2, kernel = (k, k), padding = pad, bias = biased)
            }
            b(W, biased = true), b(out = C / 2, 1), flatten, dropout(0.5), linear(C)
        }");
    assert_eq!(
        messages,
        [
            "`b_2`: an argument without a name stands after one with a name\nhelp: write `name = value`"
        ]
    );
    let texts: Vec<String> = checked.nodes.iter().map(|node| node.arguments.clone()).collect();
    assert_eq!(
        texts,
        [
            "",
            "32, kernel = 3, padding = 1",
            "10, kernel = 3, padding = 1, bias = false",
            "",
            "",
            "10"
        ]
    );
    assert_eq!(checked.nodes[0].value, Known::Shape(Shape::new(&[8, 7, 9])));
}

#[test]
fn each_mistake_has_one_message() {
    let cases: &[(&str, &[&str])] = &[
        ("a: relu, add(b)", &["there is no value `b`"]),
        ("first: relu, add(frist)", &["there is no value `frist`"]),
        ("add(a), a: relu", &["`a` is used before its line"]),
        (
            "a: relu, repeat(2) { add(a) }",
            &["`a` stands outside of this repeat, and a repeat reads only its own names"],
        ),
        (
            "repeat(2) { residual { add(input) } }",
            &["`input` stands outside of this repeat, and a repeat reads only its own names"],
        ),
        (
            "block b() { add(a) } a: relu, b",
            &["`a` stands outside of block `b`, and a block reads only its own names"],
        ),
        (
            "residual { a: relu, tanh, add(a) } add(a)",
            &["`a` stands inside braces above, and names inside braces are local"],
        ),
        (
            "const A: usize = 8; conv2d(A, 1), add(A)",
            &["`A` is a constant, and a value's name is expected here"],
        ),
        ("a: relu, conv2d(a, 1)", &["`a` names a layer, and a number is expected here"]),
        ("add", &["`add`: the name of a value to join with the current one is missing"]),
        ("mul()", &["`mul`: the name of a value to join with the current one is missing"]),
        ("a: relu, relu, add(3, a)", &["`add`: expected the name of a value, found `3`"]),
        (
            "a: relu, relu, add(x = a)",
            &["`add`: `x = …`: it reads values, and has no other arguments"],
        ),
        ("a: relu, from", &["`from`: the name of the value to go on from is missing"]),
        ("a: relu, b: relu, from(a, b)", &["`from`: goes on from one value"]),
        ("a: relu, b: from(a), relu", &["`b`: `from` makes no value of its own to name"]),
        ("s: conv2d(4, 3), from(input), conv2d(8, 1)", &["`s`: nothing reads its value"]),
        ("conv2d(4, 3), from(input), conv2d(8, 1)", &["`conv2d_1`: nothing reads its value"]),
        ("block a() { b } block b() { a } a", &["block `a` uses itself: `a` → `b` → `a`"]),
        ("block a() { relu, a } a", &["block `a` uses itself"]),
        ("block a(x) { conv2d(x, 1) } a(8, 3)", &["`a_1`: too many arguments: block `a` takes 1"]),
        ("block a() { relu } a(8)", &["`a_1`: block `a` takes no arguments"]),
        ("block a(x) { conv2d(x, 1) } a", &["`a_1`: `x` is missing"]),
        ("block a(x) { conv2d(x, 1) } a(8, x = 8)", &["`a_1`: `x` is given twice"]),
        ("block a(x) { conv2d(x, 1) } a(8, z = 8)", &["`a_1`: block `a` has no parameter `z`"]),
        (
            "block a(x, step = 1) { conv2d(x, 1, stride = step) } a(4, stp = 2), conv2d(8, 1)",
            &["`a_1`: block `a` has no parameter `stp`"],
        ),
        (
            "block a(x) { conv2d(x, 1) } a(\"8\")",
            &["`a_1`: `x` is a number, `true` or `false`, not `\"8\"`"],
        ),
        (
            "block a(x) { conv2d(x, 1) } a(0), a(0)",
            &[
                "`a_1.conv2d_1`: `out_channels` must be at least 1, but is 0",
                "`a_2.conv2d_1`: `out_channels` must be at least 1, but is 0",
            ],
        ),
        (
            "block a(x) { conv2d(8, 1, bias = x) } repeat(3) { a(1) }",
            &["`repeat_1.0.a_1.conv2d_1`: `bias` is `true` or `false`, not `1`"],
        ),
        (
            "block a(x, y = 1, _z = 2) { conv2d(x, 1) } a(8)",
            &["parameter `y` of block `a` is not used"],
        ),
        ("block c() { relu } relu", &["block `c` is not used"]),
        ("const U: usize = 3; const _V: usize = 3; relu", &["constant `U` is not used"]),
        (
            "const A: usize = B; const B: usize = 8; conv2d(B, 1), conv2d(A, 1)",
            &["`B` is used above its line"],
        ),
        (
            "const A: usize = 8; const A: usize = 2; conv2d(A, 1)",
            &["`A` is already the name of a constant above, on line 1"],
        ),
        ("const C: usize = 1.5; relu", &["`C`: a constant is a whole number, not `1.5`"]),
        (
            "const input: usize = 1; relu",
            &["`input` is a word of the language and cannot name a constant"],
        ),
        ("const W: usize = 8; conv2d(W - 20, 1), conv2d(8, 1)", &["`W - 20` is negative: 8 - 20"]),
        ("const W: usize = 8; conv2d(W / (W - 8), 1)", &["`W / (W - 8)` divides by zero: 8 / 0"]),
        (
            "const W: usize = 9999999999 * 9999999999; conv2d(W, 1)",
            &["`9999999999 * 9999999999` is too large a number: 9999999999 * 9999999999"],
        ),
        ("conv2d(true + 8, 1)", &["`true + 8`: arithmetic takes whole numbers, not `true`"]),
        ("conv2d(WIDTH, 1)", &["there is no constant `WIDTH`"]),
        ("const WIDTH: usize = 8; conv2d(WIDHT, 1)", &["there is no constant `WIDHT`"]),
        ("block a(out) { conv2d(outt, 1) } a(8)", &["there is no constant `outt`"]),
        (
            "block a(n) { repeat(n) { relu } } a(0), a(1)",
            &["`a_1.repeat_1`: repeats its layers 0 times"],
        ),
        ("repeat(0) { relu }", &["`repeat_1`: repeats its layers 0 times"]),
        ("repeat(1.5) { relu }", &["`repeat_1`: how often is a whole number, not `1.5`"]),
        ("repeat(N) { relu }", &["there is no constant `N`"]),
        (
            "repeat(100000) { relu }",
            &["with its blocks and repeats written out, the net has more than 4096 layers"],
        ),
        (
            "block a() { repeat(99) { relu } } block b() { repeat(99) { a } } block c() { repeat(99) { b } } c",
            &["with its blocks and repeats written out, the net has more than 4096 layers"],
        ),
        ("block conv2d(a) { relu } relu", &["`conv2d` is a layer and cannot name a block"]),
        (
            "block repeat() { tanh } relu",
            &["`repeat` is a word of the language and cannot name a block"],
        ),
        (
            "block x() { tanh } block x() { relu } x",
            &["`x` is already the name of a block above, on line 1"],
        ),
        ("block x(a, a) { conv2d(a, 1) } x(8, 8)", &["`x`: `a` is a parameter twice"]),
        (
            "residual { conv1: conv2d(8, 1) } residual { conv1: conv2d(8, 1) }",
            &["`conv1` is already the name of a layer above, on line 1"],
        ),
        (
            "r: residual { conv2d(8, 1) } r: residual { conv2d(8, 1) }",
            &["`r` is already the name of a residual above, on line 1"],
        ),
        (
            "repeat(3) { conv2d(8, kernel = 1, pading = 0), relu }",
            &["`conv2d_1`: `conv2d` has no argument `pading`"],
        ),
        (
            "block b() { conv2d(8, 1, pading = 0), relu } b, b, x: b",
            &["`conv2d_1`: `conv2d` has no argument `pading`"],
        ),
        ("block basic(o) { conv2d(o, 1) } basik(4), conv2d(8, 1)", &["there is no layer `basik`"]),
        ("a: relu, relu, addd(a)", &["there is no layer `addd`"]),
        (
            "stage: repeat(2) { conv2d(8, kernel = 10) }",
            &["`stage.1.conv2d_1`: kernel 10×10 does not fit its input of 7×7"],
        ),
        (
            "concat { branch { relu } branch { relu } branch { relu } branch { relu } branch { relu } branch { relu } branch { relu } branch { relu } branch { relu } }",
            &["`concat`: has 9 branches, and at most 8 go"],
        ),
        (
            "a: relu, b: relu, add(a, a, a, a, a, a, a, a)",
            &["`add`: joins 9 values, and at most 8 go"],
        ),
    ];
    for (text, expected) in cases {
        let (_, messages) = layers(text);
        let first: Vec<&str> = messages.iter().map(|m| m.lines().next().unwrap()).collect();
        assert_eq!(first, *expected, "{text}: {messages:?}");
    }
}

/// Blocks within blocks go as deep as the braces of each, times the blocks.
#[test]
fn blocks_that_nest_too_deep_are_refused() {
    let mut text = String::new();
    for i in 0..40 {
        let (open, close) = ("residual { ".repeat(20), " }".repeat(20));
        text += &format!("block b{i}() {{ {open} b{} {close} }} ", i + 1);
    }
    let (_, messages) = layers(&format!("{text} block b40() {{ relu }} b0, conv1: conv2d(8, 1)"));
    assert_eq!(messages, ["with its blocks written out, the net nests more than 64 deep"]);
}

#[test]
fn shapes_that_do_not_go_together_are_named() {
    for (text, message) in [
        (
            "residual { conv2d(64, kernel = 3, stride = 2, padding = 1) } conv2d(8, 1)",
            "`residual`: its body arrives at [64, 8, 8], but starts from [8, 16, 16]: the two are added and must be alike\n\
             shapes so far: input [8, 16, 16] → conv2d_1 [64, 8, 8]\n\
             help: add `shortcut { conv2d(64, kernel = 1, stride = 2) }`",
        ),
        (
            "residual { conv2d(8, kernel = 3) } relu",
            "`residual`: its body arrives at [8, 14, 14], but starts from [8, 16, 16]: the two are added and must be alike\n\
             shapes so far: input [8, 16, 16] → conv2d_1 [8, 14, 14]\n\
             help: keep height and width in the body: a convolution of kernel 3 does with `padding = 1`",
        ),
        (
            "residual { conv2d(16, kernel = 1) } shortcut { conv2d(12, kernel = 1) } relu",
            "`residual`: its body arrives at [16, 16, 16], its shortcut at [12, 16, 16]: the two are added and must be alike\n\
             shapes so far: input [8, 16, 16] → conv2d_1 [16, 16, 16]\n\
             help: use `shortcut { conv2d(16, kernel = 1) }`",
        ),
        (
            "residual { global_avg_pool, linear(5) } relu",
            "`residual`: its body arrives at [5], but starts from [8, 16, 16]: the two are added and must be alike\n\
             shapes so far: input [8, 16, 16] → global_avg_pool [8] → linear_1 [5]\n\
             help: add `shortcut { flatten, linear(5) }`",
        ),
        (
            "block basic(out, stride = 1) { residual { conv2d(out, 3, stride = (stride, 1), padding = 1) } } layer1: basic(8), \
             layer2: basic(16, stride = 2), conv2d(8, 1)",
            "`layer2.residual`: its body arrives at [16, 8, 16], but starts from [8, 16, 16]: the two are added and must be alike\n\
             in block `basic`, line 1\n\
             shapes so far: input [8, 16, 16] → layer2.conv2d_1 [16, 8, 16]\n\
             help: add `shortcut { conv2d(16, kernel = 1, stride = (2, 1)) }`",
        ),
        (
            "concat { branch { conv2d(4, 3) } other: branch { conv2d(4, 1) } } relu",
            "`concat`: branch 1 arrives at [4, 14, 14], branch `other` at [4, 16, 16]: all but their channels must be alike\n\
             shapes so far: input [8, 16, 16] → other.conv2d_1 [4, 16, 16]\n\
             help: give the branches the same strides, and paddings that keep height and width",
        ),
        (
            "s: conv2d(4, 1), conv2d(8, 1), add(s)",
            "`add`: `conv2d_2` is [8, 16, 16], `s` is [4, 16, 16]: only values of one shape can be added\n\
             shapes so far: input [8, 16, 16] → s [4, 16, 16] → conv2d_2 [8, 16, 16]\n\
             help: let `s` pass `conv2d(8, kernel = 1)` first",
        ),
        (
            "s: conv2d(4, 1), conv2d(8, 1), mul(s)",
            "`mul`: `conv2d_2` is [8, 16, 16], `s` is [4, 16, 16]: only values of one shape can be multiplied\n\
             shapes so far: input [8, 16, 16] → s [4, 16, 16] → conv2d_2 [8, 16, 16]\n\
             help: the factor may also have one number a channel: [8] or [8, 1, 1]",
        ),
        (
            "s: conv2d(4, 3), from(input), conv2d(4, 1), concat(s)",
            "`concat`: `conv2d_2` is [4, 16, 16], `s` is [4, 14, 14]: values to join are alike but for their channels\n\
             shapes so far: input [8, 16, 16] → conv2d_2 [4, 16, 16]\n\
             help: bring them to one height and width first, by pooling or a stride",
        ),
        (
            "block inner(o) { conv2d(o, kernel = 30) }\nblock outer(o) {\n inner(o) }\n stage: repeat(2) { outer(8) }",
            "`stage.0.outer_1.inner_1.conv2d_1`: kernel 30×30 does not fit its input of 16×16\n\
             in block `inner`, line 1, in block `outer`, line 3\n\
             shapes so far: input [8, 16, 16]\n\
             help: use `kernel = 16` or less, or `padding = 7`",
        ),
    ] {
        let (_, messages) = layers(text);
        assert_eq!(messages, [message], "{text}");
    }
}

/// The stride of a shortcut is found where one leads to the body's height and width.
#[test]
fn shortcuts_have_the_stride_of_the_body() {
    for from in 1..40 {
        for stride in 1..6 {
            let to = (from - 1) / stride + 1;
            let (start, end) = (Shape::new(&[2, from, 1]), Shape::new(&[3, to, 1]));
            let mut help = Message::new();
            let join = Join::Residual { start: 0, shortcut: Shortcut::Missing };
            let error = ShapeError::Unlike { first: end, other: start };
            join.help(&mut help, &Op::Add, &error, &[end, start], 1, start);
            let layers = help.as_str().strip_prefix("add `shortcut { ").unwrap();
            let layers = layers.strip_suffix(" }`").unwrap();
            let (_, messages) = net(&format!("struct N: {start} -> {end} {{ {layers} }}"));
            assert!(messages.is_empty(), "{from} {stride} {layers}: {messages:?}");
        }
    }
}

/// After a mistake the fields are those of the net that was meant, as far as that is known.
#[test]
fn fields_stay_after_a_mistake() {
    let (checked, messages) = layers(
        "block basic(out) { residual { conv1: conv2d(out, kernel = 3) } } \
         layer1: basic(16), layer2: basik(24), s: repeat(2) { conv2d(8, 1) } flatten, fc: linear(10)",
    );
    // The third says that the output is not as declared.
    assert_eq!(messages.len(), 3, "{messages:?}");
    let fields = checked.nodes.iter().filter_map(|node| node.field.as_deref()).map(path_text);
    assert_eq!(
        fields.collect::<Vec<_>>(),
        ["layer1.conv1", "layer2.conv1", "s.0.conv2d_1", "s.1.conv2d_1", "fc"]
    );
}
