//! Inference and training with 16 channels side by side: every layer, in every order in which its input may
//! stand, alone and in batches, against the f64 reference.
#![allow(clippy::unwrap_used)]

use std::mem::discriminant;

use typenet::Flat;
use typenet::loss::{Accepts, Compares};
use typenet::own::{Gradients, Layer, Parameters, Shape, ShapeError};
use typenet::prelude::*;
use typenet::reference::{self, gradcheck_with};

network! {
    /// Channels that are no whole blocks.
    struct Concats: [3, 9, 8] -> [36] {
        concat {
            branch { conv2d(5, kernel = 3, padding = 1), early: relu }
            branch { conv2d(20, kernel = 1), sigmoid }
            branch { max_pool2d(3, stride = 1, padding = 1) }
        }
        both: batch_norm, relu,
        concat(both, input),
        concat {
            branch { concat { branch { conv2d(16, kernel = 1) } branch { conv2d(9, kernel = 1) } } }
            branch { conv2d(7, kernel = 3, padding = 1), tanh }
        }
        global_avg_pool, all: silu, linear(4), concat(all), relu,
    }
}

network! {
    /// Whole blocks, which are computed where they belong, and some that are not.
    struct Dense: [3, 8, 8] -> [10] {
        conv2d(32, kernel = 3, padding = 1), a: relu,
        batch_norm, relu, conv2d(16, kernel = 3, padding = 1), b: relu,
        from(a), ab: concat(b),
        batch_norm, relu, conv2d(16, kernel = 1), c: tanh,
        from(ab), abc: concat(c),
        conv2d(16, kernel = 1), d: relu,
        from(abc), again: concat(a, d),
        add(again), concat(again), conv2d(20, kernel = 1), batch_norm, relu,
        global_avg_pool, linear(10),
    }
}

network! {
    struct Squeezed: [3, 12, 10] -> [6] {
        conv2d(24, kernel = 3, padding = 1), batch_norm, value: hardswish,
        global_avg_pool, linear(6), relu, linear(24), gate: sigmoid,
        from(value), gated: mul(gate),
        avg_pool2d((12, 10)), conv2d(24, kernel = 1), second: sigmoid,
        from(gated), mul(second, value, gate), conv2d(40, kernel = 1), wide: relu,
        mul(wide), depthwise_conv2d(kernel = 3, multiplier = 2), gelu,
        global_avg_pool, features: scale(0.5), mul(features), linear(6),
    }
}

network! {
    /// The same numbers in blocks of other channels.
    struct Orders: [6, 4, 5] -> [20] {
        first: conv2d(12, kernel = 3, padding = 1), flat: flatten,
        from(first), reshape([20, 4, 3]), conv2d(20, kernel = 1), relu, flatten,
        add(flat), sum: tanh, group_norm(4), normed: relu,
        from(sum), batch_norm, layer_norm, mul(normed, flat), reshape([48, 5, 1]), relu,
        max_pool2d((2, 1), stride = (1, 1)), reshape([12, 4, 4]), upsample(2), avg_pool2d(2),
        reshape([16, 12, 1]), layer_norm, softmax, reshape([192]), softmax, log_softmax,
        reshape([24, 2, 4]), conv_transpose2d(9, kernel = 3, stride = 2), group_norm(3), silu,
        flatten, linear(20), reshape([20, 1, 1]), flatten,
    }
}

network! {
    /// Other orders where channels meet factors, and where the input itself is read.
    struct Turned: [4, 6, 6] -> [9] {
        turned: reshape([9, 4, 4]),
        global_avg_pool, gate: leaky_relu(0.1),
        from(turned), mul(gate), a: conv2d(9, kernel = 1), flatten, reshape([36, 2, 2]),
        global_avg_pool, linear(36), factors: sigmoid,
        from(a), reshape([36, 4, 1]), mul(factors), reshape([9, 16, 1]), softmax, global_avg_pool,
    }
}

network! {
    /// What adds an image as it came; the same numbers twice among the heads, in two orders.
    struct Added: [3, 8, 8] -> (map: [3, 8, 8], flat: [192], again: [192]) {
        conv2d(3, kernel = 3, padding = 1), add(input), map: relu, flat: flatten, again: reshape([192]),
    }
}

network! {
    struct Inner: [20, 6, 5] -> [13, 6, 5] { conv2d(13, kernel = 3, padding = 1), relu6 }
}

/// `2 x`
struct Double;

