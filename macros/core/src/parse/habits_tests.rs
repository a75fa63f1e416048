#![allow(clippy::unwrap_used)]

use super::parse;

/// The layers as they were understood, joined by commas, and the messages of a net of these lines.
fn read(lines: &str) -> (String, Vec<String>) {
    let text = format!("struct N: [3, 8, 8] -> [10] {{ {lines} }}");
    let (declaration, mut mistakes) = parse(text.parse().unwrap());
    let declaration = declaration.unwrap();
    mistakes.extend(crate::check::check(&declaration).1);
    let text = declaration.to_string();
    let layers: Vec<&str> = text.lines().skip(1).map(str::trim).collect();
    (layers.join(", "), mistakes.into_iter().map(|mistake| mistake.message).collect())
}

/// Each line is one mistake that shows it as it should be, and is read as that; what is shown has no
/// mistake.
#[test]
fn lines_of_other_languages() {
    let conv = "conv2d(4, kernel = 3)";
    let named = "conv1: conv2d(4, kernel = 3)";
    for (line, wanted) in [
        ("nn.Conv2d(3, 4, 3)", conv),
        ("nn::Conv2d(3, 4, 3)", conv),
        ("torch.nn.Conv2d(3, 4, 3)", conv),
        ("nn.Conv2d(3, 4, kernel_size = 3)", conv),
        ("nn.Conv2d(in_channels = 3, out_channels = 4, kernel_size = 3)", conv),
        ("typenet::layers::conv2d(4, kernel = 3)", conv),
        ("Conv2d::new(3, 4, 3)", conv),
        ("nn::Conv2d::new(3, 4, 3)", conv),
        ("Conv2d::<3, 4, 3>::new()", conv),
        ("self.conv1: conv2d(4, kernel = 3)", named),
        ("self.conv1 = conv2d(4, kernel = 3)", named),
        ("self.conv1 = nn.Conv2d(3, 4, 3)", named),
        ("self.conv1 = nn.Conv2d(3, 4, 3);", named),
        ("net.conv1 = nn.Conv2d(3, 4, 3)", named),
        ("let conv1 = conv2d(4, kernel = 3)", named),
        ("let conv1 = conv2d(4, kernel = 3);", named),
        ("let mut conv1 = conv2d(4, kernel = 3);", named),
        ("let conv1: Conv2d<B> = nn::Conv2d::new(3, 4, 3);", named),
        ("var conv1 = Conv2d(3, 4, 3);", named),
        ("pub conv1: conv2d(4, kernel = 3)", named),
        ("pub(crate) conv1: nn::Conv2d(3, 4, 3)", named),
        ("conv1 = conv2d(4, kernel = 3)", named),
        ("conv1 := conv2d(4, kernel = 3)", named),
        ("conv1 <- conv2d(4, kernel = 3)", named),
        ("conv1 -> conv2d(4, kernel = 3)", named),
        ("conv1 => conv2d(4, kernel = 3)", named),
        ("conv1 == conv2d(4, kernel = 3)", named),
        ("conv1: nn.Conv2d(3, 4, 3)", named),
        ("conv1: nn.Conv2d = nn.Conv2d(3, 4, 3)", named),
        ("\"conv1\": conv2d(4, kernel = 3)", named),
        ("\"conv1\" = nn.Conv2d(3, 4, 3)", named),
        ("(\"conv1\", nn.Conv2d(3, 4, 3))", named),
        ("conv2d!(4, kernel = 3)", conv),
        ("conv2d { out_channels: 4, kernel: 3 }", "conv2d(out_channels = 4, kernel = 3)"),
        ("Conv2d { in_channels: 3, out_channels: 4, kernel_size: 3 }", conv),
        ("conv2d(in_channels: 3, out_channels: 4, kernel_size: 3)", conv),
        ("conv2d(out_channels: 4, kernel: 3)", "conv2d(out_channels = 4, kernel = 3)"),
        ("conv2d<4, 3>", "conv2d(4, 3)"),
        ("conv2d(3 -> 4, 3)", conv),
        ("nn::conv2d(vs, 3, 4, 3, Default::default())", conv),
        ("layers.Conv2D(4, (3, 3), activation=\"relu\")", "conv2d(4, kernel = 3), relu"),
        ("tf.keras.layers.Conv2D(4, 3)", conv),
        ("x = layers.Conv2D(4, 3)(x)", conv),
        ("model.add(layers.Conv2D(4, 3))", conv),
        ("keras.layers.MaxPooling2D((2, 2))", "max_pool2d(2)"),
        ("F.relu(x)", "relu"),
        ("x.relu()", "relu"),
        ("x = F.relu(x)", "relu"),
        ("x = F.dropout(x, p=0.5, training=self.training)", "dropout(0.5)"),
        ("x = F.max_pool2d(F.relu(x), 2)", "relu, max_pool2d(2)"),
        ("x = F.relu(nn.Conv2d(3, 4, 3)(x))", "conv2d(4, kernel = 3), relu"),
        ("relu(conv2d(4, kernel = 3))", "conv2d(4, kernel = 3), relu"),
        ("conv2d(4, kernel = 3).relu()", "conv2d(4, kernel = 3), relu"),
        ("x = torch.flatten(x, 1)", "flatten"),
        ("torch.flatten(x, 1)", "flatten"),
        ("x = x.view(-1, 192)", "flatten"),
        ("x = x.view(x.size(0), -1);", "flatten"),
        ("torch.nn.functional.softmax(x, dim=1)", "softmax"),
        ("self.drop = nn.Dropout(0.25)", "drop: dropout(0.25)"),
        ("self.bn1 = nn.BatchNorm2d(3)", "bn1: batch_norm"),
        ("self.pool = nn.MaxPool2d(2, 2)", "pool: max_pool2d(2, stride = 2)"),
        (
            "nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2))",
            "conv2d(4, kernel = 3), relu, max_pool2d(2)",
        ),
        (
            "self.conv1 = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())",
            "conv1: conv2d(4, kernel = 3), relu",
        ),
        ("Sequential([Conv2D(4, 3), ReLU()])", "conv2d(4, kernel = 3), relu"),
        (
            "nn.Sequential(OrderedDict([(\"c\", nn.Conv2d(3, 4, 3)), (\"r\", nn.ReLU())]))",
            "c: conv2d(4, kernel = 3), r: relu",
        ),
        ("[conv2d(4, kernel = 3), relu]", "conv2d(4, kernel = 3), relu"),
        ("Conv2dConfig::new([3, 4], [3, 3]).init(&device)", conv),
        (
            "c: Conv2dConfig::new([3, 4], [3, 3]).with_stride([2, 2]).with_bias(false).init(device)",
            "c: conv2d(4, kernel = 3, stride = 2, bias = false)",
        ),
        ("return F.log_softmax(x, dim=1)", "log_softmax"),
        ("return F.softmax(self.fc(x), dim=1)", "softmax"),
        ("self.b = super::Backbone", "b: super::Backbone"),
        ("let b = my::Swirl(3);", "b: my::Swirl(3)"),
    ] {
        for rest in [", tanh, flatten, fc: linear(10)", " tanh, flatten, fc: linear(10)"] {
            // What ends a line may be missing only where a new word shows that it ends.
            let rest = if line.ends_with(';') { rest.trim_start_matches(',') } else { rest };
            let (layers, messages) = read(&format!("{line}{rest}"));
            assert_eq!(messages.len(), 1, "{line}: {messages:?}");
            let help = messages[0].lines().last().unwrap();
            assert_eq!(help, format!("help: write `{wanted}`"), "{line}: {messages:?}");
            assert_eq!(layers, format!("{wanted}, tanh, flatten, fc: linear(10)"), "{line}");
            let (_, messages) = read(&format!("{wanted}, tanh, flatten, fc: linear(10)"));
            assert!(messages.is_empty(), "{line}: {wanted}: {messages:?}");
        }
    }
}

