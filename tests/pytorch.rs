//! LeNet-5 against PyTorch's results, which `tests/fixtures/lenet5.py` wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use typenet::Flat;
use typenet::prelude::*;

#[path = "fixtures/reader.rs"]
mod reader;

use reader::{Fixture, relative_error};

network! {
    /// LeNet-5 for 28×28 grey images.
    struct LeNet5: [1, 28, 28] -> [10] {
        conv1: conv2d(6, kernel = 5, padding = 2), relu,
        max_pool2d(2),
        conv2: conv2d(16, kernel = 5), relu,
        max_pool2d(2),
        flatten,
        fc1: linear(120), relu,
        fc2: linear(84), relu,
        fc3: linear(10),
    }
}

/// PyTorch's f32 is within 2e-6 of its f64 here.
const TOLERANCE: f64 = 1e-5;

fn lenet5() -> LeNet5 {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/lenet5.safetensors");
    LeNet5::load(path).unwrap()
}

#[test]
fn a_file_of_pytorch_loads() {
    let net = lenet5();
    let weights = Fixture::read(include_bytes!("fixtures/lenet5.safetensors"));
    assert_eq!(net.parameters_flat().len(), 61_706);
    assert_eq!(net.conv1.weight.as_flat(), weights.f32("conv1.weight"));
    assert_eq!(net.conv2.weight.as_flat(), weights.f32("conv2.weight"));
    assert_eq!(net.conv2.bias.as_flat(), weights.f32("conv2.bias"));
    assert_eq!(net.fc1.weight.as_flat(), weights.f32("fc1.weight"));
    assert_eq!(net.fc3.bias.as_flat(), weights.f32("fc3.bias"));
}

#[test]
fn logits_loss_and_gradients() {
    let expected = Fixture::read(include_bytes!("fixtures/lenet5_gradients.safetensors"));
    let numbers = expected.f32("inputs");
    let inputs = Input::<LeNet5>::slice_from_flat(&numbers).unwrap();
    assert_eq!(inputs.len(), 19);
    let close = |name: &str, found: &[f32]| {
        let error = relative_error(found, expected.f64(name));
        assert!(error <= TOLERANCE, "{name} is off by {error:.1e}");
    };

    let mut net = lenet5();
    // Room for one image, so that the workspace has to grow.
    let mut ws = LeNet5::workspace(1);
    // The second round finds what the first left in the workspace.
    for _ in 0..2 {
        net.forward(inputs, &mut ws);
        close("logits", ws.output().as_flattened());
        let loss =
            CrossEntropy::new().forward_backward(&expected.labels("labels"), &mut ws).unwrap();
        close("loss", &[loss as f32]);
        net.backward(inputs, &mut ws);
        let gradients = ws.gradients();
        close("conv1.weight", gradients.conv1.weight.as_flat());
        close("conv1.bias", gradients.conv1.bias.as_flat());
        close("conv2.weight", gradients.conv2.weight.as_flat());
        close("conv2.bias", gradients.conv2.bias.as_flat());
        close("fc1.weight", gradients.fc1.weight.as_flat());
        close("fc1.bias", gradients.fc1.bias.as_flat());
        close("fc2.weight", gradients.fc2.weight.as_flat());
        close("fc2.bias", gradients.fc2.bias.as_flat());
        close("fc3.weight", gradients.fc3.weight.as_flat());
        close("fc3.bias", gradients.fc3.bias.as_flat());
    }
    close("logits", net.outputs(inputs).as_flattened());
    let one_by_one: Vec<[f32; 10]> = inputs.iter().map(|image| net.output(image)).collect();
    close("logits", one_by_one.as_flattened());
}

/// 20 steps with weight decay, on two batches of 32 in turn.
fn train(name: &str, sgd: Sgd) {
    let expected = Fixture::read(include_bytes!("fixtures/lenet5_training.safetensors"));
    let numbers: Vec<f32> = expected.f32("images").iter().map(|byte| byte / 64.0 - 2.0).collect();
    let images = Input::<LeNet5>::slice_from_flat(&numbers).unwrap();
    let labels = expected.labels("labels");

    let mut net = lenet5();
    let mut sgd = sgd.state(&net);
    let mut ws = LeNet5::workspace(32);
    let losses = expected.f64(&format!("{name}.losses"));
    assert_eq!(losses.len(), 20);
    for (step, &expected) in losses.iter().enumerate() {
        let batch = if step % 2 == 0 { 0..32 } else { 32..64 };
        net.forward(&images[batch.clone()], &mut ws);
        let loss = CrossEntropy::new().forward_backward(&labels[batch.clone()], &mut ws).unwrap();
        net.backward(&images[batch], &mut ws);
        sgd.step(&mut net, ws.gradients());
        let difference = (loss - expected).abs();
        assert!(difference <= TOLERANCE, "{name}, step {step}: {loss}, PyTorch has {expected}");
    }
    let norm =
        |numbers: &[f32]| numbers.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt() as f32;
    let norms = [
        norm(net.conv1.weight.as_flat()),
        norm(net.conv1.bias.as_flat()),
        norm(net.conv2.weight.as_flat()),
        norm(net.conv2.bias.as_flat()),
        norm(net.fc1.weight.as_flat()),
        norm(net.fc1.bias.as_flat()),
        norm(net.fc2.weight.as_flat()),
        norm(net.fc2.bias.as_flat()),
        norm(net.fc3.weight.as_flat()),
        norm(net.fc3.bias.as_flat()),
    ];
    for (found, &expected) in norms.iter().zip(expected.f64(&format!("{name}.norms"))) {
        let error = relative_error(&[*found], &[expected]);
        assert!(error <= TOLERANCE, "{name}: norms {norms:?}, {found} should be {expected}");
    }
}

#[test]
fn training_with_momentum_and_weight_decay() {
    train("momentum", Sgd::new(0.05).momentum(0.9).weight_decay(5e-4));
}

#[test]
fn training_with_nesterov_momentum() {
    train("nesterov", Sgd::new(0.05).momentum(0.9).nesterov(true).weight_decay(5e-4));
}
