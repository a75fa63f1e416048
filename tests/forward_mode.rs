//! Forward mode of whole nets: against reverse mode, against differences in f64, on any number of threads.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use typenet::Flat;
use typenet::loss::{Accepts, Compares};
use typenet::own::{Along, Gradients, Layer, Parameters, Shape, ShapeError};
use typenet::prelude::*;
use typenet::reference::evaluate;

network! {
    /// Convolutions of all kinds, poolings, activations, dropout, a softmax in the middle.
    struct Mixed: [2, 13, 12] -> [4] {
        conv2d(6, kernel = (3, 5), stride = (1, 2), padding = (2, 1)), leaky_relu(0.1),
        max_pool2d(3, stride = 2, padding = 1), tanh,
        conv2d(8, kernel = 3, padding = 2, dilation = 2, groups = 2, bias = false), relu,
        avg_pool2d(2, stride = 1, padding = 1), dropout(0.3),
        conv_transpose2d(6, kernel = 3, stride = 2, padding = 1), relu6,
        depthwise_conv2d(kernel = 3, padding = 1), silu,
        conv2d(5, kernel = 1), gelu, softmax, scale(3.0),
        upsample(2), max_pool2d(2), hardswish,
        flatten, dropout(0.2),
        linear(12, bias = false), sigmoid,
        linear(4),
    }
}

network! {
    /// Norms of all kinds, residuals, repeats, blocks.
    struct Normed: [3, 10, 10] -> [5] {
        block basic(out) {
            residual {
                conv2d(out, kernel = 3, padding = 1, bias = false), batch_norm, relu,
                conv2d(out, kernel = 3, padding = 1, bias = false), batch_norm,
            } shortcut { conv2d(out, kernel = 1), batch_norm }
            relu,
        }
        conv2d(6, kernel = 3, padding = 1), batch_norm(affine = false), silu,
        stage: repeat(2) { basic(8) }
        group_norm(2), tanh,
        conv2d(16, kernel = 3, padding = 1), layer_norm, relu,
        residual { conv2d(16, kernel = 3, padding = 1) } relu,
        dropout(0.25),
        max_pool2d(2), global_avg_pool,
        linear(7), batch_norm, relu,
        linear(5),
    }
}

network! {
    /// Several inputs, heads, concat, mul, and a norm that stays.
    struct Graphs: (image: [3, 8, 8], pose: [6]) -> (class: [4], spot: [2]) {
        from(image), stem: conv2d(8, kernel = 3, padding = 1), relu,
        #[frozen] batch_norm, a: relu,
        conv2d(8, kernel = 3, padding = 1), sigmoid, mul(a), b: tanh,
        concat { branch { conv2d(3, kernel = 1) } branch { max_pool2d(3, stride = 1, padding = 1) } }
        conv2d(8, kernel = 1), gate: sigmoid,
        from(b), mul(gate), add(stem, a), relu,
        squeeze: global_avg_pool, linear(8), excite: sigmoid,
        from(b), mul(excite),
        flatten, concat(pose), linear(16), trunk: tanh,
        class: linear(4), from(trunk), spot: linear(2),
    }
}

/// `y = w x³`
fn cube<T: Copy + std::ops::Mul<Output = T>>(weight: &[T], x: &[T], y: &mut [T]) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = weight[0] * x * x * x);
}

fn cube_backward(p: Parameters<'_>, x: &[f32], dy: &[f32], dx: &mut [f32], g: Gradients<'_>) {
    for ((dx, &dy), &x) in dx.iter_mut().zip(dy).zip(x) {
        *dx = 3.0 * p.weight[0] * x * x * dy;
        g.weight[0] += x * x * x * dy;
    }
}

