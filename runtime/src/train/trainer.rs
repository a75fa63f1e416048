use std::time::Instant;

use typenet_shape::MAX_HEADS;

use super::evaluate::{Target, evaluate, same_classes};
use super::history::{Epoch, HeadEpoch, History};
use super::progress::{Now, Progress};
use crate::data::{Dataset, Sampler};
use crate::loss::{
    Accepts, Compares, CrossEntropy, Objective, PerHead, Rows, denominators, of_batch,
};
use crate::net::network::Network;
use crate::net::outputs::Logits;
use crate::net::workspace::Workspace;
use crate::optim::{Regularizer, Sgd};
use crate::reference::first_not_finite;
use crate::{Error, Result};
use typenet_engine::Flat;
use typenet_engine::rows::largest;

/// How many images of a batch are in memory at a time, unless said otherwise.
const PART: usize = 512;

/// Minibatch gradient descent on `L(W) = loss + λR(W)`.
///
/// Each epoch draws the training images into minibatches without replacement; the last, short one
/// is used too. The same seeds give the same weights, bit for bit, on one instruction set, for any
/// number of threads.
///
/// | method | default |
/// |---|---|
/// | [`batch`](Self::batch) | 32 images |
/// | [`epochs`](Self::epochs) | 10 |
/// | [`seed`](Self::seed) | 0 |
/// | [`regularizer`](Self::regularizer) | none |
/// | [`validation`](Self::validation) | nothing held back |
/// | [`with_replacement`](Self::with_replacement) | `false` |
/// | [`workspace`](Self::workspace) | at most 512 images in memory at a time |
/// | [`progress`](Self::progress) | `true`: shown if stderr is a terminal |
#[derive(Clone, Debug)]
pub struct Trainer<L = ()> {
    sgd: Sgd,
    loss: L,
    batch: usize,
    epochs: usize,
    seed: u64,
    regularizer: Option<Regularizer>,
    validation: f64,
    with_replacement: bool,
    workspace: usize,
    progress: bool,
}

impl Trainer<()> {
    /// A trainer with this optimiser; it still needs a [`loss`](Self::loss).
    pub fn new(sgd: Sgd) -> Trainer<()> {
        Trainer {
            sgd,
            loss: (),
            batch: 32,
            epochs: 10,
            seed: 0,
            regularizer: None,
            validation: 0.0,
            with_replacement: false,
            workspace: PART,
            progress: true,
        }
    }

    /// The loss to minimise: an [`Objective`], which for a net with several heads is a struct with a loss
    /// for each.
    pub fn loss<L>(self, loss: L) -> Trainer<L> {
        let Trainer { sgd, loss: (), batch, epochs, seed, regularizer, validation, .. } = self;
        let Trainer { with_replacement, workspace, progress, .. } = self;
        Trainer {
            sgd,
            loss,
            batch,
            epochs,
            seed,
            regularizer,
            validation,
            with_replacement,
            workspace,
            progress,
        }
    }
}

impl<L> Trainer<L> {
    /// Images a step, at least 1.
    #[must_use]
    pub fn batch(self, images: usize) -> Self {
        Trainer { batch: images, ..self }
    }

    /// Every step takes the whole training set: gradient descent without sampling.
    #[must_use]
    pub fn full_batch(self) -> Self {
        self.batch(usize::MAX)
    }

    /// How often to go through the training set.
    #[must_use]
    pub fn epochs(self, epochs: usize) -> Self {
        Trainer { epochs, ..self }
    }

