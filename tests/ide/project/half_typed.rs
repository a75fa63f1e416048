use typenet::prelude::*;

network! {
    pub struct Half: [1, 28, 28] -> [10] {
        conv1: conv2d(6, kernel = 5), relu,
        //     ^^^^^^ shows 2-d convolution
        //^^^ shows [6, 24, 24]
        act: tanh,
        //^ shows [6, 24, 24]
        conv2: conv2d(
        //     ^^^^^^ shows 2-d convolution
    }
}

network! {
    pub struct Dotted: [1, 28, 28] -> [10] {
        conv1: conv2d(6, kernel = 5), relu,
        //     ^^^^^^ shows 2-d convolution
        //^^^ shows [6, 24, 24]
        conv2: conv2d(8, ker
        //     ^^^^^^ shows 2-d convolution
    }
}

network! {
    pub struct Misspelt: [1, 28, 28] -> [10] {
        conv1: conv2d(6, kernel = 5), rel,
        //     ^^^^^^ shows 2-d convolution
        //^^^ shows [6, 24, 24]
        max_pool2d(2), flatten, fc: linear(1
        //                          ^^^^^^ shows linear
    }
}

network! {
    pub struct Early: [1, 28, 28] -> [10] {
        conv1: conv2d(6, kernel = 5), relu,
        //     ^^^^^^ shows 2-d convolution
        //^^^ shows [6, 24, 24]
        conv2: 
    }
}

network! {
    pub struct Missing: [1, 28, 28] -> [10] {
        conv1: conv2d(6, kernel = 5) relu
        //     ^^^^^^ shows 2-d convolution
        //^^^ shows [6, 24, 24]
        fc: linear(10),
        //  ^^^^^^ shows linear
    }
}

/// A field of a net that is half typed.
pub fn field(net: &Half) -> f32 {
    net.conv1.bias[0]
    //  ^^^^^ shows `[1, 28, 28]` → `[6, 24, 24]`
    //  ^^^^^ leads to conv1: conv2d(6
}
