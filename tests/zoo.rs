//! The nets of `typenet::zoo`: shapes, parameters, a training step, and PyTorch's outputs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "fixtures/reader.rs"]
mod reader;

use reader::{Fixture, relative_error};
use typenet::prelude::*;
use typenet::reference::{jvp, vjp};
use typenet::shape::{Op, Tensor, TensorKind};
use typenet::zoo::*;
use typenet::{Flat, Logits, OutputValue};

/// Numbers in −1..1 that look like noise, as `fixtures/zoo.py` has them.
fn noise(seed: u32, count: usize) -> impl Iterator<Item = f64> {
    (0..count as u32).map(move |i| {
        let mut x = i.wrapping_add(seed.wrapping_mul(0x9E37_79B9));
        for (shift, factor) in [(16, 0x7FEB_352D), (15, 0x846C_A68B)] {
            x = (x ^ (x >> shift)).wrapping_mul(factor);
        }
        f64::from(x ^ (x >> 16)) / f64::from(1u32 << 31) - 1.0
    })
}

fn image<N: Network>() -> Box<N::Input> {
    let mut image = N::Input::zeroed();
    let pixels = image.as_flat_mut().iter_mut();
    pixels.zip(noise(0, N::Input::LEN)).for_each(|(pixel, number)| *pixel = number as f32);
    image
}

/// Compares the output for one image, alone and among others, with what PyTorch computes from the
/// same weights.
fn agrees<N: Network>(name: &str) {
    let fixture = Fixture::read(include_bytes!("fixtures/zoo.safetensors"));
    let expected = fixture.f64(name);
    let mut net = N::seeded(0);
    for (seed, tensor) in (1..).zip(N::LAYOUT.tensors) {
        let len = tensor.shape.elements();
        let is_norm = matches!(N::GRAPH.nodes[tensor.node].op, Op::BatchNorm { .. });
        let fan_in = (len / tensor.shape.dim(0)) as f64;
        let numbers = &mut net.parameters_flat_mut()[tensor.offset..tensor.offset + len];
        for (number, noise) in numbers.iter_mut().zip(noise(seed, len)) {
            *number = match tensor.kind {
                TensorKind::RunningVar => 1.0 + noise / 2.0,
                TensorKind::Weight if is_norm => 1.0 + noise / 2.0,
                TensorKind::Weight => noise * (6.0 / fan_in).sqrt(),
                TensorKind::Bias | TensorKind::RunningMean => noise / 10.0,
            } as f32;
        }
    }
    let image = image::<N>();
    has_tangents(&net, &image, fixture.f64(&format!("{name}.tangent")), name);
    let alone = net.output(&image).get_mut().as_flat().to_vec();
    let mut among = vec![f32::NAN; 2 * N::Output::LEN];
    let outputs = N::Output::slice_from_flat_mut(&mut among).unwrap();
    let images = [image.as_flat(), image.as_flat()].concat();
    let images = N::Input::slice_from_flat(&images).unwrap();
    net.outputs_into(&mut N::workspace(2), images, outputs).unwrap();
    let size = expected.iter().map(|x| x * x).sum::<f64>() / expected.len() as f64;
    let limit = 1e-4 * size.sqrt().max(1.0);
    let outputs = [&alone[..], &among[..N::Output::LEN], &among[N::Output::LEN..]];
    for (k, output) in outputs.into_iter().enumerate() {
        assert_eq!(output.len(), expected.len());
        for (i, (&found, &expected)) in output.iter().zip(expected).enumerate() {
            let error = (f64::from(found) - expected).abs();
            assert!(error <= limit, "{name} {k}, output {i}: {found} for {expected}");
        }
        let error = relative_error(output, expected);
        assert!(error <= 1e-5, "{name} {k}: {error}");
    }
}