#[typenet::layer]
impl Double {
    const fn output(self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(input)
    }
}

impl Layer for Double {
    fn forward(&self, _: Shape, _: Parameters<'_>, x: &[f32], y: &mut [f32]) {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = 2.0 * x);
    }
    fn backward(
        &self,
        _: Shape,
        _: Parameters<'_>,
        _: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        _: Gradients<'_>,
    ) {
        dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx = 2.0 * dy);
    }
    fn reference(&self, _: Shape, _: Parameters<'_, f64>, x: &[f64], y: &mut [f64]) {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = 2.0 * x);
    }
}

network! {
    /// What reads the input itself; a net and an own layer between; heads in every order.
    struct Outer: (image: [20, 6, 5], pose: [20], plane: [4, 5, 6]) -> (
        map: [13, 6, 5], pose_again: [20], flat: [120], class: [7],
    ) {
        from(pose), pose_again: flatten,
        from(image), scale(2), a: relu6,
        from(image), group_norm(5), b: relu,
        from(image), batch_norm, add(a, b, image), mul(pose), self::Inner, map: self::Double,
        depthwise_conv2d(kernel = 3), dropout, flatten, linear(30), trunk: relu,
        from(plane), reshape([30, 4, 1]), max_pool2d((2, 1)), flat_map: flatten,
        from(plane), layer_norm(affine = false), flat: reshape([120]),
        concat(trunk, flat_map, pose), class: linear(7),
    }
}

network! {
    /// Layers of many weights behind others of few, so that the images of a batch go through them together;
    /// values of the first half that are read in the second.
    struct Heavy: [3, 20, 18] -> [40] {
        conv2d(24, kernel = 3, stride = 2, padding = 1), early: relu,
        conv2d(24, kernel = 3, padding = 1), add(early), both: relu,
        concat(early), conv2d(160, kernel = 3, stride = 2, padding = 1), relu,
        residual {
            conv2d(160, kernel = 3, padding = 1), batch_norm, relu,
            conv2d(160, kernel = 3, padding = 1, bias = false), batch_norm,
        }
        wide: relu, global_avg_pool, linear(160), gate: sigmoid,
        from(wide), mul(gate),
        concat { branch { conv2d(200, kernel = 3) } branch { conv2d(9, kernel = 3), group_norm(3) } }
        layer_norm, max_pool2d(3, stride = 2), upsample(2), depthwise_conv2d(kernel = 2), softmax,
        flatten, concat(gate), linear(300), tanh, linear(40), early_again: scale(3),
        from(both), global_avg_pool, linear(40), add(early_again), self::Double,
    }
}

network! {
    struct Groups: [6, 7, 9] -> [5] {
        conv2d(12, kernel = 3, padding = 1, groups = 3), batch_norm, first: relu,
        conv2d(10, kernel = 3, stride = 2, groups = 2), relu6,
        conv_transpose2d(12, kernel = 3, stride = 2, groups = 2, output_padding = (0, 0)), batch_norm,
        add(first), relu,
        depthwise_conv2d(kernel = 3, multiplier = 3), gelu(approximate = tanh),
        conv2d(36, kernel = 1, groups = 36), leaky_relu,
        conv2d(64, kernel = 5, groups = 4, padding = same, bias = false), hardswish,
        group_norm(8), global_avg_pool, log_softmax, linear(5),
    }
}

network! {
    /// So little work for an image that groups of 16 are cheaper; a few left over are not.
    struct Small: [1, 28, 28] -> [10] {
        conv2d(6, kernel = 5), relu, max_pool2d(2), conv2d(16, kernel = 5), relu, max_pool2d(2),
        flatten, linear(120), relu, linear(10),
    }
}

network! {
    /// Convolutions of 1×1 with a stride and much work: of the input, of groups, of a value.
    struct Strided: [140, 16, 30] -> [6] {
        conv2d(128, kernel = 1, stride = 2), relu,
        conv2d(512, kernel = 1, groups = 2, stride = (1, 2)), batch_norm, relu,
        conv2d(600, kernel = 1, stride = (2, 1)), tanh,
        global_avg_pool, linear(6),
    }
}

network! {
    /// Norms that the convolution behind them applies to what it reads.
    struct Thin: [36, 6, 5] -> [33, 3, 3] {
        batch_norm(affine = false), leaky_relu(0.2),
        conv2d(33, kernel = 1, stride = 2), batch_norm, relu6,
        depthwise_conv2d(kernel = 3, padding = 1), batch_norm, last: relu,
    }
}

