use typenet_shape::{Graph, Tensor};

use super::state::{Settings, SgdState};
use super::{Schedule, argument};
use crate::Result;
use crate::net::network::Network;
use crate::net::trainable;

/// Stochastic gradient descent, step for step as PyTorch's `SGD`:
///
/// ```text
/// g ← gradient + weight_decay · w
/// v ← momentum · v + (1 − dampening) · g        (v ← g in the first step)
/// w ← w − learning_rate · v                     (· (g + momentum · v) with nesterov)
/// ```
///
/// Without momentum `v` is `g`, and none is stored. Weight decay takes all parameters, biases
/// included, as in PyTorch, but for those that the declaration marks `#[no_decay]`; a
/// [`group`](Self::group) makes exceptions, also from that mark. What is frozen, in the declaration or
/// by [`set_trainable`](crate::Network::set_trainable), is left as it is, velocity included:
///
/// ```
/// use typenet_runtime::optim::{Schedule, Sgd};
/// let sgd = Sgd::new(0.05)
///     .momentum(0.9)
///     .weight_decay(5e-4)
///     .schedule(Schedule::cosine(30).warmup(1.0))
///     .group("features", |group| group.learning_rate(0.005))
///     .group("fc1.bias", |group| group.weight_decay(0.0));
/// assert!(sgd.check().is_ok());
/// ```
///
/// The numbers of a run (velocity, learning rates) are in an [`SgdState`], which
/// [`state`](Self::state) makes for a net.
#[derive(Clone, Debug)]
pub struct Sgd {
    base: Settings,
    groups: Vec<(String, Group)>,
}

/// What differs for some of the tensors: see [`Sgd::group`]. What is not set here is as for the
/// others.
#[derive(Clone, Debug, Default)]
pub struct Group {
    learning_rate: Option<f32>,
    momentum: Option<f32>,
    nesterov: Option<bool>,
    dampening: Option<f32>,
    weight_decay: Option<f32>,
    schedule: Option<Schedule>,
}

impl Sgd {
    /// Flat descent with this learning rate: no momentum, no weight decay, a constant rate.
    pub fn new(learning_rate: f32) -> Sgd {
        let base = Settings {
            learning_rate,
            momentum: 0.0,
            nesterov: false,
            dampening: 0.0,
            weight_decay: 0.0,
            schedule: Schedule::constant(),
        };
        Sgd { base, groups: Vec::new() }
    }

    /// The share of the last step's velocity that is kept: 0 (the default) or more, below 1.
    #[must_use]
    pub fn momentum(mut self, momentum: f32) -> Sgd {
        self.base.momentum = momentum;
        self
    }

    /// Looks ahead along the velocity (Nesterov's momentum); `false` by default. It needs momentum,
    /// and no dampening.
    #[must_use]
    pub fn nesterov(mut self, nesterov: bool) -> Sgd {
        self.base.nesterov = nesterov;
        self
    }

    /// The share of the gradient that does not enter the velocity, 0 (the default) to 1; the first
    /// step is not dampened.
    #[must_use]
    pub fn dampening(mut self, dampening: f32) -> Sgd {
        self.base.dampening = dampening;
        self
    }