    /// Decides the order of the images, the images held back, and dropout.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Trainer { seed, ..self }
    }

    /// Adds a penalty on the weights to the loss.
    #[must_use]
    pub fn regularizer(self, regularizer: Regularizer) -> Self {
        Trainer { regularizer: Some(regularizer), ..self }
    }

    /// Holds back this share of the training set, `0 ≤ fraction < 1`, and evaluates on it after
    /// each epoch.
    #[must_use]
    pub fn validation(self, fraction: f64) -> Self {
        Trainer { validation: fraction, ..self }
    }

    /// Whether every image of every batch is drawn from the whole set, so that an image can come
    /// several times in an epoch, or not at all.
    #[must_use]
    pub fn with_replacement(self, with_replacement: bool) -> Self {
        Trainer { with_replacement, ..self }
    }

    /// How many images are in memory at a time, at least 1. A larger batch is taken in parts, and
    /// their gradients are added up before the step.
    #[must_use]
    pub fn workspace(self, images: usize) -> Self {
        Trainer { workspace: images, ..self }
    }

    /// Whether to show progress on stderr, if that is a terminal.
    #[must_use]
    pub fn progress(self, progress: bool) -> Self {
        Trainer { progress, ..self }
    }

    /// Trains `net` and returns what happened in each epoch; `test` is evaluated after each.
    /// Class names and normalisation of the training set are stored in the net.
    ///
    /// # Errors
    /// When an argument is out of range, the training set is empty, a target does not belong to the
    /// net's output, or the test set has other class names, before anything is changed.
    /// [`Error::NotFinite`] when the loss or a weight becomes NaN or infinite: the net then keeps the
    /// weights of the last good step.
    pub fn fit<N, T>(
        &self,
        net: &mut N,
        train: &Dataset<N::Input, T>,
        test: Option<&Dataset<N::Input, T>>,
    ) -> Result<History>
    where
        N: Network,
        T: Target,
        L: Compares<N::Output, T> + Accepts<N>,
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
        let split;
        let (train, held_back) = if self.validation > 0.0 {
            split = train.split(self.validation, self.seed)?;
            (&split.0, Some(&split.1))
        } else {
            (train, None)
        };
        let held_back = held_back.filter(|set| !set.is_empty());
        if train.is_empty() {
            return Err(Error::size("training images", "at least 1", 0));
        }
        if !train.class_names().is_empty() {
            net.metadata_mut().class_names = train.class_names().to_vec();
        }
        if let Some(normalization) = train.normalization() {
            net.metadata_mut().normalization = Some(normalization.clone());
        }

        let batch = self.batch.min(train.len());
        let mut sampler =
            Sampler::new(train.len(), batch, self.seed).with_replacement(self.with_replacement);
        let mut run = Run::new(self, net, batch);
        let steps = self.epochs * train.len().div_ceil(batch);
        let mut progress = Progress::new(steps as u64, self.progress);
        let mut history = History::default();
        for epoch in 1..=self.epochs {
            let start = Instant::now();
            let (mut losses, mut images) = (0.0, 0);
            let mut heads = [Counted::default(); MAX_HEADS];
            run.sgd.set_epoch((epoch - 1) as f64);
            sampler.shuffle(epoch - 1);
            let batches = sampler.batches().len();
            for (index, indices) in sampler.batches().enumerate() {
                train.gather(indices, &mut run.inputs, &mut run.targets);
                let step = run.step(net, epoch, index + 1)?;
                history.batch_losses.push(step.loss);
                losses += step.loss;
                images += indices.len();
                for (sum, head) in heads.iter_mut().zip(step.heads) {
                    sum.loss += head.loss;
                    sum.right += head.right;
                }
                progress.step(&Now {
                    epoch,
                    epochs: self.epochs,
                    loss: losses / (index + 1) as f64,
                    accuracy: run.accuracy(0, &heads, images).filter(|_| L::HEADS == 1),
                    images_per_second: images as f64 / start.elapsed().as_secs_f64(),
                });
            }
            run.check_weights(net, epoch, batches)?;
            let seconds = start.elapsed().as_secs_f64();
            let evaluate_on = |set: Option<&Dataset<N::Input, T>>| {
                set.map(|set| evaluate(net, &self.loss, set)).transpose()
            };
            let record = Epoch {
                epoch,
                loss: losses / batches as f64,
                accuracy: run.accuracy(0, &heads, images).filter(|_| L::HEADS == 1),
                heads: run.heads(&heads, images, batches),
                validation: evaluate_on(held_back)?,
                test: evaluate_on(test)?,
                learning_rate: f64::from(run.sgd.learning_rate()),
                seconds,
                images_per_second: images as f64 / seconds,
            };
            progress.epoch(&record);
            history.epochs.push(record);
        }
        progress.finish();
        Ok(history)
    }

    fn check<N, T>(
        &self,
        train: &Dataset<N::Input, T>,
        test: Option<&Dataset<N::Input, T>>,
    ) -> Result<()>
    where
        N: Network,
        T: Target,
        L: Compares<N::Output, T> + Accepts<N>,
    {
        let argument =
            |name, value: String, expected| Err(Error::Argument { name, value, expected });
        self.sgd.check()?;
        self.sgd.check_against(&N::GRAPH, N::LAYOUT.tensors)?;
        if let Some(regularizer) = &self.regularizer {
            regularizer.check_against(&N::GRAPH, N::LAYOUT.tensors)?;
        }
        if self.batch == 0 {
            return argument("batch", "0".into(), "at least one image a step");
        }
        if self.workspace == 0 {
            return argument("workspace", "0".into(), "at least one image at a time");
        }
        if !(0.0..1.0).contains(&self.validation) {
            return argument("validation", self.validation.to_string(), "a share 0 ≤ fraction < 1");
        }
        for (set, name) in [(Some(train), "training"), (test, "test")] {
            let Some(set) = set else { continue };
            if set.is_empty() {
                return Err(Error::size(format!("{name} images"), "at least 1", 0));
            }
            let rows = Rows::of::<N, T, L>();
            for (i, target) in set.targets().iter().enumerate() {
                rows.check(&self.loss, target, || format!("{name} target {i}"))?;
            }
        }
        Ok(())
    }
}

