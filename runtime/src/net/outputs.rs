//! Traits that say what a net's inputs and outputs are; methods and losses require them.

/// A net with one input.
#[diagnostic::on_unimplemented(
    message = "`{Self}` names its inputs, and this is for a net with one input without a name",
    label = "this net names its inputs",
    note = "help: write the struct of its inputs, one field each"
)]
pub trait SingleInput {}

/// A net with one output, or a single head of a net.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has heads, and this is for a net with one output",
    label = "this net has heads",
    note = "help: its loss is a struct with a loss for each head; its `output` is a struct too, and `output.name.largest()` the class of the head `name`"
)]
pub trait SingleOutput {}

/// A net, or a head, whose outputs are logits (or plain numbers): its last layer is none of
/// `softmax`, `log_softmax` and `sigmoid`. Losses that apply one of those themselves require it.
pub trait Logits: SingleOutput + EndsInLogits {}

impl<N: SingleOutput + EndsInLogits> Logits for N {}

/// A net, or a head, whose outputs are logarithms of probabilities: its last layer is `log_softmax`.
pub trait LogProbabilities: SingleOutput + EndsInLogProbabilities {}

impl<N: SingleOutput + EndsInLogProbabilities> LogProbabilities for N {}

/// What [`Logits`] says of the last layer. A net with heads implements it too, so that the compiler's message
/// is about the single output that it lacks.
#[diagnostic::on_unimplemented(
    message = "the last layer of `{Self}` is `softmax`, `log_softmax` or `sigmoid`, and this loss would apply it a second time",
    label = "this already ends in `softmax`, `log_softmax` or `sigmoid`",
    note = "help: remove that last layer; `probabilities` applies it when predicting"
)]
pub trait EndsInLogits {}

/// What [`LogProbabilities`] says of the last layer; see [`EndsInLogits`].
#[diagnostic::on_unimplemented(
    message = "this loss takes the logarithms of probabilities, and the last layer of `{Self}` is not `log_softmax`",
    label = "this does not end in `log_softmax`",
    note = "help: end it with `log_softmax`, or take `CrossEntropy`, which applies it to logits"
)]
pub trait EndsInLogProbabilities {}
