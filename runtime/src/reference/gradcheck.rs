use rand::RngExt;
use typenet_shape::MAX_HEADS;

use super::evaluation::run_batch;
use crate::loss::{Accepts, Compares, Rows, add_reference, denominators, of_batch, shares};
use crate::net::network::Network;
use crate::{Result, random};
use typenet_engine::Flat;

/// How far the gradients of a net are from central differences.
#[derive(Clone, PartialEq, Debug)]
pub struct GradCheck {
    /// One entry for each parameter tensor that is trained.
    pub tensors: Vec<TensorCheck>,
    /// The relative difference between the loss in f32 and in f64.
    pub loss_error: f64,
}

/// How far one tensor's gradient is from central differences.
#[derive(Clone, PartialEq, Debug)]
pub struct TensorCheck {
    /// `layer.weight` or `layer.bias`.
    pub name: String,
    /// How many of its numbers were compared.
    pub compared: usize,
    /// How many of those have a gradient and a difference of exactly zero.
    pub zero: usize,
    /// How many numbers were discarded because a kink of `relu` or `max_pool2d` lay within the step.
    pub redrawn: usize,
    /// `‖g − d‖ / max(‖g‖, ‖d‖)` over the compared numbers: gradient `g`, difference `d`; NaN if none could be
    /// compared. Norms here are root mean squares. Where the denominator is below a hundredth of the largest
    /// tensor's, that hundredth takes its place: the gradient of a bias before a batch norm is zero but for
    /// rounding.
    pub relative_error: f64,
}

impl GradCheck {
    /// The largest relative error of all tensors and of the loss. Infinite if any of them is NaN, or something
    /// was [not checked](Self::unchecked). `worst() <= 1e-4` holds if the gradients were compared and are right.
    pub fn worst(&self) -> f64 {
        if !self.unchecked().is_empty() {
            return f64::INFINITY;
        }
        let errors = self.tensors.iter().map(|tensor| tensor.relative_error);
        errors.fold(self.loss_error, |worst, error| {
            if worst.is_nan() || error.is_nan() { f64::INFINITY } else { worst.max(error) }
        })
    }

    /// What was not checked, and why, one sentence each; empty if every tensor's gradient was. `Display` shows
    /// them below the table.
    ///
    /// A tensor was not checked if no number could be compared, or if every gradient and every difference is
    /// zero: a dead `relu` has those, right or wrong. A bias with zero gradients does count as checked if the
    /// weight beside it has others: a batch norm subtracts what the bias before it adds.
    pub fn unchecked(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.tensors.is_empty() {
            reasons
                .push("no parameters are trained, so there are no gradients to compare".to_owned());
        }
        if !self.loss_error.is_finite() {
            reasons.push("the loss is not finite".to_owned());
        }
        let silent = |tensor: &TensorCheck| tensor.zero == tensor.compared;
        let weight_speaks = |bias: &TensorCheck| {
            let Some(layer) = bias.name.strip_suffix(".bias") else { return false };
            let beside = |tensor: &&TensorCheck| {
                tensor.name.strip_prefix(layer).is_some_and(|kind| kind == ".weight")
            };
            self.tensors.iter().find(beside).is_some_and(|weight| !silent(weight))
        };
        for tensor in &self.tensors {
            let TensorCheck { name, compared, redrawn, .. } = tensor;
            if *compared == 0 && *redrawn > 0 {
                reasons.push(format!(
                    "`{name}`: nothing was compared: at each of {redrawn} numbers a kink of `relu` or \
                     of a maximum lay within the step; give it other or fewer inputs"
                ));
            } else if *compared == 0 {
                reasons.push(format!("`{name}`: nothing was compared: ask for 1 sample or more"));
            } else if silent(tensor) && !weight_speaks(tensor) {
                reasons.push(format!(
                    "`{name}`: all {compared} gradients compared are zero, as are the differences, which \
                     proves nothing: is a `relu` behind it dead, or are its inputs or the weights behind \
                     it zero? Give it other weights or inputs"
                ));
            }
        }
        reasons
    }
}

impl std::fmt::Display for GradCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{:<24} {:>8} {:>8} {:>8} {:>14}",
            "tensor", "compared", "zero", "redrawn", "relative error"
        )?;
        for TensorCheck { name, compared, zero, redrawn, relative_error } in &self.tensors {
            writeln!(f, "{name:<24} {compared:>8} {zero:>8} {redrawn:>8} {relative_error:>14.2e}")?;
        }
        write!(f, "{:<24} {:>8} {:>8} {:>8} {:>14.2e}", "loss", 1, 0, 0, self.loss_error)?;
        for reason in self.unchecked() {
            write!(f, "\nnot checked: {reason}")?;
        }
        Ok(())
    }
}

