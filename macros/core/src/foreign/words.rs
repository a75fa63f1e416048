//! What other libraries call layers and arguments.

use crate::layers::{self, ARGUMENTS_ELSEWHERE, LAYERS, LAYERS_ELSEWHERE, Layer};

/// The names that code gives the value that runs through a net.
pub const DATA: &[&str] = &[
    "x", "y", "z", "h", "xs", "input", "inputs", "img", "image", "images", "data", "tensor",
    "logits", "residual", "identity", "self", "vs",
];

/// The words at the start of a path into another library.
const LIBRARIES: &[&str] = &[
    "nn",
    "torch",
    "tch",
    "F",
    "functional",
    "layers",
    "keras",
    "tf",
    "tensorflow",
    "burn",
    "candle",
    "candle_nn",
    "flax",
    "linen",
    "jax",
    "dfdx",
    "typenet",
    "L",
    "tfl",
];

/// Whether a path begins in another library.
pub fn is_library(word: &str) -> bool {
    LIBRARIES.contains(&word)
}

/// More words for our layers, in lower case without `_`.
const MORE_LAYERS: &[(&str, &str)] = &[
    ("conv2dlayer", "conv2d"),
    ("maxpool2dlayer", "max_pool2d"),
    ("globalaveragepool2d", "global_avg_pool"),
    ("globalavgpool2d", "global_avg_pool"),
    ("globalaveragepool", "global_avg_pool"),
    ("globalaveragepooling", "global_avg_pool"),
    ("batchnorm1d", "batch_norm"),
    ("spatialdropout2d", "dropout"),
    ("lazyconv2d", "conv2d"),
    ("lazylinear", "linear"),
    ("lazybatchnorm2d", "batch_norm"),
    ("convtranspose2d", "conv_transpose2d"),
    ("conv2dtransposed", "conv_transpose2d"),
    ("softmax2d", "softmax"),
    ("adaptivemaxpool2d", "max_pool2d"),
    ("adaptivemaxpool", "max_pool2d"),
    ("globalmaxpooling2d", "max_pool2d"),
    ("globalmaxpool2d", "max_pool2d"),
];

/// What joins values elsewhere, in lower case without `_`, and here.
pub const JOINS_ELSEWHERE: &[(&str, &str)] = &[
    ("cat", "concat"),
    ("concat", "concat"),
    ("concatenate", "concat"),
    ("add", "add"),
    ("multiply", "mul"),
    ("mul", "mul"),
];

/// Layers of other libraries that are near to one of ours by their name alone, with what to do.
const NOT_HERE: &[(&str, &str)] = &[
    ("prelu", "its slope is learnt; `leaky_relu(0.25)` has a slope that stays"),
    ("rrelu", "its slope is random; `leaky_relu(0.23)` has a slope that stays"),
    ("elu", OWN),
    ("selu", OWN),
    ("celu", OWN),
    ("glu", OWN),
    ("mish", OWN),
    ("softplus", OWN),
    ("softsign", OWN),
    ("hardsigmoid", OWN),
    ("hardtanh", OWN),
    ("logsigmoid", OWN),
    ("softmin", OWN),
    (
        "conv1d",
        "`conv2d` takes images; a row of numbers is an image of height 1: `[channels, 1, width]`",
    ),
    ("conv3d", "`conv2d` takes images of two dimensions"),
    ("maxpool1d", "`max_pool2d((1, 2))` pools an image of height 1"),
    ("maxpool3d", "`max_pool2d` takes images of two dimensions"),
    ("avgpool1d", "`avg_pool2d((1, 2))` pools an image of height 1"),
    ("avgpool3d", "`avg_pool2d` takes images of two dimensions"),
    ("bilinear", "`upsample(2, mode = bilinear)` enlarges an image"),
    ("input", HEADER),
    ("inputlayer", HEADER),
    ("separableconv2d", SEPARABLE),
    ("separableconv", SEPARABLE),
    ("depthwiseseparableconv", SEPARABLE),
    ("depthwiseseparableconv2d", SEPARABLE),
    ("rnn", SEQUENCE),
    ("lstm", SEQUENCE),
    ("gru", SEQUENCE),
    ("embedding", SEQUENCE),
    ("multiheadattention", SEQUENCE),
    ("transformer", SEQUENCE),
    ("transformerencoder", SEQUENCE),
    ("transformerencoderlayer", SEQUENCE),
    ("instancenorm", INSTANCE),
    ("instancenorm2d", INSTANCE),
    ("localresponsenorm", OWN),
    ("zeropad2d", PADDING),
    ("zeropadding2d", PADDING),
    ("reflectionpad2d", PADDING),
    ("replicationpad2d", PADDING),
    ("identity", "it does nothing: leave it out"),
    ("pixelshuffle", ENLARGE),
    ("maxunpool2d", ENLARGE),
    ("fractionalmaxpool2d", "`max_pool2d` has windows of one size"),
    ("lppool2d", OWN),
    ("unfold", OWN),
    ("fold", OWN),
    ("lambda", OWN),
    ("gaussiannoise", OWN),
    ("permute", "channels come first, and stay there"),
    ("modulelist", "`repeat(3) { … }` repeats layers, each time with weights of its own"),
];