network! {
    /// More of them, with strides, several outputs a channel and sums, next to norms that are stored.
    struct Applied: [3, 12, 10] -> [7] {
        conv2d(18, kernel = 3, padding = 1), batch_norm,
        depthwise_conv2d(kernel = 5, stride = 2, padding = 2, multiplier = 2), batch_norm, relu,
        residual { conv2d(36, kernel = 1, bias = false), batch_norm, relu, conv2d(36, kernel = 1) }
        residual { batch_norm, relu, conv2d(36, kernel = 1) }
        residual { batch_norm, relu6, depthwise_conv2d(kernel = 3, padding = 1) }
        self::Thin,
        conv2d(40, kernel = 1), batch_norm(momentum = 0.3), both: relu,
        conv2d(40, kernel = 1), early: batch_norm,
        from(both), conv2d(33, kernel = 1), batch_norm, relu, #[frozen] fixed: conv2d(40, kernel = 1), late: relu,
        from(early), conv2d(40, kernel = 1), batch_norm, add(both, late), relu,
        global_avg_pool, linear(7),
    }
}

/// The outputs of so many images against the reference, alone and in batches, with weights that change.
fn check<N: Network>(seed: u64)
where
    N::Output: Copy,
{
    let mut net = N::seeded(seed);
    let number = |i: usize| ((i as f32 + seed as f32) * 0.37).sin();
    let numbers: Vec<f32> = (0..20 * N::Input::LEN).map(number).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    let mut ws = N::workspace(4);
    for round in 0..2 {
        // Statistics as training would leave them: variances are not negative.
        let parameters: Vec<f64> = net.parameters_flat().iter().map(|&w| w.into()).collect();
        let expected: Vec<Vec<f64>> = (images.iter())
            .map(|image| {
                let wide: Vec<f64> = image.as_flat().iter().map(|&x| x.into()).collect();
                let values = reference::evaluate::<N>(&parameters, &wide).values;
                let outputs = (0..N::GRAPH.output_count()).map(|k| N::GRAPH.output_node(k));
                outputs.flat_map(|node| values[node].clone()).collect()
            })
            .collect();
        for batch in [1, 2, 3, 7, 19, 20] {
            let images = &images[..batch];
            let mut with = vec![*N::Output::zeroed(); batch];
            net.outputs_into(&mut ws, images, &mut with).unwrap();
            for outputs in [net.outputs(images), with] {
                for (found, expected) in outputs.iter().zip(&expected) {
                    let norm: f64 = expected.iter().map(|y| y * y).sum::<f64>().sqrt();
                    let error = (found.as_flat().iter().zip(expected))
                        .map(|(&found, expected)| (f64::from(found) - expected).powi(2))
                        .sum::<f64>()
                        .sqrt();
                    let name = N::GRAPH.name;
                    assert!(error <= 2e-5 * norm, "{name} round {round}, {batch}: {error:e}");
                }
            }
        }
        for (i, weight) in net.parameters_flat_mut().iter_mut().enumerate() {
            *weight += 0.05 * (1.0 + (i as f32).cos());
        }
    }
}

/// The same bits, however many threads there are.
fn check_threads<N: Network>()
where
    N::Output: Copy,
{
    let net = N::seeded(1);
    let numbers: Vec<f32> = (0..20 * N::Input::LEN).map(|i| (i as f32 * 0.3).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    for batch in [1, 2, 5, 16, 20] {
        let bits = || -> Vec<u32> {
            let outputs = net.outputs(&images[..batch]);
            outputs.iter().flat_map(|output| output.as_flat().iter().map(|y| y.to_bits())).collect()
        };
        let expected = bits();
        for threads in [1, 2, 3, 8, 16] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(bits);
            assert_eq!(found, expected, "{}: {batch} images, {threads} threads", N::GRAPH.name);
        }
    }
}

