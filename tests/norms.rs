//! Nets with norms: gradients, running statistics, and the same numbers in every mode.
#![allow(clippy::unwrap_used)]

use typenet::Logits;
use typenet::prelude::*;

network! {
    /// Batch norms behind convolutions and linear layers, behind a sum, before anything, and without
    /// parameters.
    struct Batch: [2, 6, 6] -> [3] {
        block basic(out, stride = 1) {
            residual {
                conv2d(out, kernel = 3, stride = stride, padding = 1, bias = false), batch_norm, relu,
                conv2d(out, kernel = 3, padding = 1, bias = false), batch_norm,
            } shortcut {
                conv2d(out, kernel = 1, stride = stride, bias = false), batch_norm,
            }
            relu,
        }

        first: batch_norm,
        conv1: conv2d(4, kernel = 3, padding = same), bn1: batch_norm(eps = 1e-3), tanh,
        basic(6, stride = 2),
        residual { batch_norm(momentum = 0.3), relu, conv2d(6, kernel = (2, 3), padding = same) }
        depthwise_conv2d(kernel = 3, padding = 1, multiplier = 2), batch_norm(affine = false),
        flatten,
        fc1: linear(5), batch_norm, sigmoid,
        fc2: linear(3),
    }
}

network! {
    /// The batch norm is first, and has no parameters: it has no gradient at all.
    struct First: [2, 4, 4] -> [3] {
        batch_norm(affine = false),
        flatten,
        fc: linear(3),
    }
}

network! {
    /// Norms of each image by itself.
    struct Each: [4, 5, 5] -> [3] {
        group_norm(2),
        conv1: conv2d(6, kernel = 3), group_norm(3, affine = false), relu,
        conv2: conv2d(20, kernel = 1), layer_norm, tanh,
        residual { layer_norm(affine = false), conv2d(20, kernel = 1) }
        reshape([10, 3, 6]),
        flatten,
        fc1: linear(7), layer_norm, sigmoid,
        fc2: linear(3),
    }
}

fn number(n: usize) -> f32 {
    ((n * 7919 + 13) % 1009) as f32 / 504.5 - 1.0
}

fn images<N: Network>(count: usize) -> Vec<f32> {
    (0..count * N::SHAPES[0].elements()).map(|n| number(n) + 0.3).collect()
}

fn inputs<N: Network>(numbers: &[f32]) -> &[Input<N>] {
    typenet::Flat::slice_from_flat(numbers).unwrap()
}

/// A net whose running statistics are those of some data.
fn trained<N: Network + Logits>(count: usize) -> N {
    let numbers = images::<N>(count);
    let labels: Vec<usize> = (0..count).map(|i| i % 3).collect();
    let data = Dataset::from_inputs(inputs::<N>(&numbers), labels).unwrap();
    let mut net = N::seeded(3);
    let trainer = Trainer::new(Sgd::new(0.01).momentum(0.9)).loss(CrossEntropy::new());
    trainer.batch(10).epochs(3).fit(&mut net, &data, None).unwrap();
    net
}

fn check<N: Network + Logits>() {
    let net: N = trained(21);
    let numbers = images::<N>(21);
    let labels: Vec<usize> = (0..21).map(|i| i * i % 3).collect();
    let images = inputs::<N>(&numbers);
    // More images than a group has, and a group that is not full.
    let check = gradcheck(&net, &CrossEntropy::new(), &images[..19], &labels[..19]).unwrap();
    assert!(check.worst() <= 1e-3, "{}: {check}", N::GRAPH.name);

    // One image, many images and the reference in f64.
    let parameters: Vec<f64> = net.parameters_flat().iter().map(|&w| f64::from(w)).collect();
    let mut outputs = vec![0.0; 21 * 3];
    let mut ws = N::workspace(5);
    net.outputs_into(&mut ws, images, typenet::Flat::slice_from_flat_mut(&mut outputs).unwrap())
        .unwrap();
    for (i, image) in images.iter().enumerate() {
        use typenet::{Flat, OutputValue};
        let wide: Vec<f64> = image.as_flat().iter().map(|&x| f64::from(x)).collect();
        let reference = typenet::reference::evaluate::<N>(&parameters, &wide);
        let mut single = net.output(image);
        for (k, &expected) in reference.output().iter().enumerate() {
            let (many, one) = (outputs[i * 3 + k], single.get_mut().as_flat()[k]);
            let close =
                |found: f32| (f64::from(found) - expected).abs() <= 1e-5 * expected.abs().max(1.0);
            assert!(close(many), "{} image {i}: {many} for {expected}", N::GRAPH.name);
            assert!(close(one), "{} image {i} alone: {one} for {expected}", N::GRAPH.name);
        }
    }
}

#[test]
fn batch_norms_have_their_gradients() {
    check::<Batch>();
    check::<First>();
}

#[test]
fn norms_of_each_image_have_their_gradients() {
    check::<Each>();
}

#[test]
fn running_statistics_move_towards_those_of_the_batch() {
    let numbers = images::<First>(20);
    let mut net = First::seeded(1);
    assert_eq!(net.batch_norm_1.running_var, [1.0; 2]);
    net.forward(inputs::<First>(&numbers), &mut First::workspace(20));
    for channel in 0..2 {
        let of_channel =
            || numbers.chunks(16).skip(channel).step_by(2).flatten().map(|&x| f64::from(x));
        let mean = of_channel().sum::<f64>() / 320.0;
        let variance = of_channel().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 319.0;
        let found = [net.batch_norm_1.running_mean[channel], net.batch_norm_1.running_var[channel]];
        for (found, expected) in found.into_iter().zip([0.1 * mean, 0.9 + 0.1 * variance]) {
            assert!((f64::from(found) - expected).abs() <= 1e-6, "{found} for {expected}");
        }
    }
}

#[test]
fn running_statistics_are_no_parameters() {
    let net: Batch = trained(20);
    assert_eq!(net.bn1.weight.len(), 4);
    // 2 + 2 for `first`, and so on: what PyTorch's `parameters()` counts.
    let summary = Batch::summary();

    let of = |name: &str| summary.rows.iter().find(|row| row.name == name).unwrap().parameters;
    assert_eq!((of("first"), of("bn1"), of("batch_norm_4")), (4, 8, 0));
    // Weight decay and a regulariser leave them alone.
    let mut decayed = net.clone();
    let zeros = Batch::workspace(1).gradients().clone();
    Sgd::new(0.1).weight_decay(0.5).state(&decayed).step(&mut decayed, &zeros);
    assert_eq!(decayed.bn1.running_var, net.bn1.running_var);
    assert!(decayed.bn1.weight != net.bn1.weight);
    let bytes = net.to_bytes().unwrap();
    assert_eq!(Batch::from_bytes(&bytes).unwrap(), net);
}

#[test]
fn the_same_bits_with_any_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| trained::<Batch>(70))
    };
    let one = run(1);
    for threads in [2, 3, 8] {
        assert_eq!(one, run(threads), "{threads} threads");
    }
}
