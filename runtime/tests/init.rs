//! Initial weights: their distribution, and that they are the same everywhere and always.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/tiny.rs"]
mod tiny;

use tiny::Tiny;
use typenet_runtime::Network;
use typenet_runtime::init::{Scheme, initialize};
use typenet_shape::{Graph, Node, Op, Padding, Shape, Tensor};

const SCHEMES: [Scheme; 5] = [
    Scheme::KaimingUniform,
    Scheme::KaimingNormal,
    Scheme::XavierUniform,
    Scheme::XavierNormal,
    Scheme::PyTorchDefault,
];

const fn conv(out_channels: usize, groups: usize) -> Op {
    Op::Conv2d {
        out_channels,
        kernel: [3, 5],
        stride: [1, 1],
        padding: Padding::Zeros([0, 0]),
        dilation: [1, 1],
        groups,
        bias: true,
    }
}

/// conv: 8 of 16 input channels a group, so fan_in 120 and fan_out 32 · 15 = 480;
/// fc: fan_in 384, fan_out 150.
const GRAPH: Graph<'static> = Graph::new(
    "Wide",
    &[
        Node { name: "input", op: Op::Input { shape: Shape::new(&[16, 6, 7]) }, inputs: &[] },
        Node { name: "conv", op: conv(32, 2), inputs: &[0] },
        Node { name: "flatten", op: Op::Flatten, inputs: &[1] },
        Node { name: "fc", op: Op::Linear { out_features: 150, bias: true }, inputs: &[2] },
    ],
);
const TENSORS: [Tensor; 4] = GRAPH.tensors::<4, 4>();

fn draw(scheme: Scheme, graph: &Graph<'_>, tensors: &[Tensor], seed: u64) -> Vec<Vec<f32>> {
    let len = tensors.iter().map(|tensor| tensor.shape.elements()).sum();
    let mut parameters = vec![f32::NAN; len];
    initialize(scheme, graph, tensors, &mut parameters, seed);
    let range = |t: &Tensor| t.offset..t.offset + t.shape.elements();
    tensors.iter().map(|tensor| parameters[range(tensor)].to_vec()).collect()
}

/// Checks mean, variance and, if there is one, the bound of numbers.
#[track_caller]
fn distributed(numbers: &[f32], variance: f64, bound: Option<f64>) {
    let count = numbers.len() as f64;
    let mean = numbers.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let found = numbers.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
    // Five standard errors; that of the variance is at most √(2/n) of it, the normal's.
    assert!(mean.abs() <= 5.0 * (variance / count).sqrt(), "mean {mean}");
    let tolerance = 5.0 * variance * (2.0 / count).sqrt();
    assert!((found - variance).abs() <= tolerance, "variance {found}, not {variance}");
    let largest = numbers.iter().fold(0.0f32, |a, x| a.max(x.abs()));
    match bound {
        Some(bound) => {
            assert!(largest <= bound as f32 && f64::from(largest) >= 0.99 * bound, "{largest}");
        }
        None => assert!(f64::from(largest) >= 2.5 * variance.sqrt(), "{largest} is no normal tail"),
    }
}

#[test]
fn weights_follow_their_formula() {
    for (node, fan_in, fan_out) in [(0, 120.0, 480.0), (2, 384.0, 150.0)] {
        let weights = |scheme| draw(scheme, &GRAPH, &TENSORS, 7)[node].clone();
        let kaiming = 2.0 / fan_in;
        let xavier = 2.0 / (fan_in + fan_out);
        let pytorch = 1.0 / (3.0 * fan_in);
        let bound = |variance: f64| Some((3.0 * variance).sqrt());
        distributed(&weights(Scheme::KaimingUniform), kaiming, bound(kaiming));
        distributed(&weights(Scheme::KaimingNormal), kaiming, None);
        distributed(&weights(Scheme::XavierUniform), xavier, bound(xavier));
        distributed(&weights(Scheme::XavierNormal), xavier, None);
        distributed(&weights(Scheme::PyTorchDefault), pytorch, bound(pytorch));
    }
}

/// 16 input channels in 2 groups, 12 outputs of each of the other 24: fan_in 8 · 24 / 6 = 32, fan_out
/// 24 · 24 = 576, and 12 · 24 = 288 where PyTorch takes the outputs for the inputs.
const TRANSPOSED: Graph<'static> = Graph {
    name: "Transposed",
    marks: &[],
    heads: &[],
    nodes: &[
        Node { name: "input", op: Op::Input { shape: Shape::new(&[16, 6, 7]) }, inputs: &[] },
        Node {
            name: "up",
            op: Op::ConvTranspose2d {
                out_channels: 24,
                kernel: [4, 6],
                stride: [2, 3],
                padding: [1, 1],
                output_padding: [0, 0],
                groups: 2,
                bias: true,
                dilation: [1, 1],
            },
            inputs: &[0],
        },
    ],
};

