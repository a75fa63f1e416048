use rand::RngExt;
use typenet_engine::Flat;

use crate::derivatives::{Derivatives, Direction};
use crate::loss::{Accepts, Compares, denominators, of_batch};
use crate::net::network::Network;
use crate::{Error, Result, random};

/// How far a weight moves for each step along a direction, at least.
const LEAST: f64 = 0.01;

/// The step of the central difference, in such moves.
const STEP: f64 = 2e-4;

/// The slopes of a net's loss along random directions of its parameters, each computed in three ways.
#[derive(Clone, PartialEq, Debug)]
pub struct FastGradCheck {
    /// The loss at the net's parameters.
    pub loss: f64,
    /// One entry for each direction.
    pub directions: Vec<DirectionCheck>,
}

/// The slope of the loss along one direction of all parameters.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DirectionCheck {
    /// Forward mode: [`Derivatives::slope`].
    pub forward: f64,
    /// Reverse mode: the dot product `∇L · v` of the direction with the gradient.
    pub reverse: f64,
    /// Numerical: `(L(w + h v) − L(w − h v)) / 2h`, in f32.
    pub difference: f64,
    /// The size that the slope along a random direction can be expected to have: `√ Σ (∂L/∂wᵢ · vᵢ)²`.
    pub expected: f64,
}

impl DirectionCheck {
    /// The relative difference of forward and reverse mode: `|forward − reverse|` over the larger of their sizes,
    /// or over [`expected`](Self::expected) if that is larger.
    pub fn mode_error(&self) -> f64 {
        self.relative(self.forward)
    }

    /// The relative difference of [`difference`](Self::difference) and reverse mode, in the same way.
    pub fn difference_error(&self) -> f64 {
        self.relative(self.difference)
    }

    fn relative(&self, other: f64) -> f64 {
        let size = self.reverse.abs().max(other.abs()).max(self.expected);
        (other - self.reverse).abs() / size
    }
}

impl FastGradCheck {
    /// The largest [`mode_error`](DirectionCheck::mode_error). Infinite if a slope is NaN, if all slopes along a
    /// direction are zero, or if there are no directions. `worst() <= 1e-4` holds if the gradients are right.
    pub fn worst(&self) -> f64 {
        self.largest(DirectionCheck::mode_error)
    }

    /// The largest [`difference_error`](DirectionCheck::difference_error), infinite in the same cases. Rounding
    /// to f32, kinks within the step, and batch norms over few images enlarge it: 5e-2 is a sensible limit.
    pub fn worst_difference(&self) -> f64 {
        self.largest(DirectionCheck::difference_error)
    }

    fn largest(&self, error: impl Fn(&DirectionCheck) -> f64) -> f64 {
        // 0 / 0 where a direction's slopes are zero: NaN, which proves nothing.
        let errors = self.directions.iter().map(error);
        let worst =
            errors.reduce(|a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) });
        worst.filter(|worst| !worst.is_nan()).unwrap_or(f64::INFINITY)
    }
}

impl std::fmt::Display for FastGradCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "slope of the loss ({:.6}) along random directions, found in three ways",
            self.loss
        )?;
        writeln!(
            f,
            "{:>9} {:>14} {:>14} {:>14} {:>18} {:>18}",
            "direction",
            "forward mode",
            "reverse mode",
            "difference",
            "forward − reverse",
            "diff. − reverse"
        )?;
        for (number, check) in self.directions.iter().enumerate() {
            let DirectionCheck { forward, reverse, difference, .. } = *check;
            let errors = [check.mode_error(), check.difference_error()];
            writeln!(
                f,
                "{:>9} {forward:>14.6} {reverse:>14.6} {difference:>14.6} {:>18.1e} {:>18.1e}",
                number + 1,
                errors[0],
                errors[1],
            )?;
        }
        write!(
            f,
            "errors in parts of the slope; at most {:.1e} and {:.1e}",
            self.worst(),
            self.worst_difference()
        )
    }
}