/// Gradients of batches that fill no group against central differences.
fn check_gradients<N: Network, T, L>(
    loss: &L,
    samples: usize,
    batches: &[usize],
    target: impl Fn(usize) -> T,
) where
    L: Compares<N::Output, T> + Accepts<N>,
{
    let numbers: Vec<f32> = (0..5 * N::Input::LEN).map(|i| (i as f32 * 0.37).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    let targets: Vec<T> = (0..5).map(target).collect();
    for &batch in batches {
        let net = N::seeded(batch as u64);
        let (images, targets) = (&images[..batch], &targets[..batch]);
        let check = gradcheck_with(&net, loss, images, targets, samples, 1).unwrap();
        assert!(check.worst() <= 1e-3, "{} of {batch}:\n{check}", N::GRAPH.name);
    }
}

/// A forward pass, and gradients as if all outputs should be a half; returns the outputs.
fn forward<N: Network>(net: &mut N, images: &[N::Input], ws: &mut Workspace<N>) -> Vec<f32> {
    net.forward(images, ws);
    let (outputs, gradient) = ws.output_rows();
    gradient.iter_mut().zip(outputs).for_each(|(g, y)| *g = 0.5 - y);
    outputs.to_vec()
}

/// What the environment forces on every process of these tests but the first.
fn forced() -> Option<String> {
    std::env::var("TYPENET_LAYOUT").ok()
}

/// Steps whose last images run beside full groups against steps in groups alone.
fn check_left_over<N: Network>() {
    let numbers: Vec<f32> = (0..35 * N::Input::LEN).map(|i| (i as f32 * 0.3).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    let name = N::GRAPH.name;
    for batch in [17, 19, 31, 35] {
        let images = &images[..batch];
        let step = |is_interleaved: bool, accumulates: bool, trains_all: bool| -> [Vec<f32>; 3] {
            let mut net = N::seeded(1);
            if !trains_all {
                for node in N::LAYOUT.tensors.iter().map(|tensor| tensor.node).step_by(3) {
                    net.set_trainable(N::GRAPH.nodes[node].name, false).unwrap();
                }
            }
            let mut ws = N::workspace(batch);
            ws.set_dropout(false);
            if is_interleaved {
                ws.set_interleaved();
            }
            let mut all = Vec::new();
            for round in 0..if accumulates { 2 } else { 1 } {
                all = forward(&mut net, images, &mut ws);
                if round == 0 {
                    net.backward(images, &mut ws);
                } else {
                    net.backward_accumulate(images, &mut ws);
                }
            }
            [all, ws.gradients().as_flat().to_vec(), net.parameters_flat().to_vec()]
        };
        for (accumulates, trains_all) in [(false, true), (true, true), (false, false)] {
            let [found, expected] =
                [false, true].map(|interleaved| step(interleaved, accumulates, trains_all));
            for (what, (found, expected)) in
                ["outputs", "gradients", "parameters"].iter().zip(found.iter().zip(&expected))
            {
                let size = expected.iter().map(|y| y * y).sum::<f32>().sqrt();
                let error =
                    found.iter().zip(expected).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
                assert!(error <= 2e-5 * size, "{name}, {what} of {batch}: {error:e} of {size:e}");
            }
        }
        // Not the same steps: of a net with many layers the layouts differ in their last bits.
        if name == "Dense" && forced().as_deref() == Some("mixed") {
            assert!(step(false, false, true)[1] != step(true, false, true)[1], "{name}: {batch}");
        }
    }
}

/// Layers that are trained no longer have no gradients, and a step of no images changes nothing.
fn check_untrained<N: Network>()
where
    N::Output: Copy,
{
    let numbers: Vec<f32> = (0..19 * N::Input::LEN).map(|i| (i as f32 * 0.3).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    let name = N::GRAPH.name;
    for batch in [3, 16, 19] {
        let images = &images[..batch];
        let mut net = N::seeded(1);
        let mut ws = N::workspace(batch);
        let step = |net: &mut N, ws: &mut Workspace<N>| {
            forward(net, images, ws);
            net.backward(images, ws);
        };
        step(&mut net, &mut ws);
        let tensors = N::LAYOUT.tensors;
        let first = &tensors[0];
        let own = |ws: &Workspace<N>, node: usize| -> Vec<f32> {
            let own = tensors.iter().filter(|tensor| tensor.node == node);
            let range = |t: &typenet::shape::Tensor| t.offset..t.offset + t.shape.elements();
            own.flat_map(|tensor| ws.gradients().as_flat()[range(tensor)].to_vec()).collect()
        };
        assert!(own(&ws, first.node).iter().any(|&g| g != 0.0), "{name}: {batch}");
        net.set_trainable(N::GRAPH.nodes[first.node].name, false).unwrap();
        step(&mut net, &mut ws);
        assert!(own(&ws, first.node).iter().all(|&g| g == 0.0), "{name}: {batch}");

        let before = net.parameters_flat().to_vec();
        net.forward(&[], &mut ws);
        net.backward(&[], &mut ws);
        assert!(ws.gradients().as_flat().iter().all(|&g| g == 0.0), "{name}: {batch}");
        assert!(net.parameters_flat() == before, "{name}: {batch}");
        // What inference leaves in a workspace is no step.
        net.outputs_into(&mut ws, images, &mut vec![*N::Output::zeroed(); batch]).unwrap();
        net.backward(&[], &mut ws);
    }
}

/// Two steps have the same bits, however many threads there are, and so has the second where gradients are
/// added to those of the first.
fn check_training_threads<N: Network>() {
    let numbers: Vec<f32> = (0..20 * N::Input::LEN).map(|i| (i as f32 * 0.3).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    for batch in [1, 3, 8, 20] {
        let bits = || -> Vec<u32> {
            let mut net = N::seeded(1);
            let mut ws = N::workspace(batch);
            let mut all = Vec::new();
            for round in 0..3 {
                all.extend(forward(&mut net, &images[..batch], &mut ws));
                if round == 2 {
                    net.backward_accumulate(&images[..batch], &mut ws);
                } else {
                    net.backward(&images[..batch], &mut ws);
                }
                all.extend_from_slice(ws.gradients().as_flat());
                all.extend_from_slice(net.parameters_flat());
            }
            all.iter().map(|number| number.to_bits()).collect()
        };
        let expected = bits();
        for threads in [1, 2, 3, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(bits);
            assert!(found == expected, "{}: {batch} images, {threads} threads", N::GRAPH.name);
        }
    }
}

/// Steps of many images and of few in one workspace have the bits that they have in workspaces of their own.
fn check_workspace<N: Network>()
where
    N::Output: Copy,
{
    let numbers: Vec<f32> = (0..50 * N::Input::LEN).map(|i| (i as f32 * 0.3).sin()).collect();
    let images = N::Input::slice_from_flat(&numbers).unwrap();
    let mut shared = N::workspace(3);
    let mut net = N::seeded(1);
    for batch in [50, 3, 50, 1, 9, 3] {
        let images = &images[..batch];
        let mut step = |ws: &mut Workspace<N>| -> Vec<u32> {
            // The running statistics move, which these bits do not depend on.
            forward(&mut net, images, ws);
            net.backward(images, ws);
            ws.gradients().as_flat().iter().map(|number| number.to_bits()).collect()
        };
        shared.reseed(1);
        let found = step(&mut shared);
        let mut fresh = N::workspace(batch);
        fresh.reseed(1);
        assert!(found == step(&mut fresh), "{}: {batch} images", N::GRAPH.name);
        net.outputs_into(&mut shared, images, &mut vec![*N::Output::zeroed(); batch]).unwrap();
    }
}

/// Does the same for every net.
macro_rules! all {
    ($function:ident($($argument:expr),*)) => {
        $function::<Concats>($($argument),*);
        $function::<Dense>($($argument),*);
        $function::<Squeezed>($($argument),*);
        $function::<Orders>($($argument),*);
        $function::<Turned>($($argument),*);
        $function::<Added>($($argument),*);
        $function::<Outer>($($argument),*);
        $function::<Groups>($($argument),*);
        $function::<Heavy>($($argument),*);
        $function::<Small>($($argument),*);
        $function::<Applied>($($argument),*);
    };
}

#[test]
fn every_net_agrees_with_the_reference() {
    all!(check(1));
    all!(check(2));
}

#[test]
fn strided_convolutions_agree_with_the_reference() {
    check::<Strided>(1);
    check_threads::<Strided>();
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    all!(check_threads());
}

#[test]
fn every_gradient_agrees_with_the_reference() {
    if !matches!(forced().as_deref(), Some("interleaved" | "blocked")) {
        return; // Each layout by itself is checked below, and both together against one.
    }
    let loss = SumSquaredError::new();
    check_gradients::<Concats, _, _>(&loss, 8, &[3, 5], wanted::<36>);
    check_gradients::<Dense, _, _>(&loss, 8, &[3, 5], wanted::<10>);
    check_gradients::<Squeezed, _, _>(&loss, 8, &[3, 5], wanted::<6>);
    check_gradients::<Orders, _, _>(&loss, 8, &[3, 5], wanted::<20>);
    check_gradients::<Turned, _, _>(&loss, 8, &[3, 5], wanted::<9>);
    check_gradients::<Groups, _, _>(&loss, 8, &[3, 5], wanted::<5>);
    check_gradients::<Heavy, _, _>(&loss, 4, &[3], wanted::<40>);
    check_gradients::<Small, _, _>(&loss, 8, &[3, 5], wanted::<10>);
    check_gradients::<Applied, _, _>(&loss, 2, &[3], wanted::<7>);
    let added = AddedLoss { map: loss, flat: loss, again: loss };
    check_gradients::<Added, _, _>(&added, 8, &[3, 5], |i| AddedTarget {
        map: [[wanted(i); 8]; 3],
        flat: wanted(i),
        again: wanted(i + 1),
    });
    let outer = OuterLoss { map: loss, pose_again: loss, flat: loss, class: loss };
    check_gradients::<Outer, _, _>(&outer, 8, &[3, 5], |i| OuterTarget {
        map: [[wanted(i); 6]; 13],
        pose_again: wanted(i),
        flat: wanted(i),
        class: wanted(i),
    });
}

fn wanted<const K: usize>(image: usize) -> [f32; K] {
    std::array::from_fn(|k| ((image * 7 + k * 3) % 11) as f32 / 10.0)
}

#[test]
fn any_number_of_threads_gives_the_same_steps() {
    all!(check_training_threads());
}

#[test]
fn images_left_over_give_the_same_gradients() {
    if matches!(forced().as_deref(), Some("interleaved" | "blocked")) {
        return; // No images are left over.
    }
    all!(check_left_over());
}

#[test]
fn what_is_not_trained_has_no_gradients() {
    all!(check_untrained());
}

#[test]
fn a_workspace_serves_batches_of_all_sizes() {
    all!(check_workspace());
}

#[test]
fn every_built_in_layer_is_in_one_of_the_nets() {
    let mut met = Vec::new();
    macro_rules! meet {
        ($($net:ident),*) => {
            $(met.extend($net::GRAPH.nodes.iter().map(|node| discriminant(&node.op)));)*
        };
    }
    meet!(Concats, Dense, Squeezed, Orders, Turned, Outer, Groups, Heavy, Small);
    for op in &typenet::shape::Op::EVERY {
        assert!(met.contains(&discriminant(op)), "no net has {op:?}");
    }
}

#[test]
fn a_batch_may_run_in_both_layouts() {
    let costs = Small::summary().costs;
    let shares = costs.shares(19);
    assert_eq!((shares.grouped, shares.blocked), (16, 3), "{costs:?}");
    assert_eq!(costs.shares(31).grouped, 31, "{costs:?}");
    let costs = Heavy::summary().costs;
    assert_eq!(costs.shares(20).grouped, 0, "{costs:?}");
}

/// Sizes decide how a step runs, or the environment.
#[test]
fn a_step_runs_in_one_layout() {
    let (small, heavy) = (Small::summary().blocked_steps, Heavy::summary().blocked_steps);
    match forced().as_deref() {
        Some("interleaved" | "mixed") => assert!(small.is_empty() && heavy.is_empty()),
        Some("blocked") => assert_eq!((small, heavy), (vec![1..=64], vec![1..=64])),
        _ => {
            assert!(small.len() == 1 && small[0].contains(&2) && !small[0].contains(&8));
            assert!(heavy[0].contains(&16) && !heavy.iter().any(|range| range.contains(&49)));
        }
    }
}

/// In groups of 16 images; with 16 channels side by side every norm's value is stored.
#[test]
fn convolutions_apply_norms() {
    let steps = Applied::LAYOUT.steps;
    let readers: Vec<usize> = steps.iter().filter_map(|step| step.normalizes).collect();
    let norms: Vec<&str> = readers
        .iter()
        .map(|&norm| {
            assert!(steps[norm].is_applied_by_reader);
            Applied::GRAPH.nodes[steps[norm].node].name
        })
        .collect();
    // The other values are read twice, or by another net.
    let expected = [
        "batch_norm_1",
        "batch_norm_3",
        "batch_norm_4",
        "batch_norm_5",
        "thin_1.batch_norm_1",
        "thin_1.batch_norm_2",
        "batch_norm_8",
        "early",
    ];
    assert_eq!(norms, expected);
}

/// Every test again with each layout for all.
#[test]
fn each_layout_can_be_forced() {
    if forced().is_some() {
        return;
    }
    for layout in ["interleaved", "blocked", "mixed"] {
        let tests = std::process::Command::new(std::env::current_exe().unwrap())
            .env("TYPENET_LAYOUT", layout)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&tests.stdout);
        assert!(tests.status.success() && text.contains("13 passed"), "{layout}: {text}");
    }
}
