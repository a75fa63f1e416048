//! Shapes and operations as expressions and types.

use proc_macro2::{Literal, TokenStream};
use quote::quote_spanned;
use typenet_shape::{Op, Shape};

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

/// The value of an operation as an expression.
pub(super) fn op(op: &Op) -> TokenStream {
    match *op {
        Op::Input { shape } => {
            let dims = shape.dims().iter().map(|&dim| Literal::usize_unsuffixed(dim));
            quote_spanned!(site()=> __rt::Op::Input { shape: __rt::Shape::new(&[#(#dims),*]) })
        }
        Op::Conv2d { out_channels, kernel, stride, padding, dilation, groups, bias } => {
            let [out_channels, groups] = [out_channels, groups].map(Literal::usize_unsuffixed);
            let [kernel, stride, padding, dilation] = [kernel, stride, padding, dilation].map(pair);
            quote_spanned!(site()=> __rt::Op::Conv2d {
                out_channels: #out_channels, kernel: #kernel, stride: #stride, padding: #padding,
                dilation: #dilation, groups: #groups, bias: #bias,
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
        Op::Sigmoid => quote_spanned!(site()=> __rt::Op::Sigmoid),
        Op::Tanh => quote_spanned!(site()=> __rt::Op::Tanh),
        Op::Softmax => quote_spanned!(site()=> __rt::Op::Softmax),
        Op::Add => quote_spanned!(site()=> __rt::Op::Add),
        Op::Mul => quote_spanned!(site()=> __rt::Op::Mul),
        Op::Concat => quote_spanned!(site()=> __rt::Op::Concat),
        _ => unreachable!("every operation that `layers` makes is above"),
    }
}
