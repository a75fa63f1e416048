use typenet::prelude::*;

network! {
    /// A net with everything that has a name.
    pub struct Whole: [1, 28, 28] -> [10] {
        //     ^^^^^ shows A net with everything that has a name.
        const WIDTH: usize = 8;
        //    ^^^^^ shows const WIDTH: usize = 8
        /// Two convolutions.
        block basic(out, stride = 1) {
            //^^^^^ shows `block basic(out, stride = 1)`
            //^^^^^ shows Two convolutions.
            first: conv2d(out, kernel = 3, stride = stride, padding = 1), relu,
            //     ^^^^^^ shows 2-d convolution
            //^^^ shows [8, 14, 14]
            conv2d(out, kernel = 3, padding = 1),
        }
        conv1: conv2d(6, kernel = 5, padding = 2), relu,
        //     ^^^^^^ shows 2-d convolution
        //     ^^^^^^ leads to conv2d
        //^^^ shows [6, 28, 28]
        //                                         ^^^^ shows max(x, 0)
        //                                         ^^^^ leads to layers.rs
        pooled: max_pool2d(2),
        //      ^^^^^^^^^^ shows layers
        //^^^^ shows [6, 14, 14]
        stage: repeat(2) { basic(WIDTH) }
        //                 ^^^^^ shows Two convolutions.
        //                 ^^^^^ leads to block basic(out, stride = 1)
        //                       ^^^^^ leads to const WIDTH: usize = 8
        //                       ^^^^^ shows const WIDTH: usize = 8
        //     ^^^^^^ shows repeat(n)
        //^^^ shows repeat(2)
        //^^^ shows `[6, 14, 14]` → `[8, 14, 14]`
        around: residual { conv2d(WIDTH, kernel = 3, padding = 1) }
        //      ^^^^^^^^ shows the value that its layers arrive at
        //      ^^^^^^^^ leads to residual
        //^^^^ shows [8, 14, 14]
        back: conv2d(6, kernel = 1),
        tanh,
        add(back),
        //  ^^^^ shows `[8, 14, 14]` → `[6, 14, 14]`
        //  ^^^^ leads to back: conv2d(6, kernel = 1)
        add(pooled),
        //  ^^^^^^ shows `[6, 28, 28]` → `[6, 14, 14]`
        //  ^^^^^^ leads to pooled: max_pool2d(2)
        flatten,
        /// The last layer.
        fc: linear(10),
        //  ^^^^^^ leads to linear
        //^ shows `[1176]` → `[10]`
        //^ shows The last layer.
    }
}

/// Uses of its fields.
pub fn fields(net: &Whole) -> (f32, f32) {
    //               ^^^^^ shows `conv1`
    (net.conv1.bias[0], net.stage.1.basic_1.first.bias[0])
    //   ^^^^^ shows `[1, 28, 28]` → `[6, 28, 28]`
    //   ^^^^^ leads to conv1: conv2d(6
    //         ^^^^ shows bias
    //                                      ^^^^^ shows `[8, 14, 14]` → `[8, 14, 14]`
    //                                      ^^^^^ leads to first: conv2d(out
    //                      ^^^^^ leads to stage: repeat(2)
}
