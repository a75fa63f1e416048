//! The parameter tensors of a net.

use crate::Shape;

/// Which of a layer's tensors a [`Tensor`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TensorKind {
    /// The factors.
    Weight,
    /// What is added to each output channel.
    Bias,
    /// The mean of each channel in the batches that a batch norm met, newer ones counting more.
    RunningMean,
    /// The variance of each channel in those batches.
    RunningVar,
}

impl TensorKind {
    /// All of them, in the order in which a layer's are stored.
    pub const ALL: [TensorKind; 4] =
        [TensorKind::Weight, TensorKind::Bias, TensorKind::RunningMean, TensorKind::RunningVar];

    /// The name in weight files, PyTorch's: `weight`, `bias`, `running_mean` or `running_var`.
    pub const fn name(self) -> &'static str {
        match self {
            TensorKind::Weight => "weight",
            TensorKind::Bias => "bias",
            TensorKind::RunningMean => "running_mean",
            TensorKind::RunningVar => "running_var",
        }
    }

    /// Whether it is a parameter, which gradients change; running statistics are not.
    pub const fn is_parameter(self) -> bool {
        matches!(self, TensorKind::Weight | TensorKind::Bias)
    }
}

/// One parameter tensor and its place among all parameters of the net.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tensor {
    /// The node it belongs to.
    pub node: usize,
    /// Weight or bias.
    pub kind: TensorKind,
    /// Its shape, outermost dimension first.
    pub shape: Shape,
    /// Where it starts, in numbers, in the net's parameter struct.
    pub offset: usize,
}
