use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use typenet_engine::NetSpec;
use typenet_shape::Tensor;

use super::history::{Epoch, History};
use crate::net::trainable;
use crate::{Metadata, Result, io};

/// Code of your own that runs while a net is trained: see [`Trainer::callback`](super::Trainer::callback).
///
/// ```
/// use typenet_runtime::train::{Callback, Moment};
///
/// /// Stops when the loss has reached a goal.
/// struct Goal(f64);
///
/// impl Callback for Goal {
///     fn after_epoch(&mut self, moment: &mut Moment<'_>) {
///         if moment.loss() < self.0 {
///             moment.stop("the goal is reached");
///         }
///     }
/// }
/// ```
///
/// For a single function there are [`Trainer::after_step`](super::Trainer::after_step) and
/// [`Trainer::after_epoch`](super::Trainer::after_epoch). To read a callback after training, put it in an
/// `Arc<Mutex<_>>`.
pub trait Callback: Send {
    /// Called after each step of the optimiser.
    fn after_step(&mut self, moment: &mut Moment<'_>) {
        let _ = moment;
    }

    /// Called after each epoch, once its record is in the [history](Moment::history).
    fn after_epoch(&mut self, moment: &mut Moment<'_>) {
        let _ = moment;
    }

    /// Whether the callback shows the run's progress itself, in place of the progress bar; `false` by
    /// default.
    fn shows_progress(&self) -> bool {
        false
    }

    /// The callback's state, which checkpoints store and a resumed run gives back; empty by default.
    fn state(&self) -> String {
        String::new()
    }

    /// Continues from what [`state`](Self::state) returned when the checkpoint was written.
    ///
    /// # Errors
    /// When the callback cannot continue from this state.
    fn resume(&mut self, state: &str) -> Result<()> {
        let _ = state;
        Ok(())
    }
}

impl<C: Callback> Callback for Arc<Mutex<C>> {
    fn after_step(&mut self, moment: &mut Moment<'_>) {
        lock(self).after_step(moment);
    }

    fn after_epoch(&mut self, moment: &mut Moment<'_>) {
        lock(self).after_epoch(moment);
    }

    fn shows_progress(&self) -> bool {
        lock(self).shows_progress()
    }

    fn state(&self) -> String {
        lock(self).state()
    }

    fn resume(&mut self, state: &str) -> Result<()> {
        lock(self).resume(state)
    }
}

/// A callback's value, also after a panic in it.
fn lock<C: ?Sized>(callback: &Mutex<C>) -> std::sync::MutexGuard<'_, C> {
    callback.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A run after a step or an epoch, as a [`Callback`] sees it.
pub struct Moment<'a> {
    pub(super) spec: &'static NetSpec,
    pub(super) parameters: &'a mut [f32],
    pub(super) gradients: &'a [f32],
    pub(super) metadata: &'a Metadata,
    pub(super) history: &'a History,
    pub(super) epoch: usize,
    pub(super) epochs: usize,
    pub(super) batch: usize,
    pub(super) batches: usize,
    pub(super) steps: u64,
    pub(super) loss: f64,
    pub(super) gradient_norm: Option<f64>,
    pub(super) learning_rate: f32,
    /// What the callbacks multiply all learning rates by.
    pub(super) factor: f64,
    pub(super) stop: Option<String>,
    pub(super) is_epoch: bool,
}

