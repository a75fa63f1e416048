use crate::counts::{bordered, of_group, reach};
use crate::{Argument, Shape, ShapeError};

/// Zeros around the input of a convolution.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Padding {
    /// This many on each side.
    Zeros([usize; 2]),
    /// As many as keep height and width. Where their number is odd, the last one stands below or on the right,
    /// as in PyTorch.
    Same,
}

/// The geometry of a 2-d convolution:
/// `y[o, i, j] = b[o] + Σ w[o, c, u, v] · x[c, i·s + u·d − p, j·s + v·d − p]` (cross-correlation, as PyTorch's
/// `Conv2d`; `c` runs over the input channels of `o`'s group). Pairs are `[height, width]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conv2d {
    /// Input shape `[in_channels, height, width]`.
    pub input: Shape,
    /// Output channels.
    pub out_channels: usize,
    /// Kernel size.
    pub kernel: [usize; 2],
    /// Step between windows.
    pub stride: [usize; 2],
    /// Zeros added on each side.
    pub padding: [usize; 2],
    /// More zeros below and on the right.
    pub extra: [usize; 2],
    /// Distance between kernel taps.
    pub dilation: [usize; 2],
    /// Channel groups convolved separately.
    pub groups: usize,
    /// Whether a bias is added for each output channel.
    pub bias: bool,
}

impl Conv2d {
    /// A convolution of stride 1 with bias and no padding; set the public fields for anything else.
    pub const fn new(input: Shape, out_channels: usize, kernel: [usize; 2]) -> Conv2d {
        Conv2d {
            input,
            out_channels,
            kernel,
            stride: [1, 1],
            padding: [0, 0],
            extra: [0, 0],
            dilation: [1, 1],
            groups: 1,
            bias: true,
        }
    }

    /// This convolution with this padding.
    #[must_use]
    pub const fn padded(mut self, padding: Padding) -> Conv2d {
        (self.padding, self.extra) = match padding {
            Padding::Zeros(padding) => (padding, [0, 0]),
            Padding::Same => {
                let (mut before, mut extra, mut axis) = ([0; 2], [0; 2], 0);
                while axis < 2 {
                    let all =
                        self.dilation[axis].saturating_mul(self.kernel[axis].saturating_sub(1));
                    before[axis] = all / 2;
                    extra[axis] = all % 2;
                    axis += 1;
                }
                (before, extra)
            }
        };
        self
    }

    /// Whether each output channel reads one input channel, with a kernel of 3×3 or 5×5, stride 1 or 2, and no padding
    /// that a kernel could lie in: what the depthwise kernels run for 16 images side by side. Also of some channels of
    /// such a convolution, maybe one.
    pub const fn reads_planes(&self) -> bool {
        let [size, width] = self.kernel;
        let [stride, across] = self.stride;
        self.groups == self.input.dim(0)
            && matches!(self.dilation, [1, 1])
            && size == width
            && stride == across
            && matches!((size, stride), (3 | 5, 1 | 2))
            && self.padding[0].saturating_add(self.extra[0]) < size
            && self.padding[1].saturating_add(self.extra[1]) < size
    }

    /// Whether the depthwise kernels run it for 16 images side by side: it [`reads_planes`](Self::reads_planes), more
    /// than one.
    pub const fn has_depthwise_kernel(&self) -> bool {
        self.groups > 1 && self.reads_planes()
    }

    /// `[out_channels, height, width]`, each side
    /// `⌊(n + 2·padding + extra − dilation·(kernel − 1) − 1) / stride⌋ + 1`.
    ///
    /// # Errors
    /// The first rule these numbers break.
    pub const fn output(&self) -> Result<Shape, ShapeError> {
        if self.input.rank() != 3 {
            return Err(ShapeError::NeedsImage { found: self.input });
        }
        if self.out_channels == 0 {
            return Err(ShapeError::ZeroArgument { argument: Argument::OutChannels });
        }
        if self.groups == 0 {
            return Err(ShapeError::ZeroArgument { argument: Argument::Groups });
        }
        let in_channels = self.input.dim(0);
        if !in_channels.is_multiple_of(self.groups)
            || !self.out_channels.is_multiple_of(self.groups)
        {
            return Err(ShapeError::Groups {
                groups: self.groups,
                in_channels: Some(in_channels),
                out_channels: self.out_channels,
            });
        }
        let Conv2d { input, kernel, stride, padding, extra, dilation, .. } = *self;
        match windows(input, kernel, stride, padding, extra, dilation) {
            Ok([height, width]) => Shape::new(&[self.out_channels, height, width]).checked(),
            Err(error) => Err(error),
        }
    }

    /// The weight's shape `[out_channels, in_channels / groups, kernel height, kernel width]`; with zero
    /// groups, which [`output`](Self::output) refuses, its second dimension is 0.
    pub const fn weight(&self) -> Shape {
        Shape::new(&[
            self.out_channels,
            of_group(self.input.dim(0), self.groups),
            self.kernel[0],
            self.kernel[1],
        ])
    }
}

