//! Inputs and heads with names: what is found, and one message for each mistake.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::parse::parse;

fn checked(text: &str) -> (Checked, Vec<String>) {
    let (declaration, mistakes) = parse(text.parse().unwrap());
    assert!(mistakes.is_empty(), "{text}: {mistakes:?}");
    let (checked, mistakes) = check(&declaration.unwrap());
    (checked, mistakes.into_iter().map(|mistake| mistake.message).collect())
}

#[test]
fn inputs_and_heads_are_found_by_name() {
    let (checked, mistakes) = checked(
        "struct N: (image: [2, 6, 6], pose: [5]) -> (class: [4], bbox: [3]) {
            from(image), conv2d(3, 3), flatten, concat(pose),
            linear(8), trunk: relu, class: linear(4), from(trunk), bbox: linear(3),
        }",
    );
    assert_eq!(mistakes, [""; 0]);
    let heads: Vec<_> = checked.heads.iter().map(|head| (head.to_string(), head.node)).collect();
    assert_eq!(heads, [("class [4]".into(), Some(7)), ("bbox [3]".into(), Some(8))]);
    assert_eq!(
        checked.to_string(),
        "image: the input → [2, 6, 6]\npose: the input → [5]\n\
         conv2d_1: conv2d(3, kernel = 3) of image → [3, 4, 4]\nflatten: flatten → [48]\n\
         concat: concat(pose) of flatten, pose → [53]\nlinear_1: linear(8) → [8]\ntrunk: relu → [8]\n\
         class: linear(4) → [4]\nbbox: linear(3) of trunk → [3]\n"
    );
}

#[test]
fn a_head_may_be_a_structure() {
    let (checked, mistakes) = checked(
        "struct N: [2, 6, 6] -> (a: [2, 6, 6], b: [2, 6, 6], c: [2, 6, 6], d: [4, 6, 6]) {
            block f { relu }
            a: repeat(2) { relu } b: residual { tanh }
            d: concat { c: branch { tanh } branch { f } }
        }",
    );
    assert_eq!(mistakes, [""; 0]);
    let heads: Vec<_> = checked.heads.iter().filter_map(|head| head.node).collect();
    assert_eq!(heads, [2, 4, 5, 7]);
}

#[test]
fn each_mistake_gives_one_message() {
    let two = "(a: [3], b: [4])";
    let cases = [
        (
            two,
            "[2]",
            "linear(2), concat(b), linear(2)",
            "`linear`: which of the inputs it reads is not said",
        ),
        (two, "[2]", "x: residual { linear(3) } concat(b), linear(2)", "`x`: which of the inputs"),
        (two, "[2]", "concat(a, b), linear(2)", "`concat`: which of the inputs"),
        (two, "[2]", "from(a), linear(2)", "`b`: nothing reads this input"),
        (
            two,
            "[2]",
            "from(c), concat(a, b), linear(2)",
            "there is no value `c`\nhelp: the names so far are a, b",
        ),
        (two, "[2]", "from(input), concat(a, b), linear(2)", "there is no value `input`"),
        (two, "[2]", "from(a), b: linear(4), linear(2)", "`b` is already the name of an input"),
        ("(a: [3], a: [4])", "[2]", "linear(2)", "`a` is already the name of an input"),
        ("(repeat: [3])", "[2]", "linear(2)", "`repeat` is a word of the language"),
        ("(a: [0])", "[2]", "linear(2)", "the `a` input shape: "),
        (two, "[2]", "from(a), linear(4), add(b), linear(3)", "`N`: the layers arrive at [3]"),
        (
            "[3]",
            "(c: [2])",
            "linear(2)",
            "`N`: no layer is called `c`, as this head is\nhelp: name the layer whose value it is: `c: linear(…)`",
        ),
        (
            "[3]",
            "(class: [2])",
            "clas: linear(2)",
            "`N`: no layer is called `class`, as this head is\nhelp: did you mean `clas`?",
        ),
        ("[3]", "(c: [2])", "residual { c: linear(3) }", "`N`: `c` stands inside braces"),
        ("[3]", "(c: [2])", "block f { c: linear(2) } f", "`N`: `c` stands inside braces"),
        (
            "[3]",
            "(c: [2])",
            "c: linear(5)",
            "`c`: the layers arrive at [5], but [2] is declared\nshapes so far: input [3] → c [5]\nhelp: use `c: linear(2)`, or declare `c: [5]`",
        ),
        (
            "[3]",
            "(c: [2], d: [3])",
            "d: relu, c: linear(2), relu",
            "`relu`: nothing reads its value\nhelp: it is the last layer and no head",
        ),
        (
            "[3]",
            "(c: [2])",
            "c: linear(2), from(input), linear(2)",
            "`linear_2`: nothing reads its value",
        ),
        ("[3]", "(c: [2], c: [2])", "c: linear(2)", "`c` is already the name of a head"),
        (
            "[3]",
            "(c: [2])",
            "c: linear(2), c: linear(2)",
            "`c` is already the name of a layer above",
        ),
        ("(c: [3])", "(c: [2])", "linear(2)", "`c` is already the name of an input"),
        ("[3]", "(from: [2])", "linear(2)", "`from` is a word of the language"),
        ("[3]", "(c: [0])", "c: linear(2)", "the `c` output shape: "),
        ("[3]", "(c: [2, 2, 2, 2, 2])", "c: linear(2)", "the `c` output shape"),
    ];
    for (input, output, layers, start) in cases {
        let text = format!("struct N: {input} -> {output} {{ {layers} }}");
        let (_, messages) = checked(&text);
        assert_eq!(messages.len(), 1, "{text}: {messages:#?}");
        assert!(messages[0].starts_with(start), "{text}: {}", messages[0]);
    }
}

#[test]
fn there_are_not_too_many_heads() {
    let heads: Vec<String> = (0..18).map(|i| format!("h{i}: [3]")).collect();
    let layers: Vec<String> = (0..18).map(|i| format!("h{i}: relu")).collect();
    let (heads, layers) = (heads.join(", "), layers.join(", "));
    let (_, messages) = checked(&format!("struct N: [3] -> ({heads}) {{ {layers} }}"));
    assert_eq!(messages.len(), 2, "{messages:#?}");
    assert!(messages[0].starts_with("a net has at most 16 heads"), "{}", messages[0]);
}
