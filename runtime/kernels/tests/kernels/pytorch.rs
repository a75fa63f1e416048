//! Each layer's kernels against PyTorch's results, which `tests/fixtures/layers.py` wrote.

use typenet_kernels::batch_norm::{BatchNorm, Running, Spread};
use typenet_kernels::group_norm::{Gradients, GroupNorm};
use typenet_kernels::{
    Epilogue, Isa, LANES, Lanes, activation, batch_norm, conv_transpose2d, conv2d, group_norm, isa,
    linear, pack, pool2d, softmax, unpack, upsample,
};
use typenet_shape::{
    Activation, Approximate, Conv2d, ConvTranspose2d, Interpolation, Padding, Pool2d, Shape,
    Upsample2d,
};

#[path = "../../../../tests/fixtures/reader.rs"]
mod reader;

use reader::{Fixture, relative_error};

/// Images in each case.
const IMAGES: usize = 3;
const TOLERANCE: f64 = 1e-5;
const POISON: Lanes = Lanes([f32::NAN; LANES]);

/// One layer's numbers as PyTorch has them.
struct Case {
    fixture: Fixture,
    name: &'static str,
    isa: Isa,
    input: Vec<Lanes>,
    output_gradient: Vec<Lanes>,
}

impl Case {
    fn new(name: &'static str) -> Case {
        let fixture =
            Fixture::read(include_bytes!("../../../../tests/fixtures/layers.safetensors"));
        let lanes = |what: &str| {
            let rows = fixture.f32(&format!("{name}.{what}"));
            let mut lanes = vec![POISON; rows.len() / IMAGES];
            pack(&rows, &mut lanes);
            lanes
        };
        let (input, output_gradient) = (lanes("input"), lanes("output_gradient"));
        Case { fixture, name, isa: isa(), input, output_gradient }
    }

    fn numbers(&self, what: &str) -> Vec<f32> {
        self.fixture.f32(&format!("{}.{what}", self.name))
    }

    fn close(&self, what: &str, found: &[f32]) {
        let expected = self.fixture.f64(&format!("{}.{what}", self.name));
        let error = relative_error(found, expected);
        assert!(error <= TOLERANCE, "{}: {what} is off by {error:.1e}", self.name);
    }

    /// The output that `forward` writes, after comparing it image by image, because some cases have
    /// images of very different sizes.
    fn forward(&self, forward: impl Fn(Isa, &[Lanes], &mut [Lanes])) -> Vec<Lanes> {
        let mut output = vec![POISON; self.output_gradient.len()];
        forward(self.isa, &self.input, &mut output);
        let rows = rows(&output);
        self.close("output", &rows);
        let expected = self.fixture.f64(&format!("{}.output", self.name));
        let images = rows.chunks_exact(output.len()).zip(expected.chunks_exact(output.len()));
        for (image, (found, expected)) in images.enumerate() {
            let error = relative_error(found, expected);
            assert!(error <= TOLERANCE, "{}: image {image} is off by {error:.1e}", self.name);
        }
        output
    }

    /// Compares the input's gradient that `backward` writes, given the output's.
    fn backward(&self, backward: impl Fn(Isa, &[Lanes], &mut [Lanes])) {
        let mut input_gradient = vec![POISON; self.input.len()];
        backward(self.isa, &self.output_gradient, &mut input_gradient);
        self.close("input_gradient", &rows(&input_gradient));
    }

    /// Compares the gradients that `backward` adds to those of the weight and the bias.
    fn backward_weight(
        &self,
        bias: bool,
        backward: impl Fn(Isa, &[Lanes], &[Lanes], &mut [f32], Option<&mut [f32]>),
    ) {
        let mut weight_gradient = vec![0.0; self.numbers("weight").len()];
        let mut bias_gradient = bias.then(|| vec![0.0; self.numbers("bias").len()]);
        let (x, dy) = (&self.input, &self.output_gradient);
        backward(self.isa, x, dy, &mut weight_gradient, bias_gradient.as_deref_mut());
        self.close("weight_gradient", &weight_gradient);
        if let Some(gradient) = bias_gradient {
            self.close("bias_gradient", &gradient);
        }
    }
}

