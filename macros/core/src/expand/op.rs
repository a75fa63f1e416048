//! Shapes and operations as expressions and types.

use proc_macro2::{Literal, TokenStream};
use quote::quote_spanned;
use typenet_shape::{Approximate, Interpolation, Op, Padding, Shape};

use super::site;

/// `[[f32; 3]; 2]` for the shape `[2, 3]`.
pub(super) fn array(shape: Shape) -> TokenStream {
    shape.dims().iter().rev().fold(quote_spanned!(site()=> f32), |inner, &size| {
        let size = Literal::usize_unsuffixed(size);
        quote_spanned!(site()=> [#inner; #size])
    })
}

fn pair(pair: [usize; 2]) -> TokenStream {
    let [height, width] = pair.map(Literal::usize_unsuffixed);
    quote_spanned!(site()=> [#height, #width])
}

fn zeros(padding: Padding) -> TokenStream {
    match padding {
        Padding::Zeros(zeros) => {
            let zeros = pair(zeros);
            quote_spanned!(site()=> __rt::Padding::Zeros(#zeros))
        }
        Padding::Same => quote_spanned!(site()=> __rt::Padding::Same),
    }
}

fn dims(shape: Shape) -> TokenStream {
    let dims = shape.dims().iter().map(|&dim| Literal::usize_unsuffixed(dim));
    quote_spanned!(site()=> __rt::Shape::new(&[#(#dims),*]))
}

/// The value of an operation as an expression.
pub(super) fn op(op: &Op) -> TokenStream {
    match *op {
        Op::Input { shape } => {
            let shape = dims(shape);
            quote_spanned!(site()=> __rt::Op::Input { shape: #shape })
        }
        Op::Conv2d { out_channels, kernel, stride, padding, dilation, groups, bias } => {
            let [out_channels, groups] = [out_channels, groups].map(Literal::usize_unsuffixed);
            let [kernel, stride, dilation] = [kernel, stride, dilation].map(pair);
            let padding = zeros(padding);
            quote_spanned!(site()=> __rt::Op::Conv2d {
                out_channels: #out_channels, kernel: #kernel, stride: #stride, padding: #padding,
                dilation: #dilation, groups: #groups, bias: #bias,
            })
        }
        Op::DepthwiseConv2d { kernel, multiplier, stride, padding, dilation, bias } => {
            let multiplier = Literal::usize_unsuffixed(multiplier);
            let [kernel, stride, dilation] = [kernel, stride, dilation].map(pair);
            let padding = zeros(padding);
            quote_spanned!(site()=> __rt::Op::DepthwiseConv2d {
                kernel: #kernel, multiplier: #multiplier, stride: #stride, padding: #padding,
                dilation: #dilation, bias: #bias,
            })
        }
        Op::BatchNorm { affine, momentum, eps } => {
            let [momentum, eps] = [momentum, eps].map(Literal::f32_unsuffixed);
            quote_spanned!(site()=> __rt::Op::BatchNorm {
                affine: #affine, momentum: #momentum, eps: #eps,
            })
        }
        Op::LayerNorm { affine, eps } => {
            let eps = Literal::f32_unsuffixed(eps);
            quote_spanned!(site()=> __rt::Op::LayerNorm { affine: #affine, eps: #eps })
        }
        Op::GroupNorm { num_groups, affine, eps } => {
            let num_groups = Literal::usize_unsuffixed(num_groups);
            let eps = Literal::f32_unsuffixed(eps);
            quote_spanned!(site()=> __rt::Op::GroupNorm {
                num_groups: #num_groups, affine: #affine, eps: #eps,
            })
        }
        Op::Reshape { shape } => {
            let shape = dims(shape);
            quote_spanned!(site()=> __rt::Op::Reshape { shape: #shape })
        }
        Op::ConvTranspose2d {
            out_channels,
            kernel,
            stride,
            padding,
            output_padding,
            groups,
            bias,
            dilation,
        } => {
            let [out_channels, groups] = [out_channels, groups].map(Literal::usize_unsuffixed);
            let [kernel, stride, padding] = [kernel, stride, padding].map(pair);
            let [output_padding, dilation] = [output_padding, dilation].map(pair);
            quote_spanned!(site()=> __rt::Op::ConvTranspose2d {
                out_channels: #out_channels, kernel: #kernel, stride: #stride, padding: #padding,
                output_padding: #output_padding, groups: #groups, bias: #bias, dilation: #dilation,
            })
        }
        Op::Upsample { scale_factor, mode, align_corners } => {
            let scale_factor = pair(scale_factor);
            let mode = match mode {
                Interpolation::Nearest => quote_spanned!(site()=> Nearest),
                Interpolation::Bilinear => quote_spanned!(site()=> Bilinear),
            };
            quote_spanned!(site()=> __rt::Op::Upsample {
                scale_factor: #scale_factor, mode: __rt::Interpolation::#mode,
                align_corners: #align_corners,
            })
        }
        Op::Linear { out_features, bias } => {
            let out_features = Literal::usize_unsuffixed(out_features);
            quote_spanned!(site()=> __rt::Op::Linear { out_features: #out_features, bias: #bias })
        }
        Op::MaxPool2d { kernel, stride, padding } => {
            let [kernel, stride, padding] = [kernel, stride, padding].map(pair);
            quote_spanned!(site()=> __rt::Op::MaxPool2d { kernel: #kernel, stride: #stride, padding: #padding })
        }
        Op::AvgPool2d { kernel, stride, padding, count_include_pad } => {
            let [kernel, stride, padding] = [kernel, stride, padding].map(pair);
            quote_spanned!(site()=> __rt::Op::AvgPool2d {
                kernel: #kernel, stride: #stride, padding: #padding,
                count_include_pad: #count_include_pad,
            })
        }
        Op::LeakyRelu { negative_slope } => {
            let slope = Literal::f32_unsuffixed(negative_slope);
            quote_spanned!(site()=> __rt::Op::LeakyRelu { negative_slope: #slope })
        }
        Op::Dropout { p } => {
            let p = Literal::f32_unsuffixed(p);
            quote_spanned!(site()=> __rt::Op::Dropout { p: #p })
        }
        Op::GlobalAvgPool => quote_spanned!(site()=> __rt::Op::GlobalAvgPool),
        Op::Flatten => quote_spanned!(site()=> __rt::Op::Flatten),
        Op::Relu => quote_spanned!(site()=> __rt::Op::Relu),
        Op::Relu6 => quote_spanned!(site()=> __rt::Op::Relu6),
        Op::Sigmoid => quote_spanned!(site()=> __rt::Op::Sigmoid),
        Op::Tanh => quote_spanned!(site()=> __rt::Op::Tanh),
        Op::Gelu { approximate } => {
            let approximate = match approximate {
                Approximate::None => quote_spanned!(site()=> None),
                Approximate::Tanh => quote_spanned!(site()=> Tanh),
            };
            quote_spanned!(site()=> __rt::Op::Gelu { approximate: __rt::Approximate::#approximate })
        }
        Op::Silu => quote_spanned!(site()=> __rt::Op::Silu),
        Op::Hardswish => quote_spanned!(site()=> __rt::Op::Hardswish),
        Op::Scale { factor } => {
            // A literal has no sign.
            let minus = (factor < 0.0).then(|| quote_spanned!(site()=> -));
            let factor = Literal::f32_unsuffixed(factor.abs());
            quote_spanned!(site()=> __rt::Op::Scale { factor: #minus #factor })
        }
        Op::LogSoftmax => quote_spanned!(site()=> __rt::Op::LogSoftmax),
        Op::Softmax => quote_spanned!(site()=> __rt::Op::Softmax),
        Op::Add => quote_spanned!(site()=> __rt::Op::Add),
        Op::Mul => quote_spanned!(site()=> __rt::Op::Mul),
        Op::Concat => quote_spanned!(site()=> __rt::Op::Concat),
        _ => unreachable!("every operation that `layers` makes is above"),
    }
}
