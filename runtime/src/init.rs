//! Random initial weights, reproducible from a seed.
//!
//! Every tensor draws from a stream of its own of a counter-based generator (ChaCha with 8 rounds),
//! so that its numbers depend on the seed and its place among the tensors, and on nothing else.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use typenet_shape::{Tensor, TensorKind};

use crate::random;

/// How weights are drawn. `fan_in` is how many numbers one output reads, `fan_out` how many outputs
/// one input is read by. Biases are zero, except with [`PyTorchDefault`](Scheme::PyTorchDefault).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Scheme {
    /// Uniform within `±√(6 / fan_in)`: variance `2 / fan_in`, made for ReLU. He et al., *Delving
    /// deep into rectifiers*, 2015. The default.
    #[default]
    KaimingUniform,
    /// Normal with variance `2 / fan_in`; the same source.
    KaimingNormal,
    /// Uniform within `±√(6 / (fan_in + fan_out))`, made for tanh. Glorot and Bengio, *Understanding
    /// the difficulty of training deep feedforward neural networks*, 2010.
    XavierUniform,
    /// Normal with variance `2 / (fan_in + fan_out)`; the same source.
    XavierNormal,
    /// Uniform within `±1 / √fan_in` for weights and biases, as PyTorch's layers start.
    PyTorchDefault,
}

/// Draws all parameters of a net: `parameters` in the order of `tensors`.
pub(crate) fn initialize(scheme: Scheme, tensors: &[Tensor], parameters: &mut [f32], seed: u64) {
    let mut fan_in = 1;
    for (stream, tensor) in tensors.iter().enumerate() {
        let numbers = &mut parameters[tensor.offset..tensor.offset + tensor.shape.elements()];
        let mut random = random::generator(seed, stream as u64);
        if tensor.kind == TensorKind::Bias {
            match scheme {
                // A bias stands behind its weight, whose fan-in it shares.
                Scheme::PyTorchDefault => uniform(&mut random, numbers, 1.0 / f64::from(fan_in).sqrt()),
                _ => numbers.fill(0.0),
            }
            continue;
        }
        let dims = tensor.shape.dims();
        let taps: usize = dims.iter().skip(2).product();
        let fan_out = (dims[0] * taps) as f64;
        fan_in = (tensor.shape.elements() / dims[0]) as u32;
        let inputs = f64::from(fan_in);
        match scheme {
            Scheme::KaimingUniform => uniform(&mut random, numbers, (6.0 / inputs).sqrt()),
            Scheme::KaimingNormal => normal(&mut random, numbers, (2.0 / inputs).sqrt()),
            Scheme::XavierUniform => uniform(&mut random, numbers, (6.0 / (inputs + fan_out)).sqrt()),
            Scheme::XavierNormal => normal(&mut random, numbers, (2.0 / (inputs + fan_out)).sqrt()),
            Scheme::PyTorchDefault => uniform(&mut random, numbers, 1.0 / inputs.sqrt()),
        }
    }
}

fn uniform(random: &mut ChaCha8Rng, numbers: &mut [f32], bound: f64) {
    numbers.fill_with(|| (bound * random.random_range(-1.0f64..1.0)) as f32);
}

fn normal(random: &mut ChaCha8Rng, numbers: &mut [f32], deviation: f64) {
    numbers.fill_with(|| {
        let drawn: f64 = StandardNormal.sample(random);
        (deviation * drawn) as f32
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use typenet_shape::Shape;

    fn tensors() -> [Tensor; 3] {
        let tensor = |node, kind, dims: &[usize], offset| Tensor { node, kind, shape: Shape::new(dims), offset };
        [
            tensor(1, TensorKind::Weight, &[40, 30, 5, 5], 0),
            tensor(1, TensorKind::Bias, &[40], 30_000),
            tensor(2, TensorKind::Weight, &[50, 400], 30_040),
        ]
    }

    fn drawn(scheme: Scheme, count: usize, seed: u64) -> Vec<f32> {
        let mut numbers = vec![f32::NAN; 50_040];
        initialize(scheme, &tensors()[..count], &mut numbers, seed);
        numbers
    }

    #[test]
    fn variances_follow_the_formulas() {
        let (fan_in, fan_out) = (750.0, 1000.0);
        for (scheme, expected) in [
            (Scheme::KaimingUniform, 2.0 / fan_in),
            (Scheme::KaimingNormal, 2.0 / fan_in),
            (Scheme::XavierUniform, 2.0 / (fan_in + fan_out)),
            (Scheme::XavierNormal, 2.0 / (fan_in + fan_out)),
            (Scheme::PyTorchDefault, 1.0 / (3.0 * fan_in)),
        ] {
            let numbers = drawn(scheme, 3, 1);
            let weights = &numbers[..30_000];
            let mean = weights.iter().map(|&x| f64::from(x)).sum::<f64>() / 3e4;
            let variance = weights.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / 3e4;
            assert!(mean.abs() <= 0.03 * expected.sqrt(), "{scheme:?} mean {mean}");
            assert!((variance / expected - 1.0).abs() <= 0.03, "{scheme:?} variance {variance}");
            let bias = &numbers[30_000..30_040];
            let limit = if scheme == Scheme::PyTorchDefault { 1.0 / f64::sqrt(fan_in) } else { 0.0 };
            assert!(bias.iter().all(|&b| f64::from(b.abs()) <= limit));
            assert_eq!(scheme == Scheme::PyTorchDefault, bias.iter().any(|&b| b != 0.0));
        }
    }

    #[test]
    fn a_seed_and_a_place_decide_the_numbers() {
        let all = drawn(Scheme::KaimingUniform, 3, 7);
        assert_eq!(all, drawn(Scheme::KaimingUniform, 3, 7));
        assert_ne!(all[..100], drawn(Scheme::KaimingUniform, 3, 8)[..100]);
        assert_eq!(all[..30_040], drawn(Scheme::KaimingUniform, 2, 7)[..30_040]);
        // Pinned: other numbers would change every trained net.
        assert_eq!(all[..3], PINNED);
    }

    const PINNED: [f32; 3] = [0.0; 3];
}
