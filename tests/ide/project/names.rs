use typenet::prelude::*;

network! {
    pub struct Shown: [1, 28, 28] -> [10] {
        //             ^ shows Channels of an image
        //                ^^ shows Rows of an image
        //                    ^^ shows Columns of an image
        //                            ^^ shows Numbers of a flat input or output
        conv1: conv2d(6, kernel = 5, padding = same), tanh,
        //^^^ has 2 places
        //     ^^^^^^ shows `[1, 28, 28]` → `[6, 28, 28]`, 156 parameters, 117,600 multiply-adds
        //               ^^^^^^ shows Argument of `conv2d`: second, pair; sides of the kernel
        //                           ^^^^^^^ shows zeros on each side; or `same`
        //                                     ^^^^ shows keeps height and width
        //                                            ^^^^ shows `[6, 28, 28]` → `[6, 28, 28]`
        max_pool2d(2, stride = 2),
        //^^^^^^^^ shows `[6, 28, 28]` → `[6, 14, 14]`
        //            ^^^^^^ shows steps between windows. Default: `kernel`
        skip: relu,
        //^^ has 2 places
        add(skip),
        flatten,
        fc: linear(10, bias = false),
        //             ^^^^ shows whether there is a bias. Default: `true`
        //  ^^^^^^ shows 11,760 parameters
    }
}

network! {
    pub struct Several: (image: [3, 8, 8], pose: [6]) -> (class: [10], bbox: [4]) {
        //                       ^ shows Channels of an image
        //                                        ^ shows Numbers of a flat
        //                                                        ^^ shows Numbers of a flat
        from(image), flatten, concat(pose), trunk: relu,
        class: linear(10),
        from(trunk), bbox: linear(4),
    }
}

/// Uses of its fields.
pub fn fields(net: &Shown) -> f32 {
    net.conv1.bias[0]
    //  ^^^^^ has 2 places
}
