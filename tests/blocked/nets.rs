//! The nets of these tests.

use typenet::own::{Gradients, Layer, Parameters, Shape, ShapeError};
use typenet::prelude::*;

network! {
    /// Channels that are no whole blocks.
    pub struct Concats: [3, 9, 8] -> [36] {
        concat {
            branch { conv2d(5, kernel = 3, padding = 1), early: relu }
            branch { conv2d(20, kernel = 1), sigmoid }
            branch { max_pool2d(3, stride = 1, padding = 1) }
        }
        both: batch_norm, relu,
        concat(both, input),
        concat {
            branch { concat { branch { conv2d(16, kernel = 1) } branch { conv2d(9, kernel = 1) } } }
            branch { conv2d(7, kernel = 3, padding = 1), tanh }
        }
        global_avg_pool, all: silu, linear(4), concat(all), relu,
    }
}

network! {
    /// Whole blocks, which are computed where they belong, and some that are not.
    pub struct Dense: [3, 8, 8] -> [10] {
        conv2d(32, kernel = 3, padding = 1), a: relu,
        batch_norm, relu, conv2d(16, kernel = 3, padding = 1), b: relu,
        from(a), ab: concat(b),
        batch_norm, relu, conv2d(16, kernel = 1), c: tanh,
        from(ab), abc: concat(c),
        conv2d(16, kernel = 1), d: relu,
        from(abc), again: concat(a, d),
        add(again), concat(again), conv2d(20, kernel = 1), batch_norm, relu,
        global_avg_pool, linear(10),
    }
}

network! {
    pub struct Squeezed: [3, 12, 10] -> [6] {
        conv2d(24, kernel = 3, padding = 1), batch_norm, value: hardswish,
        global_avg_pool, linear(6), relu, linear(24), gate: sigmoid,
        from(value), gated: mul(gate),
        avg_pool2d((12, 10)), conv2d(24, kernel = 1), second: sigmoid,
        from(gated), mul(second, value, gate), conv2d(40, kernel = 1), wide: relu,
        mul(wide), depthwise_conv2d(kernel = 3, multiplier = 2), gelu,
        global_avg_pool, features: scale(0.5), mul(features), linear(6),
    }
}

network! {
    /// The same numbers in blocks of other channels.
    pub struct Orders: [6, 4, 5] -> [20] {
        first: conv2d(12, kernel = 3, padding = 1), flat: flatten,
        from(first), reshape([20, 4, 3]), conv2d(20, kernel = 1), relu, flatten,
        add(flat), sum: tanh, group_norm(4), normed: relu,
        from(sum), batch_norm, layer_norm, mul(normed, flat), reshape([48, 5, 1]), relu,
        max_pool2d((2, 1), stride = (1, 1)), reshape([12, 4, 4]), upsample(2), avg_pool2d(2),
        reshape([16, 12, 1]), layer_norm, softmax, reshape([192]), softmax, log_softmax,
        reshape([24, 2, 4]), conv_transpose2d(9, kernel = 3, stride = 2), group_norm(3), silu,
        flatten, linear(20), reshape([20, 1, 1]), flatten,
    }
}

network! {
    /// Other orders where channels meet factors, and where the input itself is read.
    pub struct Turned: [4, 6, 6] -> [9] {
        turned: reshape([9, 4, 4]),
        global_avg_pool, gate: leaky_relu(0.1),
        from(turned), mul(gate), a: conv2d(9, kernel = 1), flatten, reshape([36, 2, 2]),
        global_avg_pool, linear(36), factors: sigmoid,
        from(a), reshape([36, 4, 1]), mul(factors), reshape([9, 16, 1]), softmax, global_avg_pool,
    }
}

network! {
    /// What adds an image as it came; the same numbers twice among the heads, in two orders.
    pub struct Added: [3, 8, 8] -> (map: [3, 8, 8], flat: [192], again: [192]) {
        conv2d(3, kernel = 3, padding = 1), add(input), map: relu, flat: flatten, again: reshape([192]),
    }
}

network! {
    pub struct Inner: [20, 6, 5] -> [13, 6, 5] { conv2d(13, kernel = 3, padding = 1), relu6 }
}

/// `2 x`
#[allow(unreachable_pub)] // As the nets that it is part of.
pub struct Double;

#[typenet::layer]
impl Double {
    const fn output(self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(input)
    }
}

impl Layer for Double {
    fn forward(&self, _: Shape, _: Parameters<'_>, x: &[f32], y: &mut [f32]) {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = 2.0 * x);
    }
    fn backward(
        &self,
        _: Shape,
        _: Parameters<'_>,
        _: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        _: Gradients<'_>,
    ) {
        dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx = 2.0 * dy);
    }
    fn reference(&self, _: Shape, _: Parameters<'_, f64>, x: &[f64], y: &mut [f64]) {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = 2.0 * x);
    }
}