fn rows(lanes: &[Lanes]) -> Vec<f32> {
    let mut rows = vec![f32::NAN; IMAGES * lanes.len()];
    unpack(lanes, &mut rows);
    rows
}

fn check_conv2d(name: &'static str, conv: Conv2d) {
    let case = Case::new(name);
    let weight = case.numbers("weight");
    let bias = conv.bias.then(|| case.numbers("bias"));
    let plain = case.forward(|isa, x, y| {
        let behind = Epilogue { bias: bias.as_deref(), ..Epilogue::default() };
        conv2d::forward(isa, &conv, x, &weight, behind, y);
    });
    let mut rectified = vec![POISON; plain.len()];
    let relu = Activation::Relu;
    let behind = Epilogue { bias: bias.as_deref(), activation: relu, ..Epilogue::default() };
    conv2d::forward(case.isa, &conv, &case.input, &weight, behind, &mut rectified);
    let clamped: Vec<f64> = rows(&plain).iter().map(|&y| f64::from(y.max(0.0))).collect();
    assert!(relative_error(&rows(&rectified), &clamped) <= TOLERANCE, "{name} with relu");
    case.backward(|isa, dy, dx| conv2d::backward_data(isa, &conv, dy, &weight, dx));
    case.backward_weight(conv.bias, |isa, x, dy, dw, db| {
        conv2d::backward_weight(isa, &conv, x, dy, dw, db);
    });
}

fn conv(input: [usize; 3]) -> Conv2d {
    Conv2d::new(Shape::new(&input), 6, [3, 3])
}

#[test]
fn conv2d_with_each_argument() {
    check_conv2d("conv2d", conv([4, 7, 6]));
    check_conv2d("conv2d_stride", Conv2d { stride: [2, 2], ..conv([4, 9, 8]) });
    check_conv2d("conv2d_padding", Conv2d { padding: [1, 2], ..conv([4, 5, 6]) });
    check_conv2d("conv2d_kernel", Conv2d { kernel: [3, 5], ..conv([4, 6, 7]) });
    check_conv2d("conv2d_dilation", Conv2d { dilation: [2, 2], ..conv([4, 8, 9]) });
    check_conv2d("conv2d_groups", Conv2d { groups: 2, ..conv([4, 6, 5]) });
    check_conv2d("conv2d_no_bias", Conv2d { bias: false, ..conv([4, 6, 5]) });
    check_conv2d("conv2d_1x1", Conv2d { kernel: [1, 1], ..conv([4, 3, 5]) });
}

#[test]
fn conv2d_of_each_channel() {
    let conv = Conv2d { out_channels: 8, padding: [1, 1], groups: 4, ..conv([4, 6, 5]) };
    check_conv2d("conv2d_depthwise", conv);
}

#[test]
fn conv2d_with_all_arguments() {
    let conv = Conv2d {
        kernel: [3, 5],
        stride: [2, 3],
        padding: [1, 2],
        dilation: [3, 2],
        groups: 2,
        bias: false,
        ..conv([4, 11, 10])
    };
    check_conv2d("conv2d_all", conv);
}

#[test]
fn linear_with_and_without_bias() {
    for (name, has_bias) in [("linear", true), ("linear_no_bias", false)] {
        let case = Case::new(name);
        let weight = case.numbers("weight");
        let bias = has_bias.then(|| case.numbers("bias"));
        case.forward(|isa, x, y| {
            linear::forward(isa, x, &weight, bias.as_deref(), Activation::Identity, y);
        });
        case.backward(|isa, dy, dx| linear::backward_data(isa, dy, &weight, dx));
        case.backward_weight(has_bias, linear::backward_weight);
    }
}

