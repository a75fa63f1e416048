use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use typenet_kernels::memory::zeros;
use typenet_kernels::team::Team;
use typenet_shape::{Graph, Shape, Tensor};

use super::{Optimizer, PIECE, Rule, TensorStep};
use crate::error::same_count;
use crate::net::network::Network;
use crate::{Error, Result};
use typenet_engine::Flat;

/// From this many numbers on, a step is shared out among threads.
const SHARED: usize = 64 * 1024;

/// The state of an optimiser for nets of type `N`: its buffers, which have the shape of the parameters, the
/// number of steps so far, and the current learning rates.
///
/// ```
/// # use typenet_runtime::Network;
/// use typenet_runtime::optim::AdamW;
/// # fn step<N: Network>(mut net: N, ws: typenet_runtime::Workspace<N>) {
/// let mut state = AdamW::new(1e-3).state(&net);
/// state.step(&mut net, ws.gradients());
/// assert_eq!(state.steps(), 1);
/// # }
/// ```
pub struct State<N, O: Optimizer> {
    core: Core<O>,
    of: PhantomData<fn() -> N>,
}

/// The same, without the type of the net.
#[derive(Clone)]
pub(crate) struct Core<O: Optimizer> {
    base: O::Rule,
    epoch: f64,
    /// What all learning rates are multiplied by, beside the schedules.
    factor: f64,
    steps: u64,
    spans: Vec<Span<O::Rule>>,
    /// In the order of [`Optimizer::BUFFERS`]; empty where no tensor uses one.
    buffers: Vec<Box<[f32]>>,
    scratch: Vec<f32>,
}

/// One tensor's numbers among all parameters.
#[derive(Clone, Debug)]
struct Span<R> {
    /// Its place among the tensors.
    tensor: usize,
    range: Range<usize>,
    shape: Shape,
    rule: R,
    /// The current learning rate.
    rate: f32,
    /// The steps in which it was trained.
    steps: u64,
}

impl<O: Optimizer> Core<O> {
    /// # Errors
    /// As [`Optimizer::check_against`].
    pub(crate) fn new(
        optimizer: &O,
        graph: &Graph<'_>,
        tensors: &[Tensor],
        parameters: usize,
    ) -> Result<Core<O>> {
        optimizer.check_against(graph, tensors)?;
        let trained = tensors.iter().enumerate().filter(|(_, tensor)| {
            tensor.kind.is_parameter() && !graph.marks_of(tensor.node).frozen
        });
        let spans = trained.map(|(index, tensor)| Span {
            tensor: index,
            range: tensor.offset..tensor.offset + tensor.shape.elements(),
            shape: tensor.shape,
            rule: optimizer.rule(graph, tensor),
            rate: 0.0,
            steps: 0,
        });
        let mut core = Core {
            base: optimizer.base(),
            epoch: 0.0,
            factor: 1.0,
            steps: 0,
            spans: spans.collect(),
            buffers: O::BUFFERS.iter().map(|_| Box::default()).collect(),
            scratch: Vec::new(),
        };
        core.allocate(parameters);
        core.set_rates();
        Ok(core)
    }

    /// Allocates the buffers that are used and do not exist yet.
    fn allocate(&mut self, parameters: usize) {
        for (index, buffer) in self.buffers.iter_mut().enumerate() {
            let used = self.spans.iter().any(|span| span.rule.uses(index, span.shape));
            if used && buffer.is_empty() {
                *buffer = zeros(0.0, parameters).into();
            }
        }
        let scratch = self.spans.iter().map(|span| span.rule.scratch_len(span.shape));
        self.scratch.resize(scratch.max().unwrap_or(0), 0.0);
    }

    /// Takes the settings of another optimiser of this kind; buffers and steps stay.
    ///
    /// # Errors
    /// As [`Optimizer::check_against`]; nothing is changed then.
    pub(crate) fn set_optimizer(
        &mut self,
        optimizer: &O,
        graph: &Graph<'_>,
        tensors: &[Tensor],
        parameters: usize,
    ) -> Result<()> {
        optimizer.check_against(graph, tensors)?;
        self.base = optimizer.base();
        for span in &mut self.spans {
            span.rule = optimizer.rule(graph, &tensors[span.tensor]);
        }
        self.allocate(parameters);
        self.set_rates();
        Ok(())
    }

