#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

/// The net as it was understood, and the messages.
fn net(text: &str) -> (String, Vec<String>) {
    let (declaration, mut mistakes) = crate::parse::parse(text.parse().unwrap());
    let (checked, more) = check(&declaration.unwrap());
    mistakes.extend(more);
    (checked.to_string(), mistakes.into_iter().map(|mistake| mistake.message).collect())
}

/// A net with this layer in it, behind 3 channels of 32×32; any layer fits behind it.
fn around(layer: &str) -> String {
    let features = ["linear", "Linear", "Dense", "fc"].iter().any(|word| layer.starts_with(word));
    let first = if features { "flatten" } else { "scale(1)" };
    // What is declared stands before the layers.
    let start = layer.rfind([';', '}']).map_or(0, |end| end + 1);
    let (items, layer) = layer.split_at(start);
    format!(
        "struct N: [3, 32, 32] -> [10] {{ {items} {first}, {layer}, flatten, last: linear(10) }}"
    )
}

/// What a message says to write.
fn suggestion(message: &str) -> Option<&str> {
    let help = message.lines().find_map(|line| line.strip_prefix("help: "))?;
    let rest = help.split_once("write `").or_else(|| help.split_once("did you mean `"))?.1;
    rest.split('`').next()
}

/// One mistake, which says to write `wanted`; and that has none.
fn corrects(layer: &str, wanted: &str) {
    let (_, messages) = net(&around(layer));
    assert_eq!(messages.len(), 1, "{layer}: {messages:?}");
    assert_eq!(suggestion(&messages[0]), Some(wanted), "{layer}: {messages:?}");
    let (read, messages) = net(&around(wanted));
    assert!(messages.is_empty(), "{layer}: {wanted}: {messages:?}");
    // What the layer was taken for has the same numbers as what is written anew.
    let (stand_in, _) = net(&around(layer));
    let weights = |text: &str| {
        text.lines()
            .nth(1)
            .and_then(|line| line.split_once(": "))
            .map(|(_, rest)| rest.split(" → ").next().unwrap_or_default().to_string())
    };
    assert_eq!(weights(&stand_in), weights(&read), "{layer}");
}

