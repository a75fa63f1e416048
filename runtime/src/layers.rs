//! The layers and structures that `network!` knows, one item for each keyword.
//!
//! The formulas are those that the f64 reference evaluates ([`symbolic`](crate::symbolic)). They give `y` as
//! a function of `x`, and the gradient `∂L/∂x` as a function of `x`, `y` and `∂L/∂y`. `[a > b]` is 1 where
//! `a > b` holds, else 0.
//!
//! Shapes are those of one image, without a batch dimension: `[c, h, w]` is channels, height, width; `[n]`
//! is features. An argument marked *pair* takes one number for height and width, or `(height, width)`.
//! Names, defaults and formulas are PyTorch's.
//!
//! Other nets and layers of your own have no keyword. A declaration names them by their path,
//! `super::Backbone` or `my::Swirl(3)`; [`Layer`](typenet_shape::Layer) says how to write such a layer.
//!
//! # Attributes
//!
//! Attributes stand before a layer with parameters, a structure, a use of a block or a repeat. They apply to
//! all layers with parameters in it.
//!
//! | attribute | what it does |
//! |---|---|
//! | `#[init(scheme)]` | the scheme of the initial weights, in place of the net's: [`init`](crate::init) lists the schemes; `bias = scheme` sets that of the bias. Before braces, it leaves out the norms in them |
//! | `#[frozen]` | the parameters stay as they are. No code computes their gradients, nor those of the layers before them if nothing there is trained. The optimiser and the regulariser skip them. A batch norm uses its running statistics and does not update them |
//! | `#[no_decay]` | weight decay and regularisers skip the weight and the bias; with `#[no_decay(bias)]` or `#[no_decay(weight)]` only that one. A group of [`Sgd`](crate::optim::Sgd::group) that sets a decay overrides it |
//! | `#[name("features.0")]` | the name of the layer, or of the structure's segment, in weight files; `#[name("")]` leaves a segment out, and `#[name("features.{3}")]` on a repeat names its rounds `features.3`, `features.4`, … |
//!
//! [`set_trainable`](crate::Network::set_trainable) freezes at run time, and skips the same work.
//! [`init_from_data`](crate::Network::init_from_data) computes the weights of a layer marked
//! `#[init(whitening)]`.
//!
//! ```text
//! #[init(whitening)] #[frozen] conv1: conv2d(24, kernel = 2), gelu,
//! #[no_decay(bias)] stage1: repeat(3) { basic(64) }
//! residual { conv2d(64, kernel = 3, padding = 1), #[init(zeros)] batch_norm }
//! #[name("classifier.6")] fc: linear(10),
//! ```
#![allow(non_camel_case_types)]