    /// Changes the parameters of the trained tensors by one step. Every number is computed in the same
    /// way whatever the threads and pieces are.
    pub(crate) fn step(&mut self, trained: &[bool], parameters: &mut [f32], gradients: &[f32]) {
        let threads = if parameters.len() < SHARED { 1 } else { parameters.len().div_ceil(PIECE) };
        let Core { spans, buffers, scratch, .. } = self;
        Team::gather(threads, |team| {
            // A rule may be the user's own.
            team.runs_foreign_code();
            for span in spans.iter_mut().filter(|span| trained[span.tensor]) {
                span.steps += 1;
                let mut buffers = buffers.iter_mut();
                let buffers = std::array::from_fn(|_| match buffers.next() {
                    Some(buffer) if !buffer.is_empty() => &mut buffer[span.range.clone()],
                    _ => &mut [],
                });
                span.rule.step(TensorStep {
                    weights: &mut parameters[span.range.clone()],
                    gradients: &gradients[span.range.clone()],
                    buffers,
                    scratch,
                    shape: span.shape,
                    learning_rate: span.rate,
                    step: span.steps,
                    team,
                });
            }
        });
        self.steps += 1;
    }

    pub(crate) fn set_epoch(&mut self, epoch: f64) {
        self.epoch = epoch;
        self.set_rates();
    }

    fn rate(&self, rule: &O::Rule) -> f32 {
        let scheduled = f64::from(rule.learning_rate()) * rule.schedule().factor(self.epoch);
        (scheduled * self.factor) as f32
    }

    fn set_rates(&mut self) {
        for index in 0..self.spans.len() {
            self.spans[index].rate = self.rate(&self.spans[index].rule);
        }
    }

    pub(crate) fn learning_rate(&self) -> f32 {
        self.rate(&self.base)
    }

    /// What all learning rates are multiplied by, beside the schedules.
    pub(crate) fn factor(&self) -> f64 {
        self.factor
    }

    pub(crate) fn set_factor(&mut self, factor: f64) {
        self.factor = factor;
        self.set_rates();
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// The steps that each tensor was trained in, in order.
    pub(crate) fn steps_of_tensors(&self) -> impl Iterator<Item = u64> {
        self.spans.iter().map(|span| span.steps)
    }

    /// The buffers that exist, by name.
    pub(crate) fn buffers(&self) -> impl Iterator<Item = (&'static str, &[f32])> {
        let named = O::BUFFERS.iter().zip(&self.buffers);
        named
            .filter(|(_, numbers)| !numbers.is_empty())
            .map(|(&name, numbers)| (name, &numbers[..]))
    }

    /// Goes on from a run that was stopped.
    ///
    /// # Errors
    /// [`Error::Size`] when something is not as long as here, or a buffer is missing;
    /// [`Error::Argument`] for one that does not exist. Nothing is changed then.
    pub(crate) fn resume<'a>(
        &mut self,
        steps: u64,
        steps_of_tensors: &[u64],
        buffers: &[(&'a str, &'a [f32])],
    ) -> Result<()> {
        same_count("steps of tensors", self.spans.len(), steps_of_tensors.len())?;
        let own: Vec<_> = self.buffers().map(|(name, numbers)| (name, numbers.len())).collect();
        for (name, _) in buffers {
            if !own.iter().any(|(other, _)| other == name) {
                let (value, expected) = ((*name).to_owned(), "a buffer that this state has");
                return Err(Error::Argument { name: "buffer", value, expected });
            }
        }
        for (name, len) in own {
            let found = buffers.iter().find(|(other, _)| *other == name);
            let found = found.map_or(0, |(_, numbers)| numbers.len());
            same_count(&format!("numbers of `{name}`"), len, found)?;
        }
        for (name, own) in O::BUFFERS.iter().zip(&mut self.buffers) {
            if let Some((_, numbers)) = buffers.iter().find(|(other, _)| other == name) {
                own.copy_from_slice(numbers);
            }
        }
        self.steps = steps;
        self.spans.iter_mut().zip(steps_of_tensors).for_each(|(span, &steps)| span.steps = steps);
        Ok(())
    }
}