#[test]
fn transposed_convolutions_keep_the_size_of_values_too() {
    const TENSORS: [Tensor; 2] = TRANSPOSED.tensors::<2, 2>();
    let tensors = |scheme| draw(scheme, &TRANSPOSED, &TENSORS, 7);
    let bound = |variance: f64| Some((3.0 * variance).sqrt());
    distributed(&tensors(Scheme::KaimingUniform)[0], 2.0 / 32.0, bound(2.0 / 32.0));
    distributed(&tensors(Scheme::XavierNormal)[0], 2.0 / 608.0, None);
    let pytorch = 1.0 / (3.0 * 288.0);
    let drawn = tensors(Scheme::PyTorchDefault);
    distributed(&drawn[0], pytorch, bound(pytorch));
    assert!(drawn[1].iter().all(|&b| b != 0.0 && f64::from(b.abs()) <= 1.0 / 288f64.sqrt()));
}

#[test]
fn biases_are_zero_except_in_pytorchs_scheme() {
    for scheme in SCHEMES {
        let tensors = draw(scheme, &GRAPH, &TENSORS, 7);
        for (bias, fan_in) in [(&tensors[1], 120f32), (&tensors[3], 384.0)] {
            if scheme == Scheme::PyTorchDefault {
                let bound = 1.0 / fan_in.sqrt();
                assert!(bias.iter().all(|b| b.abs() <= bound));
                assert!(bias.iter().any(|b| b.abs() >= 0.8 * bound));
            } else {
                assert!(bias.iter().all(|&b| b == 0.0));
            }
        }
    }
}

#[test]
fn a_seed_gives_the_same_numbers_and_another_seed_others() {
    for scheme in SCHEMES {
        let first = draw(scheme, &GRAPH, &TENSORS, 7);
        assert_eq!(first, draw(scheme, &GRAPH, &TENSORS, 7));
        let other = draw(scheme, &GRAPH, &TENSORS, 8);
        assert!(first[0].iter().zip(&other[0]).all(|(a, b)| a != b));
    }
    assert_eq!(Tiny::seeded(5).parameters_flat(), Tiny::seeded(5).parameters_flat());
}

#[test]
fn the_first_numbers_are_pinned() {
    let first = |scheme| {
        let net = Tiny::seeded_with(scheme, 42);
        [net.conv1.weight[0][0][0][0], net.conv1.weight[0][0][0][1], net.fc.weight[0][0]]
    };
    assert_eq!(first(Scheme::KaimingUniform), [0.372_278_48, 0.623_008_85, 0.387_980_13]);
    assert_eq!(first(Scheme::KaimingNormal), [0.501_561_4, 0.558_102_9, -0.333_247]);
    assert_eq!(first(Scheme::XavierUniform), [0.166_487_99, 0.278_618_04, 0.343_227_3]);
    assert_eq!(first(Scheme::XavierNormal), [0.224_305_1, 0.249_591_22, -0.294_807_55]);
    assert_eq!(first(Scheme::PyTorchDefault), [0.151_982_05, 0.254_342_3, 0.158_392_22]);
    assert_eq!(first(Scheme::default()), first(Scheme::KaimingUniform));
}

#[test]
fn another_layer_does_not_change_the_numbers_of_the_rest() {
    // A layer in front of all others, and one between; conv and fc keep their names and shapes.
    const LONGER: Graph<'static> = Graph::new(
        "Longer",
        &[
            Node { name: "input", op: Op::Input { shape: Shape::new(&[3, 8, 11]) }, inputs: &[] },
            Node { name: "stem", op: conv(16, 1), inputs: &[0] },
            Node { name: "conv", op: conv(32, 2), inputs: &[1] },
            Node { name: "flatten", op: Op::Flatten, inputs: &[2] },
            Node {
                name: "hidden",
                op: Op::Linear { out_features: 384, bias: false },
                inputs: &[3],
            },
            Node { name: "fc", op: Op::Linear { out_features: 150, bias: true }, inputs: &[4] },
        ],
    );
    const MORE: [Tensor; 7] = LONGER.tensors::<6, 7>();
    for scheme in SCHEMES {
        let short = draw(scheme, &GRAPH, &TENSORS, 7);
        let long = draw(scheme, &LONGER, &MORE, 7);
        assert_eq!([&short[0], &short[1]], [&long[2], &long[3]]);
        assert_eq!([&short[2], &short[3]], [&long[5], &long[6]]);
    }
}