/// What a call of `fit` keeps from step to step, so that a step need not allocate.
struct Run<'a, N: Network, T, L> {
    trainer: &'a Trainer<L>,
    sgd: crate::optim::SgdState<N>,
    ws: Workspace<N>,
    rows: Rows,
    inputs: Vec<f32>,
    targets: Vec<T>,
    /// The weights before the last step.
    good: Vec<f32>,
}

/// What is counted of a head.
#[derive(Clone, Copy, Default)]
struct Counted {
    loss: f64,
    right: usize,
}

struct StepResult {
    loss: f64,
    heads: [Counted; MAX_HEADS],
}

impl<'a, N: Network, T: Target, L: Objective<T> + Accepts<N>> Run<'a, N, T, L> {
    fn new(trainer: &'a Trainer<L>, net: &N, batch: usize) -> Run<'a, N, T, L> {
        let mut ws = N::workspace(batch.min(trainer.workspace));
        ws.reseed(trainer.seed);
        Run {
            trainer,
            sgd: trainer.sgd.state(net),
            ws,
            rows: Rows::of::<N, T, L>(),
            inputs: Vec::new(),
            targets: Vec::new(),
            good: net.parameters_flat().to_vec(),
        }
    }

    fn accuracy(&self, head: usize, counted: &[Counted; MAX_HEADS], images: usize) -> Option<f64> {
        self.targets.first()?.class_of(head)?;
        Some(counted[head].right as f64 / images as f64)
    }

    fn heads(
        &self,
        counted: &[Counted; MAX_HEADS],
        images: usize,
        batches: usize,
    ) -> Vec<HeadEpoch> {
        let named = (0..L::HEADS).filter_map(|head| Some((head, self.rows.name(head)?)));
        let of_head = |(head, name): (usize, _)| HeadEpoch {
            name,
            loss: counted[head].loss / batches as f64,
            accuracy: self.accuracy(head, counted, images),
        };
        named.map(of_head).collect()
    }

    /// One step on the gathered batch.
    fn step(&mut self, net: &mut N, epoch: usize, batch: usize) -> Result<StepResult> {
        let trainer = self.trainer;
        let denominators = denominators(&trainer.loss, &self.targets);
        let inputs = N::Input::slice_from_flat(&self.inputs).unwrap_or_default();
        let mut heads = [Counted::default(); MAX_HEADS];
        let parts = inputs.chunks(trainer.workspace).zip(self.targets.chunks(trainer.workspace));
        for (part, (inputs, targets)) in parts.enumerate() {
            net.forward(inputs, &mut self.ws);
            let losses: PerHead = of_batch(&trainer.loss, targets, &mut self.ws, &denominators)?;
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
                net.backward(inputs, &mut self.ws);
            } else {
                net.backward_accumulate(inputs, &mut self.ws);
            }
        }
        let mut loss: f64 = heads.iter().map(|head| head.loss).sum();
        if let Some(regularizer) = &trainer.regularizer {
            loss += regularizer.value_of(net);
            regularizer.add_gradient_of(net, self.ws.gradients_mut());
        }
        if !loss.is_finite() {
            return Err(self.not_finite(net, epoch, batch, "the loss"));
        }
        net.model().trainable(&N::SPEC).keep(net.parameters_flat(), &mut self.good);
        self.sgd.step(net, self.ws.gradients());
        Ok(StepResult { loss, heads })
    }

    /// After the last step of an epoch no loss would show that it went wrong.
    fn check_weights(&mut self, net: &mut N, epoch: usize, batch: usize) -> Result<()> {
        if net.parameters_flat().iter().all(|weight| weight.is_finite()) {
            Ok(())
        } else {
            Err(self.not_finite(net, epoch, batch, "a weight"))
        }
    }

    /// Finds the layer, and gives the net the weights of the last good step.
    fn not_finite(&self, net: &mut N, epoch: usize, batch: usize, what: &str) -> Error {
        let bad_input = self.inputs.iter().any(|number| !number.is_finite());
        let layer = self
            .inputs
            .chunks_exact(N::Input::LEN)
            .find_map(|input| first_not_finite(&N::SPEC, net.parameters_flat(), input))
            .unwrap_or("loss");
        if !bad_input {
            net.parameters_flat_mut().copy_from_slice(&self.good);
        }
        Error::NotFinite { epoch, batch, what: what.into(), layer: layer.into() }
    }
}

/// Trains a classifier on images and their labels with sensible settings: cross-entropy, SGD with
/// momentum, minibatches of 32, ten epochs; more for few images, until 500 steps are made or 100
/// epochs. [`Trainer`] has the choices.
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
    let steps = images.len().div_ceil(trainer.batch).max(1);
    let epochs = 500_usize.div_ceil(steps).clamp(10, 100);
    trainer.epochs(epochs).fit(net, &data, None)
}
