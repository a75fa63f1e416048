use std::fmt;
use std::ops::Range;

use typenet_shape::Tensor;

use super::Schedule;
use crate::Result;
use crate::error::same_count;
use crate::net::network::Network;
use typenet_engine::Flat;
use typenet_kernels::team::{Team, chunks, chunks_mut};

/// From this many numbers on, a step is shared out among threads, in pieces of [`PIECE`].
const SHARED: usize = 64 * 1024;
const PIECE: usize = 16 * 1024;

/// The settings of one tensor.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) learning_rate: f32,
    pub(super) momentum: f32,
    pub(super) nesterov: bool,
    pub(super) dampening: f32,
    pub(super) weight_decay: f32,
    pub(super) schedule: Schedule,
}

/// What [`Sgd`](super::Sgd) keeps from step to step: the velocity, which has the shape of the
/// parameters and exists only with momentum, and the learning rates of the moment.
pub struct SgdState<N: Network> {
    /// The rate of tensors without a group, and its schedule.
    base: (f32, Schedule),
    epoch: f64,
    steps: u64,
    spans: Vec<Span>,
    velocity: Option<Box<N::Parameters>>,
}

/// One tensor's numbers among all parameters.
#[derive(Clone, Debug)]
struct Span {
    /// Its place among the tensors.
    tensor: usize,
    range: Range<usize>,
    settings: Settings,
    /// The learning rate of the moment.
    rate: f32,
}

impl<N: Network> SgdState<N> {
    pub(super) fn new<'a>(
        base: &Settings,
        tensors: impl Iterator<Item = (Settings, usize, &'a Tensor)>,
    ) -> SgdState<N> {
        let spans: Vec<Span> = tensors
            .map(|(settings, index, tensor)| Span {
                tensor: index,
                range: tensor.offset..tensor.offset + tensor.shape.elements(),
                rate: 0.0,
                settings,
            })
            .collect();
        let momentum = spans.iter().any(|span| span.settings.momentum > 0.0);
        let mut state = SgdState {
            base: (base.learning_rate, base.schedule.clone()),
            epoch: 0.0,
            steps: 0,
            spans,
            velocity: momentum.then(N::Parameters::zeroed),
        };
        state.set_epoch(0.0);
        state
    }

    /// Changes the net's parameters by one step against `gradients`; those that are not trained (see
    /// [`set_trainable`](Network::set_trainable)) stay as they are, and so does their velocity.
    pub fn step(&mut self, net: &mut N, gradients: &N::Parameters) {
        let (trained, parameters) = net.model_mut().trainable_and_parameters(&N::SPEC);
        let velocity = self.velocity.as_deref_mut().map(Flat::as_flat_mut);
        let spans = self.spans.iter().filter(|span| trained.tensors()[span.tensor]);
        let first = self.steps == 0;
        update(spans, first, parameters.as_flat_mut(), gradients.as_flat(), velocity);
        self.steps += 1;
    }

    /// Sets the learning rates to those of this moment, in epochs since the start of training: 0 at
    /// first, 0.5 after half of the first epoch. Call it before every step for a smooth schedule.
    pub fn set_epoch(&mut self, epoch: f64) {
        self.epoch = epoch;
        for span in &mut self.spans {
            span.rate = rate(span.settings.learning_rate, &span.settings.schedule, epoch);
        }
    }

    /// The learning rate of the moment, of tensors that no group gives another.
    pub fn learning_rate(&self) -> f32 {
        rate(self.base.0, &self.base.1, self.epoch)
    }

    /// How many steps were made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The velocity (PyTorch's momentum buffer), if any tensor has momentum.
    pub fn velocity(&self) -> Option<&N::Parameters> {
        self.velocity.as_deref()
    }

    /// Goes on from a run that was stopped: its number of [`steps`](Self::steps), and the numbers
    /// of its [`velocity`](Self::velocity), none where it had none. The epoch is set apart, with
    /// [`set_epoch`](Self::set_epoch).
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) when there are not as many numbers as this state has;
    /// it is then as before.
    pub fn resume(&mut self, steps: u64, velocity: &[f32]) -> Result<()> {
        let own = self.velocity.as_deref_mut().map(Flat::as_flat_mut).unwrap_or_default();
        same_count("numbers of the velocity", own.len(), velocity.len())?;
        own.copy_from_slice(velocity);
        self.steps = steps;
        Ok(())
    }
}

impl<N: Network> Clone for SgdState<N> {
    fn clone(&self) -> SgdState<N> {
        // A large parameter struct does not fit on the stack.
        let velocity = self.velocity.as_ref().map(|velocity| velocity.to_boxed());
        let (base, spans) = (self.base.clone(), self.spans.clone());
        SgdState { base, epoch: self.epoch, steps: self.steps, spans, velocity }
    }
}

impl<N: Network> fmt::Debug for SgdState<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SgdState")
            .field("net", &N::GRAPH.name)
            .field("steps", &self.steps)
            .field("epoch", &self.epoch)
            .field("learning_rate", &self.learning_rate())
            .finish_non_exhaustive()
    }
}

fn rate(learning_rate: f32, schedule: &Schedule, epoch: f64) -> f32 {
    (f64::from(learning_rate) * schedule.factor(epoch)) as f32
}

/// One step for all tensors. Every number is computed by itself, so that threads and pieces do not
/// change its bits.
fn update<'a>(
    spans: impl Iterator<Item = &'a Span> + Send,
    first: bool,
    parameters: &mut [f32],
    gradients: &[f32],
    mut velocity: Option<&mut [f32]>,
) {
    let threads = if parameters.len() < SHARED { 1 } else { parameters.len().div_ceil(PIECE) };
    Team::gather(threads, |team| {
        for span in spans {
            let w = chunks_mut(&mut parameters[span.range.clone()], PIECE);
            let g = chunks(&gradients[span.range.clone()], PIECE);
            let rule = Rule {
                rate: span.rate,
                momentum: span.settings.momentum,
                // The velocity starts as the gradient itself.
                share: if first { 1.0 } else { 1.0 - span.settings.dampening },
                decay: span.settings.weight_decay,
                nesterov: span.settings.nesterov,
            };
            match velocity.as_deref_mut() {
                Some(velocity) if rule.momentum > 0.0 => {
                    let v = chunks_mut(&mut velocity[span.range.clone()], PIECE);
                    team.for_each((w, g, v), |_, (w, g, v)| rule.with_momentum(w, g, v));
                }
                _ => team.for_each((w, g), |_, (w, g)| rule.plain(w, g)),
            }
        }
    });
}

/// The numbers of a step for one tensor.
struct Rule {
    rate: f32,
    momentum: f32,
    share: f32,
    decay: f32,
    nesterov: bool,
}

impl Rule {
    fn plain(&self, w: &mut [f32], g: &[f32]) {
        for (w, &g) in w.iter_mut().zip(g) {
            *w -= self.rate * (g + self.decay * *w);
        }
    }

    fn with_momentum(&self, w: &mut [f32], g: &[f32], v: &mut [f32]) {
        for ((w, &g), v) in w.iter_mut().zip(g).zip(v) {
            let g = g + self.decay * *w;
            *v = self.momentum * *v + self.share * g;
            *w -= self.rate * if self.nesterov { g + self.momentum * *v } else { *v };
        }
    }
}
