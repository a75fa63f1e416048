//! A checked graph and its plan to tokens. Finds no mistakes: after one it writes the same items
//! with empty passes, so that the program around the declaration shows no further errors.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use typenet_shape::{Op, Shape};

use crate::check::{Checked, Node};
use crate::plan::Plan;

/// Outputs of more bytes than this are returned in a box.
const BOXED: usize = 64 * 1024;

/// The items of a net; `sound` says that there were no mistakes.
pub fn expand(checked: &Checked, plan: &Plan, sound: bool) -> TokenStream {
    let Checked { attributes, visibility, name, .. } = checked;
    let parameters = format_ident!("{name}Parameters");
    let gradients = format_ident!("{name}Gradients");
    let table = if sound { layer_table(checked) } else { String::new() };
    let fields = fields(checked);
    let parameters_doc = format!(" The parameters of [`{name}`], a field for each layer that has some.");
    let gradients_doc = format!(" Gradients of [`{name}`], in the shape of its parameters.");
    let implementation = implementation(checked, plan, sound);
    let hover = hover(checked);

    quote! {
        #(#attributes)*
        #[doc = #table]
        #visibility struct #name {
            __model: ::typenet::__private::Model<#parameters>,
        }

        ::typenet::__private::__parameter_struct! {
            #[doc = #parameters_doc]
            #visibility struct #parameters {
                #fields
            }
        }

        #[doc = #gradients_doc]
        #[allow(dead_code)]
        #visibility type #gradients = #parameters;

        const _: () = {
            use ::typenet::__private as rt;

            #implementation

            #[automatically_derived]
            impl ::core::ops::Deref for #name {
                type Target = #parameters;
                fn deref(&self) -> &#parameters {
                    self.__model.parameters()
                }
            }

            #[automatically_derived]
            impl ::core::ops::DerefMut for #name {
                fn deref_mut(&mut self) -> &mut #parameters {
                    self.__model.parameters_mut()
                }
            }

            #[automatically_derived]
            impl ::core::clone::Clone for #name {
                fn clone(&self) -> Self {
                    Self { __model: ::core::clone::Clone::clone(&self.__model) }
                }
            }

            #[automatically_derived]
            impl ::core::cmp::PartialEq for #name {
                fn eq(&self, other: &Self) -> bool {
                    self.__model == other.__model
                }
            }

            #[automatically_derived]
            impl ::core::fmt::Debug for #name {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::fmt::Display::fmt(&<Self as rt::Network>::summary(), f)
                }
            }

            #hover
        };
    }
}

