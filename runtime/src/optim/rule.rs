//! What an optimiser is: settings for each tensor, and the step that they define.

mod state;

use std::fmt;

use typenet_kernels::team::{Team, chunks, chunks_mut};
use typenet_shape::{Graph, Shape, Tensor};

use super::{Schedule, argument};
use crate::Result;
use crate::net::network::Network;

pub(crate) use state::Core;
pub use state::State;

/// Pieces of this many numbers are shared out among threads.
pub(super) const PIECE: usize = 16 * 1024;

/// The most buffers that an optimiser can have; Adam's `exp_avg` is one.
pub const MAX_BUFFERS: usize = 3;

/// An optimiser, which changes weights by their gradients: [`Sgd`](super::Sgd), [`AdamW`](super::AdamW), or
/// one of your own, for [`Trainer::new`](crate::train::Trainer::new) and for training loops by hand.
///
/// An optimiser of your own gives its name, the names of its buffers, and the [`Rule`] for each tensor:
///
/// ```
/// use typenet_runtime::optim::{Optimizer, Rule, Schedule, TensorStep};
/// use typenet_shape::{Graph, Tensor};
///
/// /// Descent by the sign of the gradient alone.
/// #[derive(Clone, Debug)]
/// struct SignSgd(f32, Schedule);
///
/// impl Optimizer for SignSgd {
///     type Rule = SignSgd;
///     const NAME: &'static str = "SignSGD";
///     const BUFFERS: &'static [&'static str] = &[];
///     fn base(&self) -> SignSgd {
///         self.clone()
///     }
///     fn rule(&self, _: &Graph<'_>, _: &Tensor) -> SignSgd {
///         self.clone()
///     }
/// }
///
/// impl Rule for SignSgd {
///     fn learning_rate(&self) -> f32 {
///         self.0
///     }
///     fn schedule(&self) -> &Schedule {
///         &self.1
///     }
///     fn step(&self, tensor: TensorStep<'_>) {
///         let rate = tensor.learning_rate;
///         tensor.each(|w, g| *w -= rate * g.signum());
///     }
/// }
/// assert!(SignSgd(0.01, Schedule::cosine(10)).check().is_ok());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no optimiser",
    label = "an optimiser is needed here",
    note = "help: `Sgd::new(0.05).momentum(0.9)`, `AdamW::new(0.001)` and others are in `typenet::optim`"
)]
pub trait Optimizer: Clone + fmt::Debug + Send + Sync + 'static {
    /// The settings of one tensor.
    type Rule: Rule;

    /// The optimiser's name in checkpoints.
    const NAME: &'static str;

    /// The names of the buffers, at most [`MAX_BUFFERS`]: each has one number for every parameter. Which
    /// of them exist depends on the settings: see [`Rule::uses`].
    const BUFFERS: &'static [&'static str];

    /// The settings of tensors that no group names.
    fn base(&self) -> Self::Rule;

    /// The settings of this tensor.
    fn rule(&self, graph: &Graph<'_>, tensor: &Tensor) -> Self::Rule;

    /// Checks the arguments.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) with the first that is out of range.
    fn check(&self) -> Result<()> {
        self.base().check_settings()
    }

    /// Checks that every path in the settings names a tensor of the net. By default there are no paths.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`](crate::Error::UnknownLayer) for one that names nothing.
    fn check_paths(&self, graph: &Graph<'_>, tensors: &[Tensor]) -> Result<()> {
        let _ = (graph, tensors);
        Ok(())
    }

    /// Does [`check`](Self::check) and [`check_paths`](Self::check_paths), and checks the settings of every
    /// tensor.
    ///
    /// # Errors
    /// As those.
    fn check_against(&self, graph: &Graph<'_>, tensors: &[Tensor]) -> Result<()> {
        self.check()?;
        self.check_paths(graph, tensors)?;
        // Groups that are right one by one can be wrong together: nesterov and no momentum, say.
        tensors.iter().try_for_each(|tensor| self.rule(graph, tensor).check_settings())
    }

    /// The optimiser's state for nets of this type, which holds the buffers and takes the steps.
    ///
    /// # Panics
    /// Where [`try_state`](Self::try_state) gives an error.
    #[allow(clippy::panic)]
    fn state<N: Network>(&self, net: &N) -> State<N, Self> {
        match self.try_state(net) {
            Ok(state) => state,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`state`](Self::state), with an error in place of a panic: for arguments that come from a user.
    ///
    /// # Errors
    /// As [`check_against`](Self::check_against).
    fn try_state<N: Network>(&self, net: &N) -> Result<State<N, Self>> {
        State::new(self, net)
    }
}

/// The settings of one tensor, and the step that they define.
pub trait Rule: Clone + fmt::Debug + Send + Sync + 'static {
    /// The learning rate before the schedule.
    fn learning_rate(&self) -> f32;

    /// How the learning rate changes.
    fn schedule(&self) -> &Schedule;

    /// Whether a tensor of this shape uses the buffer with this index in [`Optimizer::BUFFERS`]; `true` by
    /// default. A buffer is allocated if any tensor uses it.
    fn uses(&self, buffer: usize, shape: Shape) -> bool {
        let _ = (buffer, shape);
        true
    }

    /// How many numbers of scratch memory a step of a tensor of this shape needs; 0 by default.
    fn scratch_len(&self, shape: Shape) -> usize {
        let _ = shape;
        0
    }

    /// Checks the settings; by default the learning rate and the schedule.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) with the first that is out of range.
    fn check_settings(&self) -> Result<()> {
        check_positive("learning_rate", self.learning_rate())?;
        self.schedule().check()
    }

    /// Changes the weights of a tensor by one step. The results must not depend on the number of threads.
    fn step(&self, tensor: TensorStep<'_>);
}

/// One tensor in one step.
pub struct TensorStep<'a> {
    /// The weights, to change.
    pub weights: &'a mut [f32],
    /// Their gradients.
    pub gradients: &'a [f32],
    /// The optimiser's buffers for them, in the order of [`Optimizer::BUFFERS`] and zeros at first; empty
    /// for buffers that no tensor uses, or that do not exist.
    pub buffers: [&'a mut [f32]; MAX_BUFFERS],
    /// Scratch memory for this step, at least [`Rule::scratch_len`] numbers with arbitrary values.
    pub scratch: &'a mut [f32],
    /// The tensor's shape.
    pub shape: Shape,
    /// The current learning rate, with the schedule.
    pub learning_rate: f32,
    /// Which of the tensor's own steps this is, counted from 1. Steps in which it was not trained do not
    /// count.
    pub step: u64,
    pub(super) team: &'a Team,
}

impl fmt::Debug for TensorStep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TensorStep")
            .field("shape", &self.shape)
            .field("step", &self.step)
            .field("learning_rate", &self.learning_rate)
            .finish_non_exhaustive()
    }
}

