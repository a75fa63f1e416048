#![allow(clippy::unwrap_used)]

use super::*;

/// The net as it was understood, and the messages.
fn net(text: &str) -> (Checked, Vec<String>) {
    let (declaration, mistakes) = crate::parse::parse(text.parse().unwrap());
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let (checked, mistakes) = check(&declaration.unwrap());
    (checked, mistakes.into_iter().map(|mistake| mistake.message).collect())
}

fn layers(text: &str) -> (Checked, Vec<String>) {
    net(&format!("struct N: [1, 12, 12] -> [10] {{ {text} }}"))
}

fn value(checked: &Checked, name: &str) -> Known {
    checked.nodes.iter().find(|node| node.name == name).unwrap().value
}

#[test]
fn a_message_has_the_shapes_and_a_way_out() {
    let (_, messages) = layers(
        "conv1: conv2d(6, kernel = 5), relu, max_pool2d(2), conv2: conv2d(16, kernel = 5), flatten, linear(10)",
    );
    assert_eq!(
        messages,
        ["`conv2`: kernel 5×5 does not fit its input of 4×4\n\
          shapes so far: input [1, 12, 12] → conv1 [6, 8, 8] → max_pool2d [6, 4, 4]\n\
          help: use `kernel = 4` or less, or `padding = 1`"]
    );
}

#[test]
fn long_chains_show_their_end() {
    let (_, messages) = layers(
        "conv2d(2, 2), conv2d(3, 2), conv2d(4, 2), conv2d(5, 2), conv2d(6, 2), conv2d(7, 2), \
         conv2d(8, 9), flatten, linear(10)",
    );
    assert_eq!(messages.len(), 1);
    assert!(
        messages[0].contains(
            "shapes so far: … → conv2d_2 [3, 10, 10] → conv2d_3 [4, 9, 9] → conv2d_4 [5, 8, 8] → \
         conv2d_5 [6, 7, 7] → conv2d_6 [7, 6, 6]\n"
        ),
        "{}",
        messages[0]
    );
}

/// What is known after a layer that does not fit: enough for the later fields.
#[test]
fn after_a_misfit_the_rest_is_known_as_far_as_it_can_be() {
    let (checked, messages) = layers(
        "conv1: conv2d(6, kernel = 50), relu, conv2: conv2d(8, kernel = 3), flatten, \
         fc1: linear(20), fc2: linear(10)",
    );
    assert_eq!(messages.len(), 1, "{messages:?}");
    let weight = |name: &str| {
        let node = checked.nodes.iter().find(|node| node.name == name).unwrap();
        let text = |index: usize| {
            let (kind, shape) = node.tensors[index];
            (!node.open.contains(&kind)).then(|| shape.to_string())
        };
        (text(0), text(1))
    };
    let some = |text: &str| Some(text.to_string());
    assert_eq!(weight("conv1"), (some("[6, 1, 50, 50]"), some("[6]")));
    assert_eq!(weight("conv2"), (some("[8, 6, 3, 3]"), some("[8]")));
    assert_eq!(weight("fc1"), (None, some("[20]")));
    assert_eq!(weight("fc2"), (some("[10, 20]"), some("[10]")));
}

#[test]
fn independent_mistakes_are_all_found() {
    let (_, messages) = layers(
        "conv1: conv2d(6, kernel = 50, stride = 0), conv2: conv2d(0, 3, bias = 1), max_pool2d(3, padding = 2), \
         dropout(1.5), flatten, fc1: linear(20), conv2d(4, kernel = 3), fc1: linear(11)",
    );
    let first: Vec<&str> = messages.iter().map(|m| m.lines().next().unwrap()).collect();
    assert_eq!(
        first,
        [
            "`conv1`: `stride` must be at least 1, but is 0",
            "`conv2`: `bias` is `true` or `false`, not `1`",
            "`conv2`: `out_channels` must be at least 1, but is 0",
            "`max_pool2d`: padding 2 is more than half of kernel 3×3, so that some windows would see only border",
            "`dropout`: `p` is the share that is dropped: 0 ≤ p < 1",
            "`conv2d_3`: needs an input of [channels, height, width], but gets [20]",
            "`fc1` is already the name of a layer above, on line 1",
            "`N`: the layers arrive at [11], but [10] is declared",
        ]
    );
}

