//! Which targets a net is trained with: the output's own type, the same numbers in other arrays, boxes,
//! and those of losses of one's own. What does not fit is in `tests/ui/`.
#![allow(clippy::unwrap_used)]

use typenet::loss::{Accepts, Compares, Fits, Loss, Reduction};
use typenet::prelude::*;
use typenet::train::Target;

network! {
    /// Two channels out.
    struct Segments: [1, 3, 2] -> [2, 3, 2] {
        conv1: conv2d(2, kernel = 3, padding = 1),
    }
}

network! {
    /// One channel out.
    struct Mask: [1, 3, 2] -> [1, 3, 2] {
        conv1: conv2d(1, kernel = 3, padding = 1),
    }
}

network! {
    /// A flat image out.
    struct Coder: [1, 3, 2] -> [6] {
        flatten, code: linear(3), relu, back: linear(6),
    }
}

network! {
    /// One number out.
    struct Curve: [2] -> [1] {
        fc1: linear(5), tanh, fc2: linear(1),
    }
}

network! {
    /// One number out, in an image.
    struct Mean: [2, 3, 2] -> [1, 1, 1] {
        conv1: conv2d(1, kernel = 1), avg_pool2d((3, 2)),
    }
}

network! {
    /// Sizes that are chosen later.
    struct Chosen<const C: usize, const OUT: usize>: [C] -> [OUT] {
        fc: linear(OUT),
    }
}

network! {
    /// A mean and the logarithm of a variance.
    struct Gauss: [2] -> [2] {
        fc1: linear(6), tanh, fc2: linear(2),
    }
}

/// The weights after some steps, which are the same for targets of the same numbers.
fn trained<N, T, L>(loss: L, inputs: &[N::Input], targets: Vec<T>) -> Vec<f32>
where
    N: Network,
    T: Target,
    L: Compares<N::Output, T> + Accepts<N>,
{
    let check = gradcheck(&N::seeded(3), &loss, inputs, &targets).unwrap();
    assert!(check.worst() <= 1e-4, "{check}");
    let data = Dataset::from_inputs(inputs, targets).unwrap();
    let mut net = N::seeded(3);
    let trainer = Trainer::new(Sgd::new(0.05)).loss(loss.clone()).batch(2).epochs(3);
    let history = trainer.progress(false).fit(&mut net, &data, Some(&data)).unwrap();
    let last = history.epochs.last().unwrap().test.as_ref().unwrap().loss;
    assert_eq!(evaluate(&net, &loss, &data).unwrap().loss, last);
    net.parameters_flat().to_vec()
}

fn number(i: usize) -> f32 {
    ((i * 37) % 17) as f32 / 8.0 - 1.0
}

fn image<const C: usize>(i: usize) -> [[[f32; 2]; 3]; C] {
    std::array::from_fn(|c| {
        std::array::from_fn(|y| std::array::from_fn(|x| number(i + c * 6 + y * 2 + x)))
    })
}

#[test]
fn nested_and_flat_arrays_are_the_same() {
    let inputs: Vec<_> = (0..5).map(image::<1>).collect();
    let nested: Vec<[[[f32; 2]; 3]; 2]> = (5..10).map(image).collect();
    let flat: Vec<[f32; 12]> =
        nested.iter().map(|t| std::array::from_fn(|i| t[i / 6][i / 2 % 3][i % 2])).collect();
    let rows: Vec<[[f32; 2]; 6]> =
        nested.iter().map(|t| std::array::from_fn(|i| t[i / 3][i % 3])).collect();
    let boxes: Vec<Box<[f32; 12]>> = flat.iter().map(|&t| Box::new(t)).collect();
    let loss = MeanSquaredError::new();
    let expected = trained::<Segments, _, _>(loss, &inputs, nested);
    assert_eq!(trained::<Segments, _, _>(loss, &inputs, flat), expected);
    assert_eq!(trained::<Segments, _, _>(loss, &inputs, rows), expected);
    assert_eq!(trained::<Segments, _, _>(loss, &inputs, boxes), expected);

    let channel: Vec<[[f32; 2]; 3]> = inputs.iter().map(|image| image[0]).collect();
    let expected = trained::<Mask, _, _>(Huber::new(0.5), &inputs, inputs.clone());
    assert_eq!(trained::<Mask, _, _>(Huber::new(0.5), &inputs, channel.clone()), expected);

    let flat: Vec<[f32; 6]> =
        channel.iter().map(|t| std::array::from_fn(|i| t[i / 2][i % 2])).collect();
    let loss = (0.5, SumSquaredError::new());
    let expected = trained::<Coder, _, _>(loss, &inputs, flat);
    assert_eq!(trained::<Coder, _, _>(loss, &inputs, inputs.clone()), expected);
    assert_eq!(trained::<Coder, _, _>(loss, &inputs, channel), expected);
}

#[test]
fn one_number_needs_no_array() {
    let inputs: Vec<[f32; 2]> = (0..7).map(|i| [number(i), number(i + 3)]).collect();
    let values: Vec<f32> = (0..7).map(number).collect();
    let arrays = values.iter().map(|&value| [value]).collect();
    let expected = trained::<Curve, _, _>(MeanSquaredError::new(), &inputs, values.clone());
    assert_eq!(trained::<Curve, _, _>(MeanSquaredError::new(), &inputs, arrays), expected);
    let images: Vec<_> = (0..7).map(image::<2>).collect();
    let nested = values.iter().map(|&value| [[[value]]]).collect();
    let expected = trained::<Mean, _, _>(MeanSquaredError::new(), &images, nested);
    assert_eq!(trained::<Mean, _, _>(MeanSquaredError::new(), &images, values), expected);
}