#[test]
fn values_that_are_joined_are_read_by_name() {
    for (line, wanted) in [
        ("x = x + skip", "add(skip)"),
        ("x += skip", "add(skip)"),
        ("out += skip", "add(skip)"),
        ("x = x * skip", "mul(skip)"),
        ("x = torch.cat([x, skip], dim = 1)", "concat(skip)"),
        ("torch.cat((x, skip), 1)", "concat(skip)"),
        ("x = layers.Concatenate()([x, skip])", "concat(skip)"),
    ] {
        let (_, messages) = read(&format!("skip: relu, tanh, {line}, flatten, linear(10)"));
        assert_eq!(messages.len(), 1, "{line}: {messages:?}");
        assert!(messages[0].contains(&format!("write `{wanted}")), "{line}: {messages:?}");
    }
}

/// A sign in place of commas is one mistake, however often it stands.
#[test]
fn signs_in_place_of_commas() {
    for sign in [" -> ", " => ", " | ", " |> ", " >> ", " + ", "; ", " & ", " / "] {
        let layers =
            ["conv2d(4, kernel = 3)", "relu", "residual { tanh }", "flatten", "fc: linear(10)"];
        let (read, messages) = read(&layers.join(sign));
        assert_eq!(messages.len(), 1, "{sign}: {messages:?}");
        assert!(
            messages[0].starts_with("a comma stands between layers, not"),
            "{sign}: {messages:?}"
        );
        assert_eq!(read, "conv2d(4, kernel = 3), relu, residual, tanh, flatten, fc: linear(10)");
    }
}