#[test]
fn a_word_that_was_likely_meant_stands_in() {
    let (checked, messages) = layers("conv1: conv(6, kernel_size = 5), relu, flaten, dense(10)");
    let help: Vec<&str> = messages.iter().map(|m| m.lines().last().unwrap()).collect();
    assert_eq!(
        help,
        [
            "help: write `conv1: conv2d(6, kernel = 5)`",
            "help: did you mean `flatten`?",
            "help: write `linear(10)`"
        ]
    );
    assert_eq!(value(&checked, "conv1"), Known::Assumed(Shape::new(&[6, 8, 8])));
    let (_, weight) = checked.nodes.last().unwrap().tensors[0];
    assert_eq!(weight, Shape::new(&[10, 384]));
}

#[test]
fn unnamed_layers_are_numbered_among_all_of_their_kind() {
    let (checked, messages) =
        layers("conv2d(2, 3), conv2d(3, 3), stem: conv2d(4, 3), conv2d(5, 3), flatten, linear(10)");
    assert!(messages.is_empty(), "{messages:?}");
    let names: Vec<&str> = checked.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["input", "conv2d_1", "conv2d_2", "stem", "conv2d_4", "flatten", "linear_1"]);
}

#[test]
fn names_that_cannot_be() {
    for (layer, start) in [
        ("type: relu", "`type` is a word of Rust"),
        ("self: relu", "`self` is a word of Rust"),
        ("_: relu", "`_` is a word of Rust"),
        ("shortcut: relu", "`shortcut` is a word of the language"),
        ("input: relu", "`input` is a word of the language"),
        ("__model: relu", "`__model`: names that begin with `__`"),
        ("linear_1: relu", "this layer is called `linear_1`"),
    ] {
        let (_, messages) = layers(&format!("{layer}, flatten, linear(10)"));
        assert_eq!(messages.len(), 1, "{layer}: {messages:?}");
        assert!(messages[0].starts_with(start), "{layer}: {messages:?}");
    }
    let (_, messages) = layers("r#type: relu, flatten, linear(10)");
    assert!(messages.is_empty(), "{messages:?}");
}

#[test]
fn arguments_of_the_wrong_kind() {
    for (argument, help) in [
        ("kernel = \"5\"", "help: write `kernel = 5`"),
        ("kernel = 5.0", "help: write `kernel = 5`"),
        ("kernel = -5", "`c`: `kernel` is a whole number or a pair `(height, width)`, not `-5`"),
        ("kernel = K", "help: declare `const K: usize = …;` before the layers"),
        ("kernel = -crate::K", "`c`: `kernel` is a whole number or a pair"),
        (
            "kernel = crate::k(3)",
            "`c`: `kernel` is a whole number or a pair `(height, width)`, not `crate :: k (3)`",
        ),
        ("kernel = 3, bias = crate::BIAS", "help: a path stands for a whole number, a `usize`"),
        ("kernel = 2 - 3", "help: every number here is 0 or more"),
        ("kernel = 2 / 0", "`2 / 0` divides by zero: 2 / 0"),
        (
            "kernel = (1, 2, 3)",
            "`c`: `kernel` is a whole number or a pair `(height, width)`, not `(1 , 2 , 3)`",
        ),
        ("kernel = 3, bias = 0", "help: write `bias = false`"),
        ("kernel = 3, groups = (1, 1)", "help: write `groups = 1`"),
        ("kernel = 3, padding = sane", "help: did you mean `same`?"),
        (
            "kernel = same",
            "`c`: `kernel` is a whole number or a pair `(height, width)`, not `same`",
        ),
        ("kernel = 3, padding = \"same\"", "help: write `padding = same`"),
        ("kernel", "help: write `kernel = …`"),
        ("groups = 1", "help: for example `conv2d(16, kernel = 3)`"),
        (
            "3, 1",
            "help: write `conv2d(3, kernel = 1)`, or, for a `stride` of 1, `conv2d(4, kernel = 3, stride = 1)`",
        ),
        ("kernel = 3, kernel = 3", "help: leave one of them out"),
        ("kernel = 3, 1", "help: write `name = value`"),
        ("kernel = 3, colour = 1", "help: it has out_channels, kernel, stride"),
    ] {
        let (_, messages) = layers(&format!("c: conv2d(4, {argument}), flatten, linear(10)"));
        assert_eq!(messages.len(), 1, "{argument}: {messages:?}");
        let last = messages[0].lines().last().unwrap();
        assert!(last.starts_with(help), "{argument}: {messages:?}");
    }
}