/// Compares forward mode, reverse mode and the central difference of the loss, along `directions` random
/// directions of all parameters that are trained. The first two numbers should be the same but for rounding. A
/// direction takes one pass in forward mode and two forward passes of the net. [`gradcheck`](super::gradcheck)
/// instead runs the net in f64 twice for each weight that it tries.
///
/// A gradient that is wrong anywhere shows in almost every direction, but not where it is:
/// [`gradcheck`](super::gradcheck) names the tensor. Along a direction each weight moves by a random number of the
/// size of its tensor's numbers. Dropout drops the same numbers in all passes. All passes run in groups of 16
/// images, as forward mode does, however many images there are. So relu and maxima take the same branches in
/// all, and forward and reverse mode differ only by the rounding of their sums.
///
/// # Errors
/// [`Error::Size`] when there are no inputs or not as many targets; else the error of the loss, when a target does
/// not fit the net's output or an argument of the loss is out of range.
pub fn gradcheck_fast<N: Network, L: Compares<N::Output, T> + Accepts<N>, T>(
    net: &N,
    loss: &L,
    inputs: &[N::Input],
    targets: &[T],
    directions: usize,
    seed: u64,
) -> Result<FastGradCheck> {
    let () = L::COMPARES;
    if inputs.is_empty() {
        return Err(Error::size("inputs to check gradients with", "1 or more", 0));
    }
    let mut ws = N::workspace(inputs.len());
    ws.memory.set_interleaved();
    // Running statistics move in a forward pass, and parameters with each direction.
    let mut net = net.clone();
    let denominators = denominators(loss, targets);
    net.forward(inputs, &mut ws);
    let here = of_batch(loss, targets, &mut ws, &denominators)?.iter().sum();
    net.backward(inputs, &mut ws);
    let masks = ws.dropout_state();
    let gradient = ws.gradients().as_flat().to_vec();
    let kept = net.parameters_flat().to_vec();

    let mut random = random::generator(seed, 0x0064_6972);
    let mut direction = N::Parameters::zeroed();
    let trained = net.model().trainable(&N::SPEC).tensors().to_vec();
    let mut checks = Vec::new();
    for _ in 0..directions {
        let numbers = direction.as_flat_mut();
        for (tensor, _) in N::LAYOUT.tensors.iter().zip(&trained).filter(|(_, trained)| **trained) {
            let own = tensor.offset..tensor.offset + tensor.shape.elements();
            let squares = kept[own.clone()].iter().map(|&w| f64::from(w) * f64::from(w));
            let size = (squares.sum::<f64>() / own.len() as f64).sqrt().max(LEAST);
            for number in &mut numbers[own] {
                *number = (size * random.random_range(-1.0..1.0)) as f32;
            }
        }
        let products =
            || gradient.iter().zip(direction.as_flat()).map(|(&g, &v)| f64::from(g) * f64::from(v));
        let (reverse, expected) =
            (products().sum(), products().map(|product| product * product).sum::<f64>().sqrt());
        let along = Direction::of_parameters(&*direction);
        let forward = net.slope(loss, inputs, targets, along, &mut ws)?.slope;
        let mut at = |step: f64| -> Result<f64> {
            let moved = net.parameters_flat_mut().iter_mut().zip(&kept).zip(direction.as_flat());
            moved.for_each(|((w, &from), &v)| *w = (f64::from(from) + step * f64::from(v)) as f32);
            ws.set_dropout_state((masks.0, masks.1.wrapping_sub(1)));
            net.forward(inputs, &mut ws);
            Ok(of_batch(loss, targets, &mut ws, &denominators)?.iter().sum())
        };
        let (above, below): (f64, f64) = (at(STEP)?, at(-STEP)?);
        net.parameters_flat_mut().copy_from_slice(&kept);
        let difference = (above - below) / (2.0 * STEP);
        checks.push(DirectionCheck { forward, reverse, difference, expected });
    }
    Ok(FastGradCheck { loss: here, directions: checks })
}