/// PyTorch's signatures, by place and by name.
#[test]
fn layers_of_pytorch() {
    for (layer, wanted) in [
        ("conv2d(3, 6, 5)", "conv2d(6, kernel = 5)"),
        ("conv2d(3, 6, 5, 2)", "conv2d(6, kernel = 5, stride = 2)"),
        ("conv2d(1, 4, 3, 1, 1)", "conv2d(4, kernel = 3, stride = 1, padding = 1)"),
        ("conv2d(3, 6, (3, 5), (1, 2))", "conv2d(6, kernel = (3, 5), stride = (1, 2))"),
        (
            "conv2d(3, 6, 3, 1, 1, 1, 3, False)",
            "conv2d(6, kernel = 3, stride = 1, padding = 1, dilation = 1, groups = 3, bias = false)",
        ),
        ("conv2d(3, 6, kernel = 5)", "conv2d(6, kernel = 5)"),
        ("conv2d(3, 6, kernel_size = 5)", "conv2d(6, kernel = 5)"),
        ("conv2d(3, 6, 5, stride = 2)", "conv2d(6, kernel = 5, stride = 2)"),
        (
            "conv2d(in_channels = 1, out_channels = 4, kernel_size = 3, padding = 1)",
            "conv2d(4, kernel = 3, padding = 1)",
        ),
        ("conv2d(in_channels = 3, 4, 3)", "conv2d(4, kernel = 3)"),
        ("conv2d(4, kernel_size = (3, 3))", "conv2d(4, kernel = 3)"),
        ("conv2d(4, kernel_size = [3, 5])", "conv2d(4, kernel = (3, 5))"),
        ("conv2d(4, kernel = 3, bias = False)", "conv2d(4, kernel = 3, bias = false)"),
        ("conv2d(3, 6, 3, padding_mode = \"zeros\")", "conv2d(6, kernel = 3)"),
        ("conv2d(3, 6, 3, padding_mode = \"reflect\")", "conv2d(6, kernel = 3)"),
        ("conv2d(3, 6, 3, device = None, dtype = None)", "conv2d(6, kernel = 3)"),
        (
            "conv2d(in_planes = 3, out_planes = 6, k = 3, s = 2)",
            "conv2d(6, kernel = 3, stride = 2)",
        ),
        ("conv2d(x, 6, 3)", "conv2d(6, kernel = 3)"),
        // The first number is no number of input channels, and the third no kernel.
        ("conv2d(16, 3, 1, 1)", "conv2d(16, kernel = 3, stride = 1, padding = 1)"),
        ("conv(16, 5, 2, 2)", "conv2d(16, kernel = 5, stride = 2, padding = 2)"),
        ("conv2d(3, 8, 1, 1)", "conv2d(8, kernel = 1, stride = 1)"),
        ("Conv2d(3, 6, 5)", "conv2d(6, kernel = 5)"),
        ("Conv2d(6, kernel = 5)", "conv2d(6, kernel = 5)"),
        ("con2d(3, 6, 5)", "conv2d(6, kernel = 5)"),
        ("depthwise_conv2d(3, 3, 5)", "depthwise_conv2d(kernel = 5)"),
        ("depthwise_conv2d(3, 6, 5)", "depthwise_conv2d(kernel = 5, multiplier = 2)"),
        ("depthwise_conv2d(3, 5)", "depthwise_conv2d(kernel = 5)"),
        (
            "depthwise_conv2d(in_channels = 3, out_channels = 6, kernel_size = 3, groups = 3)",
            "depthwise_conv2d(kernel = 3, multiplier = 2)",
        ),
        ("conv_transpose2d(3, 8, 2, 2)", "conv_transpose2d(8, kernel = 2, stride = 2)"),
        (
            "conv_transpose2d(3, 8, 3, 2, 1, 1)",
            "conv_transpose2d(8, kernel = 3, stride = 2, padding = 1, output_padding = 1)",
        ),
        (
            "ConvTranspose2d(3, 8, kernel_size = 2, stride = 2)",
            "conv_transpose2d(8, kernel = 2, stride = 2)",
        ),
        ("linear(144, 10)", "linear(10)"),
        ("linear(144, 10, False)", "linear(10, bias = false)"),
        ("linear(144, 10, bias = false)", "linear(10, bias = false)"),
        ("linear(in_features = 144, out_features = 10)", "linear(10)"),
        ("Linear(144, 10)", "linear(10)"),
        ("linear(3 * 32 * 32, 10)", "linear(10)"),
        ("linear(144, 10, relu)", "linear(10), relu"),
        ("linear(in = 144, out = 10)", "linear(10)"),
        ("linear(in_channels = 144, out_channels = 10)", "linear(10)"),
        ("fc(144, 10)", "linear(10)"),
        ("batch_norm(4)", "batch_norm"),
        ("batch_norm(4, 0.001)", "batch_norm(eps = 0.001)"),
        (
            "batch_norm(4, 1e-3, 0.05, False)",
            "batch_norm(affine = false, momentum = 0.05, eps = 0.001)",
        ),
        ("batch_norm(num_features = 4, eps = 1e-3)", "batch_norm(eps = 0.001)"),
        ("batch_norm(momentum = 0.05, track_running_stats = True)", "batch_norm(momentum = 0.05)"),
        ("BatchNorm2d(4)", "batch_norm"),
        ("layer_norm(64)", "layer_norm"),
        ("layer_norm(3, 32, 32)", "layer_norm"),
        ("layer_norm([3, 32, 32])", "layer_norm"),
        ("layer_norm((3, 32, 32), 1e-6)", "layer_norm(eps = 1e-6)"),
        (
            "layer_norm(normalized_shape = 64, elementwise_affine = False)",
            "layer_norm(affine = false)",
        ),
        ("group_norm(3, 3)", "group_norm(3)"),
        ("group_norm(3, 3, 1e-6)", "group_norm(3, eps = 1e-6)"),
        ("group_norm(num_groups = 3, num_channels = 3)", "group_norm(3)"),
        ("GroupNorm(3, 3)", "group_norm(3)"),
        ("max_pool2d(kernel_size = 2)", "max_pool2d(2)"),
        ("max_pool2d(3, 2, 1, 1)", "max_pool2d(3, stride = 2, padding = 1)"),
        ("max_pool2d(2, 2, 0, 1, False)", "max_pool2d(2, stride = 2, padding = 0)"),
        ("max_pool2d(2, 2, return_indices = True)", "max_pool2d(2, stride = 2)"),
        ("max_pool2d(3, 2, ceil_mode = True)", "max_pool2d(3, stride = 2, ceil_mode = true)"),
        ("nn.MaxPool2d(3, 2, ceil_mode=True)", "max_pool2d(3, stride = 2, ceil_mode = true)"),
        (
            "max_pool2d(3, 2, 1, 1, False, True)",
            "max_pool2d(3, stride = 2, padding = 1, ceil_mode = true)",
        ),
        ("max_pool2d(3, 2, 0, true)", "max_pool2d(3, stride = 2, padding = 0, ceil_mode = true)"),
        ("max_pool2d(kernel_size = 2, ceil_mode = False)", "max_pool2d(2, ceil_mode = false)"),
        ("max_pool2d(2, None)", "max_pool2d(2)"),
        ("max_pool2d(x, 2)", "max_pool2d(2)"),
        ("MaxPool2d(2, 2)", "max_pool2d(2, stride = 2)"),
        (
            "avg_pool2d(2, 2, 0, False, False)",
            "avg_pool2d(2, stride = 2, padding = 0, ceil_mode = false, count_include_pad = false)",
        ),
        ("AvgPool2d(2, 2, 0, True)", "avg_pool2d(2, stride = 2, padding = 0, ceil_mode = true)"),
        ("avg_pool2d(2, divisor_override = None)", "avg_pool2d(2)"),
        ("global_avg_pool(1)", "global_avg_pool"),
        ("global_avg_pool(output_size = (1, 1))", "global_avg_pool"),
        ("AdaptiveAvgPool2d((1, 1))", "global_avg_pool"),
        ("AdaptiveAvgPool2d(4)", "avg_pool2d(8)"),
        ("AdaptiveAvgPool2d((4, 8))", "avg_pool2d((8, 4))"),
        ("AdaptiveMaxPool2d(1)", "max_pool2d(32)"),
        ("upsample(None, 2)", "upsample(2)"),
        ("upsample(size = 64)", "upsample(2)"),
        ("upsample(size = (64, 96))", "upsample((2, 3))"),
        (
            "upsample(scale_factor = 2.0, mode = \"bilinear\", align_corners = True)",
            "upsample(2, mode = bilinear, align_corners = true)",
        ),
        ("Upsample(scale_factor = 2)", "upsample(2)"),
        ("flatten(1)", "flatten"),
        ("flatten(1, -1)", "flatten"),
        ("flatten(start_dim = 1)", "flatten"),
        ("flatten(x, 1)", "flatten"),
        ("Flatten()", "flatten"),
        ("reshape(-1, 3072)", "flatten"),
        ("reshape(x.size(0), -1)", "flatten"),
        ("view(-1, 3072)", "flatten"),
        ("reshape(12, 16, 16)", "reshape([12, 16, 16])"),
        ("reshape((12, 16, 16))", "reshape([12, 16, 16])"),
        ("reshape(-1, 12, 16, 16)", "reshape([12, 16, 16])"),
        ("Unflatten(1, (12, 16, 16))", "reshape([12, 16, 16])"),
        ("relu(True)", "relu"),
        ("relu(inplace = True)", "relu"),
        ("relu(x)", "relu"),
        ("ReLU(inplace = True)", "relu"),
        ("leaky_relu(0.1, True)", "leaky_relu(0.1)"),
        ("leaky_relu(negative_slope = 0.3, inplace = true)", "leaky_relu(0.3)"),
        ("relu6(True)", "relu6"),
        ("silu(inplace = True)", "silu"),
        ("hardswish(inplace = True)", "hardswish"),
        ("sigmoid(x)", "sigmoid"),
        ("tanh(x)", "tanh"),
        ("gelu(approximate = True)", "gelu(approximate = tanh)"),
        ("dropout(0.5, True)", "dropout(0.5)"),
        ("dropout(p = 0.3, inplace = False)", "dropout(0.3)"),
        ("dropout(x, 0.5)", "dropout(0.5)"),
        ("softmax(1)", "softmax"),
        ("softmax(dim = 1)", "softmax"),
        ("log_softmax(dim = -1)", "log_softmax"),
        ("Softmax(dim = 1)", "softmax"),
    ] {
        corrects(layer, wanted);
    }
}

