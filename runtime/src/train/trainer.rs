use std::fmt;
use std::path::{Path, PathBuf};

use super::callback::{AfterEpoch, AfterStep, Callback, Moment};
use super::checkpoint::Checkpoint;
use super::evaluate::{Target, same_classes};
use super::history::{History, Stopped};
use super::metric::{EarlyStopping, Metric};
use super::run::{Run, Sets};
use super::saved::{self, Loaded, Parts};
use super::settings::Settings;
use super::state::{Drawn, Early, EpochSums, Position, RunState};
use crate::data::{Dataset, Examples, View, first_part, split_indices};
use crate::loss::{Accepts, Compares, CrossEntropy, Rows};
use crate::net::network::Network;
use crate::net::outputs::Logits;
use crate::optim::{Averaging, Core, Mean, Optimizer, Plateau, Regularizer, Sgd};
use crate::{Error, Result};
use typenet_engine::Flat;

/// Minibatch gradient descent on `L(W) = loss + λR(W)`.
///
/// Each epoch shuffles the training images and splits them into minibatches; a shorter last one is used
/// too (PyTorch's `drop_last=False`). The same seeds give the same weights, bit for bit, on one
/// instruction set, for any number of threads.
///
/// | method | default |
/// |---|---|
/// | [`batch`](Self::batch) | 32 images |
/// | [`epochs`](Self::epochs) | 10 in each call of `fit` |
/// | [`seed`](Self::seed) | 0 |
/// | [`regularizer`](Self::regularizer) | none |
/// | [`validation`](Self::validation) | no validation set |
/// | [`with_replacement`](Self::with_replacement) | `false` |
/// | [`clip_grad_norm`](Self::clip_grad_norm), [`clip_grad_value`](Self::clip_grad_value) | no clipping |
/// | [`average`](Self::average) | no averaging: the last weights |
/// | [`plateau`](Self::plateau) | the optimiser's schedule alone |
/// | [`early_stopping`](Self::early_stopping), [`restore_best`](Self::restore_best) | all epochs, and the last weights |
/// | [`checkpoint`](Self::checkpoint), [`log_to`](Self::log_to) | no files |
/// | [`callback`](Self::callback), [`after_step`](Self::after_step), [`after_epoch`](Self::after_epoch) | none |
/// | [`workspace`](Self::workspace) | at most 512 images in a forward and backward pass |
/// | [`progress`](Self::progress) | `true`: shown if stderr is a terminal |
///
/// # Runs
/// A trainer remembers the net that it trained last: a second [`fit`](Self::fit) of the same net continues
/// the run with further epochs. Epoch numbers, schedule, momentum, shuffling and dropout go on as in one
/// longer call, to the same bits. Another net (a clone counts as another one), or
/// [`restart`](Self::restart), starts a new run. A clone of a trainer has its settings, but no run.
///
/// With a [`checkpoint`](Self::checkpoint), another process can continue a run, also to the same bits:
///
/// ```no_run
/// # use typenet_runtime::{Network, Result, data::Dataset, net::Logits};
/// use typenet_runtime::loss::CrossEntropy;
/// use typenet_runtime::optim::{AdamW, Schedule};
/// use typenet_runtime::train::Trainer;
/// # fn run<N: Network + Logits>(mut net: N, train: Dataset<N::Input>) -> Result<()> {
/// let mut trainer = Trainer::new(AdamW::new(1e-3).schedule(Schedule::one_cycle(30)))
///     .loss(CrossEntropy::new())
///     .epochs(30)
///     .checkpoint("run.safetensors");
/// if trainer.resume(&mut net)? {
///     println!("going on with a run that was stopped");
/// }
/// trainer.fit(&mut net, &train, None)?;
/// # Ok(())
/// # }
/// ```
pub struct Trainer<L = (), O: Optimizer = Sgd> {
    optimizer: O,
    loss: L,
    settings: Settings,
    run: Option<Box<RunState<O>>>,
    /// The calls of `fit` since the run started, or was resumed.
    calls: usize,
}

