use crate::counts::{of_group, reach};
use crate::geometry::check_pair;
use crate::{Argument, Conv2d, Shape, ShapeError};

/// The geometry of a transposed 2-d convolution:
/// `y[o, i·s + u·d − p, j·s + v·d − p] += w[c, o, u, v] · x[c, i, j]` for every input channel, place and tap,
/// and then `+ b[o]` (PyTorch's `ConvTranspose2d`; `c` runs over the input channels of `o`'s group). Pairs are
/// `[height, width]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConvTranspose2d {
    /// Input shape `[in_channels, height, width]`.
    pub input: Shape,
    /// Output channels.
    pub out_channels: usize,
    /// Kernel size.
    pub kernel: [usize; 2],
    /// Step between the windows into which neighbouring places of the input are spread.
    pub stride: [usize; 2],
    /// How much is cropped on each side of the output.
    pub padding: [usize; 2],
    /// How much longer the output is below and on the right.
    pub output_padding: [usize; 2],
    /// Distance between kernel taps.
    pub dilation: [usize; 2],
    /// Channel groups convolved separately.
    pub groups: usize,
    /// Whether a bias is added for each output channel.
    pub bias: bool,
}

impl ConvTranspose2d {
    /// A transposed convolution of stride 1 with bias and no padding; set the public fields for anything else.
    pub const fn new(input: Shape, out_channels: usize, kernel: [usize; 2]) -> ConvTranspose2d {
        ConvTranspose2d {
            input,
            out_channels,
            kernel,
            stride: [1, 1],
            padding: [0, 0],
            output_padding: [0, 0],
            dilation: [1, 1],
            groups: 1,
            bias: true,
        }
    }

    /// `[out_channels, height, width]`, each side
    /// `(n − 1)·stride − 2·padding + dilation·(kernel − 1) + output_padding + 1`.
    ///
    /// # Errors
    /// The first rule these numbers break.
    pub const fn output(&self) -> Result<Shape, ShapeError> {
        let ConvTranspose2d { input, kernel, stride, padding, output_padding, dilation, .. } =
            *self;
        if input.rank() != 3 {
            return Err(ShapeError::NeedsImage { found: input });
        }
        if self.out_channels == 0 {
            return Err(ShapeError::ZeroArgument { argument: Argument::OutChannels });
        }
        if self.groups == 0 {
            return Err(ShapeError::ZeroArgument { argument: Argument::Groups });
        }
        let in_channels = input.dim(0);
        if !in_channels.is_multiple_of(self.groups)
            || !self.out_channels.is_multiple_of(self.groups)
        {
            return Err(ShapeError::Groups {
                groups: self.groups,
                in_channels: Some(in_channels),
                out_channels: self.out_channels,
            });
        }
        let rules = [
            check_pair(Argument::Kernel, kernel, 1),
            check_pair(Argument::Stride, stride, 1),
            check_pair(Argument::Padding, padding, 0),
            check_pair(Argument::Dilation, dilation, 1),
            check_output_padding(output_padding, stride, dilation),
        ];
        let mut i = 0;
        while i < rules.len() {
            if let Err(error) = rules[i] {
                return Err(error);
            }
            i += 1;
        }
        let mut whole = [0; 2];
        let mut axis = 0;
        while axis < 2 {
            let starts = input.dim(axis + 1).saturating_sub(1).saturating_mul(stride[axis]);
            whole[axis] = starts
                .saturating_add(reach(kernel[axis], dilation[axis]))
                .saturating_add(output_padding[axis]);
            axis += 1;
        }
        if whole[0] <= 2 * padding[0] || whole[1] <= 2 * padding[1] {
            return Err(ShapeError::NothingLeft { padding, whole });
        }
        let [height, width] = [whole[0] - 2 * padding[0], whole[1] - 2 * padding[1]];
        Shape::new(&[self.out_channels, height, width]).checked()
    }

    /// The weight's shape `[in_channels, out_channels / groups, kernel height, kernel width]`; with zero
    /// groups, which [`output`](Self::output) refuses, its second dimension is 0.
    pub const fn weight(&self) -> Shape {
        Shape::new(&[
            self.input.dim(0),
            of_group(self.out_channels, self.groups),
            self.kernel[0],
            self.kernel[1],
        ])
    }

    /// The convolution from an output of this shape back to the input. The gradient of its input is this layer,
    /// with the same weight in the same order. Where `output_padding` is the stride or more, its output may be
    /// larger than this layer's input.
    pub const fn transposed(&self, output: Shape) -> Conv2d {
        Conv2d {
            stride: self.stride,
            padding: self.padding,
            dilation: self.dilation,
            groups: self.groups,
            bias: false,
            ..Conv2d::new(output, self.input.dim(0), self.kernel)
        }
    }
}

/// The rule of an output padding. A stride or dilation of zero has its own message.
pub(crate) const fn check_output_padding(
    output_padding: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
) -> Result<(), ShapeError> {
    let mut axis = 0;
    while axis < 2 {
        let least = if stride[axis] > dilation[axis] { stride[axis] } else { dilation[axis] };
        if output_padding[axis] > 0 && output_padding[axis] >= least {
            return Err(ShapeError::OutputPadding { output_padding, stride, dilation });
        }
        axis += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_pytorchs() {
        let plain = ConvTranspose2d::new(Shape::new(&[4, 5, 6]), 6, [3, 2]);
        assert_eq!(plain.output(), Ok(Shape::new(&[6, 7, 7])));
        let g = ConvTranspose2d {
            stride: [2, 3],
            padding: [1, 0],
            output_padding: [1, 2],
            groups: 2,
            ..plain
        };
        assert_eq!(g.output(), Ok(Shape::new(&[6, 10, 19])));
        assert_eq!(g.weight(), Shape::new(&[4, 3, 3, 2]));
        let back = g.transposed(Shape::new(&[6, 10, 19]));
        assert_eq!(back.output(), Ok(g.input));
        assert_eq!(back.weight(), g.weight());
    }

    #[test]
    fn output_padding_is_less_than_stride_or_dilation() {
        let g = ConvTranspose2d::new(Shape::new(&[4, 5, 6]), 6, [3, 3]);
        let (stride, output_padding) = ([2, 1], [2, 0]);
        let error = ShapeError::OutputPadding { output_padding, stride, dilation: [1, 1] };
        assert_eq!(ConvTranspose2d { stride, output_padding, ..g }.output(), Err(error));
        let dilated = ConvTranspose2d { stride, output_padding, dilation: [3, 1], ..g };
        assert_eq!(dilated.output(), Ok(Shape::new(&[6, 17, 8])));
    }

    #[test]
    fn padding_leaves_something() {
        let g = ConvTranspose2d::new(Shape::new(&[4, 2, 3]), 6, [3, 3]);
        assert_eq!(ConvTranspose2d { padding: [1, 2], ..g }.output(), Ok(Shape::new(&[6, 2, 1])));
        let error = ShapeError::NothingLeft { padding: [2, 1], whole: [4, 5] };
        assert_eq!(ConvTranspose2d { padding: [2, 1], ..g }.output(), Err(error));
        assert_eq!(error.help().as_str(), "use `padding = 1` or less");
    }
}
