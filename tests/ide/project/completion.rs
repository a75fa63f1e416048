use typenet::prelude::*;

/// What other nets and layers stand by.
pub mod sizes {
    pub const CLASSES: usize = 10;
}

network! {
    pub struct Trunk: [1, 8, 8] -> [4, 8, 8] {
        conv2d(4, kernel = 3, padding = 1),
    }
}

network! {
    pub struct AfterName: [1, 28, 28] -> [10] {
        conv1: con
        //        ^ offers conv2d, conv_transpose2d, concat, relu, not AfterName, arguments
    }
}

network! {
    pub struct NoWordYet: [1, 28, 28] -> [10] {
        conv1: 
        //     ^ offers conv2d, max_pool2d, residual
    }
}

network! {
    pub struct Alone: [1, 28, 28] -> [10] {
        fla
        // ^ offers flatten
    }
}

network! {
    pub struct Between: [1, 28, 28] -> [10] {
        conv1: conv2d(6, kernel = 5), 
        //                           ^ offers relu, batch_norm
        flatten, fc: linear(10),
    }
}

network! {
    pub struct Blocks: [1, 28, 28] -> [10] {
        const WIDTH: usize = 8;
        block basic(out, stride = 1) {
            conv2d(ou, kernel = 3, stride = st), re
            //       ^ offers out, WIDTH, out_channels
            //                                ^ offers out, stride, WIDTH
            //                                     ^ offers relu
        }
        first: bas
        //        ^ offers basic, batch_norm
        repeat(2) { conv2d(WI, kernel = 3, padding = 1), ma }
        //                   ^ offers WIDTH, not conv2d
        //                                                 ^ offers max_pool2d, basic
        residual { si } shortcut { ide }
        //           ^ offers sigmoid, silu
        //                            ^ offers conv2d
        concat { branch { av } }
        //                  ^ offers avg_pool2d
    }
}

network! {
    pub struct Arguments: [1, 28, 28] -> [10] {
        conv1: conv2d(6, kernel = 5, pad),
        //                              ^ offers padding, stride, dilation, groups, bias, not num_groups
        conv2: conv2d(),
        //            ^ offers out_channels, kernel
        conv3: conv2d(8, ),
        //               ^ offers kernel, padding
        conv4: conv2d(8, kernel = 3, padding = sa),
        //                                       ^ offers same, not padding
        conv5: conv2d(8, kernel = 3, padding = ),
        //                                     ^ offers same
        conv6: conv2d(8, kernel = 3, bias = fa),
        //                                    ^ offers false, true
        upsample(2, mode = bi),
        //                   ^ offers bilinear, nearest, not same
        gelu(approximate = ),
        //                 ^ offers tanh, none
        max_pool2d(2, ce),
        //              ^ offers ceil_mode
        group_norm(nu),
        //           ^ offers num_groups, eps
    }
}

network! {
    pub struct Values: (image: [1, 28, 28], pose: [6]) -> [10] {
        from(im), conv1: conv2d(6, kernel = 5), act: relu,
        //     ^ offers image, pose, not conv1
        add(con), flatten, late: tanh,
        //     ^ offers conv1, act, image, not late
        concat(),
        //     ^ offers late, pose, act
        mul(act, la)
        //         ^ offers late
    }
}

network! {
    pub struct Paths: [1, 8, self::sizes::CL] -> [10] {
        //                                  ^ offers CLASSES
        trunk: self::Tr
        //             ^ offers Trunk, Arguments
    }
}

network! {
    pub struct Bare: [1, 8, 8] -> [4, 8, 8] {
        trunk: Tru
        //        ^ offers Trunk
    }
}

network! {
    pub struct Generic<const CLASSES: usize>: [1, 8, 8] -> [CLA] {
        //                                                     ^ offers CLASSES
        flatten, linear(CLA), linear(sizes::CL),
        //                 ^ offers CLASSES, out_features, not relu
        //                                    ^ offers CLASSES
    }
}
