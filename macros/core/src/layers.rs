//! The table of layer kinds: keyword, arguments with defaults, and the operation they make.
//! A new layer is one entry here.

use typenet_shape::Op;

/// What an argument holds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// A whole number from 0.
    Count,
    /// Height and width: one number for both, or `(height, width)`.
    Pair,
    /// `true` or `false`.
    Flag,
    /// A number with or without a fraction.
    Number,
}

impl Kind {
    /// What a value of this kind is called in a message.
    pub fn expected(self) -> &'static str {
        match self {
            Kind::Count => "a whole number",
            Kind::Pair => "a whole number or a pair `(height, width)`",
            Kind::Flag => "`true` or `false`",
            Kind::Number => "a number",
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
            Given::Flag(flag) => write!(f, "{flag}"),
            Given::Number(number) => write!(f, "{number:?}"),
        }
    }
}

/// What an argument is when it is not written.
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
    /// What it holds.
    pub kind: Kind,
    /// What it is when it is not written.
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
    /// The operation for the values of all arguments, in their order.
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

fn flag(given: Given) -> bool {
    given == Given::Flag(true)
}

fn number(given: Given) -> f32 {
    if let Given::Number(number) = given { number } else { f32::NAN }
}

const BIAS: Argument = optional("bias", Kind::Flag, Given::Flag(true));
const KERNEL: Argument = required("kernel", Kind::Pair);
const PADDING: Argument = optional("padding", Kind::Pair, Given::Pair([0, 0]));
const POOL_STRIDE: Argument =
    Argument { name: "stride", kind: Kind::Pair, default: Default::SameAs("kernel") };

/// All kinds of layers.
pub static LAYERS: &[Layer] = &[
    Layer {
        keyword: "conv2d",
        arguments: &[
            required("out_channels", Kind::Count),
            KERNEL,
            optional("stride", Kind::Pair, Given::Pair([1, 1])),
            PADDING,
            optional("dilation", Kind::Pair, Given::Pair([1, 1])),
            optional("groups", Kind::Count, Given::Count(1)),
            BIAS,
        ],
        positional: 2,
        method: "conv2d",
        build: |given| Op::Conv2d {
            out_channels: count(given[0]),
            kernel: pair(given[1]),
            stride: pair(given[2]),
            padding: pair(given[3]),
            dilation: pair(given[4]),
            groups: count(given[5]),
            bias: flag(given[6]),
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
        keyword: "max_pool2d",
        arguments: &[KERNEL, POOL_STRIDE, PADDING],
        positional: 2,
        method: "max_pool2d",
        build: |given| Op::MaxPool2d {
            kernel: pair(given[0]),
            stride: pair(given[1]),
            padding: pair(given[2]),
        },
    },
    Layer {
        keyword: "avg_pool2d",
        arguments: &[
            KERNEL,
            POOL_STRIDE,
            PADDING,
            optional("count_include_pad", Kind::Flag, Given::Flag(true)),
        ],
        positional: 2,
        method: "avg_pool2d",
        build: |given| Op::AvgPool2d {
            kernel: pair(given[0]),
            stride: pair(given[1]),
            padding: pair(given[2]),
            count_include_pad: flag(given[3]),
        },
    },
    plain("global_avg_pool", "global_avg_pool", |_| Op::GlobalAvgPool),
    plain("flatten", "", |_| Op::Flatten),
    plain("relu", "activation", |_| Op::Relu),
    Layer {
        keyword: "leaky_relu",
        arguments: &[optional("negative_slope", Kind::Number, Given::Number(0.01))],
        positional: 1,
        method: "activation",
        build: |given| Op::LeakyRelu { negative_slope: number(given[0]) },
    },
    plain("sigmoid", "activation", |_| Op::Sigmoid),
    plain("tanh", "activation", |_| Op::Tanh),
    Layer {
        keyword: "dropout",
        arguments: &[optional("p", Kind::Number, Given::Number(0.5))],
        positional: 1,
        method: "dropout",
        build: |given| Op::Dropout { p: number(given[0]) },
    },
    plain("softmax", "softmax", |_| Op::Softmax),
];

const fn plain(keyword: &'static str, method: &'static str, build: fn(&[Given]) -> Op) -> Layer {
    Layer { keyword, arguments: &[], positional: 0, method, build }
}

/// The layer with this keyword.
pub fn find(keyword: &str) -> Option<&'static Layer> {
    LAYERS.iter().find(|layer| layer.keyword == keyword)
}

/// Words that will mean something in the language and do not yet.
pub const NOT_YET: &[&str] = &[
    "residual", "shortcut", "concat", "branch", "repeat", "block", "add", "mul", "from", "const",
    "same", "depthwise_conv2d", "conv_transpose2d", "batch_norm", "layer_norm", "group_norm",
    "reshape", "upsample", "scale", "gelu", "silu", "hardswish", "log_softmax",
];

/// Names that other libraries use, with ours.
pub const ALSO_KNOWN: &[(&str, &str)] = &[
    ("conv", "conv2d"),
    ("convolution", "conv2d"),
    ("dense", "linear"),
    ("fc", "linear"),
    ("fully_connected", "linear"),
    ("maxpool", "max_pool2d"),
    ("max_pool", "max_pool2d"),
    ("avgpool", "avg_pool2d"),
    ("average_pool", "avg_pool2d"),
    ("adaptive_avg_pool2d", "global_avg_pool"),
    ("gap", "global_avg_pool"),
    ("kernel_size", "kernel"),
    ("filters", "out_channels"),
    ("channels", "out_channels"),
    ("features", "out_features"),
    ("units", "out_features"),
    ("pad", "padding"),
    ("strides", "stride"),
    ("use_bias", "bias"),
    ("rate", "p"),
    ("slope", "negative_slope"),
    ("alpha", "negative_slope"),
];