macro_rules! layers {
    ($($(#[$doc:meta])* $keyword:ident)*) => {
        $($(#[$doc])* #[derive(Clone, Copy, Debug)] pub struct $keyword;)*
    };
}

#[cfg(rust_analyzer)]
#[doc(hidden)]
pub mod arguments;
mod structures;

pub use structures::{add, branch, concat, from, mul, repeat, residual, shortcut};

layers! {
    /// 2-d convolution: `[c, h, w]` to `[out_channels, h', w']`.
    ///
    /// `y[o, i, j] = bias[o] + Σ weight[o, c, u, v] · x[c, i·stride + u·dilation − padding, …]`, the
    /// sum over the input channels `c` of `o`'s group and the kernel's rows `u` and columns `v`
    /// (cross-correlation). Each side `n` of the image becomes
    /// `⌊(n + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1`.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `out_channels` | first; channels of the output | |
    /// | `kernel` | second, pair; sides of the kernel | |
    /// | `stride` | pair; steps between windows | 1 |
    /// | `padding` | pair, zeros on each side; or `same`, which keeps height and width (stride 1) | 0 |
    /// | `dilation` | pair, distance between taps | 1 |
    /// | `groups` | divides both channel counts | 1 |
    /// | `bias` | whether there is a bias | `true` |
    ///
    /// Parameters: `weight` `[out_channels, c / groups, kernel, kernel]`, `bias` `[out_channels]`.
    ///
    /// Source: LeCun et al., *Gradient-based learning applied to document recognition*, 1998;
    /// PyTorch's `Conv2d`.
    conv2d
    /// 2-d convolution of each channel by itself: `[c, h, w]` to `[c · multiplier, h', w']`. It is
    /// [`conv2d`] with `groups` = `c`, with the same formula and output size.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `kernel` | first, pair; sides of the kernel | |
    /// | `stride` | pair; steps between windows | 1 |
    /// | `padding` | pair, zeros on each side; or `same`, which keeps height and width (stride 1) | 0 |
    /// | `dilation` | pair, distance between taps | 1 |
    /// | `multiplier` | output channels for each input channel | 1 |
    /// | `bias` | whether there is a bias | `true` |
    ///
    /// Parameters: `weight` `[c · multiplier, 1, kernel, kernel]`, `bias` `[c · multiplier]`.
    ///
    /// Source: Howard et al., *MobileNets*, 2017; PyTorch's `Conv2d` with `groups`.
    depthwise_conv2d
    /// Transposed 2-d convolution: `[c, h, w]` to `[out_channels, h', w']`, where each side `n` becomes
    /// `(n − 1)·stride − 2·padding + dilation·(kernel − 1) + output_padding + 1`.
    ///
    /// Each number of the input is spread over a window of the output:
    /// `y[o, i·stride + u·dilation − padding, …] += weight[c, o, u, v] · x[c, i, …]` for the channels
    /// `o` of `c`'s group and the kernel's rows `u` and columns `v`, and then `+ bias[o]`. Products that
    /// fall outside the output are dropped. The layer maps shapes backwards through a [`conv2d`] with the
    /// same arguments, and is the gradient of that layer with respect to its input.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `out_channels` | first; channels of the output | |
    /// | `kernel` | second, pair; sides of the kernel | |
    /// | `stride` | pair; steps between windows | 1 |
    /// | `padding` | pair, cut off on each side | 0 |
    /// | `output_padding` | pair, less than `stride` or `dilation`: how much longer the output is, below and on the right | 0 |
    /// | `groups` | divides both channel counts | 1 |
    /// | `bias` | whether there is a bias | `true` |
    /// | `dilation` | pair, distance between taps | 1 |
    ///
    /// Parameters: `weight` `[c, out_channels / groups, kernel, kernel]`, `bias` `[out_channels]`.
    ///
    /// Source: Zeiler et al., *Deconvolutional networks*, 2010; Long, Shelhamer, Darrell, *Fully
    /// convolutional networks*, 2015; PyTorch's `ConvTranspose2d`.
    conv_transpose2d
    /// Normalises each channel to mean 0 and variance 1, on `[c, h, w]` or `[c]`: `γ · x̂ + β` with the weight
    /// `γ`, the bias `β` and `x̂ = (x − μ) / σ`, where `μ` is the mean and `σ = √(variance + eps)`. The gradient is
    /// `(q − mean q − x̂ · mean (q · x̂)) / σ` with `q = γ · ∂L/∂y`.
    ///
    /// In training, mean and (biased) variance are those of the channel's numbers in the whole batch. The
    /// running statistics are updated: `running ← (1 − momentum) · running + momentum · new`, with the
    /// unbiased variance. Inference uses the running statistics. After a convolution or linear layer that
    /// nothing else reads, it folds the norm into that layer's weight. There is no `train()` and no
    /// `eval()`: [`forward`](crate::Network::forward) trains, and all methods that predict do not.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `affine` | whether there are `weight` and `bias` | `true` |
    /// | `momentum` | share of the new batch, 0 to 1 | 0.1 |
    /// | `eps` | above 0 | 1e-5 |
    ///
    /// Parameters: `weight` and `bias` `[c]`. The layer also keeps `running_mean` and `running_var` `[c]`,
    /// which have no gradient. A batch with one number per channel has variance 0.
    ///
    /// Source: Ioffe and Szegedy, *Batch normalization*, 2015; PyTorch's `BatchNorm2d`, `BatchNorm1d`.
    batch_norm
    /// Normalises all numbers of one image together to mean 0 and variance 1, on any shape: `γ · x̂ + β` with
    /// the weight `γ`, the bias `β` and `x̂ = (x − μ) / σ`, where `μ` is the mean and `σ = √(variance + eps)`. The
    /// gradient is `(q − mean q − x̂ · mean (q · x̂)) / σ` with `q = γ · ∂L/∂y`.
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
    /// | `out_features` | first; features of the output | |
    /// | `bias` | whether there is a bias | `true` |
    ///
    /// Parameters: `weight` `[out_features, n]`, `bias` `[out_features]`. PyTorch's `Linear`.
    linear
    /// The maximum over windows: `[c, h, w]` to `[c, h', w']`, each side
    /// `⌊(n + 2·padding − kernel) / stride⌋ + 1`. The padding is never the maximum; a NaN is. The gradient
    /// goes to the first maximum of each window.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `kernel` | first, pair; sides of the window | |
    /// | `stride` | second, pair; steps between windows | `kernel` |
    /// | `padding` | pair, at most half the kernel | 0 |
    /// | `ceil_mode` | round sizes up | `false` |
    ///
    /// With `ceil_mode = true` a side has `⌈(n + 2·padding − kernel) / stride⌉ + 1` windows. The last one
    /// may extend beyond the padding, so that the last columns and rows are read too. A window that would
    /// begin in the padding at the right or at the bottom, or beyond it, is dropped.
    ///
    /// PyTorch's `MaxPool2d`.
    max_pool2d
    /// The average over windows; shapes as for [`max_pool2d`].
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `kernel` | first, pair; sides of the window | |
    /// | `stride` | second, pair; steps between windows | `kernel` |
    /// | `padding` | pair, zeros, at most half the kernel | 0 |
    /// | `ceil_mode` | round sizes up | `false` |
    /// | `count_include_pad` | count the zeros of the border in the average | `true` |
    ///
    /// The divisor is the number of positions in the window. Those beyond the padding (in `ceil_mode`) do not
    /// count, and with `count_include_pad = false` those in the padding do not either.
    ///
    /// PyTorch's `AvgPool2d`.
    avg_pool2d
    /// The average of each channel: `[c, h, w]` to `[c]`. Source: Lin, Chen, Yan, *Network in
    /// network*, 2013; PyTorch's `AdaptiveAvgPool2d(1)` and `flatten`.
    global_avg_pool
    /// Enlarges an image: `[c, h, w]` to `[c, h · scale_factor, w · scale_factor]`.
    ///
    /// With `mode = nearest`, `y[c, i, j] = x[c, ⌊i / scale_factor⌋, ⌊j / scale_factor⌋]`. With
    /// `mode = bilinear` each output is the weighted sum of the four inputs around it; a weight is the
    /// product of `(1 − distance)` along both axes. Row `i` of the output lies at row
    /// `max((i + ½) / scale_factor − ½, 0)` of the input, or with `align_corners` at row
    /// `i · (h − 1) / (h · scale_factor − 1)`; columns likewise.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `scale_factor` | first, pair, whole numbers | 2 |
    /// | `mode` | `nearest` or `bilinear` | `nearest` |
    /// | `align_corners` | with `bilinear`: the corners of both images, rather than their edges, lie on one another | `false` |
    ///
    /// PyTorch's `Upsample`.
    upsample
    /// All numbers as features: `[c, h, w]` to `[c·h·w]`, in the order channel, row, column. Costs
    /// nothing. PyTorch's `Flatten`.
    flatten
    /// The same numbers, in their order, in another shape. Costs nothing. PyTorch's `Unflatten`.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `shape` | first; `[channels, height, width]` or `[features]`, of as many numbers | |
    reshape
    /// `max(x, 0)`, on any shape; the gradient is `∂L/∂y · [y > 0]`, so 0 at 0. Fused into a convolution or
    /// linear layer before it. Source: Nair and Hinton, *Rectified linear units*, 2010; PyTorch's `ReLU`.
    relu
    /// `negative_slope · x + (1 − negative_slope) · max(x, 0)`: `x` where it is positive, else
    /// `negative_slope · x`.
    /// The gradient is `∂L/∂y · ([x > 0] + negative_slope · (1 − [x > 0]))`.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `negative_slope` | first, 0 or more | 0.01 |
    ///
    /// Source: Maas, Hannun, Ng, *Rectifier nonlinearities*, 2013; PyTorch's `LeakyReLU`.
    leaky_relu
    /// `min(max(x, 0), 6)`, on any shape; the gradient is `∂L/∂y · [y > 0] · [y < 6]`. Fused into a
    /// convolution or linear layer before it. Source: Sandler et al., *MobileNetV2*, 2018; PyTorch's `ReLU6`.
    relu6
    /// `1 / (1 + e^(−x))`, on any shape; the gradient is `∂L/∂y · y · (1 − y)`. PyTorch's `Sigmoid`.
    sigmoid
    /// `tanh(x)`, on any shape; the gradient is `∂L/∂y · (1 − y²)`. PyTorch's `Tanh`.
    tanh
    /// `x · Φ(x)`, on any shape. `Φ(x) = (1 + erf(x / √2)) / 2` is the distribution function of the standard
    /// normal, `φ` its density. The gradient is `∂L/∂y · (Φ(x) + x · φ(x))`.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `approximate` | `none`, or `tanh` | `none` |
    ///
    /// With `approximate = tanh` it is `x · (1 + tanh(u)) / 2`, where `u = √(2 / π) · (x + 0.044715 · x³)`; the
    /// gradient is
    /// `∂L/∂y · ((1 + tanh(u)) / 2 + x · (1 − tanh(u)²) / 2 · √(2 / π) · (1 + 0.134145 · x²))`.
    ///
    /// Its gradient needs its input, which training keeps. Inference fuses it into a layer before it.
    ///
    /// Source: Hendrycks and Gimpel, *Gaussian error linear units*, 2016; PyTorch's `GELU`.
    gelu
    /// `x · sigmoid(x)`, on any shape, also called swish; the gradient is
    /// `∂L/∂y · sigmoid(x) · (1 + x · (1 − sigmoid(x)))`. Training keeps its input, and inference fuses it,
    /// as with [`gelu`]. Source: Elfwing, Uchibe, Doya, *Sigmoid-weighted linear units*, 2017; PyTorch's `SiLU`.
    silu
    /// `x · min(max(x + 3, 0), 6) / 6`, on any shape; the gradient is
    /// `∂L/∂y · [x > −3] · ([x < 3] · (2 · x − 3) / 6 + 1)`. Training keeps its input, and inference fuses it,
    /// as with [`gelu`]. Source: Howard et al., *Searching for MobileNetV3*, 2019; PyTorch's `Hardswish`.
    hardswish
    /// In training, each number becomes 0 with probability `p`, and `x / (1 − p)` otherwise; inference
    /// leaves the numbers as they are.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `p` | first, `0 ≤ p < 1` | 0.5 |
    ///
    /// Source: Srivastava et al., *Dropout*, 2014; PyTorch's `Dropout`.
    dropout
    /// `e^(x − m) / Σ e^(x − m)` over the channels (or features), at each position, where `m` is the
    /// largest of the `x`; the gradient is `y · (∂L/∂y − Σ y · ∂L/∂y)`. A net for
    /// [`CrossEntropy`](crate::loss::CrossEntropy) must not end in it: the loss applies it, and
    /// [`probabilities`](crate::Network::probabilities) does when predicting. PyTorch's
    /// `Softmax(dim=1)`.
    softmax
    /// `x − m − ln Σ e^(x − m)` over the channels (or features), at each position: the logarithm of
    /// [`softmax`], finite also where the softmax rounds to 0. The gradient is `∂L/∂y − e^y · Σ ∂L/∂y`. A net
    /// for [`NllLoss`](crate::loss::NllLoss) must end in it;
    /// [`probabilities`](crate::Network::probabilities) returns its exponential. PyTorch's
    /// `LogSoftmax(dim=1)`.
    log_softmax
    /// `factor · x`, on any shape; the gradient is `∂L/∂y · factor`.
    ///
    /// | argument | | default |
    /// |---|---|---|
    /// | `factor` | first, a finite number, which is not trained | |
    ///
    /// For scaled-down residual branches (Szegedy et al., *Inception-v4*, 2016), and for the temperature of
    /// logits.
    scale
}
