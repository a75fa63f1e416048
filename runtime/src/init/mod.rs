//! Initial weights: random ones, fixed ones, and those of a first convolution from data.
//!
//! `fan_in` is the number of inputs that one output sums up: `in_features`, or
//! `in_channels / groups · kernel height · kernel width`; for a transposed convolution, this divided by
//! `stride height · stride width`. `fan_out` is `out_features`, or
//! `out_channels · kernel height · kernel width`.
//!
//! A [`Scheme`] applies to a whole net ([`Network::seeded_with`](crate::Network::seeded_with)). In a
//! declaration, `#[init(kaiming_normal)]` before a layer or before braces applies one to that layer or to all
//! layers in the braces. The table shows arguments with their defaults, if any.
//!
//! | in `#[init(…)]` | scheme |
//! |---|---|
//! | `kaiming_uniform`, `kaiming_normal` (`mode = fan_in`, or `fan_out`); `kaiming` is `kaiming_uniform` | [`KaimingUniform`](Scheme::KaimingUniform), [`KaimingNormal`](Scheme::KaimingNormal), [`KaimingUniformFanOut`](Scheme::KaimingUniformFanOut), [`KaimingNormalFanOut`](Scheme::KaimingNormalFanOut) |
//! | `xavier_uniform`, `xavier_normal` (`gain = 1`); `xavier` is `xavier_uniform` | [`XavierUniform`](Scheme::XavierUniform), [`XavierNormal`](Scheme::XavierNormal) |
//! | `orthogonal` (`gain = 1`) | [`Orthogonal`](Scheme::Orthogonal) |
//! | `pytorch_default` | [`PyTorchDefault`](Scheme::PyTorchDefault) |
//! | `normal` (`mean = 0`, `std = 1`) | [`Normal`](Scheme::Normal) |
//! | `trunc_normal` (`mean = 0`, `std = 1`, `a = -2`, `b = 2`) | [`TruncNormal`](Scheme::TruncNormal) |
//! | `uniform` (`a = 0`, `b = 1`) | [`Uniform`](Scheme::Uniform) |
//! | `constant` (`val`), `zeros`, `ones` | [`Constant`](Scheme::Constant) |
//! | `dirac` | [`Dirac`](Scheme::Dirac) |
//! | `whitening` (`eps = 5e-4`) | [`Whitening`](Scheme::Whitening) |
//!
//! `#[init(xavier, bias = constant(0.1))]` also sets the scheme of the bias. Schemes that need no fan apply to
//! norms too, if the attribute stands at the norm itself: `#[init(zeros)] batch_norm` at the end of a residual
//! makes it start as the identity.

mod eigen;
mod matrix;
mod whitening;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::Rng;
use rand_distr::{Distribution, StandardNormal};
use typenet_shape::{Graph, Init, Op, Tensor, TensorKind};

pub use typenet_shape::Scheme;

pub(crate) use whitening::from_data;

use crate::random;

/// Fills all parameters of a net in the order of `tensors`: by `scheme`, except layers whose declaration says
/// otherwise.
///
/// The random numbers of a tensor come from the seed and the tensor's name (`fc1.weight`): they depend neither
/// on the other layers nor on the number of threads.
///
/// # Panics
/// When `tensors` reach beyond `parameters`.
pub fn initialize(
    scheme: Scheme,
    graph: &Graph<'_>,
    tensors: &[Tensor],
    parameters: &mut [f32],
    seed: u64,
) {
    let mut fans = (1, 1);
    for tensor in tensors {
        let op = &graph.nodes[tensor.node].op;
        let own = graph.marks_of(tensor.node).init;
        // A layer's weight stands before its bias, which has no fan of its own.
        let has_fan = op.takes_factors() || matches!(op, Op::Own(_));
        if tensor.kind == TensorKind::Weight && has_fan {
            fans = fan_in_and_out(own.weight.unwrap_or(scheme), op, tensor);
        }
        let declared = match tensor.kind {
            TensorKind::Weight => own.weight,
            TensorKind::Bias => own.bias,
            TensorKind::RunningMean | TensorKind::RunningVar => None,
        };
        let draw = match (tensor.kind, declared) {
            (_, Some(scheme)) => Draw::new(scheme, fans),
            // Running statistics start as those of a normal distribution, a norm's weight as 1.
            (TensorKind::RunningMean, _) => Draw::Constant(0.0),
            (TensorKind::RunningVar, _) => Draw::Constant(1.0),
            (TensorKind::Weight, None) if !has_fan => Draw::Constant(1.0),
            (TensorKind::Weight, None) => Draw::new(scheme, fans),
            (TensorKind::Bias, None) => match own.weight.unwrap_or(scheme) {
                Scheme::PyTorchDefault if op.takes_factors() => {
                    Draw::new(Scheme::PyTorchDefault, fans)
                }
                _ => Draw::Constant(0.0),
            },
        };
        let numbers = &mut parameters[tensor.offset..tensor.offset + tensor.shape.elements()];
        let stream = stream(graph.nodes[tensor.node].name, tensor.kind.name());
        let generator = &mut random::generator(seed, stream);
        match draw {
            Draw::Orthogonal => matrix::orthogonal(generator, tensor.shape.dim(0), numbers),
            Draw::Dirac => matrix::dirac(op, tensor.shape, numbers),
            draw => draw.fill(generator, numbers),
        }
        if tensor.kind == TensorKind::Weight && own.gain != 1.0 {
            numbers.iter_mut().for_each(|number| *number *= own.gain);
        }
    }
    own_layers(graph, tensors, parameters, seed);
}