macro_rules! cubes {
    ($($name:ident { $($jvp:item)* })*) => {
        $(
            struct $name;

            #[typenet::layer]
            impl $name {
                const fn output(self, input: Shape) -> Result<Shape, ShapeError> {
                    Ok(input)
                }
                const fn weight(self, _: Shape) -> Shape {
                    Shape::new(&[1])
                }
            }

            impl Layer for $name {
                fn forward(&self, _: Shape, p: Parameters<'_>, x: &[f32], y: &mut [f32]) {
                    cube(p.weight, x, y);
                }
                fn backward(
                    &self,
                    _: Shape,
                    p: Parameters<'_>,
                    x: &[f32],
                    dy: &[f32],
                    dx: &mut [f32],
                    gradients: Gradients<'_>,
                ) {
                    cube_backward(p, x, dy, dx, gradients);
                }
                fn reference(&self, _: Shape, p: Parameters<'_, f64>, x: &[f64], y: &mut [f64]) {
                    cube(p.weight, x, y);
                }
                $($jvp)*
            }
        )*
    };
}

cubes! {
    Cube {}
    OwnJvp {
        fn jvp(&self, _: Shape, p: Parameters<'_>, x: &[f32], along: Along<'_>, t: &mut [f32]) {
            let moves = along.parameters.weight.first().copied().unwrap_or(0.0);
            for ((t, &x), &tx) in t.iter_mut().zip(x).zip(along.x) {
                *t = 3.0 * p.weight[0] * x * x * tx + moves * x * x * x;
            }
        }
    }
}

network! {
    struct Part: [1, 6, 6] -> [4, 6, 6] {
        conv2d(4, kernel = 3, padding = 1), batch_norm, own: self::Cube, dropout(0.3),
    }
}

network! {
    /// Another net and layers of the user's own.
    struct Parts: [1, 6, 6] -> [3] {
        first: self::OwnJvp, inner: self::Part, relu, self::Cube, again: self::Part2,
        flatten, linear(3),
    }
}

network! {
    struct Part2: [4, 6, 6] -> [2, 4, 4] { conv2d(2, kernel = 3), batch_norm, tanh }
}

network! {
    struct Generic<const WIDTH: usize, const CLASSES: usize>: [2, 5, 5] -> [CLASSES] {
        conv2d(2 * WIDTH, kernel = 3), batch_norm, relu, flatten, linear(WIDTH), tanh, linear(CLASSES),
    }
}

network! {
    /// No parameter before the last layer.
    struct Late: [2, 6, 6] -> [3] {
        #[frozen] residual { conv2d(2, kernel = 3, padding = 1), batch_norm } relu,
        max_pool2d(2), dropout(0.5), flatten, linear(3), log_softmax,
    }
}

fn random<T: Flat + Clone>(count: usize, seed: u64) -> Vec<T> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut numbers = vec![0.0; count * T::LEN];
    numbers.fill_with(|| random.random_range(-1.0f32..1.0));
    T::slice_from_flat(&numbers).unwrap().to_vec()
}

/// A net whose running statistics are not those that it began with.
fn net<N: Network>(seed: u64) -> N {
    let mut net = N::seeded(seed);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for tensor in N::LAYOUT.tensors {
        let own = tensor.offset..tensor.offset + tensor.shape.elements();
        for number in &mut net.parameters_flat_mut()[own] {
            // Biases of zero would put equal images on kinks.
            *number += random.random_range(-0.1..0.1);
        }
    }
    net
}

/// `‖a − b‖ / ‖b‖`; NaN if any number is.
fn error(found: &[f32], expected: &[f64]) -> f64 {
    let squares =
        |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
    let differences = found.iter().zip(expected).map(|(&a, b)| f64::from(a) - b);
    squares(&mut { differences }) / squares(&mut expected.iter().copied())
}

