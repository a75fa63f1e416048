//! What an editor shows and completes of arguments. Written from the tables in `layers.rs` by the test
//! `macros/core/tests/arguments.rs`; the compiler never reads it.

pub mod conv2d {
    /// Argument of `conv2d`: first; channels of the output. Has no default.
    pub struct out_channels;
    /// Argument of `conv2d`: second, pair; sides of the kernel. Has no default.
    pub struct kernel;
    /// Argument of `conv2d`: pair; steps between windows. Default: 1.
    pub struct stride;
    /// Argument of `conv2d`: pair, zeros on each side; or `same`, which keeps height and width (stride 1). Default: 0.
    pub struct padding;
    /// Argument of `conv2d`: pair, distance between taps. Default: 1.
    pub struct dilation;
    /// Argument of `conv2d`: divides both channel counts. Default: 1.
    pub struct groups;
    /// Argument of `conv2d`: whether there is a bias. Default: `true`.
    pub struct bias;
}
pub mod depthwise_conv2d {
    /// Argument of `depthwise_conv2d`: first, pair; sides of the kernel. Has no default.
    pub struct kernel;
    /// Argument of `depthwise_conv2d`: pair; steps between windows. Default: 1.
    pub struct stride;
    /// Argument of `depthwise_conv2d`: pair, zeros on each side; or `same`, which keeps height and width (stride 1). Default: 0.
    pub struct padding;
    /// Argument of `depthwise_conv2d`: pair, distance between taps. Default: 1.
    pub struct dilation;
    /// Argument of `depthwise_conv2d`: output channels for each input channel. Default: 1.
    pub struct multiplier;
    /// Argument of `depthwise_conv2d`: whether there is a bias. Default: `true`.
    pub struct bias;
}
pub mod conv_transpose2d {
    /// Argument of `conv_transpose2d`: first; channels of the output. Has no default.
    pub struct out_channels;
    /// Argument of `conv_transpose2d`: second, pair; sides of the kernel. Has no default.
    pub struct kernel;
    /// Argument of `conv_transpose2d`: pair; steps between windows. Default: 1.
    pub struct stride;
    /// Argument of `conv_transpose2d`: pair, cut off on each side. Default: 0.
    pub struct padding;
    /// Argument of `conv_transpose2d`: pair, less than `stride` or `dilation`: how much longer the output is, below and on the right. Default: 0.
    pub struct output_padding;
    /// Argument of `conv_transpose2d`: divides both channel counts. Default: 1.
    pub struct groups;
    /// Argument of `conv_transpose2d`: whether there is a bias. Default: `true`.
    pub struct bias;
    /// Argument of `conv_transpose2d`: pair, distance between taps. Default: 1.
    pub struct dilation;
}
pub mod linear {
    /// Argument of `linear`: first; features of the output. Has no default.
    pub struct out_features;
    /// Argument of `linear`: whether there is a bias. Default: `true`.
    pub struct bias;
}
pub mod batch_norm {
    /// Argument of `batch_norm`: whether there are `weight` and `bias`. Default: `true`.
    pub struct affine;
    /// Argument of `batch_norm`: share of the new batch, 0 to 1. Default: 0.1.
    pub struct momentum;
    /// Argument of `batch_norm`: above 0. Default: 1e-5.
    pub struct eps;
}
pub mod layer_norm {
    /// Argument of `layer_norm`: whether there are `weight` and `bias` (PyTorch's `elementwise_affine`). Default: `true`.
    pub struct affine;
    /// Argument of `layer_norm`: above 0. Default: 1e-5.
    pub struct eps;
}
pub mod group_norm {
    /// Argument of `group_norm`: first; divides the channels. Has no default.
    pub struct num_groups;
    /// Argument of `group_norm`: whether there are `weight` and `bias`. Default: `true`.
    pub struct affine;
    /// Argument of `group_norm`: above 0. Default: 1e-5.
    pub struct eps;
}
pub mod max_pool2d {
    /// Argument of `max_pool2d`: first, pair; sides of the window. Has no default.
    pub struct kernel;
    /// Argument of `max_pool2d`: second, pair; steps between windows. Default: `kernel`.
    pub struct stride;
    /// Argument of `max_pool2d`: pair, at most half the kernel. Default: 0.
    pub struct padding;
    /// Argument of `max_pool2d`: round sizes up. Default: `false`.
    pub struct ceil_mode;
}
pub mod avg_pool2d {
    /// Argument of `avg_pool2d`: first, pair; sides of the window. Has no default.
    pub struct kernel;
    /// Argument of `avg_pool2d`: second, pair; steps between windows. Default: `kernel`.
    pub struct stride;
    /// Argument of `avg_pool2d`: pair, zeros, at most half the kernel. Default: 0.
    pub struct padding;
    /// Argument of `avg_pool2d`: round sizes up. Default: `false`.
    pub struct ceil_mode;
    /// Argument of `avg_pool2d`: count the zeros of the border in the average. Default: `true`.
    pub struct count_include_pad;
}
pub mod global_avg_pool {}
pub mod upsample {
    /// Argument of `upsample`: first, pair, whole numbers. Default: 2.
    pub struct scale_factor;
    /// Argument of `upsample`: `nearest` or `bilinear`. Default: `nearest`.
    pub struct mode;
    /// Argument of `upsample`: with `bilinear`: the corners of both images, rather than their edges, lie on one another. Default: `false`.
    pub struct align_corners;
}
pub mod flatten {}
pub mod reshape {
    /// Argument of `reshape`: first; `[channels, height, width]` or `[features]`, of as many numbers. Has no default.
    pub struct shape;
}
pub mod relu {}
pub mod leaky_relu {
    /// Argument of `leaky_relu`: first, 0 or more. Default: 0.01.
    pub struct negative_slope;
}
pub mod relu6 {}
pub mod sigmoid {}
pub mod tanh {}
pub mod gelu {
    /// Argument of `gelu`: `none`, or `tanh`. Default: `none`.
    pub struct approximate;
}
pub mod silu {}
pub mod hardswish {}
pub mod dropout {
    /// Argument of `dropout`: first, `0 ≤ p < 1`. Default: 0.5.
    pub struct p;
}
pub mod scale {
    /// Argument of `scale`: first, a finite number, which is not trained. Has no default.
    pub struct factor;
}
pub mod softmax {}
pub mod log_softmax {}
pub mod dimensions {
    /// Channels of an image: 1 for grey values, 3 for colours.
    pub struct channels;
    /// Rows of an image.
    pub struct height;
    /// Columns of an image.
    pub struct width;
    /// Numbers of a flat input or output; the classes, where a net classifies.
    pub struct features;
}
pub mod words {
    pub mod conv2d {
        pub mod padding {
            /// `padding` of `conv2d`: pair, zeros on each side; or `same`, which keeps height and width (stride 1).
            pub struct same;
        }
    }
    pub mod depthwise_conv2d {
        pub mod padding {
            /// `padding` of `depthwise_conv2d`: pair, zeros on each side; or `same`, which keeps height and width (stride 1).
            pub struct same;
        }
    }
    pub mod upsample {
        pub mod mode {
            /// `mode` of `upsample`: `nearest` or `bilinear`.
            pub struct nearest;
            /// `mode` of `upsample`: `nearest` or `bilinear`.
            pub struct bilinear;
        }
    }
    pub mod gelu {
        pub mod approximate {
            /// `approximate` of `gelu`: `none`, or `tanh`.
            pub struct none;
            /// `approximate` of `gelu`: `none`, or `tanh`.
            pub struct tanh;
        }
    }
}
