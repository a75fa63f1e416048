//! The loop of a call of `fit`.

use std::time::{Duration, Instant};

use super::batch_norms::{has_batch_norms, update_bn};
use super::callback::Moment;
use super::evaluate::{Evaluation, Target, evaluate};
use super::history::{Epoch, HeadEpoch, Stopped};
use super::interrupt::Interrupt;
use super::log::Log;
use super::progress::{Now, Progress};
use super::saved;
use super::settings::Settings;
use super::state::{Best, Counted, Held, RunState};
use crate::data::{Batch, Batches, Examples, Prefetch, Sampler, View};
use crate::loss::{Accepts, Compares, PerHead, Rows, denominators, of_batch};
use crate::net::network::Network;
use crate::net::workspace::Workspace;
use crate::optim::{Optimizer, clip_grad_norm, clip_grad_value};
use crate::reference::first_not_finite;
use crate::{Error, Result};
use typenet_engine::Flat;
use typenet_engine::rows::largest;
use typenet_shape::MAX_HEADS;

/// The data of a call.
pub(super) struct Sets<'a, I: Flat, T> {
    pub(super) train: &'a dyn Examples<I, T>,
    pub(super) validation: Option<&'a dyn Examples<I, T>>,
    pub(super) test: Option<&'a dyn Examples<I, T>>,
}

/// What a call keeps from step to step, so that a step need not allocate.
pub(super) struct Run<'a, N: Network, T, L, O: Optimizer> {
    pub(super) settings: &'a Settings,
    pub(super) loss: &'a L,
    pub(super) sets: Sets<'a, N::Input, T>,
    pub(super) state: &'a mut RunState<O>,
    net: &'a mut N,
    ws: Workspace<N>,
    rows: Rows,
    /// Which heads have classes as targets.
    has_classes: [bool; MAX_HEADS],
    /// The weights before the last step.
    good: Vec<f32>,
    batch: usize,
    /// How many batches an epoch has.
    batches: usize,
    /// The epochs that are done when this call ends.
    end: usize,
    gradient_norm: Option<f64>,
}

/// What a call shows and writes, and what it listens to.
struct Outside {
    progress: Progress,
    log: Option<Log>,
    interrupt: Interrupt,
    start: Instant,
}

struct StepResult {
    loss: f64,
    heads: [Counted; MAX_HEADS],
}