const SEPARABLE: &str =
    "it is two layers: `depthwise_conv2d(3, padding = 1), conv2d(32, kernel = 1)`, say";
const SEQUENCE: &str = "there are layers for images and for features, and none for sequences";
const INSTANCE: &str = "`group_norm(16, affine = false)` on 16 channels is the same";
const PADDING: &str = "convolutions and poolings have an argument `padding`, of zeros";
const ENLARGE: &str = "`conv_transpose2d` and `upsample` enlarge an image";

const HEADER: &str = "the header gives the input's shape: leave this line out";
const OWN: &str = "a layer of your own can compute it: `#[typenet::layer]`";

/// What to do about a layer that is not here, if it is one that others have.
pub fn not_here(word: &str) -> Option<&'static str> {
    let plain = plain(word);
    NOT_HERE.iter().find(|(other, _)| *other == plain).map(|&(_, what)| what)
}

/// A word in lower case without `_`.
pub fn plain(word: &str) -> String {
    word.to_lowercase().replace('_', "")
}

/// Our keyword for a word of another library, or for ours in other letters.
pub fn keyword(word: &str) -> Option<&'static str> {
    let plain = plain(word);
    // Burn's `Conv2dConfig`.
    let plain = plain.strip_suffix("config").unwrap_or(&plain);
    let own = LAYERS.iter().map(|layer| layer.keyword).find(|own| own.replace('_', "") == plain);
    let elsewhere = || {
        let all = LAYERS_ELSEWHERE.iter().chain(MORE_LAYERS);
        all.filter(|(other, _)| *other == plain).map(|&(_, ours)| ours).next()
    };
    own.or_else(elsewhere)
}

/// Whether a word is another library's, and takes more than numbers there.
pub fn is_elsewhere(word: &str) -> bool {
    matches!(plain(word).as_str(), "activation") || keyword(word).is_some()
}

/// Which library a word is of.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Library {
    Torch,
    Keras,
}

/// Layers by the names that Keras alone has.
const KERAS_LAYERS: &[&str] = &[
    "Conv2D",
    "Convolution2D",
    "SeparableConv2D",
    "DepthwiseConv2D",
    "Conv2DTranspose",
    "Dense",
    "MaxPooling2D",
    "MaxPool2D",
    "AveragePooling2D",
    "AvgPool2D",
    "GlobalAveragePooling2D",
    "GlobalAvgPool2D",
    "GlobalMaxPooling2D",
    "GlobalMaxPool2D",
    "BatchNormalization",
    "LayerNormalization",
    "GroupNormalization",
    "UpSampling2D",
    "Rescaling",
    "Reshape",
    "Activation",
];

/// Arguments by the names that Keras alone has.
const KERAS_ARGUMENTS: &[&str] = &[
    "filters",
    "units",
    "strides",
    "pool_size",
    "use_bias",
    "rate",
    "epsilon",
    "activation",
    "axis",
    "dilation_rate",
    "depth_multiplier",
    "input_shape",
    "data_format",
    "kernel_initializer",
    "center",
    "max_value",
    "interpolation",
    "alpha",
    "target_shape",
    "input_dim",
];

/// Whether Keras alone has a layer by this name.
pub(super) fn is_keras(word: &str) -> bool {
    KERAS_LAYERS.contains(&word)
}

