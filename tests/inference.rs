//! Predictions: of one image and of many, with weights that change, against the f64 reference.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use typenet::prelude::*;
use typenet::{Flat, reference};

network! {
    struct Convolutions: [3, 17, 19] -> [7] {
        conv2d(20, kernel = (3, 5), padding = (1, 2)), leaky_relu(0.2),
        max_pool2d(2),
        conv2d(20, kernel = 3, groups = 20, padding = 1), tanh,
        conv2d(32, kernel = 1, bias = false), relu,
        conv2d(32, kernel = 3, groups = 2, stride = 2),
        dropout(0.3),
        avg_pool2d(2, stride = 1),
        flatten, sigmoid,
        linear(33), relu,
        linear(7),
    }
}

network! {
    struct PoolsFirst: [5, 8, 8] -> [5] {
        avg_pool2d(2), tanh, max_pool2d(3, stride = 1, padding = 1), global_avg_pool, softmax,
    }
}

network! {
    /// Poolings in the pass of the convolution before them, and others, whose last windows reach
    /// behind their inputs.
    struct RoundedUp: [3, 19, 21] -> [20] {
        conv2d(20, kernel = 5), relu,
        max_pool2d((2, 4), stride = (2, 4), ceil_mode = true),
        conv2d(20, kernel = (2, 1)), tanh,
        avg_pool2d((2, 3), ceil_mode = true),
        max_pool2d(2, stride = 1, padding = 1, ceil_mode = true),
        avg_pool2d(3, stride = 2, padding = 1, ceil_mode = true),
        max_pool2d(9, ceil_mode = true),
        flatten,
    }
}

network! {
    struct Depthwise: [3, 9, 8] -> [3, 9, 8] {
        conv2d(3, kernel = 3, groups = 3, padding = 1), relu, relu,
    }
}

network! {
    struct Features: [30] -> [20] {
        sigmoid, linear(40), tanh, linear(20, bias = false),
    }
}

network! {
    struct Flattened: [2, 5, 5] -> [18] {
        conv2d(2, kernel = 3), flatten,
    }
}

network! {
    /// Groups for which there is no kernel for one image, and a softmax over pixels' channels.
    struct Fallback: [4, 6, 6] -> [8, 4, 4] {
        conv2d(8, kernel = 3, groups = 2), softmax,
    }
}

network! {
    struct Nothing: [2, 3, 3] -> [18] {
        dropout, flatten,
    }
}

network! {
    /// Large enough that one image is shared out among threads, in every way that there is.
    struct Large: [3, 30, 34] -> [10] {
        stem: conv2d(48, kernel = 3, stride = 2, padding = 1), relu,
        residual {
            conv2d(48, kernel = 3, padding = 1), batch_norm, relu,
            conv2d(48, kernel = 3, padding = 1), batch_norm,
        }
        relu,
        depthwise_conv2d(kernel = 3, padding = 1), relu,
        max_pool2d(2),
        conv2d(160, kernel = 3), relu,
        conv2d(160, kernel = 3), relu,
        avg_pool2d(2),
        flatten,
        residual { linear(640), tanh, linear(320) }
        linear(10),
    }
}

fn check<N: Network>(seed: u64)
where
    N::Output: Copy,
{
    let mut net = N::seeded(seed);
    let numbers: Vec<f32> =
        (0..20 * N::Input::LEN).map(|i| ((i as f32 + seed as f32) * 0.37).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    let mut ws = N::workspace(4);
    for round in 0..2 {
        let many = net.outputs(images);
        for (image, of_many) in images.iter().zip(&many) {
            let parameters: Vec<f64> = net.parameters_flat().iter().map(|&w| w.into()).collect();
            let wide: Vec<f64> = image.as_flat().iter().map(|&x| x.into()).collect();
            let reference = reference::evaluate::<N>(&parameters, &wide);
            let expected = reference.values.last().unwrap();
            let mut one = net.outputs(std::slice::from_ref(image));
            let mut with = vec![one[0]; 1];
            net.outputs_into(&mut ws, std::slice::from_ref(image), &mut with).unwrap();
            for found in [one.remove(0), with.remove(0), *of_many] {
                let norm: f64 = expected.iter().map(|y| y * y).sum::<f64>().sqrt();
                let error = (found.as_flat().iter().zip(expected))
                    .map(|(&found, expected)| (f64::from(found) - expected).powi(2))
                    .sum::<f64>()
                    .sqrt();
                assert!(error <= 1e-5 * norm, "{} round {round}: {error:e}", N::GRAPH.name);
            }
        }
        // The packed weights must not be those of before.
        for (i, weight) in net.parameters_flat_mut().iter_mut().enumerate() {
            *weight += 0.1 * (i as f32).cos();
        }
    }
}

#[test]
fn one_image_and_many_agree_with_the_reference() {
    check::<Convolutions>(1);
    check::<PoolsFirst>(2);
    check::<Depthwise>(3);
    check::<Features>(4);
    check::<Flattened>(5);
    check::<Fallback>(6);
    check::<Nothing>(7);
    check::<RoundedUp>(9);
}

#[test]
fn a_named_weight_that_changes_changes_the_prediction() {
    let mut net = Features::seeded(1);
    let before = net.output(&[0.5; 30]);
    net.linear_2.weight[3] = [0.0; 40];
    let after = net.output(&[0.5; 30]);
    assert!(before[3] != 0.0 && after[3] == 0.0);
    let copy = net.clone();
    assert_eq!(copy.output(&[0.5; 30]), after);
    assert_eq!(copy, net);
}

#[test]
fn one_image_gives_the_same_bits_on_any_number_of_threads() {
    check::<Large>(8);
    let net = Large::seeded(1);
    let image: Vec<f32> = (0..3 * 30 * 34).map(|i| (i as f32 * 0.3).sin()).collect();
    let image = &Input::<Large>::slice_from_flat(&image).unwrap()[0];
    let expected = net.output(image);
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for _ in 0..5 {
            assert_eq!(pool.install(|| net.output(image)), expected, "{threads} threads");
        }
    }
}

#[test]
fn a_step_changes_the_predictions_of_one_and_of_many() {
    let numbers: Vec<f32> = (0..20 * Input::<Large>::LEN).map(|i| (i as f32 * 0.3).sin()).collect();
    let images = Input::<Large>::slice_from_flat(&numbers).unwrap();
    let labels: Vec<usize> = (0..20).map(|i| i % 10).collect();
    let mut net = Large::seeded(1);
    let mut ws = Large::workspace(20);
    let mut sgd = Sgd::new(0.1).state(&net);
    for _ in 0..2 {
        // What is made of the weights for predicting must go when they change.
        let before = (net.output(&images[0]), net.outputs(images));
        net.forward(images, &mut ws);
        CrossEntropy::new().forward_backward(&labels, &mut ws).unwrap();
        net.backward(images, &mut ws);
        sgd.step(&mut net, ws.gradients());
        let after = (net.output(&images[0]), net.outputs(images));
        let loaded = Large::from_bytes(&net.to_bytes().unwrap()).unwrap();
        assert_eq!(after, (loaded.output(&images[0]), loaded.outputs(images)));
        assert!(before.0 != after.0 && before.1 != after.1);
    }
}