/// Lines that are no layers are one mistake each, and say why.
#[test]
fn lines_without_a_layer() {
    for (line, start) in [
        ("return x,", "the last layer's value is the output"),
        ("return x;", "the last layer's value is the output"),
        ("def forward(self, x):\n", "a declaration holds layers alone, and no `def`"),
        (
            "fn forward(&self, x: Tensor) -> Tensor { x }",
            "a declaration holds layers alone, and no `fn`",
        ),
        (
            "fn forward(&self, x: Tensor) -> Tensor { x },",
            "a declaration holds layers alone, and no `fn`",
        ),
        ("pub fn new() -> Self { x }", "a declaration holds layers alone, and no `pub`"),
        ("class Net(nn.Module):\n", "a declaration holds layers alone, and no `class`"),
        ("super().__init__()\n", "a declaration holds layers alone, and no `super`"),
        ("super(Net, self).__init__();", "a declaration holds layers alone, and no `super`"),
        ("import torch.nn as nn\n", "a declaration holds layers alone, and no `import`"),
        ("from torch import nn\n", "a declaration holds layers alone, and no `from`"),
        ("use burn::nn;", "a declaration holds layers alone, and no `use`"),
        ("for i in 0..3 { relu }", "a declaration holds layers: it has no `for`"),
        ("print(x.shape)\n", "a declaration holds layers alone, and no `print`"),
        ("# the first layer\n", "expected a layer, found `#`: a comment begins with `//`"),
        ("relu, # the first layer\n", "expected a layer, found `#`: a comment begins with `//`"),
        ("relu # the first layer\n", "expected a layer, found `#`: a comment begins with `//`"),
        ("{ relu },", "braces stand behind a word that says what they are"),
        ("{ relu }", "braces stand behind a word that says what they are"),
        ("x = self.conv1(x),", "each layer reads the one before it"),
        ("x = F.relu(self.conv1(x)),", "each layer reads the one before it"),
        ("self.conv1,", "a layer is declared once"),
        ("self.layer1 = self._make_layer(64, 2),", "a layer's name stands without `self.`"),
        ("tf.keras.Input(shape=(28, 28, 1)),", "there is no layer `Input`"),
        ("nn.Foo(3),", "there is no layer `Foo`"),
        ("let r = residual { relu },", "a layer is declared as `name: layer`, without `let`"),
        ("r = residual { relu }", "a colon stands after a layer's name: `r: …`"),
        ("self.r = repeat(2) { relu }", "a layer's name stands without `self.`"),
    ] {
        let (layers, messages) = read(&format!("{line} tanh, flatten, fc: linear(10)"));
        assert_eq!(messages.len(), 1, "{line}: {messages:?}");
        assert!(messages[0].starts_with(start), "{line}: {messages:?}");
        assert!(layers.ends_with("tanh, flatten, fc: linear(10)"), "{line}: {layers}");
    }
}

