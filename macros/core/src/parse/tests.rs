#![allow(clippy::unwrap_used, clippy::panic)]

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
fn paths_stand_for_other_nets_and_layers_of_your_own() {
    let (text, messages) = layers(
        "super::Backbone, features: crate::nets::Backbone relu, ::other::Net, a: ::other::Net, \
         twist: my::Swirl(3, crate::K),",
    );
    assert_eq!(
        text,
        "super::Backbone, features: crate::nets::Backbone, relu, ::other::Net, a: ::other::Net, \
         twist: my::Swirl(3, crate::K)"
    );
    assert_eq!(messages, ["a comma is missing between `crate::nets::Backbone` and `relu`"]);
}

#[test]
fn structures_nest() {
    let (text, messages) = layers(
        "const W: usize = 16; const V: usize = W * (2 + 1) - 4 % 3; block b(out, stride = 1) { conv2d(out, 3, stride = stride) } \
         r: residual { b(W), a: relu, } shortcut { tanh } concat { branch {} left: branch { relu }, }, \
         s: repeat(W / 8) { residual { relu } } add(a), concat(a, b) flatten",
    );
    assert_eq!(
        text,
        "const W = 16, const V = W * (2 + 1) - 4 % 3, block b(out, stride = 1), \
         conv2d(out, 3, stride = stride), \
         r: residual, b(W), a: relu, shortcut, tanh, concat, branch, left: branch, relu, \
         s: repeat(W / 8), residual, relu, add(a), concat(a, b), flatten"
    );
    assert_eq!(messages, ["a comma is missing between `concat` and `flatten`"]);
}

#[test]
fn structures_with_one_mistake_give_one_message() {
    for (text, start) in [
        ("super::", "expected the path of a net"),
        ("twist: my::::Swirl(3)", "expected the path of a net"),
        ("shortcut { relu }", "a shortcut belongs to a residual"),
        ("branch { relu }", "a branch belongs into a concat"),
        ("residual { relu }, shortcut { relu }", "no comma stands between"),
        ("residual { relu } shortcut", "the layers of `shortcut` are missing"),
        ("residual {}", "`residual` has no layers"),
        ("residual", "the layers of `residual` are missing"),
        ("residual(2) { relu }", "`residual` takes no arguments"),
        ("residul { relu }", "there is no structure `residul`"),
        ("sequence { relu }", "there is no structure `sequence`"),
        ("concat {}", "`concat` has no branches"),
        ("concat { branch { relu } }", "a concat of one branch is that branch"),
        (
            "concat { relu, branch { relu } branch {} }",
            "expected a branch of the concat, found `relu`",
        ),
        ("concat { branch branch {} branch {} }", "the layers of `branch` are missing"),
        ("repeat { relu }", "`repeat`: how often is missing"),
        ("repeat() { relu }", "`repeat`: how often is missing"),
        ("repeat(2) {}", "`repeat` has no layers"),
        ("repeat(2)", "the layers of `repeat` are missing"),
        ("relu, const W: usize = 3;", "a constant stands before the layers"),
        ("relu, block b() { relu }", "a block stands before the layers"),
        ("residual { const W: usize = 3; relu }", "a constant stands at the top of the net"),
        ("repeat(2) { block b { relu } relu }", "a block stands at the top of the net"),
        ("const W: usize = 3, relu", "a semicolon is missing after the constant `W`"),
        ("const W: usize = 3 relu", "a semicolon is missing after the constant `W`"),
        ("const W: f32 = 3; relu", "`W`: a constant is a whole number, `usize`"),
        ("const W = 3; relu", "`W`: the type of this constant is missing"),
        ("const W: usize; relu", "`W`: the value of this constant is missing"),
        ("const W: usize = ; relu", "`W`: the value of this constant is missing"),
        ("const 3; relu", "the name of this constant is missing"),
        ("const W: usize = 3 + ; relu", "a number is missing after `+`"),
        ("block { relu } relu", "the name of this block is missing"),
        ("block b relu", "the layers of block `b` are missing"),
        ("block b() {} relu", "block `b` has no layers"),
        ("block b(out: usize) { relu } relu", "block `b`: parameters have no types"),
        ("block b(3) { relu } relu", "block `b`: expected a parameter, found `3`"),
        ("block b(a, , c) { relu } relu", "block `b`: expected a parameter, found nothing"),
        ("block b(a = ) { relu } relu", "block `b`: the value of `a` is missing"),
        ("block b(a c) { relu } relu", "block `b`: expected a comma after `a`, found `c`"),
        ("b1 b(3), relu, block b(out) { relu }", "a colon is missing between `b1` and `b`"),
    ] {
        let (_, messages) = layers(text);
        let first = messages.first().unwrap_or_else(|| panic!("{text}: no message"));
        assert!(first.starts_with(start), "{text}: {messages:?}");
        let most = 1 + usize::from(text.starts_with("b1"));
        assert!(messages.len() <= most, "{text}: {messages:?}");
    }
}

