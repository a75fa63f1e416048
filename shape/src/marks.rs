//! What a declaration says of a layer beside what it computes: its attributes.

use crate::{Graph, TensorKind};

/// How weights are drawn. `U(±a)` is uniform between `−a` and `a`, `N(0, s²)` normal with standard
/// deviation `s`; `fan_in` is the number of inputs that an output sums up, `fan_out` that of outputs
/// that an input reaches, times the kernel's area. Biases start at zero, except in
/// [`PyTorchDefault`](Scheme::PyTorchDefault). Norms start with weight 1 and bias 0 in every scheme,
/// unless an attribute at the norm itself says otherwise.
///
/// In a declaration `#[init(kaiming_normal)]` and so on set the scheme of a layer or of all layers in
/// some braces.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
#[non_exhaustive]
pub enum Scheme {
    /// `U(±√(6 / fan_in))`, of variance `2 / fan_in`: keeps the size of the values from layer to
    /// layer where `relu` drops half of them (gain `√2`). He, Zhang, Ren and Sun 2015. The default.
    #[default]
    KaimingUniform,
    /// `N(0, 2 / fan_in)`: as [`KaimingUniform`](Scheme::KaimingUniform), normal.
    KaimingNormal,
    /// `U(±√(6 / fan_out))`: keeps the size of the gradients backward. PyTorch's `mode="fan_out"`.
    KaimingUniformFanOut,
    /// `N(0, 2 / fan_out)`: what torchvision's residual nets start from.
    KaimingNormalFanOut,
    /// `U(±√(6 / (fan_in + fan_out)))`, of variance `2 / (fan_in + fan_out)`: a compromise between
    /// keeping the size of values forward and of gradients backward, for `tanh` and `sigmoid`
    /// (gain 1). Glorot and Bengio 2010.
    XavierUniform,
    /// `N(0, 2 / (fan_in + fan_out))`: as [`XavierUniform`](Scheme::XavierUniform), normal.
    XavierNormal,
    /// Weights and biases `U(±1 / √fan_in)`, as PyTorch's `Linear` and `Conv2d` draw them. Its
    /// `ConvTranspose2d` takes `out_channels / groups · kernel height · kernel width` for `fan_in`.
    PyTorchDefault,
    /// The weight as a matrix of one row for each output has orthonormal rows, or orthonormal columns
    /// where there are more rows. Saxe, McClelland and Ganguli 2014.
    Orthogonal,
    /// `N(mean, std²)`
    Normal {
        /// The mean.
        mean: f32,
        /// The standard deviation, 0 or more.
        std: f32,
    },
    /// `N(mean, std²)`, drawn again where it lies outside `a..=b`.
    TruncNormal {
        /// The mean.
        mean: f32,
        /// The standard deviation, 0 or more.
        std: f32,
        /// The smallest number.
        a: f32,
        /// The largest.
        b: f32,
    },
    /// Uniform from `a` to `b`.
    Uniform {
        /// The smallest number.
        a: f32,
        /// The largest.
        b: f32,
    },
    /// The same number everywhere.
    Constant {
        /// That number.
        val: f32,
    },
    /// Each output channel is the input channel of its number, as long as there are such: a one in
    /// the middle of the kernel, zeros elsewhere.
    Dirac,
    /// For a first convolution: the eigenvectors of its patches' covariance, each divided by the root
    /// of its eigenvalue, so that the outputs are uncorrelated and of variance 1; then the same with
    /// the sign turned, as far as there are outputs. They come from data, with `init_from_data`; until
    /// then the weights are those of [`KaimingUniform`](Scheme::KaimingUniform). Page 2019,
    /// Jordan 2024.
    Whitening {
        /// Added to each eigenvalue, so that directions that hardly occur are not blown up.
        eps: f32,
    },
}

/// How a layer's parameters start, where its declaration says so.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Init {
    /// How the weight is drawn; as in the rest of the net if it is not said.
    pub weight: Option<Scheme>,
    /// A factor on the numbers that are drawn for the weight.
    pub gain: f32,
    /// How the bias is drawn; as the weight's scheme has it if it is not said.
    pub bias: Option<Scheme>,
}