/// Half-typed lines are one mistake too, and leave the others.
#[test]
fn half_typed_lines() {
    for line in [
        "self.",
        "self.conv1",
        "self.conv1 =",
        "self.conv1 = nn.",
        "self.conv1 = nn.Conv2d",
        "nn.",
        "nn.Conv2d",
        "nn.Conv2d()",
        "let conv1",
        "let conv1 =",
        "conv1 =",
        "conv1 = 3",
        "conv1: nn.",
        "conv1: self.",
        "x = ",
        "nn.Sequential()",
        "nn.Conv2d(3, 4, kernel_size = )",
    ] {
        let (layers, messages) = read(&format!("{line}, tanh, flatten, fc: linear(10)"));
        assert_eq!(messages.len(), 1, "{line}: {messages:?}");
        assert!(layers.ends_with("tanh, flatten, fc: linear(10)"), "{line}: {layers}");
    }
}

/// What is in our syntax is left alone, whatever it is called.
#[test]
fn our_own_syntax_is_left_alone() {
    for line in [
        "nn: relu, add(nn)",
        "x: relu, add(x)",
        "block b(out) { conv2d(out, kernel = 3) } y: b(4)",
        "my::Swirl(3)",
        "nn::Swirl(3)",
        "layers::Swirl(3)",
        "self::Backbone",
        "r: residual { x: relu, y: tanh, add(x) } shortcut { s: relu, t: tanh, add(s) }",
        "repeat(2) { a: relu, b: tanh, add(a) }",
    ] {
        let (_, messages) = read(&format!("{line}, flatten, fc: linear(10)"));
        assert!(messages.is_empty(), "{line}: {messages:?}");
    }
}

/// Calls in calls take no more of the stack than there is, and not more time than others.
#[test]
fn deep_calls_are_read_in_time() {
    let text = format!("x = {}x{}", "F.relu(".repeat(2000), ")".repeat(2000));
    let messages = std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(move || read(&format!("{text}, flatten, linear(10)")).1.len())
        .unwrap()
        .join()
        .unwrap();
    assert_eq!(messages, 1);
}

#[test]
fn layers_that_are_not_here_are_said_not_to_be() {
    for (line, what, help) in [
        ("self.lstm = nn.LSTM(64, 128)", "there is no layer `LSTM`", "none for sequences"),
        ("nn.ELU(alpha=1.0)", "there is no layer `ELU`", "a layer of your own"),
        ("x = F.elu(x)", "there is no layer `elu`", "a layer of your own"),
        ("nn.Identity()", "there is no layer `Identity`", "leave it out"),
        ("nn.Whatever(3)", "there is no layer `Whatever`", "`typenet::layers`"),
        ("x += self.shortcut(x)", "declared once", "`residual { … } shortcut { … }`"),
        ("x = x + self.down(x)", "declared once", "`residual { … } shortcut { … }`"),
    ] {
        let (_, messages) = read(&format!("relu, {line}, flatten, linear(10)"));
        assert_eq!(messages.len(), 1, "{line}: {messages:?}");
        assert!(messages[0].contains(what) && messages[0].contains(help), "{line}: {messages:?}");
        assert!(!messages[0].contains("`x: …`"), "{line}: {messages:?}");
    }
}
