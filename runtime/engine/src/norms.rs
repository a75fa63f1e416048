//! A step's batch norm as kernels take it.

use typenet_kernels::batch_norm::{BatchNorm, Spread};
use typenet_shape::{Activation, Step};

/// A batch norm with the statistics of the batch, among those of all norms, and with its weight and bias.
pub(crate) fn of_batch<'a>(
    step: &Step,
    statistics: &'a [f32],
    [weight, bias]: [Option<&'a [f32]>; 2],
    f: Activation,
) -> BatchNorm<'a> {
    let own = &statistics[step.statistics.offset..step.statistics.end()];
    let (mean, rstd) = own.split_at(own.len() / 2);
    BatchNorm { mean, spread: Spread::Rstd(rstd), weight, bias, f }
}
