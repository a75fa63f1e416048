//! The table of layer kinds: keyword, arguments with defaults, and the operation that they build. A new layer
//! is one entry here.

use typenet_shape::{Approximate, Interpolation, Op, Padding, Shape};

/// What kind of value an argument takes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// A whole number from 0.
    Count,
    /// Height and width: one number for both, or `(height, width)`.
    Pair,
    /// As [`Kind::Pair`], or the word `same`.
    Padding,
    /// A shape: `[channels, height, width]` or `[features]`.
    Shape,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A number with or without a fraction.
    Number,
}

impl Kind {
    /// What a value of this kind is called in a message.
    pub fn expected(self) -> String {
        match self {
            Kind::Count => "a whole number".into(),
            Kind::Pair => "a whole number or a pair `(height, width)`".into(),
            Kind::Padding => "a whole number, a pair `(height, width)` or `same`".into(),
            Kind::Shape => "`[channels, height, width]` or `[features]`".into(),
            Kind::Word(words) => {
                words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
            }
            Kind::Flag => "`true` or `false`".into(),
            Kind::Number => "a number".into(),
        }
    }

    /// The words that such an argument takes.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Kind::Padding => &["same"],
            Kind::Word(words) => words,
            _ => &[],
        }
    }

    /// Some value of this kind.
    pub(crate) fn any(self) -> Given {
        match self {
            Kind::Count => Given::Count(1),
            Kind::Pair | Kind::Padding => Given::Pair([1, 1]),
            Kind::Shape => Given::Shape(Shape::new(&[1])),
            Kind::Word(words) => Given::Word(words.first().unwrap_or(&"")),
            Kind::Flag => Given::Flag(true),
            Kind::Number => Given::Number(0.0),
        }
    }
}

/// The value of an argument.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Given {
    /// A whole number.
    Count(usize),
    /// Height and width.
    Pair([usize; 2]),
    /// A shape.
    Shape(Shape),
    /// A word.
    Word(&'static str),
    /// `true` or `false`.
    Flag(bool),
    /// A number.
    Number(f32),
}

impl std::fmt::Display for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Given::Count(count) => write!(f, "{count}"),
            Given::Pair([height, width]) if height == width => write!(f, "{height}"),
            Given::Pair([height, width]) => write!(f, "({height}, {width})"),
            Given::Shape(shape) => write!(f, "{shape}"),
            Given::Word(word) => f.write_str(word),
            Given::Flag(flag) => write!(f, "{flag}"),
            Given::Number(number) => write!(f, "{number:?}"),
        }
    }
}

/// The value of an argument that is not written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Default {
    /// It must be written.
    Required,
    /// This value.
    Value(Given),
    /// The value of another argument.
    SameAs(&'static str),
}

/// One argument of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// Its name, as PyTorch has it.
    pub name: &'static str,
    /// What kind of value it takes.
    pub kind: Kind,
    /// Its value where it is not written.
    pub default: Default,
}

/// One kind of layer.
#[derive(Debug)]
pub struct Layer {
    /// The keyword.
    pub keyword: &'static str,
    /// Its arguments in positional order.
    pub arguments: &'static [Argument],
    /// How many of them may be written without their name.
    pub positional: usize,
    /// The method of the passes that runs it; empty for layers that need no call.
    pub method: &'static str,
    /// Builds the operation from the values of all arguments, in their order.
    pub build: fn(&[Given]) -> Op,
}

const fn required(name: &'static str, kind: Kind) -> Argument {
    Argument { name, kind, default: Default::Required }
}

const fn optional(name: &'static str, kind: Kind, value: Given) -> Argument {
    Argument { name, kind, default: Default::Value(value) }
}

fn count(given: Given) -> usize {
    if let Given::Count(count) = given { count } else { 0 }
}

fn pair(given: Given) -> [usize; 2] {
    if let Given::Pair(pair) = given { pair } else { [0, 0] }
}