    /// Adds this much of each parameter to its gradient; 0 by default.
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f32) -> Sgd {
        self.base.weight_decay = weight_decay;
        self
    }

    /// How the learning rate changes while training; constant by default.
    #[must_use]
    pub fn schedule(mut self, schedule: Schedule) -> Sgd {
        self.base.schedule = schedule;
        self
    }

    /// Other settings for some of the tensors. The path is a layer (`fc1`), one tensor of it
    /// (`fc1.bias`), or the start of a path (`stage1` for `stage1.0.conv1`), in the names of the
    /// declaration or of weight files. Where several groups
    /// name a tensor, later ones win, setting by setting. What a group does not set is as for all
    /// others, wherever in the chain that is set.
    #[must_use]
    pub fn group(mut self, path: &str, settings: impl FnOnce(Group) -> Group) -> Sgd {
        self.groups.push((path.to_owned(), settings(Group::default())));
        self
    }

    /// Checks the arguments.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) with the first that is out of range.
    pub fn check(&self) -> Result<()> {
        self.base.check()?;
        for (_, group) in &self.groups {
            let mut settings = self.base.clone();
            group.apply(&mut settings);
            settings.check()?;
        }
        Ok(())
    }

    /// As [`check`](Self::check), and that every group names a tensor of the net.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`](crate::Error::UnknownLayer) for a group that names nothing, and as `check`.
    pub fn check_against(&self, graph: &Graph<'_>, tensors: &[Tensor]) -> Result<()> {
        self.check()?;
        for (path, _) in &self.groups {
            trainable::check(path, graph, tensors)?;
        }
        // Groups that are right one by one can be wrong together: nesterov and no momentum, say.
        tensors.iter().try_for_each(|tensor| self.settings(graph, tensor).check())
    }

    /// What a run of training keeps: velocity and current learning rates, for nets of this type.
    ///
    /// # Panics
    /// Where [`try_state`](Self::try_state) gives an error.
    #[allow(clippy::panic)]
    pub fn state<N: Network>(&self, net: &N) -> SgdState<N> {
        match self.try_state(net) {
            Ok(state) => state,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`state`](Self::state), for arguments that come from a user.
    ///
    /// # Errors
    /// As [`check_against`](Self::check_against).
    pub fn try_state<N: Network>(&self, _net: &N) -> Result<SgdState<N>> {
        let tensors = N::LAYOUT.tensors;
        self.check_against(&N::GRAPH, tensors)?;
        let graph = &N::GRAPH;
        let parameters = tensors.iter().enumerate().filter(|(_, tensor)| {
            tensor.kind.is_parameter() && !graph.marks_of(tensor.node).frozen
        });
        Ok(SgdState::new(
            &self.base,
            parameters.map(|(index, tensor)| (self.settings(graph, tensor), index, tensor)),
        ))
    }

    /// What holds for one tensor.
    fn settings(&self, graph: &Graph<'_>, tensor: &Tensor) -> Settings {
        let mut settings = self.base.clone();
        if !graph.decays(tensor.node, tensor.kind) {
            settings.weight_decay = 0.0;
        }
        for (path, group) in &self.groups {
            if trainable::names(path, graph, tensor) {
                group.apply(&mut settings);
            }
        }
        settings
    }
}

impl Group {
    /// The group's own learning rate; 0 leaves its tensors as they are.
    #[must_use]
    pub fn learning_rate(mut self, learning_rate: f32) -> Group {
        self.learning_rate = Some(learning_rate);
        self
    }

    /// See [`Sgd::momentum`].
    #[must_use]
    pub fn momentum(mut self, momentum: f32) -> Group {
        self.momentum = Some(momentum);
        self
    }

    /// See [`Sgd::nesterov`].
    #[must_use]
    pub fn nesterov(mut self, nesterov: bool) -> Group {
        self.nesterov = Some(nesterov);
        self
    }

    /// See [`Sgd::dampening`].
    #[must_use]
    pub fn dampening(mut self, dampening: f32) -> Group {
        self.dampening = Some(dampening);
        self
    }

    /// See [`Sgd::weight_decay`].
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f32) -> Group {
        self.weight_decay = Some(weight_decay);
        self
    }

    /// See [`Sgd::schedule`].
    #[must_use]
    pub fn schedule(mut self, schedule: Schedule) -> Group {
        self.schedule = Some(schedule);
        self
    }

    fn apply(&self, settings: &mut Settings) {
        fn set<T: Clone>(setting: &mut T, own: &Option<T>) {
            if let Some(own) = own {
                setting.clone_from(own);
            }
        }
        set(&mut settings.learning_rate, &self.learning_rate);
        set(&mut settings.momentum, &self.momentum);
        set(&mut settings.nesterov, &self.nesterov);
        set(&mut settings.dampening, &self.dampening);
        set(&mut settings.weight_decay, &self.weight_decay);
        set(&mut settings.schedule, &self.schedule);
    }
}

impl Settings {
    fn check(&self) -> Result<()> {
        for (name, value) in
            [("learning_rate", self.learning_rate), ("weight_decay", self.weight_decay)]
        {
            if !(value.is_finite() && value >= 0.0) {
                return Err(argument(name, value, "a finite number, 0 or more, is needed"));
            }
        }
        if !(0.0..1.0).contains(&self.momentum) {
            return Err(argument("momentum", self.momentum, "0 or more, below 1, is allowed"));
        }
        if !(0.0..=1.0).contains(&self.dampening) {
            return Err(argument("dampening", self.dampening, "0 to 1 is allowed"));
        }
        if self.nesterov && (self.momentum == 0.0 || self.dampening != 0.0) {
            return Err(argument("nesterov", true, "it needs momentum, and dampening 0"));
        }
        self.schedule.check()
    }
}