/// Keras's signatures, by place and by name.
#[test]
fn layers_of_keras() {
    for (layer, wanted) in [
        ("conv2d(filters = 8, kernel_size = 3)", "conv2d(8, kernel = 3)"),
        (
            "conv2d(8, 3, strides = (2, 2), padding = \"same\", use_bias = False)",
            "conv2d(8, kernel = 3, stride = 2, padding = 1, bias = false)",
        ),
        ("conv2d(8, kernel_size = 5, padding = \"same\")", "conv2d(8, kernel = 5, padding = same)"),
        (
            "conv2d(8, kernel_size = 3, strides = 2, dilation_rate = 2, padding = \"same\")",
            "conv2d(8, kernel = 3, stride = 2, padding = 2, dilation = 2)",
        ),
        ("conv2d(8, kernel_size = 3, padding = \"valid\")", "conv2d(8, kernel = 3)"),
        ("conv2d(8, kernel = 3, activation = \"relu\")", "conv2d(8, kernel = 3), relu"),
        ("conv2d(8, kernel = 3, activation = relu)", "conv2d(8, kernel = 3), relu"),
        ("conv2d(8, kernel = 3, activation = \"linear\")", "conv2d(8, kernel = 3)"),
        ("conv2d(8, kernel = 3, activation = None)", "conv2d(8, kernel = 3)"),
        (
            "conv2d(8, 3, input_shape = (28, 28, 1), data_format = \"channels_last\")",
            "conv2d(8, kernel = 3)",
        ),
        (
            "conv2d(8, 3, name = \"stem\", dilation_rate = 2)",
            "stem: conv2d(8, kernel = 3, dilation = 2)",
        ),
        (
            "conv2d(8, 3, kernel_initializer = \"he_normal\", kernel_regularizer = None)",
            "conv2d(8, kernel = 3)",
        ),
        ("Conv2D(8, 3)", "conv2d(8, kernel = 3)"),
        ("Conv2D(8, (3, 3), 2)", "conv2d(8, kernel = 3, stride = 2)"),
        ("Conv2D(8, (3, 5), activation = \"swish\")", "conv2d(8, kernel = (3, 5)), silu"),
        (
            "depthwise_conv2d(3, depth_multiplier = 2)",
            "depthwise_conv2d(kernel = 3, multiplier = 2)",
        ),
        ("DepthwiseConv2D(5, 2)", "depthwise_conv2d(kernel = 5, stride = 2)"),
        (
            "Conv2DTranspose(8, 3, strides = 2, padding = \"same\")",
            "conv_transpose2d(8, kernel = 3, stride = 2, padding = 1, output_padding = 1)",
        ),
        (
            "Conv2DTranspose(8, 2, strides = 2, padding = \"same\")",
            "conv_transpose2d(8, kernel = 2, stride = 2)",
        ),
        ("conv2d(8, 3, \"relu\")", "conv2d(8, kernel = 3), relu"),
        ("conv2d(3, 32, 3, activation = \"relu\")", "conv2d(32, kernel = 3), relu"),
        ("conv2d(8, 3, 2, activation = nn.ReLU())", "conv2d(8, kernel = 3, stride = 2), relu"),
        ("dropout(keep_prob = 0.8)", "dropout(0.2)"),
        ("batch_norm(decay = 0.9)", "batch_norm(momentum = 0.1)"),
        ("linear(units = 12)", "linear(12)"),
        ("linear(12, \"relu\")", "linear(12), relu"),
        ("linear(12, relu)", "linear(12), relu"),
        ("Dense(12)", "linear(12)"),
        ("Dense(12, activation = \"tanh\", use_bias = False)", "linear(12, bias = false), tanh"),
        ("MaxPooling2D()", "max_pool2d(2)"),
        ("MaxPooling2D((2, 2))", "max_pool2d(2)"),
        ("max_pool2d(pool_size = 2, strides = 2)", "max_pool2d(2, stride = 2)"),
        (
            "max_pool2d(3, strides = 1, padding = \"same\")",
            "max_pool2d(3, stride = 1, padding = 1)",
        ),
        ("MaxPooling2D(padding = \"same\")", "max_pool2d(2)"),
        (
            "max_pool2d(3, strides = 2, padding = \"same\")",
            "max_pool2d(3, stride = 2, ceil_mode = true)",
        ),
        (
            "MaxPooling2D(5, strides = 2, padding = \"same\")",
            "max_pool2d(5, stride = 2, padding = 1, ceil_mode = true)",
        ),
        (
            "MaxPooling2D((5, 6), padding = \"same\")",
            "max_pool2d((5, 6), padding = (1, 2), ceil_mode = true)",
        ),
        (
            "AveragePooling2D((5, 3), padding = \"same\")",
            "avg_pool2d((5, 3), padding = (1, 0), ceil_mode = true, count_include_pad = false)",
        ),
        ("AveragePooling2D(pool_size = (2, 2), padding = \"valid\")", "avg_pool2d(2)"),
        ("GlobalAveragePooling2D()", "global_avg_pool"),
        ("GlobalMaxPooling2D()", "max_pool2d(32)"),
        ("global_avg_pool(keepdims = True)", "global_avg_pool"),
        ("BatchNormalization()", "batch_norm"),
        (
            "BatchNormalization(momentum = 0.99, epsilon = 0.001)",
            "batch_norm(momentum = 0.01, eps = 0.001)",
        ),
        ("batch_norm(axis = 1, center = False, scale = False)", "batch_norm(affine = false)"),
        ("LayerNormalization(epsilon = 1e-6)", "layer_norm(eps = 1e-6)"),
        ("GroupNormalization(groups = 3)", "group_norm(3)"),
        ("group_norm(groups = 3, epsilon = 0.01)", "group_norm(3, eps = 0.01)"),
        (
            "UpSampling2D(size = (2, 2), interpolation = \"bilinear\")",
            "upsample(2, mode = bilinear)",
        ),
        ("UpSampling2D(8)", "upsample(8)"),
        ("Reshape((16, 16, 12))", "reshape([12, 16, 16])"),
        ("Dropout(rate = 0.2)", "dropout(0.2)"),
        ("dropout(0.2, seed = 1)", "dropout(0.2)"),
        ("LeakyReLU(alpha = 0.3)", "leaky_relu(0.3)"),
        ("relu(max_value = 6)", "relu6"),
        ("ReLU(negative_slope = 0.2)", "leaky_relu(0.2)"),
        ("softmax(axis = -1)", "softmax"),
        ("Rescaling(1. / 255)", "scale(0.003921569)"),
        ("scale(scale = 0.5)", "scale(0.5)"),
        ("Activation(\"relu\")", "relu"),
        ("Activation(\"leaky_relu\")", "leaky_relu"),
    ] {
        corrects(layer, wanted);
    }
}