fn padding(given: Given) -> Padding {
    match given {
        Given::Word(_) => Padding::Same,
        given => Padding::Zeros(pair(given)),
    }
}

fn approximate(given: Given) -> Approximate {
    if given == Given::Word("tanh") { Approximate::Tanh } else { Approximate::None }
}

fn interpolation(given: Given) -> Interpolation {
    if given == Given::Word("bilinear") { Interpolation::Bilinear } else { Interpolation::Nearest }
}

fn shape(given: Given) -> Shape {
    if let Given::Shape(shape) = given { shape } else { Shape::new(&[]) }
}

fn flag(given: Given) -> bool {
    given == Given::Flag(true)
}

fn number(given: Given) -> f32 {
    if let Given::Number(number) = given { number } else { f32::NAN }
}

const BIAS: Argument = optional("bias", Kind::Flag, Given::Flag(true));
const KERNEL: Argument = required("kernel", Kind::Pair);
const PADDING: Argument = optional("padding", Kind::Pair, Given::Pair([0, 0]));
const CONV_PADDING: Argument = optional("padding", Kind::Padding, Given::Pair([0, 0]));
const STRIDE: Argument = optional("stride", Kind::Pair, Given::Pair([1, 1]));
const DILATION: Argument = optional("dilation", Kind::Pair, Given::Pair([1, 1]));
const AFFINE: Argument = optional("affine", Kind::Flag, Given::Flag(true));
const EPS: Argument = optional("eps", Kind::Number, Given::Number(1e-5));
const CEIL_MODE: Argument = optional("ceil_mode", Kind::Flag, Given::Flag(false));
const POOL_STRIDE: Argument =
    Argument { name: "stride", kind: Kind::Pair, default: Default::SameAs("kernel") };