impl Init {
    /// Nothing is said.
    pub const NONE: Init = Init { weight: None, gain: 1.0, bias: None };

    /// The weight by this scheme.
    pub const fn new(weight: Scheme) -> Init {
        Init { weight: Some(weight), ..Init::NONE }
    }

    /// The same with a factor on the weight.
    #[must_use]
    pub const fn gain(self, gain: f32) -> Init {
        Init { gain, ..self }
    }

    /// The same with a scheme for the bias.
    #[must_use]
    pub const fn bias(self, bias: Scheme) -> Init {
        Init { bias: Some(bias), ..self }
    }
}

/// The attributes of one layer.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Marks<'a> {
    /// The layer's node.
    pub node: usize,
    /// What weight files call it; its name if it is not said.
    pub file_name: Option<&'a str>,
    /// How its parameters start.
    pub init: Init,
    /// Whether it stays as it is: there is no code for its gradients, and a batch norm uses its
    /// running statistics.
    pub frozen: bool,
    /// Whether weight decay and regularisers leave out its weight and its bias.
    pub no_decay: [bool; 2],
}

impl<'a> Marks<'a> {
    /// No attributes.
    pub const fn of(node: usize) -> Marks<'a> {
        Marks { node, file_name: None, init: Init::NONE, frozen: false, no_decay: [false, false] }
    }

    /// `#[name("…")]`
    #[must_use]
    pub const fn named(self, file_name: &'a str) -> Marks<'a> {
        Marks { file_name: Some(file_name), ..self }
    }

    /// `#[init(…)]`
    #[must_use]
    pub const fn init(self, init: Init) -> Marks<'a> {
        Marks { init, ..self }
    }

    /// `#[frozen]`
    #[must_use]
    pub const fn frozen(self) -> Marks<'a> {
        Marks { frozen: true, ..self }
    }

    /// `#[no_decay]`, of the weight, the bias or both.
    #[must_use]
    pub const fn no_decay(self, weight: bool, bias: bool) -> Marks<'a> {
        Marks { no_decay: [weight, bias], ..self }
    }
}

impl<'a> Graph<'a> {
    /// The attributes of a node. As this runs in constants, where steps are slow, it halves the range
    /// in which they can be.
    pub const fn marks_of(&self, node: usize) -> Marks<'a> {
        let (mut low, mut high) = (0, self.marks.len());
        while low < high {
            let middle = (low + high) / 2;
            let found = self.marks[middle].node;
            if found == node {
                return self.marks[middle];
            }
            if found < node {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Marks::of(node)
    }

    /// What weight files call a node: `#[name("…")]`, or its name.
    pub const fn file_name(&self, node: usize) -> &'a str {
        match self.marks_of(node).file_name {
            Some(name) => name,
            None => self.nodes[node].name,
        }
    }

    /// Whether a node has parameters that training changes: it has some, and is not `#[frozen]`.
    pub const fn trains(&self, node: usize) -> bool {
        let tensors = self.nodes[node].op.tensors();
        !tensors.is_empty() && tensors[0].is_parameter() && !self.marks_of(node).frozen
    }

    /// Whether a tensor of a node counts for weight decay and regularisers as far as its attributes
    /// say.
    pub const fn decays(&self, node: usize, kind: TensorKind) -> bool {
        let [weight, bias] = self.marks_of(node).no_decay;
        match kind {
            TensorKind::Weight => !weight,
            TensorKind::Bias => !bias,
            TensorKind::RunningMean | TensorKind::RunningVar => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_node_finds_its_own_attributes() {
        for count in 0..7 {
            let marks: [Marks<'_>; 6] = core::array::from_fn(|i| Marks::of(3 * i + 1).frozen());
            let graph = Graph::new("Marked", &[]).with_marks(&marks[..count]);
            for node in 0..20 {
                let expected = marks[..count].iter().find(|marks| marks.node == node);
                let expected = expected.copied().unwrap_or(Marks::of(node));
                assert_eq!(graph.marks_of(node), expected);
            }
        }
    }
}
