//! The order of arguments without a name, in PyTorch and in Keras.

use super::words::Library;

const TORCH_CONV: &[&str] = &[
    "in_channels",
    "out_channels",
    "kernel_size",
    "stride",
    "padding",
    "dilation",
    "groups",
    "bias",
    "padding_mode",
    "device",
    "dtype",
];

const TORCH: &[(&str, &[&str])] = &[
    ("conv2d", TORCH_CONV),
    ("depthwise_conv2d", TORCH_CONV),
    (
        "conv_transpose2d",
        &[
            "in_channels",
            "out_channels",
            "kernel_size",
            "stride",
            "padding",
            "output_padding",
            "groups",
            "bias",
            "dilation",
            "padding_mode",
            "device",
            "dtype",
        ],
    ),
    ("linear", &["in_features", "out_features", "bias", "device", "dtype"]),
    (
        "batch_norm",
        &["num_features", "eps", "momentum", "affine", "track_running_stats", "device", "dtype"],
    ),
    ("layer_norm", &["normalized_shape", "eps", "elementwise_affine", "bias", "device", "dtype"]),
    ("group_norm", &["num_groups", "num_channels", "eps", "affine", "device", "dtype"]),
    (
        "max_pool2d",
        &["kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode"],
    ),
    (
        "avg_pool2d",
        &["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"],
    ),
    ("global_avg_pool", &["output_size"]),
    ("upsample", &["size", "scale_factor", "mode", "align_corners", "recompute_scale_factor"]),
    ("flatten", &["start_dim", "end_dim"]),
    ("relu", &["inplace"]),
    ("leaky_relu", &["negative_slope", "inplace"]),
    ("relu6", &["inplace"]),
    ("silu", &["inplace"]),
    ("hardswish", &["inplace"]),
    ("gelu", &["approximate"]),
    ("dropout", &["p", "inplace"]),
    ("softmax", &["dim"]),
    ("log_softmax", &["dim"]),
];

const KERAS: &[(&str, &[&str])] = &[
    (
        "conv2d",
        &[
            "filters",
            "kernel_size",
            "strides",
            "padding",
            "data_format",
            "dilation_rate",
            "groups",
            "activation",
            "use_bias",
        ],
    ),
    (
        "depthwise_conv2d",
        &[
            "kernel_size",
            "strides",
            "padding",
            "depth_multiplier",
            "data_format",
            "dilation_rate",
            "activation",
            "use_bias",
        ],
    ),
    (
        "conv_transpose2d",
        &[
            "filters",
            "kernel_size",
            "strides",
            "padding",
            "output_padding",
            "data_format",
            "dilation_rate",
            "activation",
            "use_bias",
        ],
    ),
    ("linear", &["units", "activation", "use_bias"]),
    ("batch_norm", &["axis", "momentum", "epsilon", "center", "scale"]),
    ("layer_norm", &["axis", "epsilon", "center", "scale"]),
    ("group_norm", &["groups", "axis", "epsilon", "center", "scale"]),
    ("max_pool2d", &["pool_size", "strides", "padding", "data_format"]),
    ("avg_pool2d", &["pool_size", "strides", "padding", "data_format"]),
    ("global_avg_pool", &["data_format", "keepdims"]),
    ("upsample", &["size", "data_format", "interpolation"]),
    ("flatten", &["data_format"]),
    ("relu", &["max_value", "negative_slope", "threshold"]),
    ("leaky_relu", &["negative_slope"]),
    ("dropout", &["rate", "noise_shape", "seed"]),
    ("scale", &["scale", "offset"]),
    ("softmax", &["axis"]),
    ("log_softmax", &["axis"]),
];

/// The names of a layer's arguments in a library's order.
pub(super) fn signature(library: Library, keyword: &str) -> &'static [&'static str] {
    let table = match library {
        Library::Torch => TORCH,
        Library::Keras => KERAS,
    };
    table.iter().find(|(word, _)| *word == keyword).map_or(&[], |(_, names)| *names)
}

#[cfg(test)]
mod tests {
    use super::super::words::{Meaning, meaning};
    use super::*;
    use crate::layers;

    #[test]
    fn every_name_has_a_meaning() {
        for (keyword, names) in TORCH.iter().chain(KERAS) {
            let layer = layers::find(keyword);
            assert!(layer.is_some(), "{keyword}");
            for (layer, name) in layer.iter().flat_map(|l| names.iter().map(move |n| (l, n))) {
                let special = super::super::special::is_special(layer, name);
                assert!(special || meaning(layer, name) != Meaning::Unknown, "{keyword}: {name}");
            }
        }
    }
}
