//! The nets of `typenet::zoo`: shapes, parameters, and a training step.
#![cfg(feature = "zoo")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use typenet::prelude::*;
use typenet::zoo::*;
use typenet::{Logits, Plain};

/// Numbers between −1 and 1 that look like noise.
fn noise(len: usize) -> Vec<f32> {
    (0..len)
        .map(|i| (i as u32).wrapping_mul(2_654_435_769) as f32 / (1u32 << 31) as f32 - 1.0)
        .collect()
}

/// Two images, told apart after one step: the loss on them is lower than before.
fn learns<N: Network + Logits>(rate: f32) {
    let numbers = noise(2 * N::Input::LEN);
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
        ("layer2_0.downsample_1", &[32, 16, 16]),
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
    has_shapes::<SqueezeNet>(&[
        ("conv1", &[64, 111, 111]),
        ("fire3.concat_1", &[128, 55, 55]),
        ("fire6.concat_1", &[256, 27, 27]),
        ("fire12.concat_1", &[512, 13, 13]),
        ("classifier", &[1000, 13, 13]),
    ]);
    learns::<SqueezeNet>(0.01);
}

#[test]
fn resnet18() {
    has_parameters::<ResNet18>(11_689_512);
    has_shapes::<ResNet18>(&[
        ("max_pool2d_1", &[64, 56, 56]),
        ("layer1_1.relu_2", &[64, 56, 56]),
        ("layer2_1.relu_2", &[128, 28, 28]),
        ("layer3_1.relu_2", &[256, 14, 14]),
        ("layer4_1.relu_2", &[512, 7, 7]),
    ]);
    learns::<ResNet18>(0.01);
}

#[test]
fn resnet50() {
    has_parameters::<ResNet50>(25_557_032);
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
    has_shapes::<AlexNet>(&[
        ("conv1", &[64, 55, 55]),
        ("conv2", &[192, 27, 27]),
        ("conv5", &[256, 13, 13]),
        ("flatten_1", &[9216]),
    ]);
    learns::<AlexNet>(0.001);
}

#[test]
fn vgg16() {
    has_parameters::<Vgg16>(138_357_544);
    has_shapes::<Vgg16>(&[
        ("conv1_2", &[64, 224, 224]),
        ("conv3_3", &[256, 56, 56]),
        ("max_pool2d_5", &[512, 7, 7]),
        ("flatten_1", &[25_088]),
    ]);
    learns::<Vgg16>(0.001);
}
