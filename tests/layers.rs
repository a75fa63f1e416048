//! Nets of the less usual layers: gradients, and the same numbers for one image, for many, and in f64.
#![allow(clippy::unwrap_used)]

use typenet::loss::Accepts;
use typenet::prelude::*;
use typenet::reference::gradcheck_with;
use typenet::{Flat, OutputValue};

network! {
    /// Activations whose slope cannot be had from their value: behind layers that take them in in
    /// inference, behind one another, and behind values that are read twice.
    struct Gates: [3, 6, 5] -> [4] {
        hardswish,
        conv1: conv2d(6, kernel = 3, padding = same), gelu,
        conv2: conv2d(6, kernel = 1), batch_norm, gelu(approximate = tanh), silu,
        residual { depthwise_conv2d(kernel = 3, padding = 1), layer_norm, silu, conv2d(6, kernel = 1) }
        gelu,
        residual { conv2d(6, kernel = 1), batch_norm } hardswish,
        conv2d(8, kernel = 2), relu6, gelu,
        flatten, silu,
        fc1: linear(9), gelu, dropout(0.2), gelu(approximate = none),
        fc2: linear(4),
    }
}

network! {
    /// The same functions of sums, products and joins.
    struct Joined: [3, 6, 5] -> [4] {
        a: conv2d(6, kernel = 1),
        b: gelu,
        c: conv2d(6, kernel = 3, padding = 1),
        add(b), sum: silu,
        from(a), global_avg_pool, hardswish, gate: linear(6),
        from(sum), mul(gate), gelu(approximate = tanh),
        concat(a, c), hardswish,
        group_norm(3), silu,
        conv2d(4, kernel = 2, stride = 2), relu6,
        global_avg_pool,
    }
}

