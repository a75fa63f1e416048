#![allow(clippy::unwrap_used)]

use typenet_shape::{Init, Scheme};

use super::*;

/// The net as it was understood, and the messages.
fn layers(text: &str) -> (Checked, Vec<String>) {
    let text = format!("struct N: [2, 8, 8] -> [3] {{ {text} }}");
    let (declaration, mistakes) = crate::parse::parse(text.parse().unwrap());
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let (checked, mistakes) = check(&declaration.unwrap());
    (checked, mistakes.into_iter().map(|mistake| mistake.message).collect())
}

fn node<'a>(checked: &'a Checked, name: &str) -> &'a Node {
    checked.nodes.iter().find(|node| node.name == name).unwrap()
}

#[test]
fn attributes_hold_for_all_layers_in_braces() {
    let (checked, messages) = layers(
        "block b(out) { #[no_decay(bias)] conv2d(out, 1), batch_norm } \
         #[frozen] #[init(kaiming_normal(mode = fan_out))] stem: b(4), \
         #[init(xavier, bias = constant(0.5))] body: repeat(2) { \
             b(4), residual { #[init(zeros)] batch_norm } #[frozen] shortcut { conv2d(4, 1) } \
         } \
         concat { branch {} #[frozen] left: branch { #[init(dirac)] conv2d(4, 1) } } \
         #[no_decay] bn: batch_norm, flatten, fc: linear(3)",
    );
    assert!(messages.is_empty(), "{messages:?}");
    let marks = |name: &str| node(&checked, name).marks;
    let stem = marks("stem.conv2d_1");
    assert!(stem.frozen && stem.no_decay == [false, true]);
    assert_eq!(stem.init, Init::new(Scheme::KaimingNormalFanOut));
    let norm = marks("stem.batch_norm_1");
    assert!(norm.frozen && norm.no_decay == [false, false] && norm.init == Init::NONE);
    for round in 0..2 {
        let own = |name: &str| marks(&format!("body.{round}.{name}"));
        let half = Scheme::Constant { val: 0.5 };
        assert_eq!(own("b_1.conv2d_1").init, Init::new(Scheme::XavierUniform).bias(half));
        assert!(!own("b_1.conv2d_1").frozen);
        assert_eq!(own("batch_norm_1").init, Init::new(Scheme::Constant { val: 0.0 }));
        assert!(own("conv2d_1").frozen);
    }
    assert!(marks("left.conv2d_1").frozen);
    assert_eq!(marks("left.conv2d_1").init, Init::new(Scheme::Dirac));
    assert_eq!(marks("bn"), Marks { no_decay: [true, true], ..Marks::NONE });
    assert_eq!(marks("fc"), Marks::NONE);
}

#[test]
fn names_of_weight_files_replace_segments() {
    let (checked, messages) = layers(
        "block b(out) { #[name(\"conv.0\")] conv2d(out, 1), bn: batch_norm } \
         #[name(\"features.0\")] conv2d(4, 1), \
         #[name(\"\")] stem: b(4), \
         #[name(\"features.{3}\")] body: repeat(2) { #[name(\"\")] b(4) } \
         #[name(\"layer1\")] repeat(2) { last: b(4) } \
         #[name(\"skip\")] side: residual { bn: batch_norm } \
         repeat(1) { #[name(\"here\")] b(4) } \
         flatten, #[name(\"classifier\")] fc: linear(3)",
    );
    assert!(messages.is_empty(), "{messages:?}");
    let named: Vec<&str> = checked
        .nodes
        .iter()
        .filter(|node| !node.tensors.is_empty())
        .map(|node| node.file_name.as_deref().unwrap_or(&node.name))
        .collect();
    assert_eq!(
        named,
        [
            "features.0",
            "conv.0",
            "bn",
            "features.3.conv.0",
            "features.3.bn",
            "features.4.conv.0",
            "features.4.bn",
            "layer1.0.last.conv.0",
            "layer1.0.last.bn",
            "layer1.1.last.conv.0",
            "layer1.1.last.bn",
            "skip.bn",
            "repeat_3.0.here.conv.0",
            "repeat_3.0.here.bn",
            "classifier",
        ]
    );
}

