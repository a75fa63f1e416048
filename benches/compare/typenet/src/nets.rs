//! The five nets of the comparison.

use typenet::prelude::*;

network! {
    pub struct Mlp: [1, 28, 28] -> [10] {
        flatten,
        fc1: linear(256), relu,
        fc2: linear(128), relu,
        fc3: linear(10),
    }
}

network! {
    /// LeNet-5 without padding.
    pub struct LeNet5: [1, 28, 28] -> [10] {
        conv1: conv2d(6, kernel = 5), relu,
        max_pool2d(2),
        conv2: conv2d(16, kernel = 5), relu,
        max_pool2d(2),
        flatten,
        fc1: linear(120), relu,
        fc2: linear(84), relu,
        fc3: linear(10),
    }
}

network! {
    pub struct Vgg6: [3, 32, 32] -> [10] {
        block pair(out) {
            conv2d(out, kernel = 3, padding = 1), relu,
            conv2d(out, kernel = 3, padding = 1), relu,
            max_pool2d(2),
        }

        pair(32),
        pair(64),
        pair(128),
        flatten,
        linear(128), relu,
        linear(10),
    }
}

network! {
    pub struct ResNet20: [3, 32, 32] -> [10] {
        block same_size(out) {
            residual {
                conv2d(out, kernel = 3, padding = 1, bias = false), batch_norm, relu,
                conv2d(out, kernel = 3, padding = 1, bias = false), batch_norm,
            }
            relu,
        }
        block halved(out) {
            residual {
                conv2d(out, kernel = 3, stride = 2, padding = 1, bias = false), batch_norm, relu,
                conv2d(out, kernel = 3, padding = 1, bias = false), batch_norm,
            } shortcut {
                conv2d(out, kernel = 1, stride = 2, bias = false), batch_norm,
            }
            relu,
        }

        conv2d(16, kernel = 3, padding = 1, bias = false), batch_norm, relu,
        repeat(3) { same_size(16) }
        halved(32), same_size(32), same_size(32),
        halved(64), same_size(64), same_size(64),
        global_avg_pool,
        linear(10),
    }
}

network! {
    /// Depthwise-separable blocks, as in MobileNet.
    pub struct Separable: [3, 32, 32] -> [10] {
        block separable(out, stride = 1) {
            depthwise_conv2d(kernel = 3, stride = stride, padding = 1, bias = false), batch_norm, relu,
            conv2d(out, kernel = 1, bias = false), batch_norm, relu,
        }

        conv2d(32, kernel = 3, padding = 1, bias = false), batch_norm, relu,
        separable(64),
        separable(128, stride = 2),
        separable(128),
        separable(256, stride = 2),
        separable(256),
        global_avg_pool,
        linear(10),
    }
}
