//! Each layer as a net of its own against PyTorch: the numbers that `tests/fixtures/layers.py` wrote.
//! Here through the macro, the passes and the reference; `runtime/tests/pytorch_layers.rs` has the
//! kernels, and the gradients of the inputs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use typenet::Flat;
use typenet::prelude::*;
use typenet::shape::{Pool2d, Shape};

#[path = "fixtures/along.rs"]
mod along;
#[path = "fixtures/reader.rs"]
mod reader;

use along::Along;
use reader::{Fixture, relative_error};

const IMAGES: usize = 3;
const TOLERANCE: f64 = 1e-5;

fn check<N: Network>(name: &str)
where
    N::Output: Copy,
{
    let fixture = Fixture::read(include_bytes!("fixtures/layers.safetensors"));
    let has = |what: &str| fixture.has(&format!("{name}.{what}"));
    let get = |what: &str| fixture.f64(&format!("{name}.{what}"));
    let close = |what: &str, found: &[f32]| {
        let error = relative_error(found, get(what));
        assert!(error <= TOLERANCE, "{name}: {what} is off by {error:.1e}");
    };
    let mut net = N::seeded(0);
    for tensor in N::LAYOUT.tensors {
        let numbers = fixture.f32(&format!("{name}.{}", tensor.kind.name()));
        assert_eq!(numbers.len(), tensor.shape.elements(), "{name}: {:?}", tensor.kind);
        net.parameters_flat_mut()[tensor.offset..][..numbers.len()].copy_from_slice(&numbers);
    }
    let numbers = fixture.f32(&format!("{name}.input"));
    let images = N::Input::slice_from_flat(&numbers).unwrap();

    let mut ws = N::workspace(IMAGES);
    net.forward(images, &mut ws);
    close("output", N::Output::flatten(ws.output()));
    let loss = Along(get("output_gradient").to_vec());
    loss.forward_backward(&[0, 1, 2], &mut ws).unwrap();
    net.backward(images, &mut ws);
    for tensor in N::LAYOUT.tensors {
        let range = tensor.offset..tensor.offset + tensor.shape.elements();
        let kind = tensor.kind.name();
        if tensor.kind.is_parameter() {
            close(&format!("{kind}_gradient"), &ws.gradients().as_flat()[range]);
        } else {
            close(&format!("new_{kind}"), &net.parameters_flat()[range]);
        }
    }

    check_tangents(&net, &fixture, name, images);

    let output = if has("eval_output") { "eval_output" } else { "output" };
    close(output, N::Output::flatten(&net.outputs(images)));
    let mut alone = Vec::new();
    let mut reference = Vec::new();
    let wide = |numbers: &[f32]| numbers.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    let parameters = wide(net.parameters_flat());
    for image in images {
        let mut output = net.output(image);
        alone.extend_from_slice(typenet::OutputValue::get_mut(&mut output).as_flat());
        let evaluation = typenet::reference::evaluate::<N>(&parameters, &wide(image.as_flat()));
        reference.extend_from_slice(evaluation.output());
    }
    close(output, &alone);
    // The reference has no error but that of the fixture's last bits.
    let expected = get(output);
    let norm = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
    let differences = reference.iter().zip(expected).map(|(a, b)| a - b);
    let error = norm(&mut { differences }) / norm(&mut expected.iter().copied());
    assert!(error <= 2e-7, "{name}: the reference is off by {error:.1e}");
}

/// Forward mode along a direction of input and parameters.
fn check_tangents<N: Network>(net: &N, fixture: &Fixture, name: &str, images: &[N::Input])
where
    N::Output: Copy,
{
    let close = |what: &str, found: &[f32]| {
        let error = relative_error(found, fixture.f64(&format!("{name}.{what}")));
        assert!(error <= TOLERANCE, "{name}: {what} is off by {error:.1e}");
    };
    let numbers = fixture.f32(&format!("{name}.input_direction"));
    let mut parameters = N::Parameters::zeroed();
    for tensor in N::LAYOUT.tensors {
        let range = tensor.offset..tensor.offset + tensor.shape.elements();
        let own = &mut parameters.as_flat_mut()[range];
        if tensor.kind.is_parameter() {
            own.copy_from_slice(&fixture.f32(&format!("{name}.{}_direction", tensor.kind.name())));
        } else {
            // Running statistics are no parameters.
            own.fill(f32::NAN);
        }
    }
    let inputs = N::Input::slice_from_flat(&numbers).unwrap();
    let along = Direction::of_inputs(inputs).and_parameters(&*parameters);
    let mut ws = N::workspace(IMAGES);
    let [outputs, tangents] = net.forward_jvp(images, along, &mut ws).unwrap();
    close("output", N::Output::flatten(outputs));
    close("tangent", N::Output::flatten(tangents));

    let is_norm = fixture.has(&format!("{name}.eval_tangent"));
    let mut predicted = [(); 2].map(|()| N::Output::zeroed_vec(IMAGES));
    let [outputs, tangents] = &mut predicted;
    net.jvp_into(&mut ws, images, along, outputs, tangents).unwrap();
    close(if is_norm { "eval_output" } else { "output" }, N::Output::flatten(outputs));
    close(if is_norm { "eval_tangent" } else { "tangent" }, N::Output::flatten(tangents));
}