#[test]
fn schemes_take_their_arguments() {
    let init = |text: &str| {
        let (checked, messages) =
            layers(&format!("#[init({text})] c: conv2d(4, 2), flatten, linear(3)"));
        assert!(messages.is_empty(), "{text}: {messages:?}");
        node(&checked, "c").marks.init
    };
    let normal = |mean, std| Init::new(Scheme::Normal { mean, std });
    assert_eq!(init("normal(std = 0.01)"), normal(0.0, 0.01));
    assert_eq!(init("normal(-1, 2)"), normal(-1.0, 2.0));
    assert_eq!(init("uniform(-0.5, b = 0.25)"), Init::new(Scheme::Uniform { a: -0.5, b: 0.25 }));
    assert_eq!(
        init("trunc_normal(std = 0.02)"),
        Init::new(Scheme::TruncNormal { mean: 0.0, std: 0.02, a: -2.0, b: 2.0 })
    );
    assert_eq!(init("orthogonal(gain = 1.5)"), Init::new(Scheme::Orthogonal).gain(1.5));
    assert_eq!(init("xavier_normal(2)"), Init::new(Scheme::XavierNormal).gain(2.0));
    assert_eq!(init("whitening(eps = 0.1)"), Init::new(Scheme::Whitening { eps: 0.1 }));
    assert_eq!(init("pytorch_default"), Init::new(Scheme::PyTorchDefault));
    assert_eq!(init("bias = ones"), Init::NONE.bias(Scheme::Constant { val: 1.0 }));
    assert_eq!(
        init("weight = zeros, bias = uniform"),
        Init::new(Scheme::Constant { val: 0.0 }).bias(Scheme::Uniform { a: 0.0, b: 1.0 })
    );
}