network! {
    /// What reads the input itself; a net and an own layer between; heads in every order.
    pub struct Outer: (image: [20, 6, 5], pose: [20], plane: [4, 5, 6]) -> (
        map: [13, 6, 5], pose_again: [20], flat: [120], class: [7],
    ) {
        from(pose), pose_again: flatten,
        from(image), scale(2), a: relu6,
        from(image), group_norm(5), b: relu,
        from(image), batch_norm, add(a, b, image), mul(pose), self::Inner, map: self::Double,
        depthwise_conv2d(kernel = 3), dropout, flatten, linear(30), trunk: relu,
        from(plane), reshape([30, 4, 1]), max_pool2d((2, 1)), flat_map: flatten,
        from(plane), layer_norm(affine = false), flat: reshape([120]),
        concat(trunk, flat_map, pose), class: linear(7),
    }
}

network! {
    /// Layers of many weights behind others of few, so that the images of a batch go through them together;
    /// values of the first half that are read in the second.
    pub struct Heavy: [3, 20, 18] -> [40] {
        conv2d(24, kernel = 3, stride = 2, padding = 1), early: relu,
        conv2d(24, kernel = 3, padding = 1), add(early), both: relu,
        concat(early), conv2d(160, kernel = 3, stride = 2, padding = 1), relu,
        residual {
            conv2d(160, kernel = 3, padding = 1), batch_norm, relu,
            conv2d(160, kernel = 3, padding = 1, bias = false), batch_norm,
        }
        wide: relu, global_avg_pool, linear(160), gate: sigmoid,
        from(wide), mul(gate),
        concat { branch { conv2d(200, kernel = 3) } branch { conv2d(9, kernel = 3), group_norm(3) } }
        layer_norm, max_pool2d(3, stride = 2), upsample(2), depthwise_conv2d(kernel = 2), softmax,
        flatten, concat(gate), linear(300), tanh, linear(40), early_again: scale(3),
        from(both), global_avg_pool, linear(40), add(early_again), self::Double,
    }
}

network! {
    pub struct Groups: [6, 7, 9] -> [5] {
        conv2d(12, kernel = 3, padding = 1, groups = 3), batch_norm, first: relu,
        conv2d(10, kernel = 3, stride = 2, groups = 2), relu6,
        conv_transpose2d(12, kernel = 3, stride = 2, groups = 2, output_padding = (0, 0)), batch_norm,
        add(first), relu,
        depthwise_conv2d(kernel = 3, multiplier = 3), gelu(approximate = tanh),
        conv2d(36, kernel = 1, groups = 36), leaky_relu,
        conv2d(64, kernel = 5, groups = 4, padding = same, bias = false), hardswish,
        group_norm(8), global_avg_pool, log_softmax, linear(5),
    }
}

network! {
    /// So little work for an image that groups of 16 are cheaper; a few left over are not.
    pub struct Small: [1, 28, 28] -> [10] {
        conv2d(6, kernel = 5), relu, max_pool2d(2), conv2d(16, kernel = 5), relu, max_pool2d(2),
        flatten, linear(120), relu, linear(10),
    }
}

network! {
    /// Convolutions of 1×1 with a stride and much work: of the input, of groups, of a value.
    pub struct Strided: [140, 16, 30] -> [6] {
        conv2d(128, kernel = 1, stride = 2), relu,
        conv2d(512, kernel = 1, groups = 2, stride = (1, 2)), batch_norm, relu,
        conv2d(600, kernel = 1, stride = (2, 1)), tanh,
        global_avg_pool, linear(6),
    }
}

network! {
    /// Norms that the convolution behind them applies to what it reads.
    pub struct Thin: [36, 6, 5] -> [33, 3, 3] {
        batch_norm(affine = false), leaky_relu(0.2),
        conv2d(33, kernel = 1, stride = 2), batch_norm, relu6,
        depthwise_conv2d(kernel = 3, padding = 1), batch_norm, last: relu,
    }
}

network! {
    /// More of them, with strides, several outputs a channel and sums, next to norms that are stored.
    pub struct Applied: [3, 12, 10] -> [7] {
        conv2d(18, kernel = 3, padding = 1), batch_norm,
        depthwise_conv2d(kernel = 5, stride = 2, padding = 2, multiplier = 2), batch_norm, relu,
        residual { conv2d(36, kernel = 1, bias = false), batch_norm, relu, conv2d(36, kernel = 1) }
        residual { batch_norm, relu, conv2d(36, kernel = 1) }
        residual { batch_norm, relu6, depthwise_conv2d(kernel = 3, padding = 1) }
        self::Thin,
        conv2d(40, kernel = 1), batch_norm(momentum = 0.3), both: relu,
        conv2d(40, kernel = 1), early: batch_norm,
        from(both), conv2d(33, kernel = 1), batch_norm, relu, #[frozen] fixed: conv2d(40, kernel = 1), late: relu,
        from(early), conv2d(40, kernel = 1), batch_norm, add(both, late), relu,
        global_avg_pool, linear(7),
    }
}

network! {
    /// Groups that are no whole blocks, and add their input's gradient to another.
    pub struct Divided: [3, 7, 9] -> [5] {
        conv2d(12, kernel = 3, padding = 1), first: relu,
        conv2d(12, kernel = 3, padding = 1, groups = 2), add(first), second: relu,
        conv2d(12, kernel = 3, padding = 1, groups = 4), add(second), relu,
        global_avg_pool, linear(5),
    }
}
