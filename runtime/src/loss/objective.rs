use std::ops::Range;

use typenet_shape::{Head, MAX_HEADS, Output};

use super::{Accepts, Loss, Reduction, Slope};
use crate::error::same_count;
use crate::net::network::Network;
use crate::net::workspace::Workspace;
use crate::{Error, Result};

/// What training minimises, with targets of type `T`: a [`Loss`] of the net's output or, for a net with
/// several heads, the struct that `network!` writes, with a loss for each head.
///
/// The objective of several heads is the sum of their losses, each with its own reduction over the
/// batch. `(0.5, loss)` is a loss times 0.5.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no loss for targets of type `{T}`",
    label = "no loss for such targets",
    note = "help: functions take the net first, then the loss, inputs and targets; a net with heads has a struct of losses"
)]
pub trait Objective<T>: Clone + Send + Sync {
    /// How many losses there are.
    #[doc(hidden)]
    const HEADS: usize;

    /// Shows each head's loss with the head's target, in the order of the heads.
    #[doc(hidden)]
    fn each(&self, target: &T, visit: &mut dyn FnMut(&dyn HeadLoss));
}

impl<T, L: Loss<T>> Objective<T> for L {
    const HEADS: usize = 1;

    fn each(&self, target: &T, visit: &mut dyn FnMut(&dyn HeadLoss)) {
        visit(&OfHead { loss: self, target });
    }
}

/// A loss with one target.
#[doc(hidden)]
pub trait HeadLoss {
    fn reduction(&self) -> Reduction;
    fn check(&self, outputs: usize, place: &str) -> Result<()>;
    fn weight(&self) -> f64;
    fn image(&self, outputs: &[f32], scale: f64, gradient: &mut [f32]) -> f64;
    fn reference(&self, outputs: &[f64]) -> f64;
}

/// A head's loss and its target.
#[doc(hidden)]
#[derive(Debug)]
pub struct OfHead<'a, L, T> {
    pub loss: &'a L,
    pub target: &'a T,
}

impl<T, L: Loss<T>> HeadLoss for OfHead<'_, L, T> {
    fn reduction(&self) -> Reduction {
        self.loss.reduction()
    }

    fn check(&self, outputs: usize, place: &str) -> Result<()> {
        self.loss.check(outputs, self.target, place)
    }

    fn weight(&self) -> f64 {
        self.loss.weight(self.target)
    }

    fn image(&self, outputs: &[f32], scale: f64, gradient: &mut [f32]) -> f64 {
        self.loss.image(outputs, self.target, scale, gradient)
    }

    fn reference(&self, outputs: &[f64]) -> f64 {
        self.loss.reference(outputs, self.target)
    }
}

/// A number for each head; zeros behind the last.
pub(crate) type PerHead = [f64; MAX_HEADS];

/// Which part of a row of outputs each loss looks at.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    heads: &'static [Head<'static>],
    outputs: &'static [Output],
    len: usize,
}

impl Rows {
    pub(crate) fn of<N: Network, T, O: Objective<T>>() -> Rows {
        let (heads, outputs) = (N::GRAPH.heads, N::LAYOUT.outputs);
        let several = O::HEADS > 1 && O::HEADS == heads.len();
        Rows { heads, outputs: if several { outputs } else { &[] }, len: N::LAYOUT.output_len }
    }

    /// The numbers of a head's value in a row.
    pub(crate) fn part(&self, head: usize) -> Range<usize> {
        self.outputs.get(head).map_or(0..self.len, |output| output.row.offset..output.row.end())
    }

    /// What a head is called; nothing where it is the only one.
    pub(crate) fn name(&self, head: usize) -> Option<&'static str> {
        self.heads.get(head).filter(|_| !self.outputs.is_empty()).map(|head| head.name)
    }

    /// Checks one target.
    pub(crate) fn check<T, O: Objective<T>>(
        &self,
        objective: &O,
        target: &T,
        place: impl Fn() -> String,
    ) -> Result<()> {
        let (mut head, mut found) = (0, Ok(()));
        objective.each(target, &mut |loss| {
            let len = self.part(head).len();
            // The place is written out only for a target that is refused: a step allocates nothing.
            if found.is_ok() && loss.check(len, "").is_err() {
                let place = match self.name(head) {
                    Some(name) => format!("{}, `{name}`", place()),
                    None => place(),
                };
                found = loss.check(len, &place);
            }
            head += 1;
        });
        found
    }
}

