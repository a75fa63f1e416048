use std::marker::PhantomData;

use rayon::prelude::*;
use typenet_shape::{Graph, Tensor};

use super::{Schedule, check_not_negative, check_path, chooses};
use crate::network::Network;
use crate::plain::Plain;
use crate::{Error, Result, io};

/// Pieces of a tensor that are stepped by one thread; smaller tensors are not shared out.
const PIECE: usize = 1 << 16;

/// Stochastic gradient descent, as PyTorch's `SGD`: with gradient `g`, weight `w`, velocity `v`
///
/// ```text
/// g ← g + weight_decay · w
/// v ← momentum · v + (1 − dampening) · g        (v ← g in the first step)
/// g ← g + momentum · v  with Nesterov,  g ← v  otherwise
/// w ← w − learning_rate · g
/// ```
///
/// Momentum is from Polyak, 1964; this form of Nesterov's from Sutskever et al., *On the importance
/// of initialization and momentum*, 2013. Weight decay is on all parameters, biases too, unless a
/// [`group`](Self::group) says otherwise.
///
/// ```
/// use typenet_runtime::optim::{Schedule, Sgd};
/// let sgd = Sgd::new(0.05)
///     .momentum(0.9)
///     .weight_decay(5e-4)
///     .schedule(Schedule::step(10, 0.1))
///     .group("fc3", |group| group.learning_rate(0.01).weight_decay(0.0));
/// assert!(sgd.check().is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct Sgd {
    default: Group,
    groups: Vec<(String, Group)>,
}

/// The settings of some of a net's parameters.
#[derive(Clone, Debug)]
pub struct Group {
    learning_rate: f32,
    momentum: f32,
    dampening: f32,
    nesterov: bool,
    weight_decay: f32,
    schedule: Schedule,
}

macro_rules! settings {
    ($type:ty, |$this:ident| $group:expr) => {
        impl $type {
            /// The factor of momentum, `0 ≤ momentum < 1`; 0 unless set.
            #[must_use]
            pub fn momentum(mut self, momentum: f32) -> Self {
                let $this = &mut self;
                $group.momentum = momentum;
                self
            }

            /// The share of the gradient that momentum leaves out; 0 unless set.
            #[must_use]
            pub fn dampening(mut self, dampening: f32) -> Self {
                let $this = &mut self;
                $group.dampening = dampening;
                self
            }

            /// Whether momentum is Nesterov's.
            #[must_use]
            pub fn nesterov(mut self, nesterov: bool) -> Self {
                let $this = &mut self;
                $group.nesterov = nesterov;
                self
            }

            /// The factor of `w` in its gradient; 0 unless set.
            #[must_use]
            pub fn weight_decay(mut self, weight_decay: f32) -> Self {
                let $this = &mut self;
                $group.weight_decay = weight_decay;
                self
            }

            /// How the learning rate changes with the epoch.
            #[must_use]
            pub fn schedule(mut self, schedule: Schedule) -> Self {
                let $this = &mut self;
                $group.schedule = schedule;
                self
            }
        }
    };
}

settings!(Sgd, |sgd| sgd.default);
settings!(Group, |group| group);

impl Group {
    /// The learning rate, before its schedule.
    #[must_use]
    pub fn learning_rate(self, learning_rate: f32) -> Group {
        Group { learning_rate, ..self }
    }

    fn check(&self) -> Result<()> {
        check_not_negative("learning_rate", f64::from(self.learning_rate))?;
        check_not_negative("weight_decay", f64::from(self.weight_decay))?;
        let wrong = |name, value: f32, expected| {
            Err(Error::Argument { name, value: value.to_string(), expected })
        };
        if !(0.0..1.0).contains(&self.momentum) {
            return wrong("momentum", self.momentum, "0 ≤ momentum < 1");
        }
        if !(0.0..=1.0).contains(&self.dampening) {
            return wrong("dampening", self.dampening, "0 ≤ dampening ≤ 1");
        }
        if self.nesterov && (self.momentum == 0.0 || self.dampening != 0.0) {
            return wrong("nesterov", self.momentum, "momentum above 0 and no dampening with it");
        }
        self.schedule.check()
    }
}

impl Sgd {
    /// Plain gradient descent with this learning rate.
    pub fn new(learning_rate: f32) -> Sgd {
        let default = Group {
            learning_rate,
            momentum: 0.0,
            dampening: 0.0,
            nesterov: false,
            weight_decay: 0.0,
            schedule: Schedule::constant(),
        };
        Sgd { default, groups: Vec::new() }
    }

    /// Other settings for a layer or tensor (`"fc1"`, `"fc1.bias"`): what `change` makes of the
    /// settings so far. Where several groups choose a tensor, the last does.
    #[must_use]
    pub fn group(mut self, path: &str, change: impl FnOnce(Group) -> Group) -> Sgd {
        let group = change(self.default.clone());
        self.groups.push((path.to_string(), group));
        self
    }

    /// Checks that every number is in its range.
    ///
    /// # Errors
    /// [`Error::Argument`].
    pub fn check(&self) -> Result<()> {
        self.default.check()?;
        self.groups.iter().try_for_each(|(_, group)| group.check())
    }

