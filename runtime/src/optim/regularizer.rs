use typenet_shape::{Graph, Tensor, TensorKind};

use super::{check_not_negative, check_path, chooses};
use crate::{Result, io};

/// A penalty `λR(W)` that is added to the loss. Biases are not penalised unless asked.
///
/// `λ‖W‖²` has the gradient `2λW`; so `l2(λ)` does to plain SGD what
/// [`weight_decay(2λ)`](super::Sgd::weight_decay) on the same parameters does, and is part of the
/// reported loss besides.
///
/// ```
/// use typenet_runtime::optim::Regularizer;
/// let both = Regularizer::l2(1e-4).and(Regularizer::l1(1e-5).only(&["fc1"]));
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
    only: Option<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Norm {
    L1,
    L2,
}

impl Regularizer {
    fn of(norm: Norm, lambda: f64) -> Regularizer {
        Regularizer { terms: vec![Term { norm, lambda, biases: false, only: None }] }
    }

    /// `λ Σ w²`, gradient `2λw`.
    pub fn l2(lambda: f64) -> Regularizer {
        Regularizer::of(Norm::L2, lambda)
    }

    /// `λ Σ |w|`, gradient `λ sign(w)`, 0 at 0.
    pub fn l1(lambda: f64) -> Regularizer {
        Regularizer::of(Norm::L1, lambda)
    }

    /// Whether biases are penalised too.
    #[must_use]
    pub fn biases(mut self, biases: bool) -> Regularizer {
        self.terms.iter_mut().for_each(|term| term.biases = biases);
        self
    }

    /// Penalises only these layers or tensors: `"fc1"`, or `"fc1.weight"`. A bias that is named in
    /// full is penalised.
    #[must_use]
    pub fn only(mut self, paths: &[&str]) -> Regularizer {
        let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
        self.terms.iter_mut().for_each(|term| term.only = Some(paths.clone()));
        self
    }

    /// The sum of two penalties.
    #[must_use]
    pub fn and(mut self, other: Regularizer) -> Regularizer {
        self.terms.extend(other.terms);
        self
    }

    /// Checks `λ` and that every path names something of the net.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument).
    pub fn check(&self, graph: &Graph<'_>, tensors: &[Tensor]) -> Result<()> {
        for term in &self.terms {
            check_not_negative("lambda", term.lambda)?;
            for path in term.only.iter().flatten() {
                check_path("only", path, graph, tensors)?;
            }
        }
        Ok(())
    }

    /// The penalty of these parameters, summed in f64.
    pub fn value(&self, graph: &Graph<'_>, tensors: &[Tensor], parameters: &[f32]) -> f64 {
        let mut sum = 0.0;
        for (term, range) in self.penalised(graph, tensors) {
            let numbers = parameters[range].iter().map(|&w| f64::from(w));
            sum += term.lambda
                * match term.norm {
                    Norm::L1 => numbers.map(f64::abs).sum::<f64>(),
                    Norm::L2 => numbers.map(|w| w * w).sum::<f64>(),
                };
        }
        sum
    }

    /// Adds the penalty's gradient.
    pub fn add_gradient(
        &self,
        graph: &Graph<'_>,
        tensors: &[Tensor],
        parameters: &[f32],
        gradients: &mut [f32],
    ) {
        for (term, range) in self.penalised(graph, tensors) {
            let lambda = term.lambda as f32;
            let pairs = gradients[range.clone()].iter_mut().zip(&parameters[range]);
            match term.norm {
                Norm::L1 => pairs.for_each(|(g, &w)| {
                    *g += if w == 0.0 { 0.0 } else { lambda.copysign(w) };
                }),
                Norm::L2 => pairs.for_each(|(g, &w)| *g += 2.0 * lambda * w),
            }
        }
    }

    fn penalised<'a>(
        &'a self,
        graph: &'a Graph<'_>,
        tensors: &'a [Tensor],
    ) -> impl Iterator<Item = (&'a Term, std::ops::Range<usize>)> {
        self.terms.iter().flat_map(move |term| {
            tensors.iter().filter(move |tensor| term.penalises(graph, tensor)).map(move |tensor| {
                (term, tensor.offset..tensor.offset + tensor.shape.elements())
            })
        })
    }
}

impl Term {
    fn penalises(&self, graph: &Graph<'_>, tensor: &Tensor) -> bool {
        let name = io::tensor_name(graph, tensor);
        let by_kind = self.biases || tensor.kind != TensorKind::Bias;
        match &self.only {
            None => by_kind,
            Some(paths) => {
                paths.contains(&name) || (by_kind && paths.iter().any(|path| chooses(path, &name)))
            }
        }
    }
}