#[test]
fn a_wrong_output_has_a_likely_fix() {
    for (output, layers, help) in [
        ("[10]", "flatten, fc: linear(12)", "use `fc: linear(10)`, or declare `-> [12]`"),
        ("[10]", "flatten, linear(12), relu", "use `linear(10)`, or declare `-> [12]`"),
        ("[10]", "flatten", "add `linear(10)` at the end, or declare `-> [64]`"),
        ("[10]", "relu", "add `flatten, linear(10)` at the end, or declare `-> [1, 8, 8]`"),
        ("[4, 6, 6]", "c: conv2d(3, 3)", "use `c: conv2d(4, …)`, or declare `-> [3, 6, 6]`"),
        ("[4, 8, 8]", "flatten", "declare `-> [64]`"),
    ] {
        let (_, messages) = net(&format!("struct N: [1, 8, 8] -> {output} {{ {layers} }}"));
        assert_eq!(messages.len(), 1, "{layers}: {messages:?}");
        assert!(messages[0].ends_with(&format!("\nhelp: {help}")), "{layers}: {messages:?}");
    }
}

#[test]
fn a_missing_output_is_shown() {
    let (checked, messages) = net("struct N: [1, 8, 8] { flatten, linear(7) }");
    assert_eq!(
        messages,
        ["`N`: the output shape is missing\nhelp: write it after the input shape: `-> [7]`"]
    );
    // Whether the program goes by these layers is not known.
    assert_eq!(checked.output, None);
}

#[test]
fn sizes_in_the_header() {
    for (text, message) in [
        ("[0, 8, 8] -> [10]", "the input shape: a dimension of [0, 8, 8] is zero"),
        ("[1, 8, 8] -> [0]", "the output shape: a dimension of [0] is zero"),
        (
            "[1, 8] -> [10]",
            "the input shape has 2 dimensions, but is [channels, height, width] or [features]",
        ),
        ("[1, 1, 1, 8, 8] -> [10]", "the input shape has 5 dimensions"),
        ("[] -> [10]", "the input shape has 0 dimensions"),
        ("[100000, 100000] -> [10]", "the input shape has 2 dimensions"),
        (
            "[100000, 100000, 3] -> [10]",
            "the input shape: a value of shape [100000, 100000, 3] is too large",
        ),
    ] {
        let (_, messages) = net(&format!("struct N: {text} {{ flatten, linear(10) }}"));
        assert_eq!(messages.len(), 1, "{text}: {messages:?}");
        assert!(messages[0].starts_with(message), "{text}: {messages:?}");
    }
}

#[test]
fn attributes_go_where_they_belong() {
    let (checked, messages) = net(
        "#[doc = \"x\"] #[derive(Clone, Debug, PartialEq)] #[allow(dead_code)] #[cfg(test)] #[must_use] \
         struct N: [2] -> [2] { relu }",
    );
    assert!(messages.is_empty(), "{messages:?}");
    let Attributes { on_struct, lints, cfg, .. } = &checked.attributes;
    assert_eq!((on_struct.len(), lints.len(), cfg.len()), (2, 1, 1));
    let (_, messages) =
        net("#[derive(Copy, Clone, serde::Serialize)] #[repr(C)] struct N: [2] -> [2] { relu }");
    let first: Vec<&str> = messages.iter().map(|m| m.lines().next().unwrap()).collect();
    assert_eq!(
        first,
        [
            "a net cannot derive `Copy`",
            "a net cannot derive `Serialize`",
            "`#[repr]` cannot stand on a net"
        ]
    );
}