/// Where no call does what was meant, or an argument is missing, the help has an example or words.
#[test]
fn what_is_not_to_be_had_is_said() {
    for (layer, part) in [
        (
            "conv2d(in_channels = 3, kernel_size = 3)",
            "`out_channels` is missing: for example `conv2d(",
        ),
        ("conv2d(4, kernel = 3, activation = \"elu\")", "there is no layer `elu`"),
        ("conv2d(3, 6, 3, padding_mode = \"reflect\")", "padding is always of zeros"),
        ("max_pool2d(2, 2, 0, 2)", "`max_pool2d` has no `dilation`"),
        ("max_pool2d(2, dilation = 2)", "`max_pool2d` has no `dilation`"),
        ("max_pool2d(2, return_indices = True)", "its indices are not to be had"),
        ("flatten(2)", "one row of all numbers"),
        ("AdaptiveAvgPool2d(5)", "the input's size divided by that"),
        ("global_avg_pool(32)", "write `global_avg_pool`, or leave out"),
        ("upsample(size = 50)", "for example `upsample(2)`"),
        ("relu(max_value = 4)", "`relu6` ends at 6"),
        ("linear(units = 10, activation = \"softmax\")", "`CrossEntropy`, which has it in it"),
        ("PReLU()", "`leaky_relu(0.25)`"),
        ("elu", "a layer of your own"),
        ("Conv1d(3, 4, 5)", "`[channels, 1, width]`"),
        ("lstm(64, 128)", "none for sequences"),
        ("instance_norm(3)", "`group_norm(16, affine = false)`"),
        ("zero_pad2d(1)", "an argument `padding`"),
        ("SeparableConv2D(32, 3, padding = \"same\", activation = \"relu\")", "it is two layers"),
        ("Dropout2d(0.2)", "not whole channels"),
        ("conv2d(4, kernel = 3x5)", "write `kernel = (3, 5)`"),
        ("conv2d(4, kernel = 3x3)", "write `kernel = 3`"),
        ("conv2d(4, 3, stride 2)", "write `stride = 2`"),
        ("conv2d(4, kernel = 3, bias = no)", "write `bias = false`"),
        ("Input(shape = (28, 28, 1))", "the header gives the input's shape"),
    ] {
        let (_, messages) = net(&around(layer));
        assert_eq!(messages.len(), 1, "{layer}: {messages:?}");
        assert!(messages[0].contains(part), "{layer}: {messages:?}");
    }
}