/// Which library a layer's word and its named arguments are of.
pub(super) fn library_of<'k>(word: &str, keys: impl Iterator<Item = &'k str>) -> Library {
    let mut keys = keys;
    let keras = is_keras(word) || keys.any(|key| KERAS_ARGUMENTS.contains(&key));
    if keras { Library::Keras } else { Library::Torch }
}

/// More names for our arguments.
const MORE_ARGUMENTS: &[(&str, &str)] = &[
    ("output_channels", "out_channels"),
    ("out_planes", "out_channels"),
    ("out_features", "out_channels"),
    ("out_channels", "out_features"),
    ("num_filters", "out_channels"),
    ("n_filters", "out_channels"),
    ("nb_filter", "out_channels"),
    ("out_dim", "out_features"),
    ("output_dim", "out_features"),
    ("output_size", "out_features"),
    ("out_size", "out_features"),
    ("num_units", "out_features"),
    ("filter_size", "kernel"),
    ("ksize", "kernel"),
    ("kernel_shape", "kernel"),
    ("k", "kernel"),
    ("s", "stride"),
    ("pads", "padding"),
    ("dilations", "dilation"),
    ("num_groups", "groups"),
    ("feature_group_count", "groups"),
    ("with_bias", "bias"),
    ("channel_multiplier", "multiplier"),
    ("drop_rate", "p"),
    ("dropout", "p"),
    ("drop_prob", "p"),
    ("leak", "negative_slope"),
    ("leakiness", "negative_slope"),
    ("variance_epsilon", "eps"),
    ("learnable", "affine"),
    ("target_shape", "shape"),
    ("unflattened_size", "shape"),
    ("dims", "shape"),
];