impl<N: Network, O: Optimizer> State<N, O> {
    pub(super) fn new(optimizer: &O, _net: &N) -> Result<State<N, O>> {
        let (tensors, parameters) = (N::LAYOUT.tensors, N::Parameters::LEN);
        let core = Core::new(optimizer, &N::GRAPH, tensors, parameters)?;
        Ok(State { core, of: PhantomData })
    }

    /// Changes the net's parameters by one step, given their `gradients`. Parameters that are not trained
    /// (see [`set_trainable`](Network::set_trainable)) stay as they are, and so do their buffers.
    pub fn step(&mut self, net: &mut N, gradients: &N::Parameters) {
        let (trained, parameters) = net.model_mut().trainable_and_parameters(&N::SPEC);
        self.core.step(trained.tensors(), parameters.as_flat_mut(), gradients.as_flat());
    }

    /// Sets the learning rates to those of the schedule at `epoch`, counted in epochs since the start of
    /// training: 0 at first, 0.5 after half of the first epoch. Call it before every step for a smooth
    /// schedule.
    pub fn set_epoch(&mut self, epoch: f64) {
        self.core.set_epoch(epoch);
    }

    /// The current learning rate of tensors that no group gives another one.
    pub fn learning_rate(&self) -> f32 {
        self.core.learning_rate()
    }

    /// Multiplies all learning rates, also those of groups, by `factor` from now on, on top of their
    /// schedules: by what [`Plateau`](crate::optim::Plateau) finds, for instance. A factor of 1 leaves them
    /// as they are.
    pub fn scale_learning_rate(&mut self, factor: f64) {
        self.core.set_factor(self.core.factor() * factor);
    }

    /// How many steps were made.
    pub fn steps(&self) -> u64 {
        self.core.steps()
    }

    /// The buffers that the settings need, each with its name, which is PyTorch's (`momentum_buffer`,
    /// `exp_avg`), and with one number for every parameter.
    pub fn buffers(&self) -> impl Iterator<Item = (&'static str, &N::Parameters)> {
        let named = self.core.buffers();
        named.filter_map(|(name, numbers)| Some((name, N::Parameters::from_flat(numbers)?)))
    }

    /// The [buffer](Self::buffers) with this name; `None` if there is none.
    pub fn buffer(&self, name: &str) -> Option<&N::Parameters> {
        self.buffers().find(|(other, _)| *other == name).map(|(_, buffer)| buffer)
    }

    /// Continues from a run that was stopped, given its number of [`steps`](Self::steps) and all its
    /// [`buffers`](Self::buffers). Set the epoch separately, with [`set_epoch`](Self::set_epoch), and so
    /// any factor of [`scale_learning_rate`](Self::scale_learning_rate).
    ///
    /// ```
    /// # use typenet_runtime::{Network, Result};
    /// # use typenet_runtime::optim::{AdamW, State};
    /// use typenet_engine::Flat;
    /// # fn go_on<N: Network>(net: &N, stopped: State<N, AdamW>) -> Result<()> {
    /// let mut state = AdamW::new(1e-3).state(net);
    /// let buffers: Vec<_> = stopped.buffers().map(|(name, all)| (name, all.as_flat())).collect();
    /// state.resume(stopped.steps(), &buffers)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`] when a buffer is missing or has another length than here, [`Error::Argument`] for
    /// one that does not exist; the state is then as before.
    pub fn resume(&mut self, steps: u64, buffers: &[(&str, &[f32])]) -> Result<()> {
        let of_tensors = vec![steps; self.core.spans.len()];
        self.core.resume(steps, &of_tensors, buffers)
    }
}

impl<N, O: Optimizer> Clone for State<N, O> {
    fn clone(&self) -> State<N, O> {
        State { core: self.core.clone(), of: PhantomData }
    }
}

impl<N: Network, O: Optimizer> fmt::Debug for State<N, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.debug(f, N::GRAPH.name)
    }
}

impl<O: Optimizer> Core<O> {
    fn debug(&self, f: &mut fmt::Formatter<'_>, net: &str) -> fmt::Result {
        f.debug_struct("State")
            .field("optimizer", &O::NAME)
            .field("net", &net)
            .field("steps", &self.steps)
            .field("epoch", &self.epoch)
            .field("learning_rate", &self.learning_rate())
            .finish_non_exhaustive()
    }
}