impl<O: Optimizer> Trainer<(), O> {
    /// A trainer with this optimiser; it still needs a [`loss`](Self::loss).
    pub fn new(optimizer: O) -> Trainer<(), O> {
        Trainer { optimizer, loss: (), settings: Settings::default(), run: None, calls: 0 }
    }

    /// The loss to minimise: an [`Objective`](crate::loss::Objective). For a net with several heads it is a
    /// struct with a loss for each head.
    pub fn loss<L>(self, loss: L) -> Trainer<L, O> {
        let Trainer { optimizer, loss: (), settings, run, calls } = self;
        Trainer { optimizer, loss, settings, run, calls }
    }
}

impl<L, O: Optimizer> Trainer<L, O> {
    fn set(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        set(&mut self.settings);
        self
    }

    /// Replaces the optimiser's settings, also in the middle of a run: the next [`fit`](Self::fit) uses them
    /// and keeps the optimiser's state (momentum, say).
    #[must_use]
    pub fn optimizer(self, optimizer: O) -> Self {
        Trainer { optimizer, ..self }
    }

    /// The batch size: images per step, at least 1.
    #[must_use]
    pub fn batch(self, images: usize) -> Self {
        self.set(|settings| settings.batch = images)
    }

    /// Every step takes the whole training set: gradient descent without sampling.
    #[must_use]
    pub fn full_batch(self) -> Self {
        self.batch(usize::MAX)
    }

    /// How many epochs, passes over the training set, each call of [`fit`](Self::fit) trains. An epoch that
    /// the call before left unfinished counts as the first.
    #[must_use]
    pub fn epochs(self, epochs: usize) -> Self {
        self.set(|settings| settings.epochs = epochs)
    }