/// The fields of the parameter struct, as far as their shapes are known.
fn fields(checked: &Checked) -> TokenStream {
    let fields = checked.nodes.iter().filter_map(|node| {
        let field = node.field.as_ref()?;
        let weight = array(node.parameters.0?);
        let doc = format!(" {}.", describe(node));
        let doc = match (node.inputs.first().and_then(|&i| checked.nodes[i].shape), node.shape) {
            (Some(from), Some(to)) => format!("{doc} From {from} to {to}."),
            _ => doc,
        };
        let layer = match node.parameters.1.map(array) {
            Some(bias) => quote!(::typenet::parameters::WeightBias<#weight, #bias>),
            None => quote!(::typenet::parameters::Weight<#weight>),
        };
        Some(quote!(#[doc = #doc] pub #field: #layer,))
    });
    quote!(#(#fields)*)
}

fn implementation(checked: &Checked, plan: &Plan, sound: bool) -> TokenStream {
    let name = &checked.name;
    let parameters = format_ident!("{name}Parameters");
    let one = Shape::new(&[1]);
    let (in_shape, out_shape) = (checked.input.unwrap_or(one), checked.output.unwrap_or(one));
    let (input, output) = (array(in_shape), array(out_shape));
    let value = if out_shape.elements() * size_of::<f32>() > BOXED {
        quote!(::std::boxed::Box<#output>)
    } else {
        output.clone()
    };
    let logits = if plan.logits || !sound {
        quote!(#[automatically_derived] impl rt::Logits for #name {})
    } else {
        TokenStream::new()
    };
    let text = name.to_string();
    let input_op = op(&Op::Input { shape: in_shape });

    let graph = if sound {
        let nodes = checked.nodes.iter().filter_map(|node| {
            let (name, inputs) = (&node.name, node.inputs.iter().map(|&i| Literal::usize_unsuffixed(i)));
            let op = op(&node.op?);
            Some(quote!(rt::Node { name: #name, op: #op, inputs: &[#(#inputs),*] }))
        });
        quote!(&[#(#nodes),*])
    } else {
        quote!(&[rt::Node { name: "input", op: #input_op, inputs: &[] }])
    };
    let count = Literal::usize_unsuffixed(if sound { checked.nodes.len() } else { 1 });
    let tensors = Literal::usize_unsuffixed(if sound { plan.tensors } else { 0 });
    let steps = plan.calls.iter().filter(|_| sound).map(|call| {
        let (constant, node) = (&call.constant, Literal::usize_unsuffixed(call.node));
        quote!(const #constant: rt::Step = PLAN.step(#node);)
    });
    let (net, run, gradients) = (ident("net"), ident("run"), ident("gradients"));
    let forward = plan.calls.iter().filter(|_| sound).map(|call| {
        let (constant, method) = (&call.constant, &call.method);
        match &call.field {
            Some(field) => quote!(#run.#method(&#constant, &#net.#field);),
            None => quote!(#run.#method(&#constant);),
        }
    });
    let backward = plan.calls.iter().rev().filter(|_| sound).map(|call| {
        let (constant, method) = (&call.constant, &call.method);
        match &call.field {
            Some(field) => quote!(#run.#method(&#constant, &#net.#field, &mut #gradients.#field);),
            None => quote!(#run.#method(&#constant);),
        }
    });

    quote! {
        const NODES: usize = #count;
        const GRAPH: rt::Graph<'static> = rt::Graph { name: #text, nodes: #graph };
        static SHAPES: [rt::Shape; NODES] = GRAPH.shapes();
        static TENSORS: [rt::Tensor; #tensors] = GRAPH.tensors::<NODES, #tensors>();
        const PLAN: rt::Plan<NODES> = rt::Plan::new(&GRAPH);
        #(#steps)*

        #[automatically_derived]
        impl rt::Network for #name {
            type Input = #input;
            type Output = #output;
            type OutputValue = #value;
            type Parameters = #parameters;

            const GRAPH: rt::Graph<'static> = GRAPH;
            const SHAPES: &'static [rt::Shape] = &SHAPES;
            const LAYOUT: rt::Layout = rt::Layout::new(&PLAN, &TENSORS);

            fn from_model(model: rt::Model<#parameters>) -> Self {
                Self { __model: model }
            }

            fn model(&self) -> &rt::Model<#parameters> {
                &self.__model
            }

            fn model_mut(&mut self) -> &mut rt::Model<#parameters> {
                &mut self.__model
            }

            #[allow(unused_variables)]
            fn forward_group(#net: &#parameters, #run: &mut rt::Forward<'_>) {
                #(#forward)*
            }

            #[allow(unused_variables)]
            fn backward_group(
                #net: &#parameters,
                #gradients: &mut #parameters,
                #run: &mut rt::Backward<'_>,
            ) {
                #(#backward)*
            }
        }

        #logits
    }
}

fn ident(text: &str) -> proc_macro2::Ident {
    proc_macro2::Ident::new(text, Span::mixed_site())
}

/// Uses the documentation item of each keyword at the keyword's place, so that an editor finds it.
fn hover(checked: &Checked) -> TokenStream {
    let keywords = checked.nodes.iter().filter(|node| node.layer.is_some()).filter_map(|node| {
        let keyword = node.keyword.as_ref()?;
        let span = keyword.span();
        Some(quote_spanned!(span=> ::typenet::layers::#keyword;))
    });
    quote! {
        #[allow(clippy::no_effect, path_statements)]
        const fn __keywords() {
            #(#keywords)*
        }
        const _: () = __keywords();
    }
}

/// `[[f32; 3]; 2]` for the shape `[2, 3]`.
fn array(shape: Shape) -> TokenStream {
    shape.dims().iter().rev().fold(quote!(f32), |inner, &size| {
        let size = Literal::usize_unsuffixed(size);
        quote!([#inner; #size])
    })
}

fn pair(pair: [usize; 2]) -> TokenStream {
    let [height, width] = pair.map(Literal::usize_unsuffixed);
    quote!([#height, #width])
}

/// The value of an operation as an expression.
fn op(op: &Op) -> TokenStream {
    match *op {
        Op::Input { shape } => {
            let dims = shape.dims().iter().map(|&dim| Literal::usize_unsuffixed(dim));
            quote!(rt::Op::Input { shape: rt::Shape::new(&[#(#dims),*]) })
        }
        Op::Conv2d { out_channels, kernel, stride, padding, dilation, groups, bias } => {
            let [out_channels, groups] = [out_channels, groups].map(Literal::usize_unsuffixed);
            let [kernel, stride, padding, dilation] = [kernel, stride, padding, dilation].map(pair);
            quote!(rt::Op::Conv2d {
                out_channels: #out_channels, kernel: #kernel, stride: #stride, padding: #padding,
                dilation: #dilation, groups: #groups, bias: #bias,
            })
        }
        Op::Linear { out_features, bias } => {
            let out_features = Literal::usize_unsuffixed(out_features);
            quote!(rt::Op::Linear { out_features: #out_features, bias: #bias })
        }
        Op::MaxPool2d { kernel, stride, padding } => {
            let [kernel, stride, padding] = [kernel, stride, padding].map(pair);
            quote!(rt::Op::MaxPool2d { kernel: #kernel, stride: #stride, padding: #padding })
        }
        Op::AvgPool2d { kernel, stride, padding, count_include_pad } => {
            let [kernel, stride, padding] = [kernel, stride, padding].map(pair);
            quote!(rt::Op::AvgPool2d {
                kernel: #kernel, stride: #stride, padding: #padding,
                count_include_pad: #count_include_pad,
            })
        }
        Op::LeakyRelu { negative_slope } => {
            let slope = Literal::f32_unsuffixed(negative_slope);
            quote!(rt::Op::LeakyRelu { negative_slope: #slope })
        }
        Op::Dropout { p } => {
            let p = Literal::f32_unsuffixed(p);
            quote!(rt::Op::Dropout { p: #p })
        }
        Op::GlobalAvgPool => quote!(rt::Op::GlobalAvgPool),
        Op::Flatten => quote!(rt::Op::Flatten),
        Op::Relu => quote!(rt::Op::Relu),
        Op::Sigmoid => quote!(rt::Op::Sigmoid),
        Op::Tanh => quote!(rt::Op::Tanh),
        Op::Softmax => quote!(rt::Op::Softmax),
        _ => unreachable!("every operation that `layers` makes is above"),
    }
}

/// `conv2d(6, kernel = 5)`
fn describe(node: &Node) -> String {
    let keyword = node.layer.map_or("input", |layer| layer.keyword);
    if node.arguments.is_empty() { format!("`{keyword}`") } else { format!("`{keyword}({})`", node.arguments) }
}

/// The table of layers in the struct's documentation.
fn layer_table(checked: &Checked) -> String {
    let mut text = String::from("\n\n| layer | kind | output | parameters |\n|---|---|---|---:|\n");
    let mut total = 0;
    for node in &checked.nodes {
        let count = [node.parameters.0, node.parameters.1].into_iter().flatten();
        let count: usize = count.map(|shape| shape.elements()).sum();
        total += count;
        let name = if node.field.is_some() || node.layer.is_none() { node.name.as_str() } else { "" };
        let shape = node.shape.map(|shape| shape.to_string()).unwrap_or_default();
        let kind = if node.layer.is_none() { String::new() } else { describe(node) };
        let count = if count == 0 { String::new() } else { thousands(count) };
        text += &format!("| {name} | {kind} | `{shape}` | {count} |\n");
    }
    text += &format!("| | | | **{}** |\n", thousands(total));
    text
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