/// The slope of the loss in both modes; in one that predicts, every output against its difference in f64.
fn check<N: Network, T, L: Compares<N::Output, T> + Accepts<N>>(
    loss: &L,
    targets: impl Fn(usize) -> T,
) where
    N::Input: Clone,
    N::Output: Clone,
    N::Parameters: Clone,
{
    let name = N::GRAPH.name;
    for (images, seed) in [(1, 1), (5, 2), (19, 3), (70, 4)] {
        let net = net::<N>(seed);
        let inputs = random::<N::Input>(images, seed);
        let targets: Vec<T> = (0..images).map(&targets).collect();
        let check = gradcheck_fast(&net, loss, &inputs, &targets, 4, seed).unwrap();
        assert!(check.worst() <= 1e-4, "{name}, {images} images\n{check}");
        // Batch norms of few images have a slope that changes within the step.
        let limit = if images < 19 { 0.3 } else { 5e-2 };
        assert!(check.worst_difference() <= limit, "{name}, {images} images\n{check}");
    }
    let net = net::<N>(5);
    let (images, moves) = (random::<N::Input>(18, 6), random::<N::Input>(18, 7));
    let parameters = &random::<N::Parameters>(1, 8)[0];
    let mut ws = N::workspace(1);
    let wide = |numbers: &[f32]| numbers.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    for (of_inputs, of_parameters) in [(true, false), (false, true), (true, true)] {
        let along = match (of_inputs, of_parameters) {
            (true, false) => Direction::of_inputs(&moves),
            (false, _) => Direction::of_parameters(parameters),
            (true, true) => Direction::of_inputs(&moves).and_parameters(parameters),
        };
        let mut results = [(); 2].map(|()| N::Output::zeroed_vec(images.len()));
        let [outputs, tangents] = &mut results;
        net.jvp_into(&mut ws, &images, along, outputs, tangents).unwrap();
        let expected = wide(Flat::flatten(&net.outputs(&images)));
        assert!(error(Flat::flatten(outputs), &expected) <= 1e-4, "{name}: outputs");

        let weights = wide(net.parameters_flat());
        let mut parameter_moves = wide(parameters.as_flat());
        for tensor in N::LAYOUT.tensors.iter().filter(|tensor| !tensor.kind.is_parameter()) {
            parameter_moves[tensor.offset..][..tensor.shape.elements()].fill(0.0);
        }
        let (mut compared, mut seen, mut differences) = (0, Vec::new(), Vec::new());
        for ((image, moves), tangent) in images.iter().zip(&moves).zip(&*tangents) {
            let step = 1e-6;
            let at = |sign: f64| {
                let moved = |from: &[f64], by: &[f64], moves: bool| -> Vec<f64> {
                    let step = if moves { sign * step } else { 0.0 };
                    from.iter().zip(by).map(|(from, by)| from + step * by).collect()
                };
                let image = moved(&wide(image.as_flat()), &wide(moves.as_flat()), of_inputs);
                evaluate::<N>(&moved(&weights, &parameter_moves, of_parameters), &image)
            };
            let (above, below, here) = (at(1.0), at(-1.0), at(0.0));
            // Across a kink a difference says nothing.
            if (above.branches, below.branches) != (here.branches, here.branches) {
                continue;
            }
            compared += 1;
            seen.extend_from_slice(tangent.as_flat());
            let both = above.output().iter().zip(below.output());
            differences.extend(both.map(|(above, below)| (above - below) / (2.0 * step)));
        }
        assert!(compared >= 12, "{name}: {compared} images were compared");
        let error = error(&seen, &differences);
        assert!(error <= 1e-4, "{name}: tangents are off by {error:.1e}");
        // One image by itself.
        if of_inputs {
            let alone = Direction::of_input(&moves[3]);
            let alone = if of_parameters { alone.and_parameters(parameters) } else { alone };
            let (mut output, mut tangent) = net.jvp(&images[3], alone).unwrap();
            let [output, tangent] = [&mut output, &mut tangent]
                .map(|value| typenet::OutputValue::get_mut(value).as_flat().to_vec());
            assert_eq!(
                (output, tangent),
                (outputs[3].as_flat().to_vec(), tangents[3].as_flat().to_vec())
            );
        }
    }
}