/// All kinds of layers.
pub static LAYERS: &[Layer] = &[
    Layer {
        keyword: "conv2d",
        arguments: &[
            required("out_channels", Kind::Count),
            KERNEL,
            STRIDE,
            CONV_PADDING,
            DILATION,
            optional("groups", Kind::Count, Given::Count(1)),
            BIAS,
        ],
        positional: 2,
        method: "conv2d",
        build: |given| Op::Conv2d {
            out_channels: count(given[0]),
            kernel: pair(given[1]),
            stride: pair(given[2]),
            padding: padding(given[3]),
            dilation: pair(given[4]),
            groups: count(given[5]),
            bias: flag(given[6]),
        },
    },
    Layer {
        keyword: "depthwise_conv2d",
        arguments: &[
            KERNEL,
            STRIDE,
            CONV_PADDING,
            DILATION,
            optional("multiplier", Kind::Count, Given::Count(1)),
            BIAS,
        ],
        positional: 1,
        method: "conv2d",
        build: |given| Op::DepthwiseConv2d {
            kernel: pair(given[0]),
            stride: pair(given[1]),
            padding: padding(given[2]),
            dilation: pair(given[3]),
            multiplier: count(given[4]),
            bias: flag(given[5]),
        },
    },
    Layer {
        keyword: "conv_transpose2d",
        arguments: &[
            required("out_channels", Kind::Count),
            KERNEL,
            STRIDE,
            PADDING,
            optional("output_padding", Kind::Pair, Given::Pair([0, 0])),
            optional("groups", Kind::Count, Given::Count(1)),
            BIAS,
            DILATION,
        ],
        positional: 2,
        method: "conv_transpose2d",
        build: |given| Op::ConvTranspose2d {
            out_channels: count(given[0]),
            kernel: pair(given[1]),
            stride: pair(given[2]),
            padding: pair(given[3]),
            output_padding: pair(given[4]),
            groups: count(given[5]),
            bias: flag(given[6]),
            dilation: pair(given[7]),
        },
    },
    Layer {
        keyword: "linear",
        arguments: &[required("out_features", Kind::Count), BIAS],
        positional: 1,
        method: "linear",
        build: |given| Op::Linear { out_features: count(given[0]), bias: flag(given[1]) },
    },
    Layer {
        keyword: "batch_norm",
        arguments: &[AFFINE, optional("momentum", Kind::Number, Given::Number(0.1)), EPS],
        positional: 0,
        method: "batch_norm",
        build: |given| Op::BatchNorm {
            affine: flag(given[0]),
            momentum: number(given[1]),
            eps: number(given[2]),
        },
    },
    Layer {
        keyword: "layer_norm",
        arguments: &[AFFINE, EPS],
        positional: 0,
        method: "group_norm",
        build: |given| Op::LayerNorm { affine: flag(given[0]), eps: number(given[1]) },
    },
    Layer {
        keyword: "group_norm",
        arguments: &[required("num_groups", Kind::Count), AFFINE, EPS],
        positional: 1,
        method: "group_norm",
        build: |given| Op::GroupNorm {
            num_groups: count(given[0]),
            affine: flag(given[1]),
            eps: number(given[2]),
        },
    },
    Layer {
        keyword: "max_pool2d",
        arguments: &[KERNEL, POOL_STRIDE, PADDING, CEIL_MODE],
        positional: 2,
        method: "max_pool2d",
        build: |given| Op::MaxPool2d {
            kernel: pair(given[0]),
            stride: pair(given[1]),
            padding: pair(given[2]),
            ceil_mode: flag(given[3]),
        },
    },
    Layer {
        keyword: "avg_pool2d",
        arguments: &[
            KERNEL,
            POOL_STRIDE,
            PADDING,
            CEIL_MODE,
            optional("count_include_pad", Kind::Flag, Given::Flag(true)),
        ],
        positional: 2,
        method: "avg_pool2d",
        build: |given| Op::AvgPool2d {
            kernel: pair(given[0]),
            stride: pair(given[1]),
            padding: pair(given[2]),
            ceil_mode: flag(given[3]),
            count_include_pad: flag(given[4]),
        },
    },
    plain("global_avg_pool", "global_avg_pool", |_| Op::GlobalAvgPool),
    Layer {
        keyword: "upsample",
        arguments: &[
            optional("scale_factor", Kind::Pair, Given::Pair([2, 2])),
            optional("mode", Kind::Word(&["nearest", "bilinear"]), Given::Word("nearest")),
            optional("align_corners", Kind::Flag, Given::Flag(false)),
        ],
        positional: 1,
        method: "upsample",
        build: |given| Op::Upsample {
            scale_factor: pair(given[0]),
            mode: interpolation(given[1]),
            align_corners: flag(given[2]),
        },
    },
    plain("flatten", "", |_| Op::Flatten),
    Layer {
        keyword: "reshape",
        arguments: &[required("shape", Kind::Shape)],
        positional: 1,
        method: "",
        build: |given| Op::Reshape { shape: shape(given[0]) },
    },
    plain("relu", "activation", |_| Op::Relu),
    Layer {
        keyword: "leaky_relu",
        arguments: &[optional("negative_slope", Kind::Number, Given::Number(0.01))],
        positional: 1,
        method: "activation",
        build: |given| Op::LeakyRelu { negative_slope: number(given[0]) },
    },
    plain("relu6", "activation", |_| Op::Relu6),
    plain("sigmoid", "activation", |_| Op::Sigmoid),
    plain("tanh", "activation", |_| Op::Tanh),
    Layer {
        keyword: "gelu",
        arguments: &[optional("approximate", Kind::Word(&["none", "tanh"]), Given::Word("none"))],
        positional: 0,
        method: "activation",
        build: |given| Op::Gelu { approximate: approximate(given[0]) },
    },
    plain("silu", "activation", |_| Op::Silu),
    plain("hardswish", "activation", |_| Op::Hardswish),
    Layer {
        keyword: "dropout",
        arguments: &[optional("p", Kind::Number, Given::Number(0.5))],
        positional: 1,
        method: "dropout",
        build: |given| Op::Dropout { p: number(given[0]) },
    },
    Layer {
        keyword: "scale",
        arguments: &[required("factor", Kind::Number)],
        positional: 1,
        method: "scale",
        build: |given| Op::Scale { factor: number(given[0]) },
    },
    plain("softmax", "softmax", |_| Op::Softmax),
    plain("log_softmax", "log_softmax", |_| Op::LogSoftmax),
];