/// Forward mode along a direction of image and parameters, against PyTorch's in f64. In f32 some of the
/// millions of values before a relu have another sign, and with it another slope: PyTorch's own f32 is off by
/// 1.6e-2 in MobileNetV2 and by 4e-4 in the U-Net.
fn has_tangents<N: Network>(net: &N, image: &N::Input, expected: &[f64], name: &str) {
    let (mut moves, mut parameters) = (N::Input::zeroed(), N::Parameters::zeroed());
    let fill = |numbers: &mut [f32], seed: u32, factor: f32| {
        numbers.iter_mut().zip(noise(seed, 1 << 26)).for_each(|(number, noise)| {
            *number = noise as f32 / factor;
        });
    };
    fill(moves.as_flat_mut(), 1000, 10.0);
    for (seed, tensor) in (1001..).zip(N::LAYOUT.tensors) {
        let own = tensor.offset..tensor.offset + tensor.shape.elements();
        fill(&mut parameters.as_flat_mut()[own], seed, 100.0);
    }
    let along = Direction::of_input(&*moves).and_parameters(&*parameters);
    let (_, mut tangent) = net.jvp(image, along).unwrap();
    let error = relative_error(tangent.get_mut().as_flat(), expected);
    let limit = match name {
        "mobilenet_v2" => 3e-2,
        "resnet18" | "unet" => 1e-2,
        _ => 1e-4,
    };
    assert!(error <= limit, "{name}: the tangent is off by {error:.1e}");
}

/// The slope of the loss in both modes, for two images.
fn modes_agree<N: Network + Logits>() {
    let numbers: Vec<f32> = noise(0, 2 * N::Input::LEN).map(|number| number as f32).collect();
    let images: &[N::Input] = N::Input::slice_from_flat(&numbers).unwrap();
    let net = N::seeded(42);
    let check = gradcheck_fast(&net, &CrossEntropy::new(), images, &[1, 7], 2, 1).unwrap();
    assert!(check.worst() <= 1e-4, "{}\n{check}", N::GRAPH.name);
}

/// `⟨u, J v⟩ = ⟨Jᵀ u, v⟩` in f64, for one image.
fn references_agree<N: Network>() {
    let numbers = |seed: u32, len: usize, factor: f64| -> Vec<f64> {
        noise(seed, len).map(|number| number * factor).collect()
    };
    let wide = |numbers: &[f32]| numbers.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    let parameters = wide(N::seeded(42).parameters_flat());
    let (input, direction) = (numbers(0, N::Input::LEN, 1.0), numbers(1, N::Input::LEN, 0.1));
    let mut moves = numbers(2, parameters.len(), 0.01);
    for tensor in N::LAYOUT.tensors.iter().filter(|tensor| !tensor.kind.is_parameter()) {
        moves[tensor.offset..][..tensor.shape.elements()].fill(0.0);
    }
    let [_, tangent] = jvp::<N>([&parameters, &moves], [&input, &direction]);
    let u = numbers(3, tangent.len(), 1.0);
    let [of_input, of_parameters] = vjp::<N>(&parameters, &input, &u);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let forward = dot(&u, &tangent);
    let reverse = dot(&of_input, &direction) + dot(&of_parameters, &moves);
    let error = (forward - reverse).abs() / forward.abs();
    assert!(error <= 1e-10, "{}: {forward} and {reverse}", N::GRAPH.name);
}

/// The U-Net's outputs are an image.
fn modes_agree_in_the_unet() {
    let numbers: Vec<f32> = noise(0, 2 * 3 * 128 * 128).map(|number| number as f32).collect();
    let targets: Vec<f32> = noise(1, 2 * 128 * 128).map(|number| number as f32).collect();
    let targets = <UNet as Network>::Output::slice_from_flat(&targets).unwrap();
    let net = UNet::seeded(42);
    let images = UNet::inputs(&numbers).unwrap();
    let check = gradcheck_fast(&net, &MeanSquaredError::new(), images, targets, 2, 1).unwrap();
    assert!(check.worst() <= 1e-4, "{check}");
}

#[test]
fn forward_and_reverse_mode_agree() {
    references_agree::<LeNet5>();
    references_agree::<Inception>();
    references_agree::<ResNet20>();
    modes_agree::<LeNet5>();
    modes_agree::<Inception>();
    modes_agree::<ResNet20>();
    modes_agree::<SqueezeNet>();
}