/// Without the input channels, three numbers may be in either order.
#[test]
fn both_orders_are_shown_where_both_may_be_meant() {
    let (_, messages) = net(&around("conv2d(8, 6, 5)"));
    assert_eq!(
        messages,
        ["`conv2d_1`: `conv2d` takes its input channels from the layer before\n\
          help: write `conv2d(6, kernel = 5)`, or, for a `stride` of 5, \
          `conv2d(8, kernel = 6, stride = 5)`"]
    );
    let (_, messages) = net(&around("depthwise_conv2d(3, 2)"));
    assert_eq!(
        messages[0].lines().last().unwrap(),
        "help: write `depthwise_conv2d(kernel = 2)`, or, for a `stride` of 2, \
         `depthwise_conv2d(kernel = 3, stride = 2)`"
    );
}

/// Constants, paths and parameters of blocks are kept as they are written.
#[test]
fn names_are_kept() {
    for (layers, wanted) in [
        (
            "const IN: usize = 3; const OUT: usize = 4; conv2d(IN, 2 * OUT, 3)",
            "conv2d(2 * OUT, kernel = 3)",
        ),
        ("conv2d(3, crate::OUT, 3)", "conv2d(crate::OUT, kernel = 3)"),
        ("block b(cin, cout) { conv2d(cin, cout, 3) } b(3, 4)", "conv2d(cout, kernel = 3)"),
    ] {
        let (_, messages) = net(&around(layers));
        assert_eq!(messages.len(), 1, "{layers}: {messages:?}");
        assert_eq!(suggestion(&messages[0]), Some(wanted), "{layers}: {messages:?}");
    }
}