const fn plain(keyword: &'static str, method: &'static str, build: fn(&[Given]) -> Op) -> Layer {
    Layer { keyword, arguments: &[], positional: 0, method, build }
}

impl Layer {
    /// The position of the argument with this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.arguments.iter().position(|argument| argument.name == name)
    }

    /// Such a layer, with some arguments.
    pub fn any(&self) -> Op {
        let any: Vec<Given> = self.arguments.iter().map(|argument| argument.kind.any()).collect();
        (self.build)(&any)
    }

    /// Whether such layers can have parameters.
    pub fn has_parameters(&self) -> bool {
        self.any().has_parameters()
    }

    /// An example of such a layer with its required arguments: `conv2d(16, kernel = 3)`.
    pub fn example(&self) -> String {
        let needed = self.arguments.iter().filter(|a| a.default == Default::Required);
        let needed: Vec<String> = needed
            .enumerate()
            .map(|(i, argument)| match (i, argument.kind) {
                (0, Kind::Pair) if self.keyword.ends_with("pool2d") => "2".to_string(),
                (0, Kind::Shape) => "[16, 4, 4]".to_string(),
                (0, Kind::Number) => "0.5".to_string(),
                (0, Kind::Count) => "16".to_string(),
                _ => format!("{} = 3", argument.name),
            })
            .collect();
        if needed.is_empty() {
            self.keyword.to_string()
        } else {
            format!("{}({})", self.keyword, needed.join(", "))
        }
    }
}

/// The layer with this keyword.
pub fn find(keyword: &str) -> Option<&'static Layer> {
    LAYERS.iter().find(|layer| layer.keyword == keyword)
}

/// The layers that read several values: the current one, then those that they name.
pub static JOINS: &[Layer] = &[
    plain("add", "add", |_| Op::Add),
    plain("mul", "mul", |_| Op::Mul),
    plain("concat", "concat", |_| Op::Concat),
];

/// The layer of [`JOINS`] with this keyword.
pub fn find_join(keyword: &str) -> Option<&'static Layer> {
    JOINS.iter().find(|layer| layer.keyword == keyword)
}

/// The words that read values by name.
pub const FLOW: &[&str] = &["add", "mul", "concat", "from"];

/// The words that braces follow.
pub const STRUCTURES: &[&str] = &["residual", "shortcut", "concat", "branch", "repeat"];

/// The words of the language. They cannot name anything.
pub const RESERVED: &[&str] = &[
    "residual", "shortcut", "concat", "branch", "repeat", "block", "add", "mul", "from", "const",
    "same",
];

/// What other libraries call a layer, in lower case without `_`, with our keyword.
pub const LAYERS_ELSEWHERE: &[(&str, &str)] = &[
    ("conv", "conv2d"),
    ("convolution", "conv2d"),
    ("convolution2d", "conv2d"),
    ("dense", "linear"),
    ("fc", "linear"),
    ("fullyconnected", "linear"),
    ("affine", "linear"),
    ("maxpool", "max_pool2d"),
    ("maxpooling2d", "max_pool2d"),
    ("pool", "max_pool2d"),
    ("avgpool", "avg_pool2d"),
    ("averagepool", "avg_pool2d"),
    ("averagepooling2d", "avg_pool2d"),
    ("meanpool", "avg_pool2d"),
    ("adaptiveavgpool2d", "global_avg_pool"),
    ("adaptiveavgpool", "global_avg_pool"),
    ("globalaveragepooling2d", "global_avg_pool"),
    ("gap", "global_avg_pool"),
    ("lrelu", "leaky_relu"),
    ("logistic", "sigmoid"),
    ("dropout2d", "dropout"),
    ("batchnorm2d", "batch_norm"),
    ("batchnormalization", "batch_norm"),
    ("bn", "batch_norm"),
    ("layernormalization", "layer_norm"),
    ("groupnormalization", "group_norm"),
    ("depthwiseconv", "depthwise_conv2d"),
    ("convtranspose", "conv_transpose2d"),
    ("conv2dtranspose", "conv_transpose2d"),
    ("transposedconv2d", "conv_transpose2d"),
    ("deconv", "conv_transpose2d"),
    ("deconv2d", "conv_transpose2d"),
    ("deconvolution2d", "conv_transpose2d"),
    ("upsampling2d", "upsample"),
    ("upsamplingnearest2d", "upsample"),
    ("upsamplingbilinear2d", "upsample"),
    ("interpolate", "upsample"),
    ("resize", "upsample"),
    ("rescaling", "scale"),
    ("swish", "silu"),
    ("hswish", "hardswish"),
    ("view", "reshape"),
    ("unflatten", "reshape"),
];