/// Windows of every kind along one axis: as many as PyTorch has, and none where it has none.
#[test]
fn pooling_has_pytorchs_sizes() {
    let fixture = Fixture::read(include_bytes!("fixtures/layers.safetensors"));
    let sizes: Vec<usize> = fixture.f64("pool_sizes").iter().map(|&n| n as usize).collect();
    let mut seen = [0; 2];
    for row in sizes.as_chunks().0 {
        let &[n, kernel, stride, padding, ceil_mode, size] = row;
        let pool = Pool2d {
            stride: [stride, 1],
            padding: [padding, 0],
            ceil_mode: ceil_mode == 1,
            ..Pool2d::new(Shape::new(&[1, n, 1]), [kernel, 1])
        };
        let found = pool.output().map_or(0, |output| output.dim(1));
        assert_eq!(found, size, "{pool:?}");
        seen[ceil_mode] += 1;
    }
    assert_eq!(seen, [675; 2]);
}

macro_rules! layers {
    ($($name:ident: [$($input:literal),*] -> [$($output:literal),*] { $($layers:tt)* })*) => {
        $(
            #[test]
            fn $name() {
                network! {
                    struct Layer: [$($input),*] -> [$($output),*] { $($layers)* }
                }
                check::<Layer>(stringify!($name));
            }
        )*
    };
}