    /// Seeds the shuffling, the choice of the validation set, and dropout.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        self.set(|settings| settings.seed = seed)
    }

    /// Adds a penalty on the weights to the loss.
    #[must_use]
    pub fn regularizer(self, regularizer: Regularizer) -> Self {
        self.set(|settings| settings.regularizer = Some(regularizer))
    }

    /// Holds back this share of the training set, `0 ≤ fraction < 1`, as the validation set, and evaluates
    /// on it after each epoch.
    #[must_use]
    pub fn validation(self, fraction: f64) -> Self {
        self.set(|settings| settings.validation = fraction)
    }

    /// Whether each image of a batch is drawn from the whole training set, so that an epoch repeats some
    /// images and misses others.
    #[must_use]
    pub fn with_replacement(self, with_replacement: bool) -> Self {
        self.set(|settings| settings.with_replacement = with_replacement)
    }

    /// Scales the gradients of each step so that their joint L2 norm is at most `max_norm`, a finite number
    /// above 0: see [`clip_grad_norm`](crate::optim::clip_grad_norm). A norm that is NaN or infinite ends
    /// training with [`Error::NotFinite`], as such a loss does.
    #[must_use]
    pub fn clip_grad_norm(self, max_norm: f64) -> Self {
        self.set(|settings| settings.clip_grad_norm = Some(max_norm))
    }

    /// Clamps every gradient to `-max_value..=max_value`, before clipping by norm. `max_value` is a finite
    /// number above 0.
    #[must_use]
    pub fn clip_grad_value(self, max_value: f32) -> Self {
        self.set(|settings| settings.clip_grad_value = Some(max_value))
    }

    /// Keeps a mean of the weights, evaluates with it, and leaves it in the net at the end of `fit`. The
    /// next call continues from the trained weights, not from the mean.
    #[must_use]
    pub fn average(self, averaging: Averaging) -> Self {
        self.set(|settings| settings.average = Some(averaging))
    }

    /// Lowers all learning rates when a metric stops improving, on top of the optimiser's schedule.
    #[must_use]
    pub fn plateau(self, metric: Metric, plateau: Plateau) -> Self {
        self.set(|settings| settings.plateau = Some((metric, plateau)))
    }

    /// Stops training early when a metric stops improving.
    #[must_use]
    pub fn early_stopping(self, stopping: EarlyStopping) -> Self {
        self.set(|settings| settings.early_stopping = Some(stopping))
    }

    /// Gives the net the weights of the best epoch by this metric at the end of `fit`: those that were
    /// evaluated. The next call continues from the trained weights.
    #[must_use]
    pub fn restore_best(self, metric: Metric) -> Self {
        self.set(|settings| settings.restore_best = Some(metric))
    }

    /// Saves the run to this file, after every epoch and at the end of `fit`, or as a [`Checkpoint`] says:
    /// the net's weights and running statistics, the optimiser's state, dropout's random numbers, the
    /// position, the history. [`resume`](Self::resume) continues from there.
    ///
    /// The file is in safetensors format. It is complete at every moment: a new file replaces the old one as
    /// a whole, so the disk needs room for both. `Net::load_with(path, &LoadOptions::new().ignore("run."))`
    /// reads the net's weights alone.
    #[must_use]
    pub fn checkpoint(self, checkpoint: impl Into<Checkpoint>) -> Self {
        let checkpoint = checkpoint.into();
        self.set(|settings| settings.checkpoint = Some(checkpoint))
    }

    /// Writes one line of JSON per epoch to this file: `epoch`, `loss`, `learning_rate`, `seconds` and
    /// `images_per_second`, and where the run has them `accuracy` and the objects `validation`, `test` and
    /// `heads`. When `fit` starts, the lines of the run so far replace what the file held.
    #[must_use]
    pub fn log_to(self, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        self.set(|settings| settings.log = Some(path))
    }

    /// Lets Ctrl-C end `fit` after the current step: the net keeps its weights, and a run with a
    /// [`checkpoint`](Self::checkpoint) is saved. A second Ctrl-C ends the process. Needs the feature
    /// `ctrl-c`.
    #[cfg(feature = "ctrl-c")]
    #[must_use]
    pub fn stop_on_ctrl_c(self) -> Self {
        self.set(|settings| settings.stop_on_ctrl_c = true)
    }

    /// Calls `callback` after every step and every epoch. Callbacks run in the order in which they were
    /// added, and clones of the trainer share them.
    #[must_use]
    pub fn callback(self, callback: impl Callback + 'static) -> Self {
        self.set(|settings| settings.callbacks.push(callback))
    }

    /// Calls a function after every step of the optimiser.
    #[must_use]
    pub fn after_step(self, call: impl FnMut(&mut Moment<'_>) + Send + 'static) -> Self {
        self.callback(AfterStep(call))
    }

    /// Calls a function after every epoch:
    ///
    /// ```
    /// # use typenet_runtime::optim::Sgd;
    /// # use typenet_runtime::train::Trainer;
    /// let trainer = Trainer::new(Sgd::new(0.1)).after_epoch(|moment| {
    ///     if moment.epoch() == 20 {
    ///         moment.scale_learning_rate(0.1);
    ///     }
    ///     if moment.loss() < 0.01 {
    ///         moment.stop("good enough");
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn after_epoch(self, call: impl FnMut(&mut Moment<'_>) + Send + 'static) -> Self {
        self.callback(AfterEpoch(call))
    }

    /// How many images run through a forward and backward pass at once, at least 1; this bounds the memory
    /// of a step. A larger batch is split into parts, whose gradients add up before the step (gradient
    /// accumulation); batch norms take the statistics of each part.
    #[must_use]
    pub fn workspace(self, images: usize) -> Self {
        self.set(|settings| settings.workspace = images)
    }

    /// Whether to show progress on stderr, if that is a terminal.
    #[must_use]
    pub fn progress(self, progress: bool) -> Self {
        self.set(|settings| settings.progress = progress)
    }

    /// The record of the run so far; `None` before the first `fit` or [`resume`](Self::resume).
    pub fn history(&self) -> Option<&History> {
        self.run.as_ref().map(|run| &run.history)
    }

    /// Forgets the run: the next [`fit`](Self::fit) starts anew, with epoch 1, from the net's weights.
    pub fn restart(&mut self) {
        self.run = None;
        self.calls = 0;
    }

    /// Continues the run that the file of [`checkpoint`](Self::checkpoint) holds: loads weights, class names
    /// and normalisation into the net, and the rest of the state into the trainer. Returns `false` and
    /// changes nothing if there is no such file yet.
    ///
    /// The next [`fit`](Self::fit) finishes the call that was stopped: before and after the stop, that call
    /// trains [`epochs`](Self::epochs) epochs in all, and where none is left it trains nothing. In a program
    /// with several calls of `fit`, those that were complete are skipped. So the same program, started
    /// again, ends with the same bits as if it had never been stopped. The file does not hold the data, the
    /// loss, the schedules, or what [`set_trainable`](Network::set_trainable) switched: these are code.
    ///
    /// # Errors
    /// [`Error::Argument`] without a `checkpoint`; [`Error::Io`] when the file cannot be read;
    /// [`Error::Format`] when the file is no checkpoint, is damaged, or of another version, net or kind of
    /// optimiser; [`Error::Weights`] when the net's tensors are others; what [`Callback::resume`] returns.
    /// Net and trainer are then as before.
    pub fn resume<N: Network>(&mut self, net: &mut N) -> Result<bool> {
        let Some(checkpoint) = &self.settings.checkpoint else {
            let (value, expected) = ("none".into(), "`checkpoint` says where the run is saved");
            return Err(Error::Argument { name: "checkpoint", value, expected });
        };
        let path = checkpoint.path.clone();
        if !path.try_exists().map_err(Error::io(&path))? {
            return Ok(false);
        }
        self.resume_from(net, path).map(|()| true)
    }

    /// As [`resume`](Self::resume), from this file, which must exist.
    ///
    /// # Errors
    /// As `resume`.
    pub fn resume_from<N: Network>(&mut self, net: &mut N, path: impl AsRef<Path>) -> Result<()> {
        let parts = Parts {
            optimizer: &self.optimizer,
            averaging: self.settings.average,
            plateau: self.settings.plateau(),
        };
        let Loaded { state, parameters, metadata, callbacks } =
            saved::load(path.as_ref(), net, &parts)?;
        self.settings.callbacks.resume(&callbacks)?;
        net.parameters_flat_mut().copy_from_slice(&parameters);
        *net.metadata_mut() = metadata;
        self.run = Some(Box::new(state));
        self.calls = 0;
        Ok(())
    }

    /// Trains `net` on `train`, evaluates it on `test` after each epoch, and returns the history of the run.
    /// It stores the class names and the normalisation of the training set in the net. See
    /// [Runs](Self#runs) for what a second call does.
    ///
    /// # Errors
    /// Before anything is changed: when an argument is out of range, a set is empty, a target does not
    /// belong to the net's output, or the test set has other class names. While training: when the data
    /// cannot be read or a file cannot be written; another call can then continue the run.
    /// [`Error::NotFinite`] when the loss, a weight or, with [`clip_grad_norm`](Self::clip_grad_norm), the
    /// norm of the gradients becomes NaN or infinite: the net then keeps the weights of the last good step,
    /// and the run is over.
    pub fn fit<N, T, S>(
        &mut self,
        net: &mut N,
        train: &S,
        test: Option<&dyn Examples<N::Input, T>>,
    ) -> Result<History>
    where
        N: Network,
        T: Target,
        L: Compares<N::Output, T> + Accepts<N>,
        S: Examples<N::Input, T>,
    {
        let () = L::COMPARES;
        self.check::<N, T>(train, test)?;
        if let Some(test) = test {
            let (holder, names) = match train.class_names() {
                [] => ("the net", &net.metadata().class_names[..]),
                names => ("the training set", names),
            };
            same_classes("the test set", test.class_names(), holder, names)?;
        }
        let parts;
        let mut sets = Sets { train, validation: None, test };
        if self.settings.validation > 0.0 {
            let count = first_part(train.len(), self.settings.validation);
            let [first, second] = split_indices(train.len(), count, self.settings.seed);
            let subset = |indices| Examples::<N::Input, T>::subset(train, indices);
            parts = (subset(first)?, subset(second)?);
            sets.train = &parts.0;
            sets.validation = Some(&parts.1 as &dyn Examples<_, _>).filter(|part| !part.is_empty());
        }
        if sets.train.is_empty() {
            return Err(Error::size("training images", "at least 1", 0));
        }
        // Targets may be too large for the stack.
        let mut first = Vec::new();
        sets.train.targets_into(View::Plain, &[0], &mut first)?;
        let is_class = first.iter().any(|target| target.class_of(0).is_some());
        let has_classes = L::HEADS == 1 && is_class;
        let (validates, tests) = (sets.validation.is_some(), test.is_some());
        self.settings
            .metrics()
            .try_for_each(|metric| metric.check(validates, tests, has_classes))?;

        let drawn = Drawn {
            images: sets.train.len(),
            batch: self.settings.batch.min(sets.train.len()),
            seed: self.settings.seed,
            with_replacement: self.settings.with_replacement,
            validation: self.settings.validation,
        };
        let mut state = self.state(net, drawn)?;
        if self.calls + 1 < state.position.call {
            // A call that was done before the run was saved.
            self.calls += 1;
            let history = state.history.clone();
            self.run = Some(state);
            return Ok(history);
        }
        self.begin_call(&mut state);
        if !train.class_names().is_empty() {
            net.metadata_mut().class_names = train.class_names().to_vec();
        }
        if let Some(normalization) = train.normalization() {
            net.metadata_mut().normalization = Some(normalization.clone());
        }
        let result = Run::new(&self.settings, &self.loss, sets, &mut state, net).go();
        match result {
            Ok(()) => {
                let history = state.history.clone();
                self.run = Some(state);
                Ok(history)
            }
            Err(error @ Error::NotFinite { .. }) => {
                self.calls = 0;
                Err(error)
            }
            Err(error) => {
                // The next call does what is left of this one.
                self.calls -= 1;
                self.run = Some(state);
                Err(error)
            }
        }
    }

    /// The state of the net's run, or of a new one.
    fn state<N: Network>(&mut self, net: &N, drawn: Drawn) -> Result<Box<RunState<O>>> {
        let identity = net.model().identity();
        let (tensors, parameters) = (N::LAYOUT.tensors, N::Parameters::LEN);
        let Some(state) = self.run.as_mut().filter(|state| state.net == identity) else {
            let core = Core::new(&self.optimizer, &N::GRAPH, tensors, parameters)?;
            self.restart();
            return Ok(Box::new(RunState {
                net: identity,
                core,
                dropout: (self.settings.seed, 0),
                position: Position::default(),
                drawn,
                sums: EpochSums::default(),
                history: History::default(),
                mean: self.settings.average.map(Mean::new),
                best: None,
                early: Early::default(),
                plateau: self.settings.plateau().map(|plateau| plateau.state()),
                held: None,
            }));
        };
        if state.position.batch > 0 {
            drawn.check_unchanged(&state.drawn, state.position.epoch + 1)?;
        }
        state.core.set_optimizer(&self.optimizer, &N::GRAPH, tensors, parameters)?;
        state.drawn = drawn;
        match (&mut state.mean, self.settings.average) {
            (Some(mean), Some(settings)) => mean.settings = settings,
            (mean, settings) => *mean = settings.map(Mean::new),
        }
        match (&mut state.plateau, self.settings.plateau()) {
            (Some(plateau), Some(settings)) => plateau.set_settings(settings),
            (plateau, settings) => *plateau = settings.map(|settings| settings.state()),
        }
        self.run.take().ok_or_else(|| unreachable!("it was there"))
    }

    /// Begins another call of `fit`, or goes on with one that was stopped.
    fn begin_call(&mut self, state: &mut RunState<O>) {
        self.calls += 1;
        if self.calls > state.position.call {
            state.position.call = self.calls;
            state.position.call_start = state.position.epoch;
            if let Some(Stopped::Early { .. }) = state.history.stopped {
                state.early.bad = 0;
            }
            state.history.stopped = None;
        } else if state.history.stopped == Some(Stopped::Interrupted) {
            state.history.stopped = None;
        }
    }

    fn check<N, T>(
        &self,
        train: &dyn Examples<N::Input, T>,
        test: Option<&dyn Examples<N::Input, T>>,
    ) -> Result<()>
    where
        N: Network,
        T: Target,
        L: Compares<N::Output, T> + Accepts<N>,
    {
        self.optimizer.check_against(&N::GRAPH, N::LAYOUT.tensors)?;
        if let Some(regularizer) = &self.settings.regularizer {
            regularizer.check_against(&N::GRAPH, N::LAYOUT.tensors)?;
        }
        self.settings.check()?;
        let (rows, mut one) = (Rows::of::<N, T, L>(), Vec::new());
        for (set, name) in [(Some(train), "training"), (test, "test")] {
            let Some(set) = set else { continue };
            if set.is_empty() {
                return Err(Error::size(format!("{name} images"), "at least 1", 0));
            }
            for i in 0..set.len() {
                set.targets_into(View::Plain, &[i], &mut one)?;
                let Some(target) = one.first() else { continue };
                rows.check(&self.loss, target, || {
                    let place = set.place(i);
                    let is_named = place != format!("example {i}");
                    let place = if is_named { format!(" ({place})") } else { String::new() };
                    format!("{name} target {i}{place}")
                })?;
            }
        }
        Ok(())
    }
}

impl<L: Clone, O: Optimizer> Clone for Trainer<L, O> {
    fn clone(&self) -> Self {
        let Trainer { optimizer, loss, settings, .. } = self;
        Trainer {
            optimizer: optimizer.clone(),
            loss: loss.clone(),
            settings: settings.clone(),
            run: None,
            calls: 0,
        }
    }
}

impl<L: fmt::Debug, O: Optimizer> fmt::Debug for Trainer<L, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trainer")
            .field("optimizer", &self.optimizer)
            .field("loss", &self.loss)
            .field("batch", &self.settings.batch)
            .field("epochs", &self.settings.epochs)
            .field("seed", &self.settings.seed)
            .field("history", &self.history())
            .finish_non_exhaustive()
    }
}

/// Trains a classifier on images and their labels with fixed settings: cross-entropy, SGD with a learning
/// rate of 0.02 and momentum 0.9, and batches of 32 images. It trains 10 epochs; for few images more, until
/// there are 500 steps or 100 epochs. [`Trainer`] lets you choose all of these.
///
/// # Errors
/// As [`Trainer::fit`], and when there are not as many labels as images.
pub fn train<N: Network + Logits>(
    net: &mut N,
    images: &[N::Input],
    labels: &[usize],
) -> Result<History> {
    let data = Dataset::from_inputs(images, labels.to_vec())?;
    let trainer = Trainer::new(Sgd::new(0.02).momentum(0.9)).loss(CrossEntropy::new());
    let steps = images.len().div_ceil(trainer.settings.batch).max(1);
    let epochs = 500_usize.div_ceil(steps).clamp(10, 100);
    trainer.epochs(epochs).fit(net, &data, None)
}
