use rayon::prelude::*;
use typenet_shape::{Graph, Tensor, TensorKind};

use super::argument;
use super::norm::{sum_of_magnitudes, sum_of_squares};
use crate::Result;
use crate::loss::Slope;
use crate::net::network::Network;
use crate::net::trainable;
use typenet_engine::Flat;

/// Pieces of this many numbers are shared out among threads.
const PIECE: usize = 64 * 1024;

/// A penalty on large weights that is part of the training loss, `L + λR(W)`, also where that is reported.
/// It leaves out biases unless [`biases`](Self::biases) includes them, and what the declaration marks
/// `#[no_decay]` or `#[frozen]`. The methods that take a net also leave out what
/// [`set_trainable`](Network::set_trainable) has switched off.
///
/// | | adds to the loss | adds to the gradient of each weight `w` |
/// |---|---|---|
/// | [`l2`](Self::l2) | `λ Σ w²` | `2 λ w` |
/// | [`l1`](Self::l1) | `λ Σ │w│` | `λ · sign(w)`, and 0 at 0 |
///
/// There is no factor ½: `l2(λ)` moves the weights as [`Sgd::weight_decay`](super::Sgd::weight_decay)
/// of `2 λ` does, except that weight decay takes the biases too and is no part of the loss.
///
/// ```
/// use typenet_runtime::optim::Regularizer;
/// let elastic = Regularizer::l2(1e-4).and(Regularizer::l1(1e-5).only(&["fc1"]));
/// assert!(elastic.check().is_ok());
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Regularizer {
    terms: Vec<Term>,
}

#[derive(Clone, PartialEq, Debug)]
struct Term {
    norm: Norm,
    lambda: f64,
    biases: bool,
    /// Paths; all tensors if there are none.
    only: Option<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Norm {
    L1,
    L2,
}

impl Regularizer {
    /// `λ Σ w²`, of gradient `2 λ w`; λ is 0 or more.
    pub fn l2(lambda: f64) -> Regularizer {
        Regularizer::of(Norm::L2, lambda)
    }

    /// `λ Σ |w|`, which drives weights to exactly 0 more than [`l2`](Self::l2); λ is 0 or more.
    pub fn l1(lambda: f64) -> Regularizer {
        Regularizer::of(Norm::L1, lambda)
    }

    fn of(norm: Norm, lambda: f64) -> Regularizer {
        Regularizer { terms: vec![Term { norm, lambda, biases: false, only: None }] }
    }

    /// Whether biases count as well; `false` by default. It applies to the terms so far: call it before
    /// [`and`](Self::and).
    #[must_use]
    pub fn biases(mut self, biases: bool) -> Regularizer {
        self.terms.iter_mut().for_each(|term| term.biases = biases);
        self
    }

    /// Only the tensors that these paths name, as in [`Sgd::group`](super::Sgd::group). A bias that
    /// a path names still needs [`biases`](Self::biases). It applies to the terms so far.
    #[must_use]
    pub fn only(mut self, paths: &[&str]) -> Regularizer {
        let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
        self.terms.iter_mut().for_each(|term| term.only = Some(paths.clone()));
        self
    }

    /// The sum of both.
    #[must_use]
    pub fn and(mut self, other: Regularizer) -> Regularizer {
        self.terms.extend(other.terms);
        self
    }

    /// Checks the arguments.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) when a λ is negative or not finite.
    pub fn check(&self) -> Result<()> {
        match self.terms.iter().find(|term| !(term.lambda.is_finite() && term.lambda >= 0.0)) {
            Some(term) => {
                Err(argument("lambda", term.lambda, "a finite number, 0 or more, is needed"))
            }
            None => Ok(()),
        }
    }

    /// As [`check`](Self::check), and checks that every path of [`only`](Self::only) names a tensor.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`](crate::Error::UnknownLayer) for one that names nothing, and as `check`.
    pub fn check_against(&self, graph: &Graph<'_>, tensors: &[Tensor]) -> Result<()> {
        self.check()?;
        let paths = self.terms.iter().flat_map(|term| term.only.iter().flatten());
        paths.into_iter().try_for_each(|path| trainable::check(path, graph, tensors))
    }

    /// The penalty λR(W) of `parameters`, which stand in the order of `tensors`, added up in f64.
    pub fn value(&self, graph: &Graph<'_>, tensors: &[Tensor], parameters: &[f32]) -> f64 {
        self.value_where(graph, tensors, parameters, |_| true)
    }

    fn value_where(
        &self,
        graph: &Graph<'_>,
        tensors: &[Tensor],
        parameters: &[f32],
        trained: impl Fn(usize) -> bool,
    ) -> f64 {
        let mut value = 0.0;
        for term in &self.terms {
            let mut norm = 0.0;
            for tensor in term.tensors(graph, tensors, &trained) {
                norm += term.norm.sum(numbers(tensor, parameters));
            }
            value += term.lambda * norm;
        }
        value
    }

