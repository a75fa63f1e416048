//! Random initial weights.
//!
//! `fan_in` is the number of inputs that one output sums up: `in_features`, or
//! `in_channels / groups · kernel height · kernel width`, of a transposed convolution this over
//! `stride height · stride width`. `fan_out` is `out_features`, or
//! `out_channels · kernel height · kernel width`.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use rand_distr::{Distribution, StandardNormal};
use typenet_shape::{Graph, Op, Tensor, TensorKind};

use crate::random;

/// How weights are drawn. `U(±a)` is uniform between `−a` and `a`, `N(0, s²)` normal with standard
/// deviation `s`. Biases are zero, except in [`PyTorchDefault`](Scheme::PyTorchDefault). Norms start
/// with weight 1 and bias 0 in every scheme.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Scheme {
    /// `U(±√(6 / fan_in))`, of variance `2 / fan_in`: keeps the size of the values from layer to
    /// layer where `relu` drops half of them (gain `√2`). He, Zhang, Ren and Sun 2015. The default.
    #[default]
    KaimingUniform,
    /// `N(0, 2 / fan_in)`: as [`KaimingUniform`](Scheme::KaimingUniform), normal.
    KaimingNormal,
    /// `U(±√(6 / (fan_in + fan_out)))`, of variance `2 / (fan_in + fan_out)`: a compromise between
    /// keeping the size of values forward and of gradients backward, for `tanh` and `sigmoid`
    /// (gain 1). Glorot and Bengio 2010.
    XavierUniform,
    /// `N(0, 2 / (fan_in + fan_out))`: as [`XavierUniform`](Scheme::XavierUniform), normal.
    XavierNormal,
    /// Weights and biases `U(±1 / √fan_in)`, as PyTorch's `Linear` and `Conv2d` draw them. Its
    /// `ConvTranspose2d` takes `out_channels / groups · kernel height · kernel width` for `fan_in`.
    PyTorchDefault,
}

/// Fills all parameters of a net in the order of `tensors`.
///
/// Every tensor has random numbers of its own, from the seed and the tensor's name
/// (`fc1.weight`): they do not depend on the other layers, nor on the number of threads.
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
        // A layer's weight stands before its bias, which has no fan of its own.
        if tensor.kind == TensorKind::Weight {
            fans = fan_in_and_out(scheme, &graph.nodes[tensor.node].op, tensor);
        }
        let numbers = &mut parameters[tensor.offset..tensor.offset + tensor.shape.elements()];
        // A norm's weight starts as 1, its running statistics as those of a normal distribution.
        let is_norm = !graph.nodes[tensor.node].op.takes_factors();
        let draw = match tensor.kind {
            TensorKind::RunningMean => Draw::Constant(0.0),
            TensorKind::RunningVar => Draw::Constant(1.0),
            TensorKind::Weight if is_norm => Draw::Constant(1.0),
            TensorKind::Bias if is_norm => Draw::Constant(0.0),
            TensorKind::Weight | TensorKind::Bias => scheme.draw(tensor.kind, fans),
        };
        let stream = stream(graph.nodes[tensor.node].name, tensor.kind.name());
        draw.fill(&mut random::generator(seed, stream), numbers);
    }
}

/// The distribution of a tensor's numbers.
#[derive(Clone, Copy)]
enum Draw {
    Constant(f32),
    Uniform { bound: f64 },
    Normal { std: f64 },
}

impl Scheme {
    fn draw(self, kind: TensorKind, (fan_in, fan_out): (usize, usize)) -> Draw {
        let (fan_in, both) = (fan_in as f64, (fan_in + fan_out) as f64);
        match (self, kind) {
            (Scheme::PyTorchDefault, _) => Draw::Uniform { bound: (1.0 / fan_in).sqrt() },
            (_, TensorKind::Bias) => Draw::Constant(0.0),
            (Scheme::KaimingUniform, _) => Draw::Uniform { bound: (6.0 / fan_in).sqrt() },
            (Scheme::KaimingNormal, _) => Draw::Normal { std: (2.0 / fan_in).sqrt() },
            (Scheme::XavierUniform, _) => Draw::Uniform { bound: (6.0 / both).sqrt() },
            (Scheme::XavierNormal, _) => Draw::Normal { std: (2.0 / both).sqrt() },
        }
    }
}

impl Draw {
    fn fill(self, generator: &mut ChaCha8Rng, numbers: &mut [f32]) {
        match self {
            Draw::Constant(number) => numbers.fill(number),
            Draw::Uniform { bound } => numbers.fill_with(|| {
                // The middle of one of 2³² equal parts of −1..1.
                let unit = (f64::from(generator.next_u32()) + 0.5) / f64::from(1u32 << 31) - 1.0;
                (bound * unit) as f32
            }),
            Draw::Normal { std } => numbers.fill_with(|| {
                let unit: f64 = StandardNormal.sample(generator);
                (std * unit) as f32
            }),
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
