//! What a loss can compare: which targets with which outputs.

use typenet_engine::Flat;

use super::objective::{denominators, of_batch};
use super::{Accepts, Loss, Objective};
use crate::Result;
use crate::net::network::Network;
use crate::net::targets::Matches;
use crate::net::workspace::Workspace;

/// Says that a loss, or the losses of several heads, compares outputs of type `O` with targets of type
/// `T`: it is a loss for such targets, and they [fit](super::Fits) the outputs.
///
/// All losses implement it. It is a bound for functions of your own that take any loss:
///
/// ```
/// use typenet_runtime::data::Dataset;
/// use typenet_runtime::loss::{Accepts, Compares};
/// use typenet_runtime::train::{Target, evaluate};
/// use typenet_runtime::{Network, Result};
///
/// fn loss_on<N: Network, T: Target, L: Compares<N::Output, T> + Accepts<N>>(
///     net: &N,
///     loss: &L,
///     data: &Dataset<N::Input, T>,
/// ) -> Result<f64> {
///     Ok(evaluate(net, loss, data)?.loss)
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not compare outputs of type `{O}` with targets of type `{T}`",
    label = "outputs of `{O}`, targets of `{T}`",
    note = "help: a loss of values takes targets of the outputs' own type, `{O}` (`f32` for one number); a loss of classes, such as `CrossEntropy`, takes their numbers, `usize`"
)]
pub trait Compares<O, T>: Objective<T> {
    /// Fails to evaluate where targets and outputs differ in how many numbers they have.
    #[doc(hidden)]
    const COMPARES: () = ();
}

#[diagnostic::do_not_recommend]
impl<O: Matches<T>, T, L: Loss<T>> Compares<O, T> for L {
    const COMPARES: () = O::MATCHES;
}

/// The same of one head.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not compare a head's outputs of type `{O}` with targets of type `{T}`",
    label = "a head with outputs of `{O}` and targets of `{T}`",
    note = "help: a loss of values takes targets of the head's own type, `{O}` (`f32` for one number); a loss of classes, such as `CrossEntropy`, takes their numbers, `usize`"
)]
pub trait HeadCompares<O, T>: Loss<T> {
    const COMPARES: () = ();
}

#[diagnostic::do_not_recommend]
impl<O: Matches<T>, T, L: Loss<T>> HeadCompares<O, T> for L {
    const COMPARES: () = O::MATCHES;
}

/// The loss and the gradient of a batch; see [`Loss::forward_backward`].
///
/// # Errors
/// When there are not as many targets as outputs, or a target does not belong to its head.
#[doc(hidden)]
pub fn forward_backward<N, T, O>(objective: &O, targets: &[T], ws: &mut Workspace<N>) -> Result<f64>
where
    N: Network,
    O: Compares<N::Output, T> + Accepts<N>,
{
    let () = O::COMPARES;
    let denominators = denominators(objective, targets);
    Ok(of_batch(objective, targets, ws, &denominators)?.iter().sum())
}

/// Targets for losses that compare values: `f32`, arrays of it, and boxes of those, which keep large targets
/// off the stack.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no target of a loss of values",
    label = "no numbers to compare outputs with",
    note = "help: such a loss takes arrays of `f32`, or `f32` for one number; class numbers, `usize`, are for `CrossEntropy` and `NllLoss`"
)]
pub trait TargetValues: Clone + Send + Sync {
    /// The numbers in row-major order: the last dimension runs fastest.
    fn values(&self) -> &[f32];
}

#[diagnostic::do_not_recommend]
impl TargetValues for f32 {
    fn values(&self) -> &[f32] {
        self.as_flat()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Flat + Clone, const N: usize> TargetValues for [T; N] {
    fn values(&self) -> &[f32] {
        self.as_flat()
    }
}

#[diagnostic::do_not_recommend]
impl<T: TargetValues> TargetValues for Box<T> {
    fn values(&self) -> &[f32] {
        (**self).values()
    }
}
