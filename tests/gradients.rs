//! Whole nets: the gradients of every loss against central differences in f64.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use typenet::Flat;
use typenet::loss::{Accepts, Compares};
use typenet::prelude::*;

network! {
    /// Every kind of layer that can stand before logits.
    struct Mixed: [2, 11, 9] -> [4] {
        conv1: conv2d(6, kernel = (3, 5), stride = (1, 2), padding = (2, 1)), leaky_relu(0.1),
        max_pool2d(3, stride = 2, padding = 1),
        tanh,
        conv2: conv2d(8, kernel = 3, padding = 2, dilation = 2, groups = 2, bias = false), relu,
        avg_pool2d(2, stride = 1, padding = 1),
        dropout(0.3),
        conv3: conv2d(5, kernel = 1), sigmoid,
        flatten,
        fc1: linear(12, bias = false), tanh,
        fc2: linear(4),
    }
}

network! {
    struct Pooled: [3, 6, 6] -> [4] {
        sigmoid,
        avg_pool2d(3, stride = 2, padding = 1, count_include_pad = false),
        conv2d(7, kernel = 2), relu,
        conv2d(4, kernel = 2, stride = 2),
        global_avg_pool,
    }
}

network! {
    /// Poolings whose last windows reach behind their inputs, with and without a border.
    struct RoundedUp: [2, 12, 11] -> [4] {
        conv2d(5, kernel = 2), relu,
        max_pool2d(2, ceil_mode = true),
        conv2d(6, kernel = 3, padding = 1), tanh,
        avg_pool2d((2, 3), stride = 1, padding = 1, ceil_mode = true),
        conv2d(6, kernel = 1), sigmoid,
        avg_pool2d(3, stride = 2, padding = 1, ceil_mode = true, count_include_pad = false),
        max_pool2d(3, stride = 2, ceil_mode = true),
        flatten,
        linear(4),
    }
}

network! {
    /// Ends in probabilities, for losses on numbers.
    struct Squashed: [5] -> [4] {
        linear(6), leaky_relu,
        linear(4), softmax,
    }
}

network! {
    /// A softmax over the channels of an image, in the middle of a net.
    struct Attention: [2, 4, 3] -> [4] {
        conv2d(3, kernel = 2), softmax,
        conv2d(4, kernel = 1), dropout(0.5), relu, max_pool2d((1, 2)),
        flatten,
        linear(4), tanh,
        linear(4),
    }
}

fn images<N: Network>(count: usize, seed: u64) -> Vec<N::Input>
where
    N::Input: Clone,
{
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut numbers = vec![0.0; count * N::Input::LEN];
    numbers.fill_with(|| random.random_range(-1.0f32..1.0));
    N::Input::slice_from_flat(&numbers).unwrap().to_vec()
}

fn check<N: Network, T, L: Compares<N::Output, T> + Accepts<N>>(
    loss: L,
    targets: impl Fn(usize) -> T,
) where
    N::Input: Clone,
{
    // Not a multiple of the group of 16, and more than one group.
    let images = images::<N>(19, 3);
    let targets: Vec<T> = (0..images.len()).map(targets).collect();
    for seed in 0..3 {
        let net = N::seeded(seed);
        let check = gradcheck(&net, &loss, &images, &targets).unwrap();
        assert!(check.worst() <= 1e-4, "{} with seed {seed}:\n{check}", N::GRAPH.name);
    }
}

fn numbers(i: usize) -> [f32; 4] {
    std::array::from_fn(|k| ((i * 7 + k * 3) % 11) as f32 / 10.0)
}

#[test]
fn cross_entropy() {
    check::<Mixed, _, _>(CrossEntropy::new(), |i| i % 4);
    check::<Pooled, _, _>(CrossEntropy::new().label_smoothing(0.1), |i| i % 3);
    check::<Attention, _, _>(CrossEntropy::new().reduction(Reduction::Sum), |i| (i * i) % 4);
    let weights = CrossEntropy::new().class_weights(&[0.5, 2.0, 1.0, 0.1]);
    check::<Pooled, _, _>(weights, |i| i % 4);
}

#[test]
fn poolings_that_round_up() {
    check::<RoundedUp, _, _>(CrossEntropy::new(), |i| i % 4);
    check::<RoundedUp, _, _>(MeanSquaredError::new(), numbers);
}

#[test]
fn squared_differences() {
    check::<Mixed, _, _>(MeanSquaredError::new(), numbers);
    check::<Squashed, _, _>(MeanSquaredError::new(), numbers);
    check::<Squashed, _, _>(SumSquaredError::new(), numbers);
    check::<Pooled, _, _>(SumSquaredError::new().reduction(Reduction::Sum), numbers);
}

#[test]
fn binary_cross_entropy() {
    check::<Mixed, _, _>(BinaryCrossEntropy::new(), numbers);
    check::<Attention, _, _>(BinaryCrossEntropy::new(), |i| numbers(i).map(f32::round));
}

#[test]
fn huber() {
    check::<Pooled, _, _>(Huber::new(0.2), numbers);
    check::<Attention, _, _>(Huber::new(1.0), numbers);
}

