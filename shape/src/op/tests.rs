use super::*;
use crate::{Argument, Interpolation, ShapeError, TensorKind};

const CONV: Op = Op::Conv2d {
    out_channels: 6,
    kernel: [5, 3],
    stride: [1, 1],
    padding: Padding::Zeros([0, 0]),
    dilation: [1, 1],
    groups: 1,
    bias: true,
};

#[test]
fn arguments_are_checked_without_an_input() {
    let pool =
        |kernel, stride, padding| Op::MaxPool2d { kernel, stride, padding, ceil_mode: false };
    assert_eq!(CONV.check(Argument::Kernel), Ok(()));
    assert_eq!(
        pool([2, 2], [0, 1], [0, 0]).check(Argument::Stride),
        Err(ShapeError::ZeroArgument { argument: Argument::Stride })
    );
    assert_eq!(
        pool([2, 2], [2, 2], [0, 2]).check(Argument::Padding),
        Err(ShapeError::PoolPadding { padding: [0, 2], kernel: [2, 2] })
    );
    assert_eq!(pool([0, 2], [2, 2], [0, 2]).check(Argument::Padding), Ok(()));
    for p in [1.0, -0.1, f32::NAN] {
        assert_eq!(Op::Dropout { p }.check(Argument::P), Err(ShapeError::Probability));
    }
    let slope = Op::LeakyRelu { negative_slope: f32::INFINITY };
    assert_eq!(slope.check(Argument::NegativeSlope), Err(ShapeError::Slope));
}