    /// Adds the gradient of [`value`](Self::value) to `gradients`, both in the order of `tensors`.
    pub fn add_gradient(
        &self,
        graph: &Graph<'_>,
        tensors: &[Tensor],
        parameters: &[f32],
        gradients: &mut [f32],
    ) {
        self.add_gradient_where(graph, tensors, parameters, gradients, |_| true);
    }

    fn add_gradient_where(
        &self,
        graph: &Graph<'_>,
        tensors: &[Tensor],
        parameters: &[f32],
        gradients: &mut [f32],
        trained: impl Fn(usize) -> bool,
    ) {
        for term in &self.terms {
            for tensor in term.tensors(graph, tensors, &trained) {
                let w = numbers(tensor, parameters);
                let g = &mut gradients[tensor.offset..tensor.offset + tensor.shape.elements()];
                if g.len() <= PIECE {
                    term.add_gradient(w, g);
                } else {
                    let pieces = w.par_chunks(PIECE).zip(g.par_chunks_mut(PIECE));
                    pieces.for_each(|(w, g)| term.add_gradient(w, g));
                }
            }
        }
    }

    /// [`value`](Self::value) of a net.
    pub fn value_of<N: Network>(&self, net: &N) -> f64 {
        let trained = net.model().trainable(&N::SPEC).tensors();
        let tensors = N::LAYOUT.tensors;
        self.value_where(&N::GRAPH, tensors, net.parameters_flat(), |index| trained[index])
    }

    /// [`value`](Self::value) of a net, and its slope along a direction of its parameters, both added up
    /// in f64.
    pub fn slope_of<N: Network>(&self, net: &N, direction: &N::Parameters) -> Slope {
        let trained = net.model().trainable(&N::SPEC).tensors();
        let (parameters, direction) = (net.parameters_flat(), direction.as_flat());
        let mut slope = 0.0;
        for term in &self.terms {
            for tensor in term.tensors(&N::GRAPH, N::LAYOUT.tensors, |index| trained[index]) {
                let both = numbers(tensor, parameters).iter().zip(numbers(tensor, direction));
                let each = both.map(|(&w, &v)| term.norm.slope(w) * f64::from(v));
                slope += term.lambda * each.sum::<f64>();
            }
        }
        Slope { loss: self.value_of(net), slope }
    }

    /// [`add_gradient`](Self::add_gradient) of a net, to the gradients of a workspace:
    /// `regularizer.add_gradient_of(&net, ws.gradients_mut())`.
    pub fn add_gradient_of<N: Network>(&self, net: &N, gradients: &mut N::Parameters) {
        let trained = net.model().trainable(&N::SPEC).tensors();
        let (tensors, gradients) = (N::LAYOUT.tensors, gradients.as_flat_mut());
        let parameters = net.parameters_flat();
        self.add_gradient_where(&N::GRAPH, tensors, parameters, gradients, |i| trained[i]);
    }
}

fn numbers<'a>(tensor: &Tensor, parameters: &'a [f32]) -> &'a [f32] {
    &parameters[tensor.offset..tensor.offset + tensor.shape.elements()]
}

impl Term {
    fn tensors<'t>(
        &self,
        graph: &Graph<'_>,
        tensors: &'t [Tensor],
        trained: impl Fn(usize) -> bool,
    ) -> impl Iterator<Item = &'t Tensor> {
        let all = tensors.iter().enumerate();
        all.filter(move |(index, tensor)| trained(*index) && self.takes(graph, tensor))
            .map(|(_, tensor)| tensor)
    }

    fn takes(&self, graph: &Graph<'_>, tensor: &Tensor) -> bool {
        let named =
            |paths: &Vec<String>| paths.iter().any(|path| trainable::names(path, graph, tensor));
        let taken = match tensor.kind {
            TensorKind::Weight => true,
            TensorKind::Bias => self.biases,
            TensorKind::RunningMean | TensorKind::RunningVar => false,
        };
        let frozen = graph.marks_of(tensor.node).frozen;
        let taken = taken && !frozen && graph.decays(tensor.node, tensor.kind);
        taken && self.only.as_ref().is_none_or(named)
    }

    fn add_gradient(&self, w: &[f32], g: &mut [f32]) {
        match self.norm {
            Norm::L2 => {
                let factor = (2.0 * self.lambda) as f32;
                g.iter_mut().zip(w).for_each(|(g, w)| *g += factor * w);
            }
            Norm::L1 => {
                let lambda = self.lambda as f32;
                let sign = |w: f32| if w == 0.0 { 0.0 } else { w.signum() };
                g.iter_mut().zip(w).for_each(|(g, &w)| *g += lambda * sign(w));
            }
        }
    }
}

impl Norm {
    /// `2 w`, or the sign of `w`.
    fn slope(self, w: f32) -> f64 {
        match self {
            Norm::L1 if w == 0.0 => 0.0,
            Norm::L1 => f64::from(w.signum()),
            Norm::L2 => 2.0 * f64::from(w),
        }
    }

    /// `Σ w²` or `Σ |w|`.
    fn sum(self, w: &[f32]) -> f64 {
        match self {
            Norm::L1 => sum_of_magnitudes(w),
            Norm::L2 => sum_of_squares(w),
        }
    }
}