/// What other libraries call an argument, with our names for it.
pub const ARGUMENTS_ELSEWHERE: &[(&str, &str)] = &[
    ("kernel_size", "kernel"),
    ("size", "kernel"),
    ("window", "kernel"),
    ("pool_size", "kernel"),
    ("out", "out_channels"),
    ("filters", "out_channels"),
    ("channels", "out_channels"),
    ("out", "out_features"),
    ("features", "out_features"),
    ("units", "out_features"),
    ("pad", "padding"),
    ("strides", "stride"),
    ("dilation_rate", "dilation"),
    ("use_bias", "bias"),
    ("rate", "p"),
    ("prob", "p"),
    ("probability", "p"),
    ("slope", "negative_slope"),
    ("alpha", "negative_slope"),
    ("epsilon", "eps"),
    ("groups", "num_groups"),
    ("elementwise_affine", "affine"),
    ("depth_multiplier", "multiplier"),
    ("size", "scale_factor"),
    ("scale", "scale_factor"),
    ("interpolation", "mode"),
    ("approximation", "approximate"),
    ("scale", "factor"),
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use typenet_shape::Argument as ShapeArgument;

    #[test]
    fn every_entry_makes_the_operation_of_its_keyword() {
        for layer in LAYERS {
            let any: Vec<Given> = layer.arguments.iter().map(|a| a.kind.any()).collect();
            assert_eq!((layer.build)(&any).kind(), layer.keyword);
            assert_eq!(layer.has_parameters(), !(layer.build)(&any).tensors().is_empty());
        }
    }

    /// A rule of `typenet-shape` names an argument; the table must have it under that name.
    #[test]
    fn arguments_have_the_names_that_the_rules_use() {
        for layer in LAYERS {
            for argument in layer.arguments {
                let rule = ShapeArgument::ALL.iter().any(|rule| rule.name() == argument.name);
                let free = matches!(argument.kind, Kind::Flag | Kind::Word(_));
                assert!(rule || free, "{}", argument.name);
            }
        }
    }

    #[test]
    fn words_of_other_libraries_lead_to_words_of_ours() {
        for (_, ours) in LAYERS_ELSEWHERE {
            assert!(find(ours).is_some(), "{ours}");
        }
        for (_, ours) in ARGUMENTS_ELSEWHERE {
            assert!(LAYERS.iter().any(|layer| layer.position(ours).is_some()), "{ours}");
        }
    }

    #[test]
    fn examples_have_what_a_layer_needs() {
        let pool = find("max_pool2d").unwrap();
        assert_eq!(pool.example(), "max_pool2d(2)");
        assert_eq!(find("conv2d").unwrap().example(), "conv2d(16, kernel = 3)");
        assert_eq!(find("depthwise_conv2d").unwrap().example(), "depthwise_conv2d(kernel = 3)");
        assert_eq!(find("scale").unwrap().example(), "scale(0.5)");
        assert_eq!(find("relu").unwrap().example(), "relu");
    }
}
