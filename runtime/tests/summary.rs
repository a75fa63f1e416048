//! The printed table of a net.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/bare.rs"]
mod bare;
#[path = "common/tiny.rs"]
mod tiny;

use tiny::Tiny;
use typenet_runtime::Network;
use typenet_shape::{Conv2dKernel, Node, Op, Padding, Shape};

#[test]
fn tiny_is_printed_as_a_table() {
    let text = Tiny::summary().to_string();
    let rule = "─".repeat(87);
    let expected = [
        "Tiny",
        &rule,
        "layer                         output     parameters  multiply-adds  activations  kernel",
        &rule,
        "input                         [1, 8, 8]                                   256 B",
        "conv1: conv2d(4, kernel = 3)  [4, 6, 6]          40          1,296        576 B  direct",
        "relu_1: relu                  [4, 6, 6]",
        "max_pool2d_1: max_pool2d(2)   [4, 3, 3]                                   144 B",
        "flatten_1: flatten            [36]",
        "fc: linear(10)                [10]              370            360         40 B",
        &rule,
        "total                                           410          1,656",
        &rule,
        "weights 1.6 kB",
        "activations an image: 1.7 kB in training, 976 B in inference",
        "inference: 16 images side by side from 5 images on; up to 4 left over run one at a time",
        "training: 16 images side by side",
        "a training step of 64 images: 126.1 kB",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected, "\n{text}");
}

#[test]
fn passes_that_do_not_run_have_no_kernel() {
    let kernels = Tiny::summary().rows[1].kernels.unwrap();
    assert_eq!(kernels.forward, Conv2dKernel::Direct);
    // It reads the image.
    assert_eq!(kernels.backward_data, None);
    assert_eq!(kernels.backward_weight, Some(Conv2dKernel::Direct));
    assert_eq!(kernels.one_image, Conv2dKernel::Direct);
}

bare::bare_net!(Every, [[[f32; 40]; 40]; 4], [f32; 16], [f32; 496], 10, {
    &[
        Node { name: "input", op: Op::Input { shape: Shape::new(&[4, 40, 40]) }, inputs: &[] },
        Node {
            name: "stage1.0.conv2d_1",
            op: Op::Conv2d {
                out_channels: 16,
                kernel: [3, 5],
                stride: [2, 2],
                padding: Padding::Zeros([1, 2]),
                dilation: [1, 1],
                groups: 4,
                bias: false,
            },
            inputs: &[0],
        },
        Node { name: "leaky_relu", op: Op::LeakyRelu { negative_slope: 0.2 }, inputs: &[1] },
        Node {
            name: "avg_pool2d",
            op: Op::AvgPool2d {
                kernel: [2, 2],
                stride: [2, 2],
                padding: [1, 1],
                ceil_mode: false,
                count_include_pad: false,
            },
            inputs: &[2],
        },
        Node { name: "dropout", op: Op::Dropout { p: 0.5 }, inputs: &[3] },
        Node { name: "tanh", op: Op::Tanh, inputs: &[4] },
        Node {
            name: "max_pool2d",
            op: Op::MaxPool2d { kernel: [3, 3], stride: [2, 2], padding: [0, 0], ceil_mode: true },
            inputs: &[5],
        },
        Node { name: "global_avg_pool", op: Op::GlobalAvgPool, inputs: &[6] },
        Node { name: "fc", op: Op::Linear { out_features: 16, bias: false }, inputs: &[7] },
        Node { name: "softmax", op: Op::Softmax, inputs: &[8] },
    ]
});

#[test]
fn arguments_that_are_not_defaults_are_shown() {
    let summary = Every::summary();
    let layers: Vec<&str> = summary.rows.iter().map(|row| row.layer.as_str()).collect();
    assert_eq!(
        layers,
        [
            "input",
            "conv2d(16, kernel = (3, 5), stride = 2, padding = (1, 2), groups = 4, bias = false)",
            "leaky_relu(0.2)",
            "avg_pool2d(2, padding = 1, count_include_pad = false)",
            "dropout(0.5)",
            "tanh",
            "max_pool2d(3, stride = 2, ceil_mode = true)",
            "global_avg_pool",
            "linear(16, bias = false)",
            "softmax",
        ]
    );
    assert_eq!(summary.rows[1].name, "stage1.0.conv2d_1");
    assert_eq!((summary.parameters, summary.multiply_adds), (240 + 256, 240 * 400 + 256));
    assert_eq!(summary.rows[1].multiply_adds, 96_000);
    assert_eq!(summary.rows[1].output, Shape::new(&[16, 20, 20]));
    assert_eq!((summary.rows[1].activation_bytes, summary.rows[2].activation_bytes), (25_600, 0));
    assert_eq!(summary.training_bytes, 4 * Every::LAYOUT.training_len);
    let text = summary.to_string();
    let total = text.lines().find(|line| line.starts_with("total")).unwrap();
    assert!(total.ends_with("496         96,256"), "{text}");
    assert_eq!(text.lines().map(|line| line.chars().count()).max(), Some(164));
}