/// Compares the gradients that [`Network::backward`] computes in f32 with central differences
/// `(L(w + h) − L(w − h)) / 2h` of the same net in f64, at up to 40 numbers of each tensor. The step `h` is
/// `1e-5 · max(|w|, 0.1)`.
///
/// The loss is piecewise smooth: where `relu` or a maximum takes another branch within `±h`, the difference
/// means nothing, and another number is drawn. Batch norms use the statistics of `inputs`, unless they are
/// frozen. Dropout is off. Parameters that are frozen, in the declaration or at run time, are not compared.
///
/// A right gradient has a [`GradCheck::worst`] of about 1e-6; 1e-4 is a sensible limit. A tensor that was not
/// checked makes it infinite: see [`GradCheck::unchecked`].
///
/// # Errors
/// [`Error::Size`](crate::Error::Size) when there are not as many targets as inputs; else the error of the loss,
/// when a target does not fit the net's output or an argument of the loss is out of range.
pub fn gradcheck<N: Network, L: Compares<N::Output, T> + Accepts<N>, T>(
    net: &N,
    loss: &L,
    inputs: &[N::Input],
    targets: &[T],
) -> Result<GradCheck> {
    gradcheck_with(net, loss, inputs, targets, 40, 0)
}

/// As [`gradcheck`], at up to `samples` numbers of each tensor drawn with `seed`.
///
/// # Errors
/// As [`gradcheck`].
pub fn gradcheck_with<N: Network, L: Compares<N::Output, T> + Accepts<N>, T>(
    net: &N,
    loss: &L,
    inputs: &[N::Input],
    targets: &[T],
    samples: usize,
    seed: u64,
) -> Result<GradCheck> {
    let () = L::COMPARES;
    let mut ws = N::workspace(inputs.len());
    ws.set_dropout(false);
    // Running statistics move in a forward pass; those of the net that was given stay.
    let mut net = net.clone();
    net.forward(inputs, &mut ws);
    let denominators = denominators(loss, targets);
    let single: f64 = of_batch(loss, targets, &mut ws, &denominators)?.iter().sum();
    net.backward(inputs, &mut ws);
    let gradients = ws.gradients().as_flat();

    let mut parameters: Vec<f64> = net.parameters_flat().iter().map(|&x| f64::from(x)).collect();
    let images: Vec<Vec<f64>> = inputs
        .iter()
        .map(|input| input.as_flat().iter().map(|&x| f64::from(x)).collect())
        .collect();
    let rows = Rows::of::<N, T, L>();
    let trained = net.model().trainable(&N::SPEC);
    let value = |parameters: &[f64]| {
        let (outputs, branches) = run_batch(&N::SPEC, trained, parameters, &images);
        let mut sums = [0.0; MAX_HEADS];
        for (output, target) in outputs.iter().zip(targets) {
            add_reference(loss, rows, output, target, &mut sums);
        }
        (shares::<T, L>(sums, &denominators).iter().sum::<f64>(), branches)
    };
    let (double, here) = value(&parameters);
    let loss_error = (single - double).abs() / double.abs().max(1e-30);

    let mut random = random::generator(seed, 0x6772_6164);
    let mut tensors = Vec::new();
    let tensors_and_trained = N::LAYOUT.tensors.iter().zip(trained.tensors());
    for (tensor, _) in tensors_and_trained.filter(|(_, trained)| **trained) {
        let len = tensor.shape.elements();
        let mut check = TensorCheck {
            name: format!("{}.{}", N::GRAPH.nodes[tensor.node].name, tensor.kind.name()),
            compared: 0,
            zero: 0,
            redrawn: 0,
            relative_error: f64::NAN,
        };
        let (mut difference, mut ours, mut theirs) = (0.0, 0.0, 0.0);
        for attempt in 0..3 * samples {
            if check.compared == samples.min(len) {
                break;
            }
            // All numbers of a small tensor once, a drawn one of a large tensor.
            let at =
                if len <= samples && attempt < len { attempt } else { random.random_range(0..len) };
            let at = tensor.offset + at;
            let kept = parameters[at];
            let step = 1e-5 * kept.abs().max(0.1);
            parameters[at] = kept + step;
            let (above, up) = value(&parameters);
            parameters[at] = kept - step;
            let (below, down) = value(&parameters);
            parameters[at] = kept;
            if up != here || down != here {
                check.redrawn += 1;
                continue;
            }
            let expected = (above - below) / (2.0 * step);
            let found = f64::from(gradients[at]);
            difference += (found - expected) * (found - expected);
            ours += found * found;
            theirs += expected * expected;
            check.compared += 1;
            check.zero += usize::from(found == 0.0 && expected == 0.0);
        }
        let root_mean_square = |sum: f64| (sum / check.compared as f64).sqrt();
        let (difference, size) = (root_mean_square(difference), root_mean_square(ours.max(theirs)));
        tensors.push((check, difference, size));
    }
    let largest = tensors.iter().map(|&(_, _, size)| size).fold(0.0, f64::max);
    // Rounding of the loss limits what a difference can resolve.
    let floor = f64::max(largest / 100.0, 1e-9 * double.abs().max(1.0));
    let finished = tensors.into_iter().map(|(check, difference, size)| TensorCheck {
        // 0 / 0 where none was compared: NaN.
        relative_error: difference / if size < floor { floor } else { size },
        ..check
    });
    let tensors = finished.collect();
    Ok(GradCheck { tensors, loss_error })
}
