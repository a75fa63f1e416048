use std::fmt;
use std::marker::PhantomData;

use typenet_kernels::team::{Team, chunks, chunks_mut};

use super::argument;
use super::rule::PIECE;
use crate::Result;
use crate::net::network::Network;

/// A mean of the weights over the course of training, which is often better than the last weights.
///
/// | | the mean after each update |
/// |---|---|
/// | [`ema`](Self::ema) | `a ← decay · a + (1 − decay) · w`, after every step (Polyak and Juditsky 1992) |
/// | [`swa`](Self::swa) | `a ← a + (w − a) / (n + 1)`, after every epoch from one on (Izmailov and others 2018) |
///
/// The first update copies the weights. A [`Trainer`](crate::train::Trainer::average) keeps the mean,
/// evaluates with it, and leaves it in the net at the end. With `ema`, whose weights are near to each other,
/// it averages the running statistics of batch norms too. With `swa` it recomputes them on the training set
/// ([`update_bn`](crate::train::update_bn)). By hand:
///
/// ```
/// # use typenet_runtime::Network;
/// use typenet_runtime::optim::Averaging;
/// # fn train<N: Network>(net: N) {
/// let mut mean = Averaging::ema(0.999).state::<N>();
/// for _ in 0..10 {
///     // a step, then
///     mean.update(&net);
/// }
/// let averaged: N = mean.net(&net);
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Averaging {
    kind: Kind,
    start: f64,
    every: usize,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Ema { decay: f64 },
    Swa,
}

impl Averaging {
    /// An exponential moving average, updated after every step. `decay` is 0 or more, below 1; 0.999 looks
    /// back on about 1,000 steps.
    pub fn ema(decay: f64) -> Averaging {
        Averaging { kind: Kind::Ema { decay }, start: 0.0, every: 1 }
    }

    /// The mean of the weights at the ends of epochs (stochastic weight averaging), from this epoch on,
    /// counted from 1.
    pub fn swa(start_epoch: usize) -> Averaging {
        Averaging { kind: Kind::Swa, start: start_epoch as f64, every: 1 }
    }

    /// Updates [`ema`](Self::ema) only after every `steps` steps, at least 1; 1 by default.
    #[must_use]
    pub fn every_steps(self, steps: usize) -> Averaging {
        Averaging { every: steps, ..self }
    }

    /// Checks the arguments.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) with the first that is out of range.
    pub fn check(&self) -> Result<()> {
        match self.kind {
            Kind::Ema { decay } if !(0.0..1.0).contains(&decay) => {
                Err(argument("decay", decay, "0 or more, below 1, is allowed"))
            }
            _ if self.every == 0 => Err(argument("every_steps", 0, "1 step or more is needed")),
            _ => Ok(()),
        }
    }

    /// An empty mean for nets of this type.
    pub fn state<N: Network>(&self) -> Average<N> {
        Average { mean: Mean::new(*self), of: PhantomData }
    }

    /// Whether the mean is updated after a step, this number of steps having been made.
    pub(crate) fn after_step(&self, steps: u64) -> bool {
        matches!(self.kind, Kind::Ema { .. }) && steps.is_multiple_of(self.every as u64)
    }

    /// Whether it is updated after this epoch, counted from 1.
    pub(crate) fn after_epoch(&self, epoch: usize) -> bool {
        self.kind == Kind::Swa && epoch as f64 >= self.start
    }

    /// Whether the statistics of batch norms must be recomputed.
    pub(crate) fn renews_statistics(&self) -> bool {
        self.kind == Kind::Swa
    }
}

/// The mean of the weights of a net: what [`Averaging::state`] makes.
pub struct Average<N> {
    mean: Mean,
    of: PhantomData<fn() -> N>,
}

/// The same, without the type of the net.
#[derive(Clone, PartialEq)]
pub(crate) struct Mean {
    pub(crate) settings: Averaging,
    pub(crate) count: u64,
    /// Empty until the first update.
    pub(crate) numbers: Vec<f32>,
}

impl Mean {
    pub(crate) fn new(settings: Averaging) -> Mean {
        Mean { settings, count: 0, numbers: Vec::new() }
    }

    pub(crate) fn update(&mut self, weights: &[f32]) {
        if self.count == 0 {
            self.numbers.clear();
            self.numbers.extend_from_slice(weights);
        }
        let share = match self.settings.kind {
            Kind::Ema { decay } => 1.0 - decay,
            Kind::Swa => 1.0 / (self.count + 1) as f64,
        } as f32;
        if self.count > 0 {
            Team::gather(weights.len().div_ceil(4 * PIECE), |team| {
                let parts = (chunks_mut(&mut self.numbers, PIECE), chunks(weights, PIECE));
                team.for_each(parts, |_, (a, w)| {
                    a.iter_mut().zip(w).for_each(|(a, w)| *a += share * (w - *a));
                });
            });
        }
        self.count += 1;
    }
}

impl<N: Network> Average<N> {
    /// Updates the mean with the net's current weights.
    pub fn update(&mut self, net: &N) {
        self.mean.update(net.parameters_flat());
    }

    /// How many updates there have been.
    pub fn count(&self) -> u64 {
        self.mean.count
    }

    /// A copy of the net with the mean as its weights; before the first update with its own. After
    /// [`swa`](Averaging::swa), batch norms need [`update_bn`](crate::train::update_bn).
    #[must_use]
    pub fn net(&self, net: &N) -> N {
        let mut copy = net.clone();
        if self.mean.count > 0 {
            copy.parameters_flat_mut().copy_from_slice(&self.mean.numbers);
        }
        copy
    }
}

impl<N> Clone for Average<N> {
    fn clone(&self) -> Average<N> {
        Average { mean: self.mean.clone(), of: PhantomData }
    }
}

impl<N: Network> fmt::Debug for Average<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Average")
            .field("net", &N::GRAPH.name)
            .field("settings", &self.mean.settings)
            .field("count", &self.mean.count)
            .finish_non_exhaustive()
    }
}