fn labels(i: usize) -> usize {
    i * i % 3
}

#[test]
fn all_kinds_of_layers() {
    check::<Mixed, _, _>(&CrossEntropy::new(), labels);
    let values = |i: usize| std::array::from_fn(|k| ((i * 7 + k * 3) % 11) as f32 / 10.0);
    check::<Mixed, [f32; 4], _>(&MeanSquaredError::new(), values);
    check::<Mixed, [f32; 4], _>(&Huber::new(1.0), values);
}

#[test]
fn norms_and_residuals() {
    check::<Normed, _, _>(&CrossEntropy::new().label_smoothing(0.1), labels);
}

#[test]
fn several_inputs_and_heads() {
    let loss = GraphsLoss { class: CrossEntropy::new(), spot: (0.5, MeanSquaredError::new()) };
    check::<Graphs, _, _>(&loss, |i| GraphsTarget {
        class: labels(i),
        spot: [0.5, i as f32 / 50.0],
    });
}

#[test]
fn parts_generics_and_frozen_layers() {
    check::<Parts, _, _>(&CrossEntropy::new(), labels);
    check::<Generic<4, 3>, _, _>(&CrossEntropy::new(), labels);
    check::<Late, _, _>(&NllLoss::new(), labels);
}

#[test]
fn what_is_switched_off_is_left_out_of_the_check() {
    let mut net = net::<Normed>(1);
    net.set_trainable("stage", false).unwrap();
    let (images, labels) = (random(20, 2), (0..20).map(labels).collect::<Vec<usize>>());
    let check = gradcheck_fast(&net, &CrossEntropy::new(), &images, &labels, 3, 4).unwrap();
    assert!(check.worst() <= 1e-4, "{check}");
}

#[test]
fn regularizers_have_slopes_too() {
    let net = net::<Normed>(3);
    let direction = &random::<<Normed as Network>::Parameters>(1, 4)[0];
    let regularizer = Regularizer::l2(0.01).and(Regularizer::l1(0.02));
    let found = regularizer.slope_of(&net, direction);
    assert_eq!(found.loss, regularizer.value_of(&net));
    let mut gradients = <Normed as Network>::Parameters::zeroed();
    regularizer.add_gradient_of(&net, &mut gradients);
    let products = gradients.as_flat().iter().zip(direction.as_flat());
    let expected: f64 = products.map(|(&g, &v)| f64::from(g) * f64::from(v)).sum();
    assert!((found.slope - expected).abs() <= 1e-5 * expected.abs(), "{found:?} {expected}");
}

#[test]
fn bits_do_not_depend_on_threads() {
    let net = net::<Normed>(1);
    let (images, moves) = (random::<Input<Normed>>(77, 2), random::<Input<Normed>>(77, 3));
    let parameters = &random::<<Normed as Network>::Parameters>(1, 4)[0];
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut ws = Normed::workspace(77);
            let along = Direction::of_inputs(&moves).and_parameters(parameters);
            let [outputs, tangents] = net.forward_jvp(&images, along, &mut ws).unwrap();
            let trained = (outputs.to_vec(), tangents.to_vec());
            let (mut outputs, mut tangents) = trained.clone();
            net.jvp_into(&mut ws, &images, along, &mut outputs, &mut tangents).unwrap();
            (trained, outputs, tangents)
        })
    };
    let first = run(1);
    for threads in [2, 3, 8, 16] {
        assert!(run(threads) == first, "{threads} threads");
    }
}