#[test]
fn what_nests_too_deep_is_refused() {
    let nested = |open: &str, close: &str| {
        let text = format!("{}relu{}", open.repeat(100), close.repeat(100));
        let (_, messages) = layers(&text);
        messages
    };
    assert_eq!(nested("residual { ", " }"), ["braces nest more than 32 deep"]);
    assert_eq!(nested("conv2d((", "))").len(), 0);
    let deep = format!("linear({}1{})", "(".repeat(100), ")".repeat(100));
    assert_eq!(layers(&deep).1, ["this is too long for one expression"]);
    let long = format!("linear(1{})", " + 1".repeat(100));
    assert_eq!(layers(&long).1, ["this is too long for one expression"]);
}

#[test]
fn documentation_and_attributes_of_layers_are_kept() {
    let text = "struct N: [1] -> [1] { /// Finds edges.\n #[frozen] conv1: conv2d(6, 5), \
                #[init(normal(std = 0.1), bias = zeros)] #[name(\"a.0\")] relu }";
    let (declaration, mistakes) = parse(text.parse().unwrap());
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let entries = declaration.unwrap().body.entries;
    let [Entry::Layer(first), Entry::Layer(second)] = entries.as_slice() else {
        unreachable!("two layers")
    };
    assert_eq!(first.docs, [" Finds edges."]);
    assert_eq!(first.attributes[0].word, "frozen");
    assert!(first.attributes[0].items.is_none());
    let [init, name] = second.attributes.as_slice() else { unreachable!("two attributes") };
    let items = init.items.as_deref().unwrap();
    let Content::Word(word, arguments) = &items[0].content else { unreachable!("a scheme") };
    assert_eq!((word.to_string(), arguments[0].to_string()), ("normal".into(), "std = 0.1".into()));
    assert_eq!(items[1].key.as_ref().unwrap(), "bias");
    let [Item { content: Content::Text(text), .. }] = name.items.as_deref().unwrap() else {
        unreachable!("a text")
    };
    assert_eq!(text, "a.0");
}

