//! The parameter tensors of a net.

use crate::Shape;

/// Which of a layer's tensors a [`Tensor`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TensorKind {
    /// The factors of the input.
    Weight,
    /// What is added to each output channel.
    Bias,
    /// A batch norm's running mean of each channel over the training batches; newer batches count more.
    RunningMean,
    /// A batch norm's running variance of each channel over those batches.
    RunningVar,
}

impl TensorKind {
    /// All kinds, in the order in which a layer stores its tensors.
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

    /// Whether it is a parameter, which has a gradient; running statistics are none.
    pub const fn is_parameter(self) -> bool {
        matches!(self, TensorKind::Weight | TensorKind::Bias)
    }
}

/// One tensor of a net, with its place in the net's parameter struct.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tensor {
    /// The node it belongs to.
    pub node: usize,
    /// Which of the node's tensors it is.
    pub kind: TensorKind,
    /// Its shape, outermost dimension first.
    pub shape: Shape,
    /// Where it starts, in numbers, in the net's parameter struct.
    pub offset: usize,
}
