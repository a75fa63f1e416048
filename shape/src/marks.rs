//! What a declaration says of a layer beside what it computes: its attributes.

/// How weights are drawn. `U(±a)` is uniform between `−a` and `a`, `N(0, s²)` normal with standard
/// deviation `s`; `fan_in` is the number of inputs that an output sums up, `fan_out` that of outputs
/// that an input reaches, times the kernel's area. Biases start at zero, except in
/// [`PyTorchDefault`](Scheme::PyTorchDefault). Norms start with weight 1 and bias 0 in every scheme,
/// unless an attribute at the norm itself says otherwise.
///
/// In a declaration, attributes such as `#[init(kaiming_normal)]` set the scheme of a layer, or of all layers
/// between a pair of braces.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
#[non_exhaustive]
pub enum Scheme {
    /// `U(±√(6 / fan_in))`, of variance `2 / fan_in`: keeps the size of the values from layer to
    /// layer where `relu` drops half of them (gain `√2`). He, Zhang, Ren and Sun 2015. The default.
    #[default]
    KaimingUniform,
    /// `N(0, 2 / fan_in)`: as [`KaimingUniform`](Scheme::KaimingUniform), but normally distributed.
    KaimingNormal,
    /// `U(±√(6 / fan_out))`: keeps the size of the gradients backward. PyTorch's `mode="fan_out"`.
    KaimingUniformFanOut,
    /// `N(0, 2 / fan_out)`: what torchvision's residual nets start from.
    KaimingNormalFanOut,
    /// `U(±√(6 / (fan_in + fan_out)))`, of variance `2 / (fan_in + fan_out)`: a compromise between
    /// keeping the size of values forward and of gradients backward, for `tanh` and `sigmoid`
    /// (gain 1). Glorot and Bengio 2010.
    XavierUniform,
    /// `N(0, 2 / (fan_in + fan_out))`: as [`XavierUniform`](Scheme::XavierUniform), but normally distributed.
    XavierNormal,
    /// Weights and biases `U(±1 / √fan_in)`, as PyTorch's `Linear` and `Conv2d` draw them. Its
    /// `ConvTranspose2d` takes `out_channels / groups · kernel height · kernel width` for `fan_in`.
    PyTorchDefault,
    /// The weight, seen as a matrix with one row for each output, has orthonormal rows, or orthonormal columns
    /// where it has more rows than columns. Saxe, McClelland and Ganguli 2014.
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
    /// Each output channel copies the input channel of the same number, as far as there is one: a one in the
    /// middle of the kernel, zeros elsewhere.
    Dirac,
    /// For a first convolution: the eigenvectors of the covariance of its input patches, each divided by the
    /// root of its eigenvalue. So the outputs are uncorrelated and of variance 1. Further outputs take the same
    /// eigenvectors with the sign flipped. The weights come from data, with `init_from_data`; until then they
    /// are those of [`KaimingUniform`](Scheme::KaimingUniform). Page 2019, Jordan 2024.
    Whitening {
        /// Added to each eigenvalue, so that directions that hardly occur are not blown up.
        eps: f32,
    },
}

/// How a layer's parameters start, where its declaration says so.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Init {
    /// The scheme of the weight; `None` for that of the rest of the net.
    pub weight: Option<Scheme>,
    /// A factor for the numbers that are drawn for the weight.
    pub gain: f32,
    /// The scheme of the bias; `None` for what the weight's scheme gives it.
    pub bias: Option<Scheme>,
}

impl Init {
    /// No scheme is given.
    pub const NONE: Init = Init { weight: None, gain: 1.0, bias: None };

    /// Draws the weight by this scheme.
    pub const fn new(weight: Scheme) -> Init {
        Init { weight: Some(weight), ..Init::NONE }
    }

    /// The same with a factor for the weight.
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
    /// Its name in weight files; `None` for the name in the declaration.
    pub file_name: Option<&'a str>,
    /// How its parameters start.
    pub init: Init,
    /// Whether its parameters stay as they are: there is no code for their gradients, and a batch norm uses its
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