/// The check itself must notice a wrong gradient: here the loss's gradient is doubled.
#[test]
fn a_wrong_gradient_is_noticed() {
    #[derive(Clone)]
    struct Doubled(MeanSquaredError);
    impl Loss<[f32; 4]> for Doubled {
        fn reduction(&self) -> Reduction {
            Reduction::Mean
        }
        fn check(&self, outputs: usize, target: &[f32; 4], place: &str) -> typenet::Result<()> {
            self.0.check(outputs, target, place)
        }
        fn weight(&self, target: &[f32; 4]) -> f64 {
            self.0.weight(target)
        }
        fn image(&self, y: &[f32], target: &[f32; 4], scale: f64, gradient: &mut [f32]) -> f64 {
            self.0.image(y, target, 2.0 * scale, gradient)
        }
        fn reference(&self, outputs: &[f64], target: &[f32; 4]) -> f64 {
            self.0.reference(outputs, target)
        }
    }
    impl<N: Network> Accepts<N> for Doubled {}
    let (net, images) = (Pooled::seeded(1), images::<Pooled>(3, 1));
    let targets = [numbers(0), numbers(1), numbers(2)];
    let check = gradcheck(&net, &Doubled(MeanSquaredError::new()), &images, &targets).unwrap();
    assert!(check.worst() > 0.3, "{check}");
}

network! {
    struct Rectified: [3] -> [4] {
        fc1: linear(5), relu,
        fc2: linear(4),
    }
}

fn of_rectified(net: &Rectified, inputs: &[[f32; 3]]) -> typenet::reference::GradCheck {
    let targets: Vec<usize> = (0..inputs.len()).map(|i| i % 4).collect();
    gradcheck(net, &CrossEntropy::new(), inputs, &targets).unwrap()
}

#[test]
fn a_dead_relu_does_not_count_as_checked() {
    let inputs = images::<Rectified>(5, 1);
    let mut net = Rectified::seeded(1);
    assert!(of_rectified(&net, &inputs).unchecked().is_empty());

    net.fc1.bias = [-100.0; 5];
    let check = of_rectified(&net, &inputs);
    assert_eq!(check.worst(), f64::INFINITY);
    let unchecked = check.unchecked();
    assert_eq!(unchecked.len(), 3, "{check}");
    for (reason, name) in unchecked.iter().zip(["fc1.weight", "fc1.bias", "fc2.weight"]) {
        assert!(reason.starts_with(&format!("`{name}`: all ")), "{reason}");
        assert!(
            reason.contains("gradients compared are zero") && reason.contains("dead"),
            "{reason}"
        );
        assert!(check.to_string().contains(&format!("\nnot checked: {reason}")), "{check}");
    }
    // The bias behind the dead layer has gradients, and they are right.
    assert!(check.tensors[3].relative_error <= 1e-4 && check.tensors[3].zero == 0, "{check}");
}

#[test]
fn numbers_that_were_all_redrawn_do_not_count_as_checked() {
    // At an input and biases of zero every step of a bias crosses the kink, and no weight matters.
    let check = of_rectified(&Rectified::seeded(1), &[[0.0; 3]]);
    let bias = &check.tensors[1];
    assert_eq!((bias.name.as_str(), bias.compared), ("fc1.bias", 0));
    assert!(bias.redrawn > 0 && bias.relative_error.is_nan(), "{check}");
    assert_eq!(check.worst(), f64::INFINITY);
    let text = check.to_string();
    assert!(text.contains("not checked: `fc1.bias`: nothing was compared: at each of "), "{text}");
    assert!(
        text.contains("not checked: `fc1.weight`: all 15 gradients compared are zero"),
        "{text}"
    );
}

#[test]
fn a_check_of_nothing_does_not_pass() {
    let inputs = images::<Rectified>(5, 1);
    let mut net = Rectified::seeded(1);
    net.set_all_trainable(false);
    let check = of_rectified(&net, &inputs);
    assert_eq!(check.worst(), f64::INFINITY);
    assert!(check.to_string().contains("not checked: no parameters are trained"), "{check}");

    let check = of_rectified(&Rectified::seeded(1), &[]);
    assert_eq!(check.worst(), f64::INFINITY);
    assert!(check.to_string().contains("not checked: the loss is not finite"), "{check}");

    let targets = [0; 5];
    let loss = CrossEntropy::new();
    let none =
        typenet::reference::gradcheck_with(&Rectified::seeded(1), &loss, &inputs, &targets, 0, 0);
    let none = none.unwrap();
    assert_eq!(none.worst(), f64::INFINITY);
    assert!(none.to_string().contains("`fc1.weight`: nothing was compared: ask for"), "{none}");
}

network! {
    struct Normed: [4] -> [4] {
        fc1: linear(1), batch_norm, tanh,
        fc2: linear(4),
    }
}

#[test]
fn a_bias_that_a_batch_norm_takes_away_is_checked_with_its_weight() {
    let (net, inputs) = (Normed::seeded(1), images::<Normed>(5, 1));
    let check = gradcheck(&net, &CrossEntropy::new(), &inputs, &[0, 1, 2, 3, 0]).unwrap();
    assert!(check.worst() <= 1e-3, "{check}");
}
