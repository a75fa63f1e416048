#![allow(clippy::unwrap_used)]

use super::*;

/// The declaration as it was understood, and the messages.
fn read(text: &str) -> (String, Vec<String>) {
    let (declaration, mistakes) = parse(text.parse().unwrap());
    let declaration = declaration.map(|declaration| declaration.to_string()).unwrap_or_default();
    (declaration, mistakes.into_iter().map(|mistake| mistake.message).collect())
}

/// The layers as they were understood, joined by commas, and the first lines of the messages.
fn layers(text: &str) -> (String, Vec<String>) {
    let (declaration, messages) = read(&format!("struct N: [1, 8, 8] -> [2] {{ {text} }}"));
    let layers: Vec<&str> = declaration.lines().skip(1).map(str::trim).collect();
    let first = |message: String| message.lines().next().unwrap_or_default().to_string();
    (layers.join(", "), messages.into_iter().map(first).collect())
}

#[test]
fn forms_of_layers_and_values() {
    let (text, messages) = layers(
        "conv1: conv2d(6, kernel = (3, 5), bias = false), r#type: relu(), dropout(p = 1e-1,), tanh",
    );
    assert_eq!(
        text,
        "conv1: conv2d(6, kernel = (3, 5), bias = false), r#type: relu, dropout(p = 0.1), tanh"
    );
    assert!(messages.is_empty(), "{messages:?}");
}

#[test]
fn literals_in_other_forms_are_numbers_too() {
    let (text, messages) = layers("conv2d(0x10, kernel = 1_0usize), leaky_relu(0.5f32)");
    assert_eq!(text, "conv2d(16, kernel = 10), leaky_relu(0.5)");
    assert!(messages.is_empty(), "{messages:?}");
}

#[test]
fn a_missing_comma_costs_nothing_else() {
    let (text, messages) = layers("relu tanh, conv2d(6 kernel = 5 stride = 2)");
    assert_eq!(text, "relu, tanh, conv2d(6, kernel = 5, stride = 2)");
    assert_eq!(
        messages,
        [
            "a comma is missing between `relu` and `tanh`",
            "`conv2d`: a comma is missing before `kernel`",
            "`conv2d`: a comma is missing before `stride`",
        ]
    );
}

#[test]
fn other_signs_between_names_and_values_are_understood() {
    let (text, messages) = layers("a = relu, b conv2d(1, kernel: 3); tanh");
    assert_eq!(text, "a: relu, b: conv2d(1, kernel = 3), tanh");
    assert_eq!(
        messages,
        [
            "a colon stands after a layer's name: `a: …`",
            "a colon is missing between `b` and `conv2d`",
            "an equals sign stands after an argument's name: `kernel = …`",
            "a comma stands between layers, not a semicolon",
        ]
    );
}

#[test]
fn half_typed_layers_leave_the_others() {
    let (text, messages) =
        layers("conv1:, relu, fc: , conv2d(6, kernel = ), , max_pool2d[2], tanh +");
    assert_eq!(text, "?, relu, ?, conv2d(6, kernel = ?), max_pool2d(2), tanh");
    assert_eq!(
        messages,
        [
            "`conv1`: a layer is missing after the name",
            "`fc`: a layer is missing after the name",
            "`conv2d`: the value of `kernel` is missing",
            "a layer is missing before this comma",
            "the arguments of `max_pool2d` stand in parentheses",
            "expected a comma after `tanh`, found `+`",
        ]
    );
}

#[test]
fn structures_are_stepped_over() {
    let (text, messages) = layers(
        "const W: usize = 16; block b(out, stride = 1) { relu } relu, \
         residual { conv2d(1, 3) } shortcut { tanh } tanh, s: add(a), super::Backbone, my::Swirl(3), flatten",
    );
    assert_eq!(text, "?, ?, relu, ?, tanh, ?, ?, ?, flatten");
    let own = "other nets and layers of your own are not part of the language yet";
    assert_eq!(
        messages,
        [
            "`const` is not part of the language yet",
            "`block` is not part of the language yet",
            "`residual` is not part of the language yet",
            "`add` is not part of the language yet",
            own,
            own,
        ]
    );
}

#[test]
fn documentation_of_layers_is_kept() {
    let text =
        "struct N: [1] -> [1] { /// Finds edges.\n conv1: conv2d(6, 5), #[name(\"x\")] relu }";
    let (declaration, mistakes) = parse(text.parse().unwrap());
    let Some(Entry::Layer(layer)) = declaration.unwrap().entries.into_iter().next() else {
        unreachable!("the first entry is a layer")
    };
    assert_eq!(layer.docs, [" Finds edges."]);
    assert_eq!(mistakes.len(), 1);
}

#[test]
fn invisible_groups_of_macro_variables_do_not_matter() {
    let stream: TokenStream = "6".parse().unwrap();
    let group = TokenTree::from(Group::new(Delimiter::None, stream));
    let tokens = flat(TokenStream::from(group));
    assert!(matches!(tokens.as_slice(), [TokenTree::Literal(_)]));
}

#[test]
fn headers_with_one_mistake_give_one_message() {
    let cases = [
        ("struct N -> [2] { relu }", ""),
        ("struct N: [1, 8, 8] { relu }", ""),
        ("struct N: [1, 8, 8] => [2] { relu }", "an arrow"),
        ("struct N<const K: usize>: [K] -> [K] { relu }", "generics are not part"),
        ("struct N: (a: [3], b: [4]) -> [2] { relu }", "several inputs or outputs"),
        ("struct N: [1, W, 8] -> [2] { relu }", "the input shape: a dimension is a whole number"),
        ("struct N: [1, 8, 8] -> [2 * 5] { relu }", "the output shape: a dimension is"),
        ("struct N: [1, , 8] -> [2] { relu }", "the input shape: a dimension is missing"),
        ("struct N: [99999999999999999999] -> [2] { relu }", "`99999999999999999999` is too large"),
        ("struct N: [1, 8, 8] -> [2] {}", "`N` has no layers"),
        ("struct N: [1, 8, 8] -> [2];", "expected the layers in braces, found `;`"),
        ("struct N: [1, 8, 8] -> [2]", "the layers of `N` are missing"),
        ("struct N: [1] -> [1] { relu } struct M: [1] -> [1] { relu }", "expected nothing after"),
        ("enum N: [1] -> [1] { relu }", "this is not the declaration of a net"),
        ("pub N: [1] -> [1] { relu }", "this is not the declaration of a net"),
        ("struct: [1] -> [1] { relu }", "this is not the declaration of a net"),
        ("", "a net is declared here"),
    ];
    for (text, start) in cases {
        let (_, messages) = read(text);
        // A missing shape is reported by `check`, which knows what it could be.
        let count = usize::from(!start.is_empty());
        assert_eq!(messages.len(), count, "{text}: {messages:?}");
        assert!(messages.iter().all(|message| message.starts_with(start)), "{text}: {messages:?}");
    }
}