#[test]
fn literals_need_no_types() {
    let data = Dataset::from_inputs(&[[0.5, 1.0], [1.0, 0.0]], vec![[0.25], [0.75]]).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).loss(MeanSquaredError::new()).epochs(1);
    trainer.progress(false).fit(&mut Curve::seeded(1), &data, None).unwrap();
    let data = Dataset::from_inputs(&[[0.5, 1.0], [1.0, 0.0]], vec![0.25, 0.75]).unwrap();
    evaluate(&Curve::seeded(1), &Huber::new(1.0), &data).unwrap();
    gradcheck(&Chosen::<2, 3>::seeded(1), &CrossEntropy::new(), &[[0.5, 1.0]], &[2]).unwrap();
    gradcheck(
        &Chosen::<2, 3>::seeded(1),
        &BinaryCrossEntropy::new(),
        &[[0.5, 1.0]],
        &[[0.0, 1.0, 0.5]],
    )
    .unwrap();
}

/// With generics that are not chosen yet: a class, and the output's own type.
fn of_any_size<const C: usize, const OUT: usize>(inputs: &[[f32; C]], values: &[[f32; OUT]]) {
    let net = Chosen::<C, OUT>::seeded(1);
    gradcheck(&net, &CrossEntropy::new(), inputs, &vec![OUT - 1; inputs.len()]).unwrap();
    let check = gradcheck(&net, &MeanSquaredError::new(), inputs, values).unwrap();
    assert!(check.worst() <= 1e-4, "{check}");
}

/// With any net: a class, and the output's own type.
fn of_any_net<N: Network, L: Loss<usize> + Accepts<N>>(net: &mut N, loss: &L, inputs: &[N::Input])
where
    MeanSquaredError: Loss<N::Output> + Accepts<N>,
{
    let mut ws = N::workspace(inputs.len());
    net.forward(inputs, &mut ws);
    loss.forward_backward(&vec![0; inputs.len()], &mut ws).unwrap();
    gradcheck(net, loss, inputs, &vec![0; inputs.len()]).unwrap();
    let values = net.outputs(inputs);
    assert_eq!(MeanSquaredError::new().forward_backward(&values, &mut ws).unwrap(), 0.0);
}

#[test]
fn generic_functions_know_what_fits() {
    of_any_size::<2, 3>(&[[0.5, 1.0]], &[[0.5, 1.0, 0.25]]);
    of_any_net(&mut Chosen::<2, 3>::seeded(1), &CrossEntropy::new(), &[[0.5, 1.0], [0.25, 0.0]]);
}

/// The negative logarithm of a normal distribution: its targets are single numbers, for nets of two.
#[derive(Clone)]
struct GaussianNll;

fn gaussian(outputs: [f64; 2], target: f64) -> f64 {
    0.5 * (outputs[1] + (target - outputs[0]).powi(2) / outputs[1].exp())
}

fn gaussian_slopes(outputs: [f64; 2], target: f64) -> [f64; 2] {
    let (error, precision) = (target - outputs[0], (-outputs[1]).exp());
    [-error * precision, 0.5 - 0.5 * error * error * precision]
}

macro_rules! gaussian_nll {
    ($target:ty, $value:expr) => {
        impl Loss<$target> for GaussianNll {
            fn reduction(&self) -> Reduction {
                Reduction::Mean
            }
            fn check(&self, _: usize, _: &$target, _: &str) -> Result<(), typenet::Error> {
                Ok(())
            }
            fn weight(&self, _: &$target) -> f64 {
                1.0
            }
            fn image(&self, outputs: &[f32], target: &$target, scale: f64, d: &mut [f32]) -> f64 {
                let (outputs, target) = ([0, 1].map(|i| f64::from(outputs[i])), $value(target));
                let slopes = gaussian_slopes(outputs, target);
                d.iter_mut().zip(slopes).for_each(|(d, slope)| *d = (slope * scale) as f32);
                gaussian(outputs, target)
            }
            fn reference(&self, outputs: &[f64], target: &$target) -> f64 {
                gaussian([outputs[0], outputs[1]], $value(target))
            }
        }
    };
}

/// A target of one's own.
#[derive(Clone)]
struct Measured {
    value: f32,
}

impl Target for Measured {
    fn class(&self) -> Option<usize> {
        None
    }
}

impl<O> Fits<O> for Measured {}

gaussian_nll!((f32,), |target: &(f32,)| f64::from(target.0));
gaussian_nll!(Measured, |target: &Measured| f64::from(target.value));
gaussian_nll!(f64, |target: &f64| *target);

impl<N: Network<Output = [f32; 2]>> Accepts<N> for GaussianNll {}

#[test]
fn losses_of_ones_own_say_what_they_take() {
    let inputs: Vec<[f32; 2]> = (0..7).map(|i| [number(i), number(i + 3)]).collect();
    let of = |i: usize| number(3 * i);
    let expected = trained::<Gauss, _, _>(GaussianNll, &inputs, (0..7).map(|i| (of(i),)).collect());
    let own = (0..7).map(|i| Measured { value: of(i) }).collect();
    assert_eq!(trained::<Gauss, _, _>(GaussianNll, &inputs, own), expected);
    let wide = (0..7).map(|i| f64::from(of(i))).collect();
    assert_eq!(trained::<Gauss, _, _>(GaussianNll, &inputs, wide), expected);
}