#[test]
fn a_number_that_is_not_finite_stays_in_its_image() {
    let net = net::<Mixed>(1);
    let images = random::<Input<Mixed>>(20, 2);
    let mut moves = random::<Input<Mixed>>(20, 3);
    let mut ws = Mixed::workspace(20);
    let mut run = |moves: &[Input<Mixed>]| {
        let (mut outputs, mut tangents) = (vec![[0.0; 4]; 20], vec![[0.0; 4]; 20]);
        let along = Direction::of_inputs(moves);
        net.jvp_into(&mut ws, &images, along, &mut outputs, &mut tangents).unwrap();
        (outputs, tangents)
    };
    let (outputs, before) = run(&moves);
    for bad in [f32::NAN, f32::INFINITY] {
        moves[7] = [[[bad; 12]; 13]; 2];
        let (same, after) = run(&moves);
        assert_eq!(same, outputs);
        assert!(after[7].iter().all(|number| !number.is_finite()), "{:?}", after[7]);
        for image in (0..20).filter(|&image| image != 7) {
            assert_eq!(after[image], before[image]);
        }
    }
}

/// A forward pass, its backward pass, and forward mode between them, which leaves both alone.
#[test]
fn it_leaves_a_step_as_it_was() {
    let mut net = net::<Normed>(1);
    let (images, labels) = (random(33, 2), (0..33).map(labels).collect::<Vec<usize>>());
    let direction = &random::<<Normed as Network>::Parameters>(1, 4)[0];
    let mut gradients = Vec::new();
    for between in [false, true] {
        let mut ws = Normed::workspace(33);
        let mut net = net.clone();
        net.forward(&images, &mut ws);
        CrossEntropy::new().forward_backward(&labels, &mut ws).unwrap();
        let before = net.parameters_flat().to_vec();
        if between {
            let along = Direction::of_parameters(direction);
            net.slope(&CrossEntropy::new(), &images, &labels, along, &mut ws).unwrap();
        }
        assert_eq!(net.parameters_flat(), before);
        net.backward(&images, &mut ws);
        gradients.push(ws.gradients().as_flat().to_vec());
    }
    assert_eq!(gradients[0], gradients[1]);
    net.forward(&images, &mut Normed::workspace(33));
}

#[test]
fn wrong_numbers_of_images_are_errors() {
    let net = Normed::seeded(1);
    let (images, moves) = (random::<Input<Normed>>(3, 2), random::<Input<Normed>>(2, 3));
    let mut ws = Normed::workspace(1);
    let along = Direction::of_inputs(&moves);
    let (mut outputs, mut tangents) = (vec![[0.0; 5]; 3], vec![[0.0; 5]; 3]);
    let message = |result: typenet::Result<()>| result.unwrap_err().to_string();
    assert_eq!(
        message(net.jvp_into(&mut ws, &images, along, &mut outputs, &mut tangents)),
        "inputs of a direction: expected 3, found 2"
    );
    let along = Direction::of_inputs(&images);
    assert_eq!(
        message(net.jvp_into(&mut ws, &images, along, &mut outputs[..2], &mut tangents)),
        "outputs to write: expected 3, found 2"
    );
    assert_eq!(
        message(net.jvp_into(&mut ws, &images, along, &mut outputs, &mut tangents[..1])),
        "tangents to write: expected 3, found 1"
    );
    assert_eq!(
        message(net.jvp(&images[0], along).map(drop)),
        "inputs of a direction: expected 1, found 3"
    );
    let none = Direction::of_inputs(&[]);
    net.jvp_into(&mut ws, &[], none, &mut [], &mut []).unwrap();
    assert_eq!(
        message(net.forward_jvp(&[], none, &mut ws).map(drop)),
        "images of a minibatch: expected 1 or more, found 0"
    );
    assert_eq!(
        message(net.slope(&CrossEntropy::new(), &images, &[1, 9, 1], along, &mut ws).map(drop)),
        "target 1 of the batch: label 9 is outside the 5 classes 0..=4"
    );
    assert_eq!(
        message(gradcheck_fast(&net, &CrossEntropy::new(), &[], &[0; 0], 1, 1).map(drop)),
        "inputs to check gradients with: expected 1 or more, found 0"
    );
}
