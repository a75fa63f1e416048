//! Each random net: forward mode, reverse mode and differences agree, and so do the net and its reference
//! in f64. The seed of a net that fails gets it back: `TYPENET_RANDOM_NETS=17..18 cargo test -p
//! typenet-random-nets`.
#![allow(clippy::unwrap_used, clippy::panic)]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use typenet::Flat;
use typenet::prelude::*;
use typenet::reference::{gradcheck_with, jvp, vjp};

#[path = "../../fixtures/along.rs"]
mod along;

use along::Along;

fn random<T: Flat + Clone>(count: usize, random: &mut ChaCha8Rng) -> Vec<T> {
    let mut numbers = vec![0.0; count * T::LEN];
    numbers.fill_with(|| random.random_range(-1.0f32..1.0));
    T::slice_from_flat(&numbers).unwrap().to_vec()
}

fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|&number| f64::from(number)).collect()
}

fn norm(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.map(|x| x * x).sum::<f64>().sqrt()
}

fn check<N: Network>(seed: u64, declaration: &str)
where
    N::Input: Clone,
    N::Output: Clone,
    N::Parameters: Clone,
{
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xfeed);
    let mut net = N::seeded(seed);
    for number in net.parameters_flat_mut() {
        *number += rng.random_range(0.0..0.1);
    }
    let trained = N::LAYOUT.tensors.iter().any(|tensor| tensor.kind.is_parameter());
    assert!(trained, "seed {seed}: nothing to train in\n{declaration}");
    for count in [3, 21] {
        let images = random::<N::Input>(count, &mut rng);
        let loss = Along(wide(&random(count * N::Output::LEN, &mut rng)));
        let targets: Vec<usize> = (0..count).collect();
        let check = gradcheck_fast(&net, &loss, &images, &targets, 3, seed).unwrap();
        assert!(check.worst() <= 1e-4, "seed {seed}, {count} images\n{declaration}{check}");
    }
    let images = random::<N::Input>(3, &mut rng);
    let loss = Along(wide(&random(3 * N::Output::LEN, &mut rng)));
    let check = gradcheck_with(&net, &loss, &images, &[0, 1, 2], 2, seed).unwrap();
    let errors = check.tensors.iter().map(|tensor| tensor.relative_error);
    // Where nothing could be compared, the error is NaN, and says nothing against the net.
    let worst = errors.filter(|error| !error.is_nan()).fold(check.loss_error, f64::max);
    // The gradient of a bias before a batch norm is zero, and of three images hardly more than rounding.
    assert!(worst <= 1e-3, "seed {seed}\n{declaration}{check}");
    check_predictions(seed, declaration, &net, &mut rng);
}

/// Outputs and tangents as the net predicts, against the reference in f64 and its differences.
fn check_predictions<N: Network>(seed: u64, declaration: &str, net: &N, rng: &mut ChaCha8Rng)
where
    N::Input: Clone,
    N::Output: Clone,
    N::Parameters: Clone,
{
    let (images, moves) = (random::<N::Input>(17, rng), random::<N::Input>(17, rng));
    let parameters = &random::<N::Parameters>(1, rng)[0];
    let along = Direction::of_inputs(&moves).and_parameters(parameters);
    let mut results = [(); 2].map(|()| N::Output::zeroed_vec(17));
    let [outputs, tangents] = &mut results;
    net.jvp_into(&mut N::workspace(1), &images, along, outputs, tangents).unwrap();
    let weights = wide(net.parameters_flat());
    let mut of_weights = wide(parameters.as_flat());
    for tensor in N::LAYOUT.tensors.iter().filter(|tensor| !tensor.kind.is_parameter()) {
        of_weights[tensor.offset..][..tensor.shape.elements()].fill(0.0);
    }
    let plain = net.outputs(&images);
    let (mut difference, mut size) = ([0.0; 3], [0.0; 2]);
    for (image, (x, tx)) in images.iter().zip(&moves).enumerate() {
        let (x, tx) = (wide(x.as_flat()), wide(tx.as_flat()));
        let [output, tangent] = jvp::<N>([&weights, &of_weights], [&x, &tx]);
        let found = [outputs[image].as_flat(), plain[image].as_flat(), tangents[image].as_flat()];
        for (k, found) in found.into_iter().enumerate() {
            let expected = if k == 2 { &tangent } else { &output };
            let differences = found.iter().zip(expected).map(|(&a, b)| f64::from(a) - b);
            difference[k] += norm(differences).powi(2);
        }
        size[0] += norm(output.iter().copied()).powi(2);
        size[1] += norm(tangent.iter().copied()).powi(2);

        // ⟨u, J v⟩ = ⟨Jᵀ u, v⟩
        let u: Vec<f64> = (0..output.len()).map(|_| rng.random_range(-1.0..1.0)).collect();
        let [of_input, of_parameters] = vjp::<N>(&weights, &x, &u);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let forward = dot(&u, &tangent);
        let reverse = dot(&of_input, &tx) + dot(&of_parameters, &of_weights);
        let all = norm(of_input.iter().zip(&tx).map(|(a, b)| a * b))
            + norm(of_parameters.iter().zip(&of_weights).map(|(a, b)| a * b));
        let error = (forward - reverse).abs() / forward.abs().max(reverse.abs()).max(all);
        assert!(error <= 1e-10, "seed {seed}: {forward} and {reverse} in f64\n{declaration}");
    }
    let error = |k: usize, of: usize| (difference[k] / size[of]).sqrt();
    assert!(error(0, 0) <= 1e-4, "seed {seed}: values off by {:.1e}\n{declaration}", error(0, 0));
    assert!(error(1, 0) <= 1e-4, "seed {seed}: outputs off by {:.1e}\n{declaration}", error(1, 0));
    assert!(error(2, 1) <= 1e-4, "seed {seed}: tangents off by {:.1e}\n{declaration}", error(2, 1));
}

include!(concat!(env!("OUT_DIR"), "/nets.rs"));