network! {
    /// Down and up again, all of which one image runs through as it is.
    struct Up: [2, 7, 6] -> [3, 14, 23] {
        upsample(mode = bilinear),
        conv1: conv2d(5, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        up1: conv_transpose2d(4, kernel = 2, stride = 2, bias = false), batch_norm, relu6,
        residual { conv_transpose2d(4, kernel = 3, padding = 1), batch_norm } gelu,
        residual { conv_transpose2d(4, kernel = 3, padding = 1), relu, conv2d(4, kernel = 1) }
        scale(0.5),
        up2: conv_transpose2d(
            3, kernel = (3, 2), stride = (1, 2), padding = (1, 0), output_padding = (0, 1),
            dilation = (1, 2),
        ), silu,
        conv2d(3, kernel = (1, 4)),
    }
}

network! {
    /// A first layer of each kind, joins, and groups, of one channel too.
    struct Back: [4, 5, 6] -> [5] {
        first: conv_transpose2d(6, kernel = 3, stride = 2, padding = 1, output_padding = 1, groups = 2),
        tanh,
        down: max_pool2d(2),
        conv_transpose2d(6, kernel = 2, stride = 2, groups = 6), batch_norm(affine = false),
        negative: scale(-1.5),
        from(down), upsample((2, 2)), concat(negative), scale(2),
        conv_transpose2d(6, kernel = 2, groups = 3), batch_norm, sigmoid,
        conv_transpose2d(5, kernel = 2, bias = false),
        upsample((1, 3), mode = bilinear, align_corners = true),
        global_avg_pool,
        log_softmax,
    }
}

network! {
    /// Wide enough for several blocks of channels side by side.
    struct Wide: [20, 2, 3] -> [5] {
        conv_transpose2d(32, kernel = 4, stride = 2, padding = 1, groups = 2), batch_norm, gelu,
        upsample((1, 2)), silu,
        conv_transpose2d(18, kernel = 2, stride = 2, output_padding = (1, 0)), silu,
        scale(0.25),
        avg_pool2d(3),
        flatten,
        linear(5), log_softmax,
    }
}

fn inputs<N: Network>(count: usize) -> Vec<f32> {
    let number = |n: usize| ((n * 7919 + 13) % 1009) as f32 / 300.0 - 1.6;
    (0..count * N::SHAPES[0].elements()).map(number).collect()
}

/// Any numbers to multiply outputs with.
fn factor(i: usize) -> f32 {
    ((i * 37 + 11) % 23) as f32 / 11.5 - 1.0
}

/// The sum of the outputs, each times a factor.
#[derive(Clone)]
struct Weighted;

impl Loss<usize> for Weighted {
    fn reduction(&self) -> Reduction {
        Reduction::Mean
    }
    fn check(&self, _: usize, _: &usize, _: &str) -> typenet::Result<()> {
        Ok(())
    }
    fn weight(&self, _: &usize) -> f64 {
        1.0
    }
    fn image(&self, outputs: &[f32], target: &usize, scale: f64, gradient: &mut [f32]) -> f64 {
        let mut sum = 0.0;
        for (i, (y, gradient)) in outputs.iter().zip(gradient).enumerate() {
            let factor = f64::from(factor(i + target));
            *gradient = (factor * scale) as f32;
            sum += factor * f64::from(*y);
        }
        sum
    }
    fn reference(&self, outputs: &[f64], target: &usize) -> f64 {
        outputs.iter().enumerate().map(|(i, y)| f64::from(factor(i + target)) * y).sum()
    }
}

impl<N: Network> Accepts<N> for Weighted {}

/// Gradients with more images than a group has and a group that is not full; then one image, many
/// images and the reference in f64, after some steps of training.
fn check<N: Network, L: Loss<usize> + Accepts<N>>(loss: &L) {
    let numbers = inputs::<N>(19);
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    let targets: Vec<usize> = (0..19).map(|i| i * i % 4).collect();
    let mut net = N::seeded(5);
    let check = gradcheck_with(&net, loss, images, &targets, 5, 0).unwrap();
    assert!(check.worst() <= 1e-4, "{}: {check}", N::GRAPH.name);

    // Running statistics and biases that are no longer those of a new net.
    let mut ws = N::workspace(19);
    let mut sgd = Sgd::new(0.01).state(&net);
    for _ in 0..3 {
        net.forward(images, &mut ws);
        loss.forward_backward(&targets, &mut ws).unwrap();
        net.backward(images, &mut ws);
        sgd.step(&mut net, ws.gradients());
    }

    let len = N::Output::LEN;
    let parameters: Vec<f64> = net.parameters_flat().iter().map(|&w| f64::from(w)).collect();
    let mut outputs = vec![f32::NAN; 19 * len];
    net.outputs_into(&mut ws, images, N::Output::slice_from_flat_mut(&mut outputs).unwrap())
        .unwrap();
    for (i, image) in images.iter().enumerate() {
        let wide: Vec<f64> = image.as_flat().iter().map(|&x| f64::from(x)).collect();
        let reference = typenet::reference::evaluate::<N>(&parameters, &wide);
        let mut single = net.output(image);
        let rows = [&outputs[i * len..][..len], single.get_mut().as_flat()];
        for (row, name) in rows.into_iter().zip(["among others", "alone"]) {
            for (&found, &expected) in row.iter().zip(reference.output()) {
                let close = (f64::from(found) - expected).abs() <= 1e-5 * expected.abs().max(1.0);
                assert!(close, "{}, image {i} {name}: {found}, not {expected}", N::GRAPH.name);
            }
        }
    }
}

#[test]
fn activations_that_keep_their_input() {
    check::<Gates, _>(&CrossEntropy::new());
    check::<Joined, _>(&CrossEntropy::new());
}

#[test]
fn ways_up() {
    check::<Up, _>(&Weighted);
    check::<Back, _>(&NllLoss::new());
    check::<Wide, _>(&NllLoss::new().class_weights(&[1.0, 0.5, 2.0, 0.1, 1.0]));
}

#[test]
fn transposed_convolutions_have_pytorchs_weights() {
    let net = Up::seeded(1);
    // [in_channels, out_channels / groups, height, width]
    let weight: &[[[[f32; 2]; 2]; 4]; 5] = &net.up1.weight;
    assert_eq!(weight.len() * weight[0].len(), 20);
    let groups: &[[[[f32; 3]; 3]; 3]; 4] = &Back::seeded(1).first.weight;
    assert_eq!(groups.len(), 4);
    let file = net.to_bytes().unwrap();
    let file = safetensors::SafeTensors::deserialize(&file).unwrap();
    assert_eq!(file.tensor("up1.weight").unwrap().shape(), [5, 4, 2, 2]);
    assert_eq!(file.tensor("up2.bias").unwrap().shape(), [3]);
    let rows = Up::summary().rows;
    let up2 = rows.iter().find(|row| row.name == "up2").unwrap();
    assert_eq!(
        up2.layer,
        "conv_transpose2d(3, kernel = (3, 2), stride = (1, 2), padding = (1, 0), \
         output_padding = (0, 1), dilation = (1, 2))"
    );
    // Each of the 14 · 12 numbers of a channel meets each weight once.
    assert_eq!((up2.parameters, up2.multiply_adds), (4 * 3 * 6 + 3, 4 * 3 * 6 * 14 * 12));
}

#[test]
fn probabilities_are_the_powers_of_their_logarithms() {
    let (net, numbers) = (Wide::seeded(2), inputs::<Wide>(1));
    let image = Wide::input(&numbers).unwrap();
    let (logs, probabilities) = (net.output(image), net.probabilities(image));
    for (log, p) in logs.iter().zip(probabilities) {
        assert!((log.exp() - p).abs() <= 1e-6);
    }
    assert!((probabilities.iter().sum::<f32>() - 1.0).abs() <= 1e-5);
    assert_eq!(net.predict(image), net.top_k(image, 1)[0].0);
    assert!(net.top_k(image, 5).iter().all(|&(class, p)| p == probabilities[class]));
}

#[test]
fn nll_of_log_softmax_is_cross_entropy() {
    network! { struct Logs: [3] -> [4] { fc: linear(4), log_softmax } }
    network! { struct Logits: [3] -> [4] { fc: linear(4) } }
    let images = [[0.5, -1.0, 2.0], [-0.25, 0.0, 1.0]];
    let (mut logs, mut logits) = (Logs::seeded(1), Logits::seeded(1));
    let (mut a, mut b) = (Logs::workspace(2), Logits::workspace(2));
    logs.forward(&images, &mut a);
    logits.forward(&images, &mut b);
    let weights = [0.5, 1.0, 2.0, 0.25];
    let nll = NllLoss::new().class_weights(&weights).forward_backward(&[3, 1], &mut a).unwrap();
    let entropy = CrossEntropy::new().class_weights(&weights);
    let entropy = entropy.forward_backward(&[3, 1], &mut b).unwrap();
    assert!((nll - entropy).abs() <= 1e-6, "{nll} and {entropy}");
    logs.backward(&images, &mut a);
    logits.backward(&images, &mut b);
    let pairs = a.gradients().as_flat().iter().zip(b.gradients().as_flat());
    assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() <= 1e-6));
    let error = NllLoss::new().forward_backward(&[0, 4], &mut a).unwrap_err();
    assert!(error.to_string().contains('4'), "{error}");
}