fn padded() -> Pool2d {
    Pool2d { stride: [2, 2], padding: [1, 1], ..Pool2d::new(Shape::new(&[4, 8, 7]), [3, 3]) }
}

#[test]
fn max_pool2d() {
    let plain = Pool2d::new(Shape::new(&[4, 8, 7]), [2, 2]);
    for (name, pool) in [("max_pool2d", plain), ("max_pool2d_padding", padded())] {
        let case = Case::new(name);
        let y = case.forward(|isa, x, y| pool2d::max_forward(isa, &pool, x, y));
        case.backward(|isa, dy, dx| pool2d::max_backward(isa, &pool, &case.input, &y, dy, dx));
    }
}

#[test]
fn avg_pool2d_with_and_without_the_border() {
    for (name, count_include_pad) in [("avg_pool2d", true), ("avg_pool2d_without_pad", false)] {
        let pool = Pool2d { count_include_pad, ..padded() };
        let case = Case::new(name);
        case.forward(|isa, x, y| pool2d::avg_forward(isa, &pool, x, y));
        case.backward(|isa, dy, dx| pool2d::avg_backward(isa, &pool, dy, dx));
    }
}

#[test]
fn pooling_that_rounds_up() {
    let plain = Pool2d { ceil_mode: true, ..Pool2d::new(Shape::new(&[4, 8, 7]), [3, 3]) };
    let plain = Pool2d { stride: [2, 2], ..plain };
    let padded = Pool2d { padding: [1, 1], kernel: [2, 2], ..plain };
    let padded = Pool2d { input: Shape::new(&[4, 7, 9]), ..padded };
    for (name, pool) in [("max_pool2d_ceil", plain), ("max_pool2d_ceil_padding", padded)] {
        let case = Case::new(name);
        let y = case.forward(|isa, x, y| pool2d::max_forward(isa, &pool, x, y));
        case.backward(|isa, dy, dx| pool2d::max_backward(isa, &pool, &case.input, &y, dy, dx));
    }
    let all = Pool2d { kernel: [3, 4], stride: [2, 3], padding: [1, 2], ..plain };
    let all = Pool2d { input: Shape::new(&[4, 8, 11]), ..all };
    for (name, pool) in [
        ("avg_pool2d_ceil", plain),
        ("avg_pool2d_ceil_padding", all),
        ("avg_pool2d_ceil_without_pad", Pool2d { count_include_pad: false, ..all }),
    ] {
        let case = Case::new(name);
        case.forward(|isa, x, y| pool2d::avg_forward(isa, &pool, x, y));
        case.backward(|isa, dy, dx| pool2d::avg_backward(isa, &pool, dy, dx));
    }
}

#[test]
fn global_avg_pool() {
    let case = Case::new("global_avg_pool");
    case.forward(pool2d::global_avg_forward);
    case.backward(pool2d::global_avg_backward);
}

#[test]
fn activations() {
    for (name, f) in [
        ("relu", Activation::Relu),
        ("leaky_relu", Activation::LeakyRelu { negative_slope: 0.1 }),
        ("sigmoid", Activation::Sigmoid),
        ("tanh", Activation::Tanh),
        ("relu6", Activation::Relu6),
        ("gelu", Activation::Gelu { approximate: Approximate::None }),
        ("gelu_tanh", Activation::Gelu { approximate: Approximate::Tanh }),
        ("silu", Activation::Silu),
        ("hardswish", Activation::Hardswish),
    ] {
        let case = Case::new(name);
        let y = case.forward(|isa, x, y| activation::forward(isa, f, x, y));
        case.backward(|isa, dy, dx| {
            dx.copy_from_slice(dy);
            if f.from_output() {
                activation::backward_in_place(isa, f, &y, dx);
            } else {
                activation::backward_from_input(isa, f, &case.input, dx);
            }
        });
    }
}