    /// Checks that every group is for something of this net.
    ///
    /// # Errors
    /// [`Error::Argument`] for a group that chooses nothing.
    pub fn check_against(&self, graph: &Graph<'_>, tensors: &[Tensor]) -> Result<()> {
        self.groups.iter().try_for_each(|(path, _)| check_path("group", path, graph, tensors))
    }

    /// What the steps on one net keep: its velocity, and the epoch for the schedules.
    pub fn state<N: Network>(&self, _net: &N) -> SgdState<N> {
        let group_of = |tensor: &Tensor| {
            let name = io::tensor_name(&N::GRAPH, tensor);
            self.groups.iter().rposition(|(path, _)| chooses(path, &name))
        };
        let parts = N::LAYOUT.tensors.iter().map(|tensor| Part {
            start: tensor.offset,
            len: tensor.shape.elements(),
            group: group_of(tensor).map_or(0, |group| group + 1),
        });
        let groups: Vec<Group> = std::iter::once(&self.default)
            .chain(self.groups.iter().map(|(_, group)| group))
            .cloned()
            .collect();
        let velocity = groups.iter().any(|group| group.momentum != 0.0).then(N::Parameters::zeroed);
        SgdState { parts: parts.collect(), groups, velocity, epoch: 0.0, steps: 0, net: PhantomData }
    }
}

/// The optimiser's state for a net of type `N`. Made by [`Sgd::state`].
#[derive(Debug)]
pub struct SgdState<N: Network> {
    parts: Vec<Part>,
    /// The default first.
    groups: Vec<Group>,
    velocity: Option<Box<N::Parameters>>,
    epoch: f64,
    steps: u64,
    net: PhantomData<fn(N)>,
}

/// A tensor and its group.
#[derive(Clone, Copy, Debug)]
struct Part {
    start: usize,
    len: usize,
    group: usize,
}

impl<N: Network> SgdState<N> {
    /// The epoch for the schedules, counted from 0; parts of epochs are allowed.
    pub fn set_epoch(&mut self, epoch: f64) {
        self.epoch = epoch;
    }

    /// The learning rate of the default group at this epoch.
    pub fn learning_rate(&self) -> f32 {
        let group = &self.groups[0];
        group.learning_rate * group.schedule.factor(self.epoch) as f32
    }

    /// The velocities in the shape of the parameters, if any group has momentum.
    pub fn velocity(&self) -> Option<&N::Parameters> {
        self.velocity.as_deref()
    }

    /// One step: changes the net's parameters by these gradients, in one pass over memory.
    pub fn step(&mut self, net: &mut N, gradients: &N::Parameters) {
        let weights = net.parameters_flat_mut();
        let gradients = gradients.as_flat();
        let first = self.steps == 0;
        self.steps += 1;
        for part in &self.parts {
            let range = part.start..part.start + part.len;
            let group = &self.groups[part.group];
            let rate = group.learning_rate * group.schedule.factor(self.epoch) as f32;
            let (weights, gradients) = (&mut weights[range.clone()], &gradients[range.clone()]);
            match &mut self.velocity {
                Some(velocity) if group.momentum != 0.0 => {
                    let velocity = &mut velocity.as_flat_mut()[range];
                    let step = |((w, g), v): ((&mut [f32], &[f32]), &mut [f32])| {
                        momentum_step(group, rate, first, w, g, v);
                    };
                    if part.len <= PIECE {
                        step(((weights, gradients), velocity));
                    } else {
                        let pairs = weights.par_chunks_mut(PIECE).zip(gradients.par_chunks(PIECE));
                        pairs.zip(velocity.par_chunks_mut(PIECE)).for_each(step);
                    }
                }
                _ => {
                    let step = |(weights, gradients): (&mut [f32], &[f32])| {
                        for (w, &g) in weights.iter_mut().zip(gradients) {
                            *w -= rate * (g + group.weight_decay * *w);
                        }
                    };
                    if part.len <= PIECE {
                        step((weights, gradients));
                    } else {
                        let pairs = weights.par_chunks_mut(PIECE).zip(gradients.par_chunks(PIECE));
                        pairs.for_each(step);
                    }
                }
            }
        }
    }
}

fn momentum_step(
    group: &Group,
    rate: f32,
    first: bool,
    weights: &mut [f32],
    gradients: &[f32],
    velocity: &mut [f32],
) {
    let &Group { momentum, weight_decay, nesterov, dampening, .. } = group;
    // PyTorch starts with the whole gradient; the velocity is zero then, so only dampening differs.
    let taken = if first { 1.0 } else { 1.0 - dampening };
    let (by_velocity, by_gradient) = if nesterov { (momentum, 1.0) } else { (1.0, 0.0) };
    for ((w, &g), v) in weights.iter_mut().zip(gradients).zip(velocity) {
        let g = g + weight_decay * *w;
        *v = momentum * *v + taken * g;
        *w -= rate * (by_velocity * *v + by_gradient * g);
    }
}