/// Whatever `check` refuses, `output` refuses with the same words.
#[test]
fn output_refuses_what_check_refuses() {
    let image = Shape::new(&[4, 9, 9]);
    let numbers = [0, 1, 3, 1 << 25];
    for kernel in numbers {
        for stride in numbers {
            for padding in numbers {
                for groups in [0, 1] {
                    let op = Op::Conv2d {
                        out_channels: 2,
                        kernel: [kernel, 1],
                        stride: [1, stride],
                        padding: Padding::Zeros([padding, 0]),
                        dilation: [1, 1],
                        groups,
                        bias: false,
                    };
                    let refused = Argument::ALL.iter().any(|&a| op.check(a).is_err());
                    if refused {
                        let error = op.output(image).err();
                        let named = Argument::ALL.iter().any(|&a| op.check(a).err() == error);
                        assert!(named, "{op:?}: {error:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn outlines_agree_with_shapes() {
    let image = Shape::new(&[4, 9, 9]);
    let ops = [
        CONV,
        depthwise(Padding::Same, [1, 1]),
        Op::BatchNorm { affine: true, momentum: 0.1, eps: 1e-5 },
        Op::MaxPool2d { kernel: [2, 2], stride: [2, 2], padding: [0, 0], ceil_mode: false },
        Op::GlobalAvgPool,
        Op::Relu,
    ];
    for op in ops {
        let outline = op.outline(Outline::of(image));
        assert_eq!(op.output(image).map(Outline::of), Ok(outline), "{op:?}");
        for kind in TensorKind::ALL {
            let known = op.tensor_of_outline(kind, Outline::of(image));
            assert_eq!(known, op.tensor(kind, image), "{op:?}");
        }
    }
    let linear = Op::Linear { out_features: 10, bias: true };
    assert_eq!(linear.outline(Outline::UNKNOWN).shape(), Some(Shape::new(&[10])));
    assert_eq!(Op::Flatten.outline(Outline::of(image)).shape(), None);
    assert_eq!(CONV.outline(Outline::UNKNOWN).shape(), None);
}

#[test]
fn a_weight_that_is_too_large_is_called_a_weight() {
    let linear = Op::Linear { out_features: 100_000, bias: true };
    let error = linear.output(Shape::new(&[100_000]));
    let shape = Shape::new(&[100_000, 100_000]);
    let argument = Argument::OutFeatures;
    assert_eq!(error, Err(ShapeError::WeightOverflow { shape, argument }));
}

const fn depthwise(padding: Padding, stride: [usize; 2]) -> Op {
    let (kernel, dilation) = ([3, 2], [2, 1]);
    Op::DepthwiseConv2d { kernel, multiplier: 3, stride, padding, dilation, bias: true }
}

#[test]
fn depthwise_convolutions_have_a_group_for_each_channel() {
    let image = Shape::new(&[4, 9, 9]);
    let op = depthwise(Padding::Zeros([0, 0]), [1, 1]);
    assert_eq!(op.output(image), Ok(Shape::new(&[12, 5, 8])));
    assert_eq!(op.weight(image), Some(Shape::new(&[12, 1, 3, 2])));
    assert_eq!(op.bias(image), Some(Shape::new(&[12])));
    assert_eq!(op.outline(Outline::of(image)).channels, Some(12));
    let flat = Shape::new(&[4]);
    assert_eq!(op.output(flat), Err(ShapeError::NeedsImage { found: flat }));
    let none = Op::DepthwiseConv2d {
        kernel: [1, 1],
        multiplier: 0,
        stride: [1, 1],
        padding: Padding::Same,
        dilation: [1, 1],
        bias: false,
    };
    assert_eq!(
        none.output(image),
        Err(ShapeError::ZeroArgument { argument: Argument::Multiplier })
    );
}

#[test]
fn same_padding_keeps_height_and_width() {
    let image = Shape::new(&[4, 9, 1]);
    let op = depthwise(Padding::Same, [1, 1]);
    assert_eq!(op.output(image), Ok(Shape::new(&[12, 9, 1])));
    assert_eq!(op.conv2d(image).map(|conv| (conv.padding, conv.extra)), Some(([2, 0], [0, 1])));
    let stride = [2, 1];
    let strided = depthwise(Padding::Same, stride);
    assert_eq!(strided.output(image), Err(ShapeError::SameStride { stride }));
    assert_eq!(strided.check(Argument::Padding), Err(ShapeError::SameStride { stride }));
}

#[test]
fn norms_keep_the_shape_and_have_a_number_for_each_channel() {
    let (image, features) = (Shape::new(&[4, 9, 9]), Shape::new(&[6]));
    let batch = |momentum, eps| Op::BatchNorm { affine: true, momentum, eps };
    let group = |num_groups| Op::GroupNorm { num_groups, affine: true, eps: 1e-5 };
    assert_eq!(batch(0.1, 1e-5).output(image), Ok(image));
    assert_eq!(batch(0.1, 1e-5).output(features), Ok(features));
    assert_eq!(batch(1.5, 1e-5).output(image), Err(ShapeError::Momentum));
    assert_eq!(batch(0.1, 0.0).output(image), Err(ShapeError::Eps));
    assert_eq!(batch(0.1, 1e-5).weight(image), Some(Shape::new(&[4])));
    assert_eq!(batch(0.1, 1e-5).running(image), Some(Shape::new(&[4])));
    assert_eq!(group(2).output(image), Ok(image));
    let error = ShapeError::NumGroups { num_groups: 3, channels: 4 };
    assert_eq!(group(3).output(image), Err(error));
    assert_eq!(group(0).check(Argument::NumGroups), group(0).output(image).map(|_| ()));
    assert_eq!(Op::LayerNorm { affine: true, eps: 1e-5 }.bias(image), Some(image));
    assert!(!Op::LayerNorm { affine: false, eps: 1e-5 }.has_parameters());
}

#[test]
fn reshaping_keeps_the_numbers() {
    let reshape = |dims: &[usize]| Op::Reshape { shape: Shape::new(dims) };
    let (from, to) = (Shape::new(&[4, 3, 2]), Shape::new(&[2, 3, 4]));
    assert_eq!(reshape(&[2, 3, 4]).output(from), Ok(to));
    assert_eq!(reshape(&[24]).output(from), Ok(Shape::new(&[24])));
    let to = Shape::new(&[5]);
    assert_eq!(reshape(&[5]).output(from), Err(ShapeError::Reshape { from, to }));
    assert_eq!(
        reshape(&[4, 6]).output(from),
        Err(ShapeError::ReshapeRank { from: None, to: Shape::new(&[4, 6]) })
    );
    assert!(reshape(&[0]).check(Argument::Shape).is_err());
}

fn transposed(out_channels: usize, groups: usize, output_padding: [usize; 2]) -> Op {
    Op::ConvTranspose2d {
        out_channels,
        kernel: [3, 2],
        stride: [2, 3],
        padding: [1, 0],
        output_padding,
        groups,
        bias: true,
        dilation: [1, 1],
    }
}

#[test]
fn transposed_convolutions_have_their_input_channels_first() {
    let image = Shape::new(&[4, 5, 6]);
    let op = transposed(6, 2, [1, 2]);
    assert_eq!(op.output(image), Ok(Shape::new(&[6, 10, 19])));
    assert_eq!(op.weight(image), Some(Shape::new(&[4, 3, 3, 2])));
    assert_eq!(op.bias(image), Some(Shape::new(&[6])));
    assert_eq!(op.multiply_adds(image, Shape::new(&[6, 10, 19])), 4 * 3 * 6 * 30);
    assert_eq!(op.outline(Outline::UNKNOWN).channels, Some(6));
    for kind in TensorKind::ALL {
        assert_eq!(op.tensor_of_outline(kind, Outline::of(image)), op.tensor(kind, image));
    }
    for (op, argument) in [
        (transposed(0, 1, [0, 0]), Argument::OutChannels),
        (transposed(6, 0, [0, 0]), Argument::Groups),
    ] {
        let error = Err(ShapeError::ZeroArgument { argument });
        assert_eq!((op.output(image), op.check(argument)), (error, error.map(|_| ())));
    }
    let none = transposed(6, 0, [0, 0]);
    assert!(none.tensor_of_outline(TensorKind::Weight, Outline::of(image)).is_none());
    let op = transposed(6, 1, [0, 3]);
    assert_eq!(op.output(image).map(|_| ()), op.check(Argument::OutputPadding));
    assert!(op.check(Argument::OutputPadding).is_err());
}

#[test]
fn enlarging_and_scaling_check_their_arguments() {
    let image = Shape::new(&[4, 5, 6]);
    let upsample = |scale_factor, align_corners| Op::Upsample {
        scale_factor,
        mode: Interpolation::Nearest,
        align_corners,
    };
    let op = upsample([2, 3], false);
    assert_eq!(op.output(image), Ok(Shape::new(&[4, 10, 18])));
    assert_eq!(op.outline(Outline::of(image)).channels, Some(4));
    assert_eq!(upsample([2, 3], true).output(image), Err(ShapeError::AlignCorners));
    assert_eq!(upsample([2, 3], true).check(Argument::AlignCorners), Err(ShapeError::AlignCorners));
    assert!(upsample([2, 0], false).check(Argument::ScaleFactor).is_err());
    let flat = Shape::new(&[4]);
    assert_eq!(op.output(flat), Err(ShapeError::NeedsImage { found: flat }));
    for factor in [f32::NAN, f32::INFINITY] {
        assert_eq!(Op::Scale { factor }.output(image), Err(ShapeError::Factor));
    }
    assert_eq!(Op::Scale { factor: -0.5 }.output(image), Ok(image));
}