#[test]
fn softmax_over_channels_and_over_features() {
    for (name, channels) in [("softmax", 4), ("softmax_features", 7)] {
        let case = Case::new(name);
        let y = case.forward(|isa, x, y| softmax::forward(isa, channels, x, y));
        case.backward(|isa, dy, dx| softmax::backward(isa, channels, &y, dy, dx));
    }
    for (name, channels) in [("log_softmax", 4), ("log_softmax_features", 7)] {
        let case = Case::new(name);
        let y = case.forward(|isa, x, y| softmax::log_forward(isa, channels, x, y));
        case.backward(|isa, dy, dx| softmax::log_backward(isa, channels, &y, dy, dx));
    }
}

#[test]
fn conv2d_that_keeps_the_size() {
    for (name, kernel, dilation) in
        [("conv2d_same", [5, 3], [1, 1]), ("conv2d_same_even", [2, 4], [3, 1])]
    {
        let conv = Conv2d { kernel, dilation, ..conv([4, 5, 6]) };
        check_conv2d(name, conv.padded(Padding::Same));
    }
}

fn check_conv_transpose2d(name: &'static str, conv: ConvTranspose2d) {
    let case = Case::new(name);
    let weight = case.numbers("weight");
    let bias = conv.bias.then(|| case.numbers("bias"));
    let f = Activation::Identity;
    case.forward(|isa, x, y| {
        conv_transpose2d::forward(isa, &conv, x, &weight, bias.as_deref(), None, f, y);
    });
    case.backward(|isa, dy, dx| conv_transpose2d::backward_data(isa, &conv, dy, &weight, dx));
    case.backward_weight(conv.bias, |isa, x, dy, dw, db| {
        conv_transpose2d::backward_weight(isa, &conv, x, dy, dw, db);
    });
}

#[test]
fn conv_transpose2d_with_each_argument() {
    let conv = |kernel| ConvTranspose2d::new(Shape::new(&[4, 3, 5]), 6, kernel);
    let stride = [2, 2];
    check_conv_transpose2d("conv_transpose2d", conv([3, 2]));
    let strided = ConvTranspose2d { stride, ..conv([2, 2]) };
    check_conv_transpose2d("conv_transpose2d_stride", strided);
    let padded =
        ConvTranspose2d { stride, padding: [1, 1], output_padding: [1, 1], ..conv([3, 3]) };
    check_conv_transpose2d("conv_transpose2d_padding", padded);
    let grouped = ConvTranspose2d { groups: 2, bias: false, ..conv([3, 3]) };
    check_conv_transpose2d("conv_transpose2d_groups", grouped);
    let dilated = ConvTranspose2d { dilation: [2, 3], ..conv([3, 2]) };
    check_conv_transpose2d("conv_transpose2d_dilation", dilated);
    let all = ConvTranspose2d {
        stride: [3, 2],
        padding: [1, 2],
        output_padding: [2, 2],
        groups: 2,
        dilation: [2, 3],
        ..ConvTranspose2d::new(Shape::new(&[4, 3, 4]), 6, [4, 3])
    };
    check_conv_transpose2d("conv_transpose2d_all", all);
}

#[test]
fn upsample_in_each_way() {
    for (name, mode, align_corners) in [
        ("upsample", Interpolation::Nearest, false),
        ("upsample_bilinear", Interpolation::Bilinear, false),
        ("upsample_corners", Interpolation::Bilinear, true),
    ] {
        let input = Shape::new(&[3, 3, 4]);
        let g = Upsample2d { input, scale: [2, 3], mode, align_corners };
        let case = Case::new(name);
        case.forward(|isa, x, y| upsample::forward(isa, &g, x, y));
        case.backward(|isa, dy, dx| upsample::backward(isa, &g, dy, dx));
    }
}