#[test]
#[ignore = "takes minutes with --release, much longer without, and 6 GB"]
fn forward_and_reverse_mode_agree_in_large_nets() {
    references_agree::<SqueezeNet>();
    references_agree::<AlexNet>();
    references_agree::<ResNet18>();
    references_agree::<MobileNetV2>();
    references_agree::<ResNet50>();
    references_agree::<DenseNet121>();
    references_agree::<UNet>();
    references_agree::<Vgg16>();
    modes_agree_in_the_unet();
    modes_agree::<AlexNet>();
    modes_agree::<ResNet18>();
    modes_agree::<ResNet50>();
    modes_agree::<MobileNetV2>();
    modes_agree::<DenseNet121>();
    modes_agree::<Vgg16>();
}

/// Two images, told apart after one step: the loss on them is lower than before.
fn learns<N: Network + Logits>(rate: f32) {
    let numbers: Vec<f32> = noise(0, 2 * N::Input::LEN).map(|number| number as f32).collect();
    let images: &[N::Input] = N::Input::slice_from_flat(&numbers).unwrap();
    let labels = [1, 7];
    let mut net = N::seeded(42);
    let mut ws = N::workspace(2);
    ws.set_dropout(false);
    let mut sgd = Sgd::new(rate).state(&net);
    let loss = CrossEntropy::new();
    net.forward(images, &mut ws);
    let before = loss.forward_backward(&labels, &mut ws).unwrap();
    net.backward(images, &mut ws);
    sgd.step(&mut net, ws.gradients());
    net.forward(images, &mut ws);
    let after = loss.forward_backward(&labels, &mut ws).unwrap();
    assert!(0.0 < after && after < before, "{}: {before}, then {after}", N::GRAPH.name);
}

fn has_parameters<N: Network>(parameters: usize) {
    let found: usize = N::LAYERS.iter().map(|layer| layer.parameters).sum();
    assert_eq!(found, parameters, "{}", N::GRAPH.name);
    assert_eq!(N::summary().parameters, parameters, "{}", N::GRAPH.name);
}

/// Weight files have the names, shapes and order that torchvision has.
fn has_names<N: Network>(net: &str) {
    let lines = include_str!("fixtures/zoo.names").lines();
    let prefix = format!("{net}: ");
    let expected: Vec<&str> = lines.filter_map(|line| line.strip_prefix(&prefix)).collect();
    let name = |tensor: &Tensor| {
        let layer = N::GRAPH.file_name(tensor.node);
        format!("{layer}.{} {}", tensor.kind.name(), tensor.shape)
    };
    let found: Vec<String> = N::LAYOUT.tensors.iter().map(name).collect();
    assert_eq!(found, expected);
    assert!(!found.is_empty());
}

/// The shapes of the layers with these names.
fn has_shapes<N: Network>(shapes: &[(&str, &[usize])]) {
    for (name, shape) in shapes {
        let layer = N::LAYERS.iter().find(|layer| layer.name == *name).expect(name);
        assert_eq!(layer.output.dims(), *shape, "{name}");
    }
}

#[test]
fn lenet5() {
    has_parameters::<LeNet5>(61_706);
    has_shapes::<LeNet5>(&[
        ("conv1", &[6, 28, 28]),
        ("conv2", &[16, 10, 10]),
        ("flatten_1", &[400]),
    ]);
    learns::<LeNet5>(0.01);
}

#[test]
fn resnet20() {
    has_parameters::<ResNet20>(272_474);
    has_shapes::<ResNet20>(&[
        ("layer1_2.relu_2", &[16, 32, 32]),
        ("layer2_0.downsample_bn", &[32, 16, 16]),
        ("layer3_2.relu_2", &[64, 8, 8]),
    ]);
    learns::<ResNet20>(0.01);
}

#[test]
fn inception() {
    has_parameters::<Inception>(562_618);
    let of_module = |name: &str| {
        let layers = Inception::LAYERS.iter().filter(|layer| layer.name.starts_with(name));
        layers.map(|layer| layer.parameters).sum::<usize>()
    };
    assert_eq!(of_module("inception3a."), 163_696);
    has_shapes::<Inception>(&[
        ("inception3a.concat_1", &[256, 16, 16]),
        ("inception3b.concat_1", &[480, 16, 16]),
    ]);
    learns::<Inception>(0.01);
}