/// What another library's argument is here.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Meaning {
    /// One of the layer's own arguments, by its name here.
    Own(&'static str),
    /// One of the layer's own, under another name.
    Renamed(&'static str),
    /// Perhaps one of the layer's own, misspelt.
    Near(&'static str),
    /// What the layer knows from the one before it.
    Before,
    /// An activation behind the layer.
    Activation,
    /// The layer's name.
    Name,
    /// Nothing: why it is not needed, and what is left out where it says more than the usual.
    Nothing(&'static str, &'static str),
    /// No library has it.
    Unknown,
}

/// What the layer knows from the one before it, in words.
pub(super) fn from_before(layer: &Layer) -> &'static str {
    match layer.keyword {
        "linear" => "its input features",
        "layer_norm" => "its shape",
        "batch_norm" | "group_norm" => "its channels",
        _ => "its input channels",
    }
}

const BEFORE: &[&str] = &[
    "in_channels",
    "in_features",
    "in_planes",
    "in_dim",
    "in_size",
    "input_dim",
    "input_size",
    "input_channels",
    "num_features",
    "num_channels",
    "normalized_shape",
    "n_features",
    "in_",
    "num_inputs",
    "in_chan",
    "inplanes",
    "features_in",
];

/// What no argument is needed for: the name, why, and what is left out where it says more.
const NOT_NEEDED: &[(&str, &str, &str)] = &[
    ("inplace", "memory is laid out when the net is compiled", ""),
    ("device", "nets run on the CPU", ""),
    ("dtype", "numbers are `f32`", ""),
    ("data_format", "channels come first", ""),
    ("input_shape", "the header gives the input's shape", ""),
    ("batch_input_shape", "the header gives the input's shape", ""),
    ("padding_mode", "padding is of zeros", "padding is always of zeros"),
    ("return_indices", "it gives the largest values alone", "its indices are not to be had"),
    ("divisor_override", "the divisor is the size of the window", "the divisor stays what it is"),
    ("count_include_pad", "it has no border to count", ""),
    ("track_running_stats", "running statistics are always kept", ""),
    ("training", "training and prediction call it in their own ways", ""),
    ("seed", "the trainer has the seed", ""),
    ("noise_shape", "each number is dropped by itself", "each number is dropped by itself"),
    ("recompute_scale_factor", "the factor is what is given", ""),
    ("antialias", "it does not smooth", ""),
    ("dim", "it always takes the channels or features", ""),
    ("axis", "it always takes the channels or features", ""),
    ("start_dim", "the batch is no dimension here", ""),
    ("end_dim", "the batch is no dimension here", ""),
    ("keepdims", "it always gives `[channels]`", ""),
    ("output_size", "it always gives one number a channel", ""),
    ("offset", "it has no offset", "an offset is not to be had"),
    ("threshold", "it begins at 0", "it always begins at 0"),
    ("kernel_initializer", INIT, ""),
    ("bias_initializer", INIT, ""),
    ("depthwise_initializer", INIT, ""),
    ("beta_initializer", INIT, ""),
    ("gamma_initializer", INIT, ""),
    ("moving_mean_initializer", INIT, ""),
    ("moving_variance_initializer", INIT, ""),
    ("kernel_regularizer", DECAY, ""),
    ("bias_regularizer", DECAY, ""),
    ("activity_regularizer", DECAY, ""),
    ("depthwise_regularizer", DECAY, ""),
    ("beta_regularizer", DECAY, ""),
    ("gamma_regularizer", DECAY, ""),
    ("kernel_constraint", "weights have no constraints", ""),
    ("bias_constraint", "weights have no constraints", ""),
    ("depthwise_constraint", "weights have no constraints", ""),
    ("trainable", "`#[frozen]` before a layer keeps it as it is", ""),
    ("requires_grad", "`#[frozen]` before a layer keeps it as it is", ""),
];

const INIT: &str = "`#[init(…)]` before a layer says how it begins";
const DECAY: &str = "the optimiser has the weight decay";

/// What another library's argument is for this layer.
pub(super) fn meaning(layer: &Layer, name: &str) -> Meaning {
    if let Some(index) = layer.position(name) {
        return Meaning::Own(layer.arguments[index].name);
    }
    let find = |table: &[(&str, &'static str)]| {
        table
            .iter()
            .find(|(other, ours)| *other == name && layer.position(ours).is_some())
            .and_then(|(_, ours)| layer.position(ours))
    };
    let renamed = find(ARGUMENTS_ELSEWHERE).or_else(|| find(MORE_ARGUMENTS));
    let needless = || NOT_NEEDED.iter().find(|(other, ..)| *other == name);
    if let Some(index) = renamed {
        return Meaning::Renamed(layer.arguments[index].name);
    }
    match name {
        "activation" | "act" | "activation_fn" | "nonlinearity" => return Meaning::Activation,
        "name" => return Meaning::Name,
        _ if BEFORE.contains(&name) => return Meaning::Before,
        _ => {}
    }
    if let Some((_, why, lost)) = needless() {
        return Meaning::Nothing(why, lost);
    }
    let names = layer.arguments.iter().map(|argument| argument.name);
    match crate::mistake::nearest(name, names).and_then(|near| layer.position(near)) {
        Some(index) => Meaning::Near(layer.arguments[index].name),
        None => Meaning::Unknown,
    }
}

/// Whether another library's layers have an argument of this name.
pub fn is_argument(layer: &Layer, name: &str) -> bool {
    !matches!(meaning(layer, name), Meaning::Own(_) | Meaning::Near(_) | Meaning::Unknown)
}

/// The layer that an activation's name stands for.
pub(super) fn activation(name: &str) -> Option<&'static str> {
    const ACTIVATIONS: &[&str] = &[
        "relu",
        "relu6",
        "leaky_relu",
        "sigmoid",
        "tanh",
        "gelu",
        "silu",
        "hardswish",
        "softmax",
        "log_softmax",
    ];
    let name: String = name.chars().filter(|letter| !" ()".contains(*letter)).collect();
    let last = name.rsplit(['.', ':']).next().unwrap_or_default();
    let keyword = keyword(last)?;
    layers::find(keyword).map(|layer| layer.keyword).filter(|word| ACTIVATIONS.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_other_libraries_lead_to_words_of_ours() {
        for (_, ours) in MORE_LAYERS {
            assert!(layers::find(ours).is_some(), "{ours}");
        }
        for (_, ours) in MORE_ARGUMENTS {
            assert!(LAYERS.iter().any(|layer| layer.position(ours).is_some()), "{ours}");
        }
        for (word, _) in NOT_HERE {
            assert_eq!(keyword(word), None, "{word}");
        }
    }

    #[test]
    fn activations_are_found_by_all_their_names() {
        let names =
            ["relu", "ReLU", "nn . ReLU ()", "tf . nn . relu", "swish", "leaky_relu", "linear"];
        let found = names.map(activation);
        let relu = Some("relu");
        assert_eq!(found, [relu, relu, relu, relu, Some("silu"), Some("leaky_relu"), None]);
    }
}