#[test]
fn norms_of_each_image() {
    for (name, groups, eps, affine) in [
        ("group_norm", 3, 1e-5, true),
        ("group_norm_plain", 2, 1e-3, false),
        ("layer_norm", 1, 1e-5, true),
        ("layer_norm_features", 1, 1e-5, false),
    ] {
        let case = Case::new(name);
        let [weight, bias] = ["weight", "bias"].map(|name| affine.then(|| case.numbers(name)));
        let norm = GroupNorm { groups, eps, weight: weight.as_deref(), bias: bias.as_deref() };
        case.forward(|isa, x, y| group_norm::forward(isa, &norm, x, Activation::Identity, y));
        case.backward(|isa, dy, dx| {
            let [mut dw, mut db] = [&weight, &bias].map(|w| w.as_ref().map(|w| vec![0.0; w.len()]));
            let gradients = Gradients { weight: dw.as_deref_mut(), bias: db.as_deref_mut() };
            group_norm::backward(isa, IMAGES, &norm, &case.input, dy, gradients, dx);
            for (gradient, name) in [(dw, "weight_gradient"), (db, "bias_gradient")] {
                gradient.iter().for_each(|gradient| case.close(name, gradient));
            }
        });
    }
}

#[test]
fn batch_norms_in_training() {
    for (name, channels, eps, momentum, affine) in [
        ("batch_norm", 4, 1e-5, 0.1, true),
        ("batch_norm_momentum", 4, 1e-3, 0.4, false),
        ("batch_norm_features", 7, 1e-5, 0.1, true),
    ] {
        let case = Case::new(name);
        let pixels = case.input.len() / channels;
        let (mut mean, mut rstd) = (vec![f32::NAN; channels], vec![f32::NAN; channels]);
        let mut gathered = vec![f32::NAN; 2 * channels];
        batch_norm::gather(case.isa, IMAGES, &case.input, &mut gathered);
        let [mut running_mean, mut running_var] =
            ["running_mean", "running_var"].map(|name| case.numbers(name));
        let running = Running { mean: &mut running_mean, variance: &mut running_var, momentum };
        batch_norm::merge(IMAGES, pixels, &gathered, eps, &mut mean, &mut rstd, Some(running));
        case.close("new_running_mean", &running_mean);
        case.close("new_running_var", &running_var);

        let [weight, bias] = ["weight", "bias"].map(|name| affine.then(|| case.numbers(name)));
        let norm = BatchNorm {
            mean: &mean,
            spread: Spread::Rstd(&rstd),
            weight: weight.as_deref(),
            bias: bias.as_deref(),
            f: Activation::Identity,
        };
        case.forward(|isa, x, y| batch_norm::apply(isa, &norm, x, None, y));
        case.backward(|isa, dy, dx| {
            let x = &case.input;
            let (mut sums, mut means) =
                (vec![f32::NAN; 2 * channels], vec![f32::NAN; 2 * channels]);
            batch_norm::gather_backward(isa, IMAGES, &norm, x, dy, &mut sums);
            let [mut dw, mut db] = [&weight, &bias].map(|w| w.as_ref().map(|w| vec![0.0; w.len()]));
            let (weight, bias) = (dw.as_deref_mut(), db.as_deref_mut());
            batch_norm::merge_backward(IMAGES, pixels, &sums, weight, bias, &mut means);
            batch_norm::apply_backward(isa, IMAGES, &norm, x, dy, &means, dx);
            for (gradient, name) in [(dw, "weight_gradient"), (db, "bias_gradient")] {
                gradient.iter().for_each(|gradient| case.close(name, gradient));
            }
        });

        let spread = Spread::Variance { variance: &running_var, eps };
        let norm = BatchNorm { mean: &running_mean, spread, ..norm };
        let mut output = vec![POISON; case.input.len()];
        batch_norm::apply(case.isa, &norm, &case.input, None, &mut output);
        case.close("eval_output", &rows(&output));
    }
}