/// The geometry of a 2-d pooling layer. Pairs are `[height, width]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pool2d {
    /// Input shape `[channels, height, width]`.
    pub input: Shape,
    /// Window size.
    pub kernel: [usize; 2],
    /// Step between windows.
    pub stride: [usize; 2],
    /// Padding on each side: zeros for an average; a maximum ignores it.
    pub padding: [usize; 2],
    /// Whether a last window that reaches beyond the padded input counts. As in PyTorch, one that would begin
    /// in the padding behind the input does not.
    pub ceil_mode: bool,
    /// Whether an average divides by the part of the window within the padded input (PyTorch's default), rather
    /// than within the input alone.
    pub count_include_pad: bool,
}

impl Pool2d {
    /// A window that moves by its own size, without padding.
    pub const fn new(input: Shape, kernel: [usize; 2]) -> Pool2d {
        Pool2d {
            input,
            kernel,
            stride: kernel,
            padding: [0, 0],
            ceil_mode: false,
            count_include_pad: true,
        }
    }

    /// Whether every number is in one window at most, and every window begins inside.
    pub const fn is_tiling(&self) -> bool {
        let Pool2d { kernel, stride, padding, .. } = self;
        kernel[0] <= stride[0] && kernel[1] <= stride[1] && matches!(padding, [0, 0])
    }

    /// `[channels, height, width]`, each side `⌊(n + 2·padding − kernel) / stride⌋ + 1`. In ceil mode
    /// `⌈(n + 2·padding − kernel) / stride⌉ + 1`, and one less where the last window would begin
    /// behind `n + padding`, as in PyTorch.
    ///
    /// # Errors
    /// The first rule these numbers break.
    pub const fn output(&self) -> Result<Shape, ShapeError> {
        if self.input.rank() != 3 {
            return Err(ShapeError::NeedsImage { found: self.input });
        }
        let Pool2d { input, kernel, stride, padding, ceil_mode, .. } = *self;
        // In ceil mode a window may end one stride, less one, behind the border.
        let (mut beyond, mut axis) = ([0; 2], 0);
        while ceil_mode && axis < 2 {
            beyond[axis] = stride[axis].saturating_sub(1);
            axis += 1;
        }
        let mut sides = match windows(input, kernel, stride, padding, beyond, [1, 1]) {
            Ok(output) => output,
            Err(error) => return Err(error),
        };
        if let Err(error) = check_pool_padding(padding, kernel) {
            return Err(error);
        }
        axis = 0;
        while ceil_mode && axis < 2 {
            let last = (sides[axis] - 1).saturating_mul(stride[axis]);
            if last >= input.dim(axis + 1).saturating_add(padding[axis]) {
                sides[axis] -= 1;
            }
            axis += 1;
        }
        let [height, width] = sides;
        Shape::new(&[self.input.dim(0), height, width]).checked()
    }
}

/// No number of a window is larger: no image is.
const LIMIT: usize = 1 << 24;

/// The rule of a window's number by itself; `least` is 0 for padding and 1 for the others.
pub(crate) const fn check_pair(
    argument: Argument,
    pair: [usize; 2],
    least: usize,
) -> Result<(), ShapeError> {
    let mut axis = 0;
    while axis < 2 {
        if pair[axis] < least {
            return Err(ShapeError::ZeroArgument { argument });
        }
        if pair[axis] > LIMIT {
            return Err(ShapeError::TooLarge { argument, value: pair[axis] });
        }
        axis += 1;
    }
    Ok(())
}

/// The rule of a pooling border. A kernel of zero has its own message.
pub(crate) const fn check_pool_padding(
    padding: [usize; 2],
    kernel: [usize; 2],
) -> Result<(), ShapeError> {
    if kernel[0] == 0 || kernel[1] == 0 {
        return Ok(());
    }
    if padding[0] > kernel[0] / 2 || padding[1] > kernel[1] / 2 {
        return Err(ShapeError::PoolPadding { padding, kernel });
    }
    Ok(())
}

const fn windows(
    input: Shape,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    extra: [usize; 2],
    dilation: [usize; 2],
) -> Result<[usize; 2], ShapeError> {
    let rules = [
        check_pair(Argument::Kernel, kernel, 1),
        check_pair(Argument::Stride, stride, 1),
        check_pair(Argument::Padding, padding, 0),
        check_pair(Argument::Dilation, dilation, 1),
    ];
    let mut i = 0;
    while i < rules.len() {
        if let Err(error) = rules[i] {
            return Err(error);
        }
        i += 1;
    }
    let mut output = [0; 2];
    let mut axis = 0;
    while axis < 2 {
        let reach = reach(kernel[axis], dilation[axis]);
        let padded = bordered(input.dim(axis + 1), padding[axis]).saturating_add(extra[axis]);
        if reach > padded {
            return Err(ShapeError::KernelTooLarge {
                kernel,
                dilation,
                padding,
                input: [input.dim(1), input.dim(2)],
            });
        }
        output[axis] = (padded - reach) / stride[axis] + 1;
        axis += 1;
    }
    Ok(output)
}