#[test]
fn squeezenet() {
    has_parameters::<SqueezeNet>(1_235_496);
    has_names::<SqueezeNet>("squeezenet1_1");
    has_shapes::<SqueezeNet>(&[
        ("conv1", &[64, 111, 111]),
        ("fire3.concat_1", &[128, 55, 55]),
        ("fire6.concat_1", &[256, 27, 27]),
        ("fire12.concat_1", &[512, 13, 13]),
        ("classifier", &[1000, 13, 13]),
    ]);
    learns::<SqueezeNet>(0.01);
    agrees::<SqueezeNet>("squeezenet");
}

#[test]
fn resnet18() {
    has_parameters::<ResNet18>(11_689_512);
    has_names::<ResNet18>("resnet18");
    has_shapes::<ResNet18>(&[
        ("max_pool2d_1", &[64, 56, 56]),
        ("layer1_1.relu_2", &[64, 56, 56]),
        ("layer2_1.relu_2", &[128, 28, 28]),
        ("layer3_1.relu_2", &[256, 14, 14]),
        ("layer4_1.relu_2", &[512, 7, 7]),
    ]);
    learns::<ResNet18>(0.01);
    agrees::<ResNet18>("resnet18");
}

#[test]
fn resnet50() {
    has_parameters::<ResNet50>(25_557_032);
    has_names::<ResNet50>("resnet50");
    has_shapes::<ResNet50>(&[
        ("layer1_2.relu_3", &[256, 56, 56]),
        ("layer2_3.relu_3", &[512, 28, 28]),
        ("layer3_5.relu_3", &[1024, 14, 14]),
        ("layer4_2.relu_3", &[2048, 7, 7]),
    ]);
    learns::<ResNet50>(0.01);
}

#[test]
fn densenet121() {
    has_parameters::<DenseNet121>(7_978_856);
    has_names::<DenseNet121>("densenet121");
    has_shapes::<DenseNet121>(&[
        ("denseblock1.5.layer_1.concat_1", &[256, 56, 56]),
        ("denseblock2.11.layer_1.concat_1", &[512, 28, 28]),
        ("denseblock3.23.layer_1.concat_1", &[1024, 14, 14]),
        ("norm5", &[1024, 7, 7]),
    ]);
    learns::<DenseNet121>(0.01);
}

#[test]
fn alexnet() {
    has_parameters::<AlexNet>(61_100_840);
    has_names::<AlexNet>("alexnet");
    has_shapes::<AlexNet>(&[
        ("conv1", &[64, 55, 55]),
        ("conv2", &[192, 27, 27]),
        ("conv5", &[256, 13, 13]),
        ("flatten_1", &[9216]),
    ]);
    learns::<AlexNet>(0.001);
    agrees::<AlexNet>("alexnet");
}

#[test]
fn vgg16() {
    has_parameters::<Vgg16>(138_357_544);
    has_names::<Vgg16>("vgg16");
    has_shapes::<Vgg16>(&[
        ("conv1_2", &[64, 224, 224]),
        ("conv3_3", &[256, 56, 56]),
        ("max_pool2d_5", &[512, 7, 7]),
        ("flatten_1", &[25_088]),
    ]);
}

#[test]
#[ignore = "takes a minute and 3 GB"]
fn vgg16_learns() {
    learns::<Vgg16>(0.001);
}

#[test]
fn mobilenet_v2() {
    has_parameters::<MobileNetV2>(3_504_872);
    has_names::<MobileNetV2>("mobilenet_v2");
    has_shapes::<MobileNetV2>(&[
        ("features1.project_bn", &[16, 112, 112]),
        ("features3.residual_1", &[24, 56, 56]),
        ("features6.residual_1", &[32, 28, 28]),
        ("features13.residual_1", &[96, 14, 14]),
        ("features17.project_bn", &[320, 7, 7]),
    ]);
    learns::<MobileNetV2>(0.01);
    agrees::<MobileNetV2>("mobilenet_v2");
}