impl<'a> TensorStep<'a> {
    /// Calls `f` with each weight and its gradient; threads share the work.
    pub fn each(self, f: impl Fn(&mut f32, f32) + Sync) {
        let parts = (chunks_mut(self.weights, PIECE), chunks(self.gradients, PIECE));
        self.team.for_each(parts, |_, (w, g)| {
            for (w, &g) in w.iter_mut().zip(g) {
                f(w, g);
            }
        });
    }

    /// As [`each`](Self::each), with the weight's number in the first buffer.
    pub fn each_with_1(self, f: impl Fn(&mut f32, f32, &mut f32) + Sync) {
        let [a, ..] = self.buffers;
        let parts =
            (chunks_mut(self.weights, PIECE), chunks(self.gradients, PIECE), chunks_mut(a, PIECE));
        self.team.for_each(parts, |_, (w, g, a)| {
            for ((w, &g), a) in w.iter_mut().zip(g).zip(a) {
                f(w, g, a);
            }
        });
    }

    /// As [`each`](Self::each), with the weight's numbers in the first two buffers.
    pub fn each_with_2(self, f: impl Fn(&mut f32, f32, [&mut f32; 2]) + Sync) {
        let [a, b, _] = self.buffers;
        let parts = (
            (chunks_mut(self.weights, PIECE), chunks(self.gradients, PIECE)),
            (chunks_mut(a, PIECE), chunks_mut(b, PIECE)),
        );
        self.team.for_each(parts, |_, ((w, g), (a, b))| {
            for ((w, &g), (a, b)) in w.iter_mut().zip(g).zip(a.iter_mut().zip(b)) {
                f(w, g, [a, b]);
            }
        });
    }

    /// As [`each`](Self::each), with the weight's numbers in all three buffers.
    pub fn each_with_3(self, f: impl Fn(&mut f32, f32, [&mut f32; 3]) + Sync) {
        let [a, b, c] = self.buffers;
        let parts = (
            (chunks_mut(self.weights, PIECE), chunks(self.gradients, PIECE)),
            (chunks_mut(a, PIECE), chunks_mut(b, PIECE), chunks_mut(c, PIECE)),
        );
        self.team.for_each(parts, |_, ((w, g), (a, b, c))| {
            let buffers = a.iter_mut().zip(b).zip(c);
            for ((w, &g), ((a, b), c)) in w.iter_mut().zip(g).zip(buffers) {
                f(w, g, [a, b, c]);
            }
        });
    }

    /// The same step with other buffers in the first places.
    pub(super) fn with_buffers(self, buffers: [usize; MAX_BUFFERS]) -> Self {
        let mut all = self.buffers.map(Some);
        let mut take = |i: usize| all[i].take().unwrap_or_default();
        let buffers = buffers.map(&mut take);
        TensorStep { buffers, ..self }
    }
}

/// Checks a number that must be finite and not negative.
pub(super) fn check_positive(name: &'static str, value: f32) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(argument(name, value, "a finite number, 0 or more, is needed"))
}

/// Checks a share that is kept from step to step.
pub(super) fn check_share(name: &'static str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    // Shown as it was written, where it was an f32.
    Err(argument(name, value as f32, "0 or more, below 1, is allowed"))
}