impl Moment<'_> {
    /// The epoch, counted from 1 since the run's start.
    pub fn epoch(&self) -> usize {
        self.epoch
    }

    /// The last epoch that this call of `fit` trains, if nothing stops it.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// The batch in this epoch, counted from 1.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// How many batches an epoch has.
    pub fn batches(&self) -> usize {
        self.batches
    }

    /// How many steps the optimiser has made since the run's start.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// After a step the loss of its batch, after an epoch the mean of its batch losses; both include the
    /// regulariser's penalty.
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// The joint L2 norm of all gradients in the last step, before clipping by norm; `None` unless the
    /// trainer clips by norm.
    pub fn gradient_norm(&self) -> Option<f64> {
        self.gradient_norm
    }

    /// The record of the epoch that just ended; `None` after a step.
    pub fn record(&self) -> Option<&Epoch> {
        self.history.epochs.last().filter(|_| self.is_epoch)
    }

    /// The record of the run so far.
    pub fn history(&self) -> &History {
        self.history
    }

    /// The net's name.
    pub fn net(&self) -> &'static str {
        self.spec.graph.name
    }

    /// The learning rate of the default parameter group in the last step, times the factors that callbacks
    /// have set since.
    pub fn learning_rate(&self) -> f32 {
        (f64::from(self.learning_rate) * self.factor) as f32
    }

    /// Multiplies all learning rates, also those of groups, by `factor`: from the next step on, and on top
    /// of the schedule.
    pub fn scale_learning_rate(&mut self, factor: f64) {
        self.factor *= factor;
    }

    /// Scales all learning rates so that [`learning_rate`](Self::learning_rate) becomes `rate`; the
    /// schedule continues from there. A rate of 0 cannot be scaled, and stays.
    pub fn set_learning_rate(&mut self, rate: f32) {
        if self.learning_rate != 0.0 {
            self.factor = f64::from(rate) / f64::from(self.learning_rate);
        }
    }

    /// The numbers of the tensor with this name, such as `conv1.weight`: the trained weights, not their
    /// mean. `None` if no tensor has the name.
    pub fn parameter(&self, name: &str) -> Option<&[f32]> {
        let range = range(self.tensor(name)?);
        Some(&self.parameters[range])
    }

    /// As [`parameter`](Self::parameter), for changing the numbers.
    pub fn parameter_mut(&mut self, name: &str) -> Option<&mut [f32]> {
        let range = range(self.tensor(name)?);
        Some(&mut self.parameters[range])
    }

    /// The gradients of a tensor in the last step, clipped where the trainer clips.
    pub fn gradient(&self, name: &str) -> Option<&[f32]> {
        let range = range(self.tensor(name)?);
        Some(&self.gradients[range])
    }

    /// The names of all tensors, in order.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let spec = self.spec;
        spec.layout
            .tensors
            .iter()
            .map(|tensor| format!("{}.{}", spec.graph.nodes[tensor.node].name, tensor.kind.name()))
    }

    fn tensor(&self, name: &str) -> Option<&'static Tensor> {
        let graph = self.spec.graph;
        let is_named = |tensor: &&Tensor| {
            let kind = tensor.kind.name();
            let layer = name.strip_suffix(kind).and_then(|start| start.strip_suffix('.'));
            layer.is_some() && trainable::names(name, graph, tensor)
        };
        self.spec.layout.tensors.iter().find(is_named)
    }

    /// Saves the net as it is now to a weight file, as [`Network::save`](crate::Network::save) does.
    ///
    /// # Errors
    /// As [`Network::save`](crate::Network::save).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let NetSpec { graph, layout, .. } = self.spec;
        io::save(path.as_ref(), graph, layout.tensors, self.parameters, self.metadata)
    }

    /// Ends the call of `fit` after this moment; [`History::stopped`](super::History::stopped) then shows
    /// the reason. The next call of `fit` first finishes the epoch.
    pub fn stop(&mut self, reason: impl Into<String>) {
        self.stop.get_or_insert_with(|| reason.into());
    }
}

fn range(tensor: &Tensor) -> std::ops::Range<usize> {
    tensor.offset..tensor.offset + tensor.shape.elements()
}

impl fmt::Debug for Moment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moment")
            .field("net", &self.net())
            .field("epoch", &self.epoch)
            .field("batch", &self.batch)
            .field("steps", &self.steps)
            .field("loss", &self.loss)
            .field("learning_rate", &self.learning_rate())
            .finish_non_exhaustive()
    }
}

/// The callbacks of a trainer, which its clones share.
#[derive(Clone, Default)]
pub(super) struct Callbacks(Vec<Arc<Mutex<dyn Callback>>>);

impl Callbacks {
    pub(super) fn push(&mut self, callback: impl Callback + 'static) {
        self.0.push(Arc::new(Mutex::new(callback)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn call(&self, moment: &mut Moment<'_>) {
        for callback in &self.0 {
            let mut callback = lock(callback);
            if moment.is_epoch {
                callback.after_epoch(moment);
            } else {
                callback.after_step(moment);
            }
        }
    }

    pub(super) fn show_progress(&self) -> bool {
        self.0.iter().any(|callback| lock(callback).shows_progress())
    }

    pub(super) fn states(&self) -> Vec<String> {
        self.0.iter().map(|callback| lock(callback).state()).collect()
    }

    /// # Errors
    /// Those of the callbacks.
    pub(super) fn resume(&self, states: &[String]) -> Result<()> {
        self.0.iter().zip(states).try_for_each(|(callback, state)| lock(callback).resume(state))
    }
}

/// A function that is called after each step.
pub(super) struct AfterStep<F>(pub(super) F);

impl<F: FnMut(&mut Moment<'_>) + Send> Callback for AfterStep<F> {
    fn after_step(&mut self, moment: &mut Moment<'_>) {
        (self.0)(moment);
    }
}

/// A function that is called after each epoch.
pub(super) struct AfterEpoch<F>(pub(super) F);

impl<F: FnMut(&mut Moment<'_>) + Send> Callback for AfterEpoch<F> {
    fn after_epoch(&mut self, moment: &mut Moment<'_>) {
        (self.0)(moment);
    }
}
