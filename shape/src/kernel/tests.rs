//! Which kernels are chosen.

use super::*;

const PASSES: [Conv2dPass; 3] =
    [Conv2dPass::Forward, Conv2dPass::BackwardData, Conv2dPass::BackwardWeight];

fn conv(input: [usize; 3], out_channels: usize, kernel: usize) -> Conv2d {
    let padding = [kernel / 2; 2];
    Conv2d { padding, ..Conv2d::new(Shape::new(&input), out_channels, [kernel, kernel]) }
}

#[test]
fn wide_layers_of_3x3_are_transformed() {
    for (channels, size) in [(16, 32), (32, 16), (64, 8), (128, 8), (256, 14)] {
        let g = conv([channels, size, size], channels, 3);
        for pass in PASSES {
            assert_eq!(Conv2dKernel::choose(&g, pass), Conv2dKernel::Winograd4, "{g:?}");
        }
    }
}

#[test]
fn wide_layers_of_1x1_are_products_of_matrices() {
    let g = conv([64, 8, 8], 32, 1);
    let halved = Conv2d { stride: [2, 2], ..g };
    for pass in PASSES {
        assert_eq!(Conv2dKernel::choose(&g, pass), Conv2dKernel::Gemm);
        // Places that nothing reads have a gradient too.
        let spread = pass == Conv2dPass::BackwardData;
        let expected = if spread { Conv2dKernel::Direct } else { Conv2dKernel::Gemm };
        assert_eq!(Conv2dKernel::choose(&halved, pass), expected);
    }
    let padded = Conv2d { padding: [1, 0], ..g };
    assert_eq!(Conv2dKernel::choose(&padded, Conv2dPass::Forward), Conv2dKernel::Direct);
}

#[test]
fn one_image_is_transformed_too() {
    for (channels, size) in [(16, 32), (32, 16), (64, 8), (256, 14)] {
        let g = conv([channels, size, size], channels, 3);
        assert_eq!(Conv2dKernel::choose_for_one(&g), Conv2dKernel::Winograd4, "{g:?}");
    }
    let g = conv([64, 16, 16], 64, 3);
    for g in [
        conv([64, 1, 1], 64, 3),
        conv([64, 16, 16], 64, 1),
        Conv2d { stride: [2, 2], ..g },
        Conv2d { groups: 64, ..g },
    ] {
        assert_eq!(Conv2dKernel::choose_for_one(&g), Conv2dKernel::Direct, "{g:?}");
    }
}

#[test]
fn batches_are_transformed_but_where_the_weights_are_larger_than_the_images() {
    for pass in PASSES {
        for (channels, size) in [(64, 56), (128, 28)] {
            let g = conv([channels, size, size], channels, 3);
            let kernel = Conv2dKernel::choose_for_images(&g, pass, 8);
            assert_eq!(kernel, Conv2dKernel::Winograd4, "{g:?}");
        }
        let g = conv([512, 7, 7], 512, 3);
        let kernel = Conv2dKernel::choose_for_images(&g, pass, 1);
        assert_eq!(kernel, Conv2dKernel::Direct);
        let strided = Conv2d { stride: [2, 2], ..g };
        assert_eq!(Conv2dKernel::choose_for_images(&strided, pass, 8), Conv2dKernel::Direct);
    }
}

#[test]
fn gradients_that_are_too_large_are_not_transformed() {
    let g = conv([512, 7, 7], 512, 3);
    assert_eq!(Conv2dKernel::choose(&g, Conv2dPass::Forward), Conv2dKernel::Winograd4);
    assert_eq!(Conv2dKernel::choose(&g, Conv2dPass::BackwardWeight), Conv2dKernel::Direct);
}

#[test]
fn tiles_that_stand_half_out_are_small() {
    let g = conv([64, 6, 6], 64, 3);
    assert_eq!(Conv2dKernel::choose(&g, Conv2dPass::Forward), Conv2dKernel::Winograd2);
    let g = conv([64, 1, 1], 64, 3);
    assert_eq!(Conv2dKernel::choose(&g, Conv2dPass::Forward), Conv2dKernel::Direct);
}

#[test]
fn other_convolutions_are_direct() {
    let g = conv([64, 16, 16], 64, 3);
    for g in [
        conv([64, 16, 16], 64, 7),
        conv([16, 16, 16], 64, 1),
        Conv2d { kernel: [3, 5], ..g },
        Conv2d { stride: [1, 2], ..g },
        Conv2d { dilation: [2, 1], ..g },
        Conv2d { groups: 64, ..g },
        conv([1, 28, 28], 1, 3),
    ] {
        for pass in PASSES {
            assert_eq!(Conv2dKernel::choose(&g, pass), Conv2dKernel::Direct, "{g:?}");
        }
    }
    let wrong = Conv2d { groups: 3, ..g };
    assert_eq!(Conv2dKernel::choose(&wrong, Conv2dPass::Forward), Conv2dKernel::Direct);
    assert_eq!(Conv2dKernel::Winograd4.cost(&wrong, Conv2dPass::Forward), u64::MAX);
    assert_eq!(Conv2dKernel::Winograd4.scratch_len(&wrong, Conv2dPass::Forward), 0);
}

#[test]
fn taps_in_the_padding_are_not_counted() {
    for (stride, dilation, padding, size) in
        [(1, 1, 1, 5), (2, 1, 0, 7), (1, 2, 4, 3), (3, 2, 2, 8), (1, 1, 5, 1)]
    {
        let g = Conv2d {
            stride: [stride; 2],
            dilation: [dilation; 2],
            padding: [padding; 2],
            ..conv([1, size, size], 1, 3)
        };
        let output = g.output().expect("a geometry that fits");
        let mut expected = 0;
        for i in 0..output.dim(1) {
            for tap in 0..3 {
                let at = i * stride + tap * dilation;
                expected += u64::from(at >= padding && at < padding + size);
            }
        }
        assert_eq!(taps_inside(&g, output, 0), expected, "{g:?}");
    }
}

#[test]
fn blocks_of_tiles_are_even_pairs_that_fit_the_cache() {
    for (channels, size, together) in
        [(16, 1, 1), (16, 4, 1), (16, 12, 6), (16, 32, 8), (64, 16, 4), (512, 7, 2), (3, 20, 8)]
    {
        let g = conv([channels, size, size], 16, 3);
        let tiling = Conv2dKernel::Winograd4.tiling(&g, Conv2dPass::Forward);
        assert_eq!(tiling.map(|tiling| tiling.together), Some(together), "{g:?}");
    }
}

#[test]
fn taps_fill_the_lanes_that_few_channels_leave_empty() {
    let lanes = |g: &Conv2d| TapsInLanes::new(g).map(|lanes| (lanes.taps, lanes.blocks));
    let g = conv([6, 12, 12], 16, 5);
    assert_eq!(lanes(&g), Some((2, 3)));
    assert_eq!(lanes(&conv([3, 32, 32], 32, 7)), Some((5, 2)));
    assert_eq!(lanes(&conv([8, 32, 32], 32, 3)), Some((2, 2)));
    for g in [
        conv([9, 12, 12], 16, 5),
        conv([6, 12, 12], 16, 1),
        conv([8, 32, 32], 4, 3),
        Conv2d { groups: 2, ..g },
    ] {
        assert_eq!(lanes(&g), None, "{g:?}");
    }
    let pass = Conv2dPass::BackwardData;
    let alone = conv([16, 12, 12], 16, 5);
    let [few, all] = [&g, &alone].map(|g| Conv2dKernel::Direct.cost_of_images(g, pass, 1));
    assert!(few < all, "{few} {all}");
}
