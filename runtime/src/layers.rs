//! The layers and structures that `network!` knows, one item for each keyword.
//!
//! Shapes are of one image, without the batch: `[c, h, w]` is channels, height, width; `[n]` is
//! features. An argument marked *pair* takes one number for height and width, or `(height, width)`.
//! Names, defaults and formulas are PyTorch's.
#![allow(non_camel_case_types)]

macro_rules! layers {
    ($($(#[$doc:meta])* $keyword:ident)*) => {
        $($(#[$doc])* #[derive(Clone, Copy, Debug)] pub struct $keyword;)*
    };
}

mod structures;

pub use structures::{add, branch, concat, from, mul, repeat, residual, shortcut};

layers! {
    /// 2-d convolution: `[c, h, w]` to `[out_channels, h', w']`.
    ///
    /// `y[o, i, j] = bias[o] + Σ weight[o, c, u, v] · x[c, i·stride + u·dilation − padding, …]`, the
    /// sum over the input channels `c` of `o`'s group and the kernel's rows `u` and columns `v`
    /// (cross-correlation). Each side becomes
    /// `⌊(n + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1`.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `out_channels` | first | |
    /// | `kernel` | second, pair | |
    /// | `stride` | pair | 1 |
    /// | `padding` | pair, zeros on each side; or `same`, which keeps height and width (stride 1) | 0 |
    /// | `dilation` | pair, distance between taps | 1 |
    /// | `groups` | divides both channel counts | 1 |
    /// | `bias` | | `true` |
    ///
    /// Parameters: `weight` `[out_channels, c / groups, kernel, kernel]`, `bias` `[out_channels]`.
    ///
    /// Source: LeCun et al., *Gradient-based learning applied to document recognition*, 1998;
    /// PyTorch's `Conv2d`.
    conv2d
    /// 2-d convolution of each channel by itself: `[c, h, w]` to `[c · multiplier, h', w']`. It is
    /// [`conv2d`] with `groups` = `c`; sides and formula as there.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `kernel` | first, pair | |
    /// | `stride` | pair | 1 |
    /// | `padding` | pair, zeros on each side; or `same`, which keeps height and width (stride 1) | 0 |
    /// | `dilation` | pair, distance between taps | 1 |
    /// | `multiplier` | output channels for each input channel | 1 |
    /// | `bias` | | `true` |
    ///
    /// Parameters: `weight` `[c · multiplier, 1, kernel, kernel]`, `bias` `[c · multiplier]`.
    ///
    /// Source: Howard et al., *MobileNets*, 2017; PyTorch's `Conv2d` with `groups`.
    depthwise_conv2d
    /// Each channel to mean 0 and variance 1, on `[c, h, w]` or `[c]`:
    /// `y = (x − mean) / √(variance + eps) · weight + bias`.
    ///
    /// While training, mean and (biased) variance are those of the channel's numbers in the whole
    /// batch, and the running statistics move: `running ← (1 − momentum) · running + momentum · new`,
    /// with the unbiased variance. In inference the running statistics are used; behind a
    /// convolution or linear layer that nothing else reads, the norm is folded into its weight.
    /// Which of the two happens is a matter of the method: [`forward`](crate::Network::forward)
    /// trains, everything that predicts does not.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `affine` | whether there are `weight` and `bias` | `true` |
    /// | `momentum` | share of the new batch, 0 to 1 | 0.1 |
    /// | `eps` | above 0 | 1e-5 |
    ///
    /// Parameters: `weight` and `bias` `[c]`; with them are kept `running_mean` and `running_var`
    /// `[c]`, which have no gradient. A batch of one number a channel has variance 0.
    ///
    /// Source: Ioffe and Szegedy, *Batch normalization*, 2015; PyTorch's `BatchNorm2d`, `BatchNorm1d`.
    batch_norm
    /// All numbers of an image's value to mean 0 and variance 1:
    /// `y = (x − mean) / √(variance + eps) · weight + bias`, on any shape.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `affine` | whether there are `weight` and `bias` (PyTorch's `elementwise_affine`) | `true` |
    /// | `eps` | above 0 | 1e-5 |
    ///
    /// Parameters: `weight` and `bias`, of the value's shape.
    ///
    /// Source: Ba, Kiros, Hinton, *Layer normalization*, 2016; PyTorch's `LayerNorm` over all
    /// dimensions but the batch.
    layer_norm
    /// As [`layer_norm`], over groups of neighbouring channels.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `num_groups` | first; divides the channels | |
    /// | `affine` | whether there are `weight` and `bias` | `true` |
    /// | `eps` | above 0 | 1e-5 |
    ///
    /// Parameters: `weight` and `bias` `[c]`.
    ///
    /// Source: Wu and He, *Group normalization*, 2018; PyTorch's `GroupNorm`.
    group_norm
    /// `y = W x + b`: `[n]` to `[out_features]`.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `out_features` | first | |
    /// | `bias` | | `true` |
    ///
    /// Parameters: `weight` `[out_features, n]`, `bias` `[out_features]`. PyTorch's `Linear`.
    linear
    /// The maximum over windows: `[c, h, w]` to `[c, h', w']`, each side
    /// `⌊(n + 2·padding − kernel) / stride⌋ + 1`. The border never wins; a NaN does. The gradient
    /// goes to the first maximum of each window.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `kernel` | first, pair | |
    /// | `stride` | second, pair | `kernel` |
    /// | `padding` | pair, at most half the kernel | 0 |
    ///
    /// PyTorch's `MaxPool2d`.
    max_pool2d
    /// The average over windows; shapes as [`max_pool2d`].
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `kernel` | first, pair | |
    /// | `stride` | second, pair | `kernel` |
    /// | `padding` | pair, zeros, at most half the kernel | 0 |
    /// | `count_include_pad` | divide by the whole window at the border | `true` |
    ///
    /// PyTorch's `AvgPool2d`.
    avg_pool2d
    /// The average of each channel: `[c, h, w]` to `[c]`. Source: Lin, Chen, Yan, *Network in
    /// network*, 2013; PyTorch's `AdaptiveAvgPool2d(1)` and `flatten`.
    global_avg_pool
    /// All numbers as features: `[c, h, w]` to `[c·h·w]`, in the order channel, row, column. Costs
    /// nothing. PyTorch's `Flatten`.
    flatten
    /// The same numbers, in their order, in another shape. Costs nothing. PyTorch's `Unflatten`.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `shape` | first; `[channels, height, width]` or `[features]`, of as many numbers | |
    reshape
    /// `max(x, 0)`, on any shape. Computed in the same pass as a convolution or linear layer before
    /// it. Source: Nair and Hinton, *Rectified linear units*, 2010; PyTorch's `ReLU`.
    relu
    /// `x` where it is positive, `negative_slope · x` elsewhere.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `negative_slope` | first, 0 or more | 0.01 |
    ///
    /// Source: Maas, Hannun, Ng, *Rectifier nonlinearities*, 2013; PyTorch's `LeakyReLU`.
    leaky_relu
    /// `1 / (1 + e⁻ˣ)`, on any shape. PyTorch's `Sigmoid`.
    sigmoid
    /// `tanh x`, on any shape. PyTorch's `Tanh`.
    tanh
    /// While training, each number becomes 0 with probability `p`, and `x / (1 − p)` otherwise; in
    /// inference nothing happens.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `p` | first, `0 ≤ p < 1` | 0.5 |
    ///
    /// Source: Srivastava et al., *Dropout*, 2014; PyTorch's `Dropout`.
    dropout
    /// `eˣ / Σ eˣ` over the channels (or features), at each position. A net for
    /// [`CrossEntropy`](crate::loss::CrossEntropy) does not end in it: the loss applies it, and
    /// [`probabilities`](crate::Network::probabilities) does when predicting. PyTorch's
    /// `Softmax(dim=1)`.
    softmax
}