/// What the sum of the images' losses is divided by, for each head.
pub(crate) fn denominators<T, O: Objective<T>>(objective: &O, targets: &[T]) -> PerHead {
    let mut sums = [0.0; MAX_HEADS];
    for target in targets {
        let mut heads = sums.iter_mut();
        objective.each(target, &mut |loss| {
            let Some(sum) = heads.next() else { return };
            match loss.reduction() {
                Reduction::Mean => *sum += loss.weight(),
                Reduction::Sum => *sum = 1.0,
            }
        });
    }
    sums
}

/// Each head's share in the loss of the outputs in `ws`, whose gradients are written there.
pub(crate) fn of_batch<N: Network, T, O: Objective<T>>(
    objective: &O,
    targets: &[T],
    ws: &mut Workspace<N>,
    denominators: &PerHead,
) -> Result<PerHead> {
    same_count("targets of a batch", ws.batch(), targets.len())?;
    of_rows::<N, T, O>(objective, targets, ws.output_rows(), denominators)
}

/// [`of_batch`] of rows of outputs, and of their gradients to write.
fn of_rows<N: Network, T, O: Objective<T>>(
    objective: &O,
    targets: &[T],
    (outputs, gradients): (&[f32], &mut [f32]),
    denominators: &PerHead,
) -> Result<PerHead> {
    let rows = Rows::of::<N, T, O>();
    for (i, target) in targets.iter().enumerate() {
        rows.check(objective, target, || format!("target {i} of the batch"))?;
    }
    let len = rows.len;
    let mut sums = [0.0; MAX_HEADS];
    let images = outputs.chunks_exact(len).zip(gradients.chunks_exact_mut(len));
    for ((output, gradient), target) in images.zip(targets) {
        let mut head = 0;
        objective.each(target, &mut |loss| {
            let part = rows.part(head);
            let scale = 1.0 / denominators[head];
            sums[head] += loss.image(&output[part.clone()], scale, &mut gradient[part]);
            head += 1;
        });
    }
    Ok(shares::<T, O>(sums, denominators))
}

/// The loss of rows of outputs, and its slope along their tangents; there is room for the gradient.
pub(crate) fn slope_of_rows<N: Network, T, O: Objective<T>>(
    objective: &O,
    targets: &[T],
    [outputs, tangents, gradients]: [&mut [f32]; 3],
    denominators: &PerHead,
) -> Result<Slope> {
    let rows = (&*outputs, &mut *gradients);
    let loss = of_rows::<N, T, O>(objective, targets, rows, denominators)?.iter().sum();
    let products = gradients.iter().zip(tangents).map(|(&g, &mut t)| f64::from(g) * f64::from(t));
    Ok(Slope { loss, slope: products.sum() })
}

/// The heads' losses of these sums.
pub(crate) fn shares<T, O: Objective<T>>(mut sums: PerHead, denominators: &PerHead) -> PerHead {
    for (sum, denominator) in sums.iter_mut().zip(denominators).take(O::HEADS) {
        *sum /= denominator;
    }
    sums
}

/// Adds each head's loss of one image in f64, times its weight.
pub(crate) fn add_reference<T, O: Objective<T>>(
    objective: &O,
    rows: Rows,
    output: &[f64],
    target: &T,
    sums: &mut PerHead,
) {
    let mut head = 0;
    objective.each(target, &mut |loss| {
        sums[head] += loss.reference(&output[rows.part(head)]);
        head += 1;
    });
}

/// A loss times a factor, 0 or more: `(0.5, MeanSquaredError::new())`. For nets with several heads,
/// whose losses are added.
///
/// ```
/// use typenet_runtime::loss::{Loss, SumSquaredError};
/// let mut gradient = [0.0];
/// let loss = (0.5, SumSquaredError::new()).image(&[3.0], &1.0, 1.0, &mut gradient);
/// assert_eq!((loss, gradient), (2.0, [2.0]));
/// ```
impl<T, L: Loss<T>> Loss<T> for (f64, L) {
    fn reduction(&self) -> Reduction {
        self.1.reduction()
    }

    fn check(&self, outputs: usize, target: &T, place: &str) -> Result<()> {
        if !(self.0.is_finite() && self.0 >= 0.0) {
            let (value, expected) = (self.0.to_string(), "a finite number of 0 or more");
            return Err(Error::Argument { name: "a loss's factor", value, expected });
        }
        self.1.check(outputs, target, place)
    }

    fn weight(&self, target: &T) -> f64 {
        self.1.weight(target)
    }

    fn image(&self, outputs: &[f32], target: &T, scale: f64, gradient: &mut [f32]) -> f64 {
        self.0 * self.1.image(outputs, target, self.0 * scale, gradient)
    }

    fn reference(&self, outputs: &[f64], target: &T) -> f64 {
        self.0 * self.1.reference(outputs, target)
    }
}

impl<N, L: Accepts<N>> Accepts<N> for (f64, L) {}