/// Lets layers of the user's own change their parameters, unless the declaration says how they start.
fn own_layers(graph: &Graph<'_>, tensors: &[Tensor], parameters: &mut [f32], seed: u64) {
    for own in tensors.chunk_by(|one, other| one.node == other.node) {
        let node = own[0].node;
        let Op::Own(layer) = graph.nodes[node].op else { continue };
        if graph.marks_of(node).init != Init::NONE {
            continue;
        }
        let shape_of = |kind| own.iter().find(|one| one.kind == kind).map(|one| one.shape);
        let weight = shape_of(TensorKind::Weight).map_or(0, |shape| shape.elements());
        let all: usize = own.iter().map(|one| one.shape.elements()).sum();
        let numbers = &mut parameters[own[0].offset..own[0].offset + all];
        let (weight, bias) = numbers.split_at_mut(weight);
        let mut generator = random::generator(seed, stream(graph.nodes[node].name, "init"));
        let uniform = &mut || unit(&mut generator) as f32;
        layer.layer.init(layer.input, weight, bias, uniform);
    }
}

/// The distribution of a tensor's numbers.
#[derive(Clone, Copy)]
enum Draw {
    Constant(f32),
    /// From `middle − half` to `middle + half`.
    Uniform {
        middle: f64,
        half: f64,
    },
    Normal {
        mean: f64,
        std: f64,
    },
    /// Within these bounds.
    Truncated {
        mean: f64,
        std: f64,
        bounds: [f32; 2],
    },
    Orthogonal,
    Dirac,
}

impl Draw {
    fn new(scheme: Scheme, (fan_in, fan_out): (usize, usize)) -> Draw {
        let (fan_in, fan_out) = (fan_in as f64, fan_out as f64);
        let both = fan_in + fan_out;
        let uniform = |half: f64| Draw::Uniform { middle: 0.0, half };
        let normal = |variance: f64| Draw::Normal { mean: 0.0, std: variance.sqrt() };
        match scheme {
            Scheme::PyTorchDefault => uniform((1.0 / fan_in).sqrt()),
            Scheme::KaimingNormal => normal(2.0 / fan_in),
            Scheme::KaimingUniformFanOut => uniform((6.0 / fan_out).sqrt()),
            Scheme::KaimingNormalFanOut => normal(2.0 / fan_out),
            Scheme::XavierUniform => uniform((6.0 / both).sqrt()),
            Scheme::XavierNormal => normal(2.0 / both),
            Scheme::Normal { mean, std } => Draw::Normal { mean: mean.into(), std: std.into() },
            Scheme::TruncNormal { mean, std, a, b } => {
                Draw::Truncated { mean: mean.into(), std: std.into(), bounds: [a, b] }
            }
            Scheme::Uniform { a, b } => {
                let (a, b) = (f64::from(a), f64::from(b));
                Draw::Uniform { middle: (a + b) / 2.0, half: (b - a) / 2.0 }
            }
            Scheme::Constant { val } => Draw::Constant(val),
            Scheme::Orthogonal => Draw::Orthogonal,
            Scheme::Dirac => Draw::Dirac,
            // A whitening layer keeps these until it has seen data.
            _ => uniform((6.0 / fan_in).sqrt()),
        }
    }