#[test]
fn attributes_with_one_mistake_give_one_message() {
    for (text, start) in [
        ("#[frozen]", "a layer is missing after this"),
        ("relu, /// Text.\n", "a layer is missing after this"),
        ("#[rustfmt::skip] relu", "`#[rustfmt::skip]` cannot stand on a layer"),
        ("#[] relu", "this is no attribute of a layer"),
        ("#[3] relu", "this is no attribute of a layer"),
        ("#[name = \"a\"] linear(2)", "`#[name]`: its values stand in parentheses"),
        ("#[init(, zeros)] linear(2)", "`#[init]`: a value is missing between two commas"),
        ("#[init(bias = )] linear(2)", "`#[init]`: the value of `bias` is missing"),
        ("# relu", "expected a layer, found `#`"),
        ("#[frozen] const W: usize = 3; relu", "a constant takes no attributes"),
        ("#[frozen] block b { relu } b", "a block takes no attributes"),
        ("concat { branch {} branch {} #[frozen] }", "a branch is missing after this"),
        ("residual { relu } #[frozen] shortcut", "the layers of `shortcut` are missing"),
    ] {
        let (_, messages) = layers(text);
        assert_eq!(messages.len(), 1, "{text}: {messages:?}");
        assert!(messages[0].starts_with(start), "{text}: {messages:?}");
    }
    let (text, messages) = layers("residual { relu } #[frozen] shortcut { tanh } #[frozen] relu");
    assert_eq!(text, "residual, relu, shortcut, tanh, relu");
    assert!(messages.is_empty(), "{messages:?}");
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
        ("struct N<const K: usize>: [K] -> [K] { relu }", ""),
        ("struct N<K>: [8] -> [8] { relu }", "`K`: a net is generic over sizes, not over types"),
        ("struct N<'a>: [8] -> [8] { relu }", "a net has no lifetimes"),
        ("struct N<const>: [8] -> [8] { relu }", "the name of this generic is missing"),
        ("struct N<const K>: [K] -> [K] { relu }", "`K`: the type of this generic is missing"),
        ("struct N<const K: u32>: [K] -> [K] { relu }", "`K`: a size is a `usize`"),
        ("struct N<const K: usize = 4>: [K] -> [K] { relu }", "`K`: the generics of a net have no"),
        ("struct N<const K: usize + 4>: [K] -> [K] { relu }", "expected nothing behind `usize`"),
        ("struct N<const K: usize: [K] -> [K] { relu }", "`>` is missing"),
        ("struct N<3>: [K] -> [K] { relu }", "expected a generic, found `3`"),
        ("struct N<const K: usize> where K: Copy: [K] -> [K] { relu }", "a net has no `where`"),
        ("struct N<const K: usize>: [K] -> [K] where K: Copy { relu }", "a net has no `where`"),
        ("struct N: (a: [3], b: [4]) -> [2] { relu }", ""),
        ("struct N: (a: [3], b: [4],) -> (c: [2]) { relu }", ""),
        ("struct N: () -> [2] { relu }", "between these parentheses no input is named"),
        ("struct N: [3] -> () { relu }", "between these parentheses no head is named"),
        ("struct N: ([3], b: [4]) -> [2] { relu }", "this input has no name"),
        ("struct N: (a: [3],, b: [4]) -> [2] { relu }", "an input is missing between two commas"),
        ("struct N: [3] -> (a) { relu }", "the shape of the head `a` is missing"),
        ("struct N: [3] -> (a: 4) { relu }", "the shape of the head `a` stands in brackets"),
        ("struct N: [3] -> (a: [4] b: [2]) { relu }", "expected a comma, found `b`"),
        ("struct N: (a: [3, , 4]) -> [2] { relu }", "the `a` input shape: a dimension is missing"),
        ("struct N: [1, W, 8] -> [2 * 5] { relu }", ""),
        ("struct N: [1, , 8] -> [2] { relu }", "the input shape: a dimension is missing"),
        ("struct N: [99999999999999999999] -> [2] { relu }", "`99999999999999999999` is too large"),
        ("struct N: [1, 8, 8] -> [2] {}", "`N` has no layers"),
        ("struct N: [1, 8, 8] -> [2];", "expected the layers in braces, found `;`"),
        ("struct N: [1, 8, 8] -> [2]", "the layers of `N` are missing"),
        ("struct N: [1] -> [1] { relu } struct M: [1] -> [1] { relu }", "expected nothing after"),
        ("enum N: [1] -> [1] { relu }", "a net is declared as a `struct`, not as `enum`"),
        ("pub N: [1] -> [1] { relu }", "`struct` is missing before `N`"),
        ("struct: [1] -> [1] { relu }", "the name of the net is missing after `struct`"),
        ("public struct N: [1] -> [1] { relu }", "before `struct` stands `pub` or nothing"),
        ("3", "this is not the declaration of a net"),
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