#[test]
fn unet() {
    has_parameters::<UNet>(7_763_041);
    has_shapes::<UNet>(&[
        ("bottleneck.relu_2", &[512, 8, 8]),
        ("upconv4", &[256, 16, 16]),
        ("concat_1", &[512, 16, 16]),
        ("decoder1.relu_2", &[32, 128, 128]),
    ]);
    let image = image::<UNet>();
    let mut mask = <[[[f32; 128]; 128]; 1] as Flat>::zeroed();
    mask[0][32..96].iter_mut().for_each(|row| row[32..96].fill(1.0));
    let mut net = UNet::seeded(42);
    let mut ws = UNet::workspace(1);
    let mut sgd = Sgd::new(0.1).state(&net);
    let loss = BinaryCrossEntropy::new();
    let mut step = |net: &mut UNet| {
        net.forward(std::slice::from_ref(&*image), &mut ws);
        let loss = loss.forward_backward(std::slice::from_ref(&*mask), &mut ws).unwrap();
        net.backward(std::slice::from_ref(&*image), &mut ws);
        sgd.step(net, ws.gradients());
        loss
    };
    let (before, after) = (step(&mut net), step(&mut net));
    assert!(0.0 < after && after < before, "{before}, then {after}");
    agrees::<UNet>("unet");
}

network! {
    /// A net of another crate as a layer.
    struct Tuned: [3, 32, 32] -> [4] {
        body: typenet::zoo::ResNet20,
        relu,
        head: linear(4),
    }
}

#[test]
fn a_net_of_another_crate_is_a_layer() {
    has_parameters::<Tuned>(272_474 + 44);
    has_shapes::<Tuned>(&[("body", &[10]), ("head", &[4])]);
    let (body, image) = (ResNet20::seeded(2), image::<Tuned>());
    let mut net = Tuned::seeded(1);
    net.body.clone_from(&body);
    let features = body.output(&image);
    for (class, found) in net.output(&image).into_iter().enumerate() {
        let weights = net.head.weight[class].iter().zip(features);
        let expected: f32 = weights.map(|(w, x)| w * x.max(0.0)).sum();
        assert!((found - expected - net.head.bias[class]).abs() <= 1e-5, "{found}, not {expected}");
    }
}

/// Multiply-adds of each thread that are worth an even cut: some tens of microseconds.
const WORTHWHILE: u64 = 1 << 20;

#[test]
fn layers_worth_cutting_are_cut_evenly() {
    fn check<N: Network>(worst: &mut Vec<String>) {
        for threads in [2, 4, 8, 16, 64] {
            for images in [1, 4, 8, 32, 128] {
                for layer in typenet::planned_balance::<N>(images, threads) {
                    let is_worth = layer.multiply_adds / threads as u64 >= WORTHWHILE;
                    let output = N::SHAPES[layer.node];
                    // Of images of 14×14 and less a row, a tile or a pair of blocks of channels is a large part.
                    let bound = match (images, threads) {
                        // Each image runs on one thread: an image cut for 64 gains less (docs/balance.md).
                        (32, 64) => 2.0,
                        _ if output.dim(1) <= 14 => 1.61,
                        _ => 1.31,
                    };
                    let is_even = layer.balance <= bound;
                    if is_worth && !is_even {
                        let name = N::GRAPH.nodes[layer.node].name;
                        worst
                            .push(format!("{} {name} {images} {threads} {layer:?}", N::GRAPH.name));
                    }
                }
            }
        }
    }
    let mut worst = Vec::new();
    check::<ResNet18>(&mut worst);
    check::<ResNet50>(&mut worst);
    check::<SqueezeNet>(&mut worst);
    check::<MobileNetV2>(&mut worst);
    check::<DenseNet121>(&mut worst);
    check::<UNet>(&mut worst);
    check::<Vgg16>(&mut worst);
    assert!(worst.is_empty(), "{}\n{} of them", worst.join("\n"), worst.len());
}