impl<'a, N, T, L, O> Run<'a, N, T, L, O>
where
    N: Network,
    T: Target,
    L: Compares<N::Output, T> + Accepts<N>,
    O: Optimizer,
{
    pub(super) fn new(
        settings: &'a Settings,
        loss: &'a L,
        sets: Sets<'a, N::Input, T>,
        state: &'a mut RunState<O>,
        net: &'a mut N,
    ) -> Run<'a, N, T, L, O> {
        let batch = settings.batch.min(sets.train.len());
        let mut ws = N::workspace(batch.min(settings.workspace));
        ws.set_dropout_state(state.dropout);
        take_back(net, state);
        Run {
            settings,
            loss,
            ws,
            rows: Rows::of::<N, T, L>(),
            has_classes: [false; MAX_HEADS],
            good: net.parameters_flat().to_vec(),
            batch,
            batches: sets.train.len().div_ceil(batch),
            end: state.position.call_start + settings.epochs,
            gradient_norm: None,
            sets,
            state,
            net,
        }
    }

    /// Trains until the call's last epoch, or until something stops it.
    ///
    /// # Errors
    /// [`Error::NotFinite`], and errors from reading the data or writing files.
    pub(super) fn go(&mut self) -> Result<()> {
        let (settings, train) = (self.settings, self.sets.train);
        // Targets may be too large for the stack.
        let mut first = Vec::new();
        train.targets_into(View::Plain, &[0], &mut first)?;
        let is_class = |head| first.iter().any(|target| target.class_of(head).is_some());
        self.has_classes = std::array::from_fn(is_class);
        let mut position = self.state.position;
        let left = (self.end - position.epoch.min(self.end)) * self.batches;
        let mut outside = Outside {
            interrupt: Interrupt::listen(settings.stop_on_ctrl_c),
            log: match &settings.log {
                Some(path) => Some(Log::open(path, &self.state.history)?),
                None => None,
            },
            progress: Progress::new(
                left.saturating_sub(position.batch) as u64,
                settings.progress && !settings.callbacks.show_progress(),
            ),
            start: Instant::now(),
        };
        if let Some(last) = position.batch.checked_sub(1) {
            // A run that is resumed at an epoch's end makes no step that would set the rate.
            let share = last as f64 / self.batches as f64;
            self.state.core.set_epoch(position.epoch as f64 + share);
            // Also where a callback has stopped the run in that last step.
            if position.batch >= self.batches && position.epoch < self.end {
                self.end_epoch(position.epoch + 1, &mut outside)?;
                position = self.state.position;
            }
        }
        if self.goes_on() {
            let sampler = Sampler::new(train.len(), self.batch, settings.seed)
                .with_replacement(settings.with_replacement);
            Prefetch::new(train, sampler)
                .epochs(position.epoch..self.end)
                .from_batch(position.batch)
                .run(|batches| self.train(batches, &mut outside))?;
        }
        outside.progress.finish();
        self.finish()
    }

    /// Whether the call has epochs left.
    fn goes_on(&self) -> bool {
        self.state.position.epoch < self.end && self.state.history.stopped.is_none()
    }

    fn train(&mut self, batches: &mut Batches<'_, T>, outside: &mut Outside) -> Result<()> {
        loop {
            let start = Instant::now();
            let waited = batches.waited();
            let Some(batch) = batches.next()? else { return Ok(()) };
            self.batch(batch, start, waited, outside)?;
            if self.state.history.stopped.is_some() {
                return Ok(());
            }
        }
    }

    /// A step on a batch, and what follows it.
    fn batch(
        &mut self,
        batch: &Batch<T>,
        start: Instant,
        waited: Duration,
        outside: &mut Outside,
    ) -> Result<()> {
        let (epoch, done) = (batch.epoch + 1, batch.index + 1);
        let moment = batch.epoch as f64 + batch.index as f64 / self.batches as f64;
        self.state.core.set_epoch(moment);
        let step = self.step(batch)?;
        self.state.position.batch = done;
        self.state.history.batch_losses.push(step.loss);
        self.state.history.learning_rates.push(self.state.core.learning_rate());
        let sums = &mut self.state.sums;
        sums.loss += step.loss;
        sums.images += batch.targets.len();
        for (sum, head) in sums.heads.iter_mut().zip(step.heads) {
            sum.loss += head.loss;
            sum.right += head.right;
        }
        sums.seconds += start.elapsed().as_secs_f64();
        let (images, seconds) = (sums.images, sums.seconds);
        let loss = sums.loss / done as f64;
        outside.progress.step(&Now {
            epoch,
            epochs: self.end,
            loss,
            accuracy: self.accuracy(0).filter(|_| L::HEADS == 1),
            images_per_second: images as f64 / seconds,
            waiting: waited.as_secs_f64() / outside.start.elapsed().as_secs_f64(),
        });
        if let Some(mean) = &mut self.state.mean
            && mean.settings.after_step(self.state.core.steps())
        {
            mean.update(self.net.parameters_flat());
        }
        self.call_back(epoch, step.loss, false);
        if outside.interrupt.is_asked() {
            self.state.history.stopped = Some(Stopped::Interrupted);
        }
        if self.state.history.stopped.is_some() && !batch.is_last {
            // `finish` saves.
            return Ok(());
        }
        let steps = self.state.core.steps();
        let is_due = self.settings.checkpoint.as_ref().is_some_and(|c| c.after_step(steps));
        if is_due || batch.is_last {
            self.check_weights(batch)?;
        }
        if is_due {
            self.save()?;
        }
        if batch.is_last { self.end_epoch(epoch, outside) } else { Ok(()) }
    }

    /// One step of the optimiser.
    fn step(&mut self, batch: &Batch<T>) -> Result<StepResult> {
        let settings = self.settings;
        let denominators = denominators(self.loss, &batch.targets);
        let inputs = N::Input::slice_from_flat(&batch.inputs).unwrap_or_default();
        let mut heads = [Counted::default(); MAX_HEADS];
        let parts = inputs.chunks(settings.workspace).zip(batch.targets.chunks(settings.workspace));
        for (part, (inputs, targets)) in parts.enumerate() {
            self.net.forward(inputs, &mut self.ws);
            let losses: PerHead = of_batch(self.loss, targets, &mut self.ws, &denominators)?;
            heads.iter_mut().zip(losses).for_each(|(head, loss)| head.loss += loss);
            for (output, target) in self.ws.output().iter().zip(targets) {
                for (index, head) in heads.iter_mut().enumerate().take(L::HEADS) {
                    if let Some(class) = target.class_of(index) {
                        let own = &output.as_flat()[self.rows.part(index)];
                        head.right += usize::from(largest(own) == class);
                    }
                }
            }
            if part == 0 {
                self.net.backward(inputs, &mut self.ws);
            } else {
                self.net.backward_accumulate(inputs, &mut self.ws);
            }
        }
        let mut loss: f64 = heads.iter().map(|head| head.loss).sum();
        if let Some(regularizer) = &settings.regularizer {
            loss += regularizer.value_of(self.net);
            regularizer.add_gradient_of(self.net, self.ws.gradients_mut());
        }
        if !loss.is_finite() {
            return Err(self.not_finite(batch, "the loss"));
        }
        if let Some(max_value) = settings.clip_grad_value {
            clip_grad_value(self.net, self.ws.gradients_mut(), max_value);
        }
        if let Some(max_norm) = settings.clip_grad_norm {
            let norm = clip_grad_norm(self.net, self.ws.gradients_mut(), max_norm);
            if !norm.is_finite() {
                return Err(self.not_finite(batch, "the norm of the gradients"));
            }
            self.gradient_norm = Some(norm);
        }
        self.net.model().trainable(&N::SPEC).keep(self.net.parameters_flat(), &mut self.good);
        let (trained, parameters) = self.net.model_mut().trainable_and_parameters(&N::SPEC);
        let gradients = &self.ws.gradients;
        self.state.core.step(trained.tensors(), parameters.as_flat_mut(), gradients);
        Ok(StepResult { loss, heads })
    }

    fn call_back(&mut self, epoch: usize, loss: f64, is_epoch: bool) {
        if self.settings.callbacks.is_empty() {
            return;
        }
        let state = &mut *self.state;
        let (parameters, metadata) = self.net.model_mut().parameters_and_metadata();
        let mut moment = Moment {
            spec: const { &N::SPEC },
            parameters: parameters.as_flat_mut(),
            gradients: &self.ws.gradients,
            metadata,
            history: &state.history,
            epoch,
            epochs: self.end,
            batch: state.position.batch.max(1),
            batches: self.batches,
            steps: state.core.steps(),
            loss,
            gradient_norm: self.gradient_norm,
            learning_rate: state.core.learning_rate(),
            factor: 1.0,
            stop: None,
            is_epoch,
        };
        self.settings.callbacks.call(&mut moment);
        let (factor, stop) = (moment.factor, moment.stop);
        if factor != 1.0 {
            state.core.set_factor(state.core.factor() * factor);
        }
        if let (Some(reason), None) = (stop, &state.history.stopped) {
            state.history.stopped = Some(Stopped::Callback(reason));
        }
    }

    /// Evaluates and records an epoch whose batches are done, and does what follows from it.
    fn end_epoch(&mut self, epoch: usize, outside: &mut Outside) -> Result<()> {
        if let Some(mean) = &mut self.state.mean
            && mean.settings.after_epoch(epoch)
        {
            mean.update(self.net.parameters_flat());
        }
        let [validation, test] = self.evaluate()?;
        let batches = self.batches;
        let sums = self.state.sums;
        let record = Epoch {
            epoch,
            loss: sums.loss / batches as f64,
            accuracy: self.accuracy(0).filter(|_| L::HEADS == 1),
            heads: self.heads(),
            validation,
            test,
            learning_rate: f64::from(self.state.core.learning_rate()),
            seconds: sums.seconds,
            images_per_second: sums.images as f64 / sums.seconds,
        };
        outside.progress.epoch(&record);
        self.watch(&record);
        self.state.history.epochs.push(record);
        self.call_back(epoch, sums.loss / batches as f64, true);
        self.state.position.epoch = epoch;
        self.state.position.batch = 0;
        self.state.sums = Default::default();
        if let (Some(log), Some(record)) = (&mut outside.log, self.state.history.epochs.last()) {
            log.write(record)?;
        }
        let is_due = self.settings.checkpoint.as_ref().is_some_and(|c| c.after_epoch(epoch));
        // At the end of the call, `finish` saves.
        if self.goes_on() && is_due { self.save() } else { Ok(()) }
    }

    /// Evaluates on the validation set and the test set, with the mean of the weights where there is one.
    fn evaluate(&mut self) -> Result<[Option<Evaluation>; 2]> {
        let sets = [self.sets.validation, self.sets.test];
        if sets.iter().all(Option::is_none) && self.settings.restore_best.is_none() {
            return Ok([None, None]);
        }
        let averages = self.swap_mean();
        let mut found =
            if averages { self.renew_statistics() } else { Ok(()) }.map(|()| [None, None]);
        if let Ok(found) = &mut found {
            for (set, found) in sets.into_iter().zip(found) {
                *found = match set.map(|set| evaluate(self.net, self.loss, set)).transpose() {
                    Ok(found) => found,
                    Err(error) => {
                        if averages {
                            self.swap_mean();
                        }
                        return Err(error);
                    }
                };
            }
        }
        if averages {
            self.swap_mean();
        }
        found
    }

    /// Exchanges the net's weights and their mean; `false` if there is none.
    fn swap_mean(&mut self) -> bool {
        match &mut self.state.mean {
            Some(mean) if mean.count > 0 => {
                self.net.parameters_flat_mut().swap_with_slice(&mut mean.numbers);
                true
            }
            _ => false,
        }
    }

    /// Recomputes the batch norms' statistics for the mean of the weights, which the net has now, where
    /// averaging them is not enough.
    fn renew_statistics(&mut self) -> Result<()> {
        let renews = self.state.mean.as_ref().is_some_and(|mean| mean.settings.renews_statistics());
        if renews && has_batch_norms(self.net) {
            return update_bn(self.net, self.sets.train, self.batch.min(self.settings.workspace));
        }
        Ok(())
    }

    /// Updates what depends on a metric of the epoch: the plateau, the best weights, early stopping.
    fn watch(&mut self, record: &Epoch) {
        let (settings, state) = (self.settings, &mut *self.state);
        if let (Some((metric, _)), Some(plateau)) = (&settings.plateau, &mut state.plateau) {
            let change = plateau.observe(metric.of(record).unwrap_or(f64::NAN));
            if change != 1.0 {
                state.core.set_factor(state.core.factor() * change);
            }
        }
        if let Some(metric) = settings.restore_best {
            let value = metric.of(record).unwrap_or(f64::NAN);
            let before = state.best.as_ref().filter(|best| best.metric == metric);
            if metric.is_better(value, before.map(|best| best.value), 0.0) {
                let mean = state.mean.as_ref().filter(|mean| mean.count > 0);
                let numbers = mean.map_or(self.net.parameters_flat(), |mean| &mean.numbers);
                let mut kept = state.best.take().map(|best| best.numbers).unwrap_or_default();
                kept.clear();
                kept.extend_from_slice(numbers);
                state.best = Some(Best { metric, value, numbers: kept });
            }
        }
        if let Some(early) = settings.early_stopping {
            let value = early.metric.of(record).unwrap_or(f64::NAN);
            if early.metric.is_better(value, state.early.best, early.min_delta) {
                state.early.best = Some(value);
                (state.early.best_epoch, state.early.bad) = (record.epoch, 0);
            } else {
                state.early.bad += 1;
            }
            if state.early.bad >= early.patience {
                let best_epoch = state.early.best_epoch;
                state.history.stopped = Some(Stopped::Early { best_epoch });
            }
        }
    }

    /// Gives the net the weights that it is to have after the call, and saves.
    fn finish(&mut self) -> Result<()> {
        let best =
            self.state.best.take().filter(|best| self.settings.restore_best == Some(best.metric));
        if let Some(best) = &best {
            let trained = self.net.parameters_flat().to_vec();
            self.net.parameters_flat_mut().copy_from_slice(&best.numbers);
            self.state.held = Some(Held { trained, shown: best.numbers.clone() });
        } else if self.swap_mean() {
            let renewed = self.renew_statistics();
            let shown = self.net.parameters_flat().to_vec();
            self.swap_mean();
            renewed?;
            let trained = self.net.parameters_flat().to_vec();
            self.net.parameters_flat_mut().copy_from_slice(&shown);
            self.state.held = Some(Held { trained, shown });
        }
        self.state.best = best;
        if self.settings.checkpoint.is_some() { self.save() } else { Ok(()) }
    }

    fn save(&mut self) -> Result<()> {
        let Some(checkpoint) = &self.settings.checkpoint else { return Ok(()) };
        self.state.dropout = self.ws.dropout_state();
        let callbacks = self.settings.callbacks.states();
        saved::save(&checkpoint.path, self.net, self.state, &callbacks)
    }

    fn accuracy(&self, head: usize) -> Option<f64> {
        if !self.has_classes[head] {
            return None;
        }
        let sums = &self.state.sums;
        Some(sums.heads[head].right as f64 / sums.images as f64)
    }

    fn heads(&self) -> Vec<HeadEpoch> {
        let named = (0..L::HEADS).filter_map(|head| Some((head, self.rows.name(head)?)));
        let of_head = |(head, name): (usize, _)| HeadEpoch {
            name,
            loss: self.state.sums.heads[head].loss / self.batches as f64,
            accuracy: self.accuracy(head),
        };
        named.map(of_head).collect()
    }

    /// Checks the weights: after the last step of an epoch, no loss would show that it went wrong.
    fn check_weights(&mut self, batch: &Batch<T>) -> Result<()> {
        if self.net.parameters_flat().iter().all(|weight| weight.is_finite()) {
            Ok(())
        } else {
            Err(self.not_finite(batch, "a weight"))
        }
    }

    /// Finds the layer, and gives the net the weights of the last good step.
    fn not_finite(&mut self, batch: &Batch<T>, what: &str) -> Error {
        let bad_input = batch.inputs.iter().any(|number| !number.is_finite());
        let parameters = self.net.parameters_flat();
        let layer = batch
            .inputs
            .chunks_exact(N::Input::LEN)
            .find_map(|input| first_not_finite(&N::SPEC, parameters, input))
            .unwrap_or("loss");
        if !bad_input {
            self.net.parameters_flat_mut().copy_from_slice(&self.good);
        }
        let (epoch, batch) = (batch.epoch + 1, batch.index + 1);
        Error::NotFinite { epoch, batch, what: what.into(), layer: layer.into() }
    }
}

impl<N: Network, T, L, O: Optimizer> Drop for Run<'_, N, T, L, O> {
    fn drop(&mut self) {
        self.state.dropout = self.ws.dropout_state();
    }
}

/// Gives the trained weights back to the net, which showed others, except for tensors that were changed
/// since.
fn take_back<N: Network, O: Optimizer>(net: &mut N, state: &mut RunState<O>) {
    let Some(Held { trained, shown }) = state.held.take() else { return };
    let numbers = net.parameters_flat_mut();
    for tensor in N::LAYOUT.tensors {
        let range = tensor.offset..tensor.offset + tensor.shape.elements();
        let own = &mut numbers[range.clone()];
        let same = own.iter().zip(&shown[range.clone()]).all(|(a, b)| a.to_bits() == b.to_bits());
        if same {
            own.copy_from_slice(&trained[range]);
        }
    }
}
