//! Which convolutions these kernels run.

use typenet_shape::{Conv2d, Shape};

/// Whether these kernels run a convolution's forward pass and its weight's gradient.
pub(in super::super) fn runs(g: &Conv2d) -> bool {
    g.has_depthwise_kernel()
}

/// Whether they run the data gradient of such a convolution too.
pub(in super::super) fn runs_backward_data(g: &Conv2d) -> bool {
    runs(g) && (g.stride[0] == 1 || g.padding == [g.kernel[0] / 2; 2])
}

/// The convolution of one block of channels, whose vectors are channels rather than images.
pub(in super::super) fn of_block(g: &Conv2d) -> Conv2d {
    let input = Shape::new(&[1, g.input.dim(1), g.input.dim(2)]);
    Conv2d { input, groups: 1, out_channels: 1, ..*g }
}