    fn fill(self, generator: &mut ChaCha8Rng, numbers: &mut [f32]) {
        match self {
            Draw::Constant(number) => numbers.fill(number),
            Draw::Uniform { middle, half } => numbers.fill_with(|| {
                let number = half * unit(generator);
                (if middle == 0.0 { number } else { middle + number }) as f32
            }),
            Draw::Normal { mean, std } => {
                numbers.fill_with(|| (mean + std * normal(generator)) as f32);
            }
            Draw::Truncated { mean, std, bounds: [a, b] } => numbers.fill_with(|| {
                let bounds = [a, b].map(|bound| (f64::from(bound) - mean) / std);
                ((mean + std * truncated(generator, bounds)) as f32).clamp(a, b)
            }),
            // These look at the tensor as a matrix.
            Draw::Orthogonal | Draw::Dirac => {}
        }
    }
}

/// The middle of one of 2³² equal parts of −1..1.
fn unit(generator: &mut ChaCha8Rng) -> f64 {
    (f64::from(generator.next_u32()) + 0.5) / f64::from(1u32 << 31) - 1.0
}

fn normal(generator: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(generator)
}

/// A number of the standard normal distribution between two bounds, which may be NaN or infinite
/// where its deviation is zero: then 0.
fn truncated(generator: &mut ChaCha8Rng, [low, high]: [f64; 2]) -> f64 {
    if !(low.is_finite() && high.is_finite() && low < high) {
        return 0.0;
    }
    let inside = |z: &f64| (low..=high).contains(z);
    if low <= 0.0 && high >= 0.0 && high - low >= 2.0 {
        // At least every third number lies inside.
        return loop {
            let z = normal(generator);
            if inside(&z) {
                break z;
            }
        };
    }
    // Even numbers between the bounds, kept as often as the density says, which is largest at `near`.
    // So far out in a tail that `e⁻⁴⁰` is left, nothing comes.
    let near = 0f64.clamp(low, high);
    let far = 40.0 / near.abs().max(1.0);
    let (low, high) = (low.max(near - far), high.min(near + far));
    loop {
        let z = (low + high) / 2.0 + (high - low) / 2.0 * unit(generator);
        if (unit(generator) + 1.0) / 2.0 <= ((near * near - z * z) / 2.0).exp() {
            return z;
        }
    }
}

/// How many inputs an output sums up, and how many outputs an input reaches.
fn fan_in_and_out(scheme: Scheme, op: &Op, weight: &Tensor) -> (usize, usize) {
    let first = weight.shape.dims().first().copied().unwrap_or(1).max(1);
    let area: usize = weight.shape.dims().iter().skip(2).product();
    let row = weight.shape.elements() / first;
    match *op {
        // PyTorch takes the second dimension for the inputs also where it is the outputs.
        Op::ConvTranspose2d { .. } if scheme == Scheme::PyTorchDefault => (row, first * area),
        Op::ConvTranspose2d { out_channels, stride, groups, .. } => {
            let inputs = first / groups * area / (stride[0] * stride[1]);
            (inputs.max(1), out_channels * area)
        }
        _ => (row, first * area),
    }
}

/// The stream of a tensor: the FNV-1a hash of its name.
fn stream(layer: &str, kind: &str) -> u64 {
    let name = layer.bytes().chain(*b".").chain(kind.bytes());
    name.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncated_normals_have_the_mean_of_their_part() {
        // The mean of the standard normal between bounds is the difference of the densities there over
        // the mass between them; the numbers are from tables.
        for (bounds, mean) in [
            ([-2.0, 2.0], 0.0),
            ([-0.5, 0.5], 0.0),
            ([0.0, 2.0], 0.722_782),
            ([3.0, 4.0], 3.266_461),
            ([-1e6, -3.0], -3.283_099),
            ([50.0, 1e9], 50.019_984),
        ] {
            let mut generator = random::generator(1, 2);
            let numbers: Vec<f64> =
                (0..20_000).map(|_| truncated(&mut generator, bounds)).collect();
            assert!(numbers.iter().all(|z| (bounds[0]..=bounds[1]).contains(z)));
            let found = numbers.iter().sum::<f64>() / numbers.len() as f64;
            assert!((found - mean).abs() <= 0.025, "{bounds:?}: {found}");
        }
    }
}