#[test]
fn attributes_with_one_mistake_give_one_message() {
    for (text, what, help) in [
        ("#[frozn] l", "`c`: there is no attribute `frozn`", "did you mean `#[frozen]`?"),
        ("#[trainable(false)] l", "`c`: there is no attribute", "did you mean `#[frozen]`?"),
        ("#[rename(\"x\")] l", "`c`: there is no attribute", "did you mean `#[name(\"…\")]`?"),
        ("#[quantized] l", "`c`: there is no attribute `quantized`", "a layer takes"),
        ("#[cfg(test)] l", "`c`: `#[cfg]` cannot stand on a layer", "on the net itself"),
        ("#[frozen(true)] l", "`c`: `#[frozen]` takes no values", "write `#[frozen]`"),
        ("#[frozen] #[frozen] l", "`c`: `#[frozen]` is given twice", "leave one"),
        ("#[no_decay(biases)] l", "`c`: `#[no_decay]` is of the", "did you mean `bias`?"),
        ("#[no_decay(0.1)] l", "`c`: `#[no_decay]` is of the", "of both"),
        ("#[no_decay(bias)] n", "`c`: it has no bias", ""),
        ("#[init] l", "`c`: `#[init]`: the scheme is missing", "for example"),
        ("#[init()] l", "`c`: `#[init]`: the scheme is missing", "for example"),
        ("#[init(\"zeros\")] l", "`c`: expected a scheme, found `\"zeros\"`", "for example"),
        ("#[init(0.1)] l", "`c`: expected a scheme, found `0.1`", "for example"),
        ("#[init(kaiming_norml)] l", "`c`: there is no scheme", "did you mean `kaiming_normal`?"),
        ("#[init(he_normal)] l", "`c`: there is no scheme", "did you mean `kaiming_normal`?"),
        ("#[init(zeros_)] l", "`c`: there is no scheme `zeros_`", "did you mean `zeros`?"),
        ("#[init(sparse)] l", "`c`: there is no scheme `sparse`", "the schemes are"),
        ("#[init(zeros, ones)] l", "`c`: the weight has a scheme already", "`bias = …`"),
        ("#[init(zeros, biass = ones)] l", "`c`: `#[init]` is of the", "did you mean `bias`?"),
        ("#[init(bias = xavier)] l", "`c`: `xavier` is for weights", "go everywhere"),
        ("#[init(bias = zeros)] n", "`c`: it has no bias", ""),
        ("#[init(xavier)] batch_norm, l", "`batch_norm_1`: `xavier` is for the weights", "go"),
        ("conv2d(2, 1), #[init(whitening)] l", "`c`: `whitening` is for a", "first convolution"),
        ("#[init(whitening)] r", "`residual`: `whitening` is for one", "first convolution"),
        ("#[init(constant)] l", "`c`: `constant`: `val` is missing", "for example `constant(0.1)`"),
        ("#[init(constant(true))] l", "`c`: `val` is a number, not `true`", ""),
        ("#[init(zeros(1))] l", "`c`: `zeros` takes no arguments", ""),
        ("#[init(normal(0, 1, 2))] l", "`c`: too many arguments: `normal` takes 2", ""),
        ("#[init(normal(stdd = 1))] l", "`c`: `normal` has no argument `stdd`", "mean `std`?"),
        ("#[init(normal(stddev = 1))] l", "`c`: `normal` has no argument", "mean `std`?"),
        ("#[init(normal(0, mean = 1))] l", "`c`: `mean` is given twice", ""),
        ("#[init(normal(std = -1))] l", "`c`: `normal`: `std` is 0 or more", ""),
        ("#[init(uniform(1, 0))] l", "`c`: `uniform`: `b` is more than `a`", ""),
        ("#[init(whitening(eps = 0))] l", "`c`: `whitening`: `eps` is more than 0", ""),
        ("#[init(kaiming(mode = fan_inn))] l", "`c`: `mode` is `fan_in` or", "mean `fan_in`?"),
        (
            "#[name(features)] l",
            "`c`: the name in weight files stands",
            "write `#[name(\"features\")]`",
        ),
        ("#[name] l", "`c`: the name that weight files have is one text", "for example"),
        ("#[name(\"a\", \"b\")] l", "`c`: the name that weight files have is one text", "for"),
        ("#[name(\"\")] l", "`c`: a layer needs a name in weight files", "for example"),
        ("#[name(\"a..b\")] l", "`c`: `a..b` is no name of weight files", "for example"),
        ("#[name(\"a.{0}\")] l", "`c`: only a repeat has rounds to number", "the number itself"),
        ("#[name(\"a.{x}\")] l", "`c`: `a.{x}`: braces hold the number", "for example"),
        ("#[name(\"a\")] r", "`residual`: a residual without a name is no part", "give it a name"),
        ("#[name(\"d\")] l", "`d`: weight files would call it `d`, as they call `c`", "its own"),
        ("#[frozen] relu, l", "`relu`: it has no parameters", "leave the attribute out"),
        ("#[frozen] flatten, l2", "`flatten`: it has no parameters", "leave"),
        ("a: relu, #[no_decay] add(a), l", "`add`: it has no parameters", "leave"),
        ("#[frozen] residual { relu } l", "`residual`: it has no parameters", "leave"),
        (
            "residual { #[frozen] layer_norm(affine = false) } l",
            "`layer_norm_1`: it has no",
            "leave",
        ),
        ("residual { relu } #[frozen] shortcut { relu } l", "`shortcut`: it has no", "leave"),
    ] {
        let first = match text {
            _ if text.contains("flatten") => "c: linear(4), d: linear(3)",
            _ if text.ends_with(" n") => "c: conv2d(2, 1, bias = false), flatten, d: linear(3)",
            _ if text.ends_with(" r") => "residual { conv2d(2, 1) } flatten, d: linear(3)",
            _ => "c: conv2d(2, 1), flatten, d: linear(3)",
        };
        let text = match text.rsplit_once(' ') {
            Some((before, "l" | "n" | "r" | "l2")) => format!("{before} {first}"),
            _ => text.to_string(),
        };
        let (_, messages) = layers(&text);
        assert_eq!(messages.len(), 1, "{text}: {messages:?}");
        assert!(messages[0].starts_with(what), "{text}: {messages:?}");
        assert!(messages[0].contains(help), "{text}: {messages:?}");
    }
}

#[test]
fn a_mistake_in_a_block_is_said_once() {
    let (_, messages) =
        layers("block b { #[frozn] conv2d(2, 1) } b, b, repeat(2) { b } flatten, linear(3)");
    assert_eq!(messages.len(), 1, "{messages:?}");
}