layers! {
    conv2d: [4, 7, 6] -> [6, 5, 4] { conv2d(6, kernel = 3) }
    conv2d_stride: [4, 9, 8] -> [6, 4, 3] { conv2d(6, kernel = 3, stride = 2) }
    conv2d_padding: [4, 5, 6] -> [6, 5, 8] { conv2d(6, kernel = 3, padding = (1, 2)) }
    conv2d_kernel: [4, 6, 7] -> [6, 4, 3] { conv2d(6, kernel = (3, 5)) }
    conv2d_dilation: [4, 8, 9] -> [6, 4, 5] { conv2d(6, kernel = 3, dilation = 2) }
    conv2d_groups: [4, 6, 5] -> [6, 4, 3] { conv2d(6, kernel = 3, groups = 2) }
    conv2d_depthwise: [4, 6, 5] -> [8, 6, 5] { depthwise_conv2d(3, padding = 1, multiplier = 2) }
    conv2d_no_bias: [4, 6, 5] -> [6, 4, 3] { conv2d(6, kernel = 3, bias = false) }
    conv2d_1x1: [4, 3, 5] -> [6, 3, 5] { conv2d(6, kernel = 1) }
    conv2d_all: [4, 11, 10] -> [6, 4, 2] {
        conv2d(
            6, kernel = (3, 5), stride = (2, 3), padding = (1, 2), dilation = (3, 2), groups = 2,
            bias = false,
        )
    }
    conv2d_same: [4, 5, 6] -> [6, 5, 6] { conv2d(6, kernel = (5, 3), padding = same) }
    conv2d_same_even: [4, 5, 6] -> [6, 5, 6] {
        conv2d(6, kernel = (2, 4), padding = same, dilation = (3, 1))
    }
    conv_transpose2d: [4, 3, 5] -> [6, 5, 6] { conv_transpose2d(6, kernel = (3, 2)) }
    conv_transpose2d_stride: [4, 3, 5] -> [6, 6, 10] { conv_transpose2d(6, kernel = 2, stride = 2) }
    conv_transpose2d_padding: [4, 3, 5] -> [6, 6, 10] {
        conv_transpose2d(6, kernel = 3, stride = 2, padding = 1, output_padding = 1)
    }
    conv_transpose2d_groups: [4, 3, 5] -> [6, 5, 7] {
        conv_transpose2d(6, kernel = 3, groups = 2, bias = false)
    }
    conv_transpose2d_dilation: [4, 3, 5] -> [6, 7, 8] {
        conv_transpose2d(6, kernel = (3, 2), dilation = (2, 3))
    }
    conv_transpose2d_all: [4, 3, 4] -> [6, 13, 11] {
        conv_transpose2d(
            6, kernel = (4, 3), stride = (3, 2), padding = (1, 2), output_padding = 2, groups = 2,
            dilation = (2, 3),
        )
    }
    linear: [13] -> [7] { linear(7) }
    linear_no_bias: [13] -> [7] { linear(7, bias = false) }
    max_pool2d: [4, 8, 7] -> [4, 4, 3] { max_pool2d(2) }
    max_pool2d_padding: [4, 8, 7] -> [4, 4, 4] { max_pool2d(3, stride = 2, padding = 1) }
    avg_pool2d: [4, 8, 7] -> [4, 4, 4] { avg_pool2d(3, stride = 2, padding = 1) }
    avg_pool2d_without_pad: [4, 8, 7] -> [4, 4, 4] {
        avg_pool2d(3, stride = 2, padding = 1, count_include_pad = false)
    }
    max_pool2d_ceil: [4, 8, 7] -> [4, 4, 3] { max_pool2d(3, stride = 2, ceil_mode = true) }
    max_pool2d_ceil_padding: [4, 7, 9] -> [4, 4, 5] {
        max_pool2d(2, padding = 1, ceil_mode = true)
    }
    avg_pool2d_ceil: [4, 8, 7] -> [4, 4, 3] { avg_pool2d(3, stride = 2, ceil_mode = true) }
    avg_pool2d_ceil_padding: [4, 8, 11] -> [4, 5, 5] {
        avg_pool2d((3, 4), stride = (2, 3), padding = (1, 2), ceil_mode = true)
    }
    avg_pool2d_ceil_without_pad: [4, 8, 11] -> [4, 5, 5] {
        avg_pool2d(
            (3, 4), stride = (2, 3), padding = (1, 2), ceil_mode = true, count_include_pad = false,
        )
    }
    global_avg_pool: [4, 5, 3] -> [4] { global_avg_pool }
    upsample: [3, 3, 4] -> [3, 6, 12] { upsample(scale_factor = (2, 3)) }
    upsample_bilinear: [3, 3, 4] -> [3, 6, 12] { upsample((2, 3), mode = bilinear) }
    upsample_corners: [3, 3, 4] -> [3, 6, 12] {
        upsample((2, 3), mode = bilinear, align_corners = true)
    }
    batch_norm: [4, 3, 5] -> [4, 3, 5] { batch_norm }
    batch_norm_momentum: [4, 3, 5] -> [4, 3, 5] {
        batch_norm(eps = 1e-3, momentum = 0.4, affine = false)
    }
    batch_norm_features: [7] -> [7] { batch_norm }
    group_norm: [6, 3, 4] -> [6, 3, 4] { group_norm(3) }
    group_norm_plain: [6, 3, 4] -> [6, 3, 4] { group_norm(2, eps = 1e-3, affine = false) }
    layer_norm: [4, 3, 5] -> [4, 3, 5] { layer_norm }
    layer_norm_features: [7] -> [7] { layer_norm(affine = false) }
    relu: [4, 3, 5] -> [4, 3, 5] { relu }
    leaky_relu: [4, 3, 5] -> [4, 3, 5] { leaky_relu(0.1) }
    relu6: [4, 3, 5] -> [4, 3, 5] { relu6 }
    sigmoid: [4, 3, 5] -> [4, 3, 5] { sigmoid }
    tanh: [4, 3, 5] -> [4, 3, 5] { tanh }
    gelu: [4, 3, 5] -> [4, 3, 5] { gelu }
    gelu_tanh: [4, 3, 5] -> [4, 3, 5] { gelu(approximate = tanh) }
    silu: [4, 3, 5] -> [4, 3, 5] { silu }
    hardswish: [4, 3, 5] -> [4, 3, 5] { hardswish }
    softmax: [4, 3, 5] -> [4, 3, 5] { softmax }
    softmax_features: [7] -> [7] { softmax }
    log_softmax: [4, 3, 5] -> [4, 3, 5] { log_softmax }
    log_softmax_features: [7] -> [7] { log_softmax }
}