/// What is right is left alone, and other mistakes keep their words.
#[test]
fn our_own_words_are_left_alone() {
    for layer in [
        "conv2d(3, 6)",
        "conv2d(3, kernel = 6)",
        "conv2d(out_channels = 3, kernel = 6, dilation = 1, groups = 3, bias = true)",
        "batch_norm(momentum = 0.99)",
        "max_pool2d(3, 2)",
        "group_norm(3)",
        "upsample(4)",
        "leaky_relu(0.2)",
        "dropout(0.2)",
        "reshape([12, 16, 16])",
        "relu()",
    ] {
        let (_, messages) = net(&around(layer));
        assert!(messages.is_empty(), "{layer}: {messages:?}");
    }
    for (layer, part) in [
        ("conv2d(4, kernel = 3, pading = 1)", "did you mean `padding`?"),
        ("conv2d(4, 3, kernel = 5)", "`kernel` is given twice"),
        ("dropout(0.1, stride = 2)", "`dropout` has no argument `stride`"),
        ("add(relu(tanh))", "expected the name of a value"),
        ("conv2d(4, kernel = 3, bias = 1)", "write `bias = true`"),
        ("conv2d(4, 3, same)", "write `padding = same`"),
        ("conv2d(4, 3, padding = \"SAME\")", "write `padding = same`"),
        ("batch_norm(true)", "write `affine = true`"),
        ("upsample(2, \"bilinear\")", "write `mode = bilinear`"),
        ("relu(0.1)", "write `relu`"),
        ("conv2d(8, kernel_size = (3, 3, 3))", "`conv2d` has no argument `kernel_size`"),
        ("linear(10, false)", "write `bias = false`"),
        ("gelu(tanh)", "write `approximate = tanh`"),
        ("max_pool2d(3, 2, 1)", "write `padding = 1`"),
        ("conv2d(kernel = 3, 4)", "an argument without a name stands after one with a name"),
    ] {
        let (_, messages) = net(&around(layer));
        assert_eq!(messages.len(), 1, "{layer}: {messages:?}");
        assert!(messages[0].contains(part), "{layer}: {messages:?}");
    }
}

/// A suggestion never gives a number to what is `true` or `false`.
#[test]
fn no_flag_is_a_number() {
    for count in 1..9 {
        let arguments = (0..count).map(|i| (i + 2).to_string()).collect::<Vec<_>>().join(", ");
        for layer in layers::LAYERS {
            let (_, messages) = net(&around(&format!("{}({arguments})", layer.keyword)));
            for message in messages {
                for flag in ["bias", "affine", "align_corners", "count_include_pad"] {
                    let found = message.split_once(&format!("{flag} = ")).map(|(_, rest)| rest);
                    let number =
                        found.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
                    assert!(!number, "{}({arguments}): {message}", layer.keyword);
                }
            }
        }
    }
}
