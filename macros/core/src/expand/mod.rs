//! From a checked graph and its plan to tokens. This stage finds no mistakes. After one it writes the same
//! items with empty passes, so that the program around the declaration shows no further errors. Where a mistake
//! leaves a type open, that is one that fits any use (see `open.rs`).
//!
//! What the user wrote keeps its place, so that errors and editors point there. Everything else is
//! placed at the macro itself, which also keeps the user's lints away from it.

mod checks;
mod docs;
mod editors;
mod fields;
mod generics;
mod heads;
mod marks;
mod net_struct;
mod numbers;
mod op;
mod open;
mod parts;
mod structs;
mod weights;

use proc_macro2::{Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{format_ident, quote_spanned};

use crate::Mistake;
use crate::check::{Checked, Node};
use crate::number::Number;
use crate::plan::{Call, Outputs, Plan};
use crate::weights::File;
use generics::Steps;
use net_struct::NetStruct;
use numbers::Numbers;

/// Outputs of more bytes than this are returned in a box.
const BOXED: usize = 64 * 1024;

/// The place of generated tokens.
fn site() -> Span {
    Span::mixed_site()
}

/// The same tokens as if the macro had written them, at the user's place.
fn generated(tokens: TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            if let TokenTree::Group(group) = &token {
                let span = group.span();
                let mut inner = Group::new(group.delimiter(), generated(group.stream()));
                inner.set_span(span);
                token = inner.into();
            }
            token.set_span(token.span().resolved_at(site()));
            token
        })
        .collect()
}

/// The items of a net, and the mistakes as compile errors. `file` is its weight file, if it is to have one, or
/// what is wrong with that.
pub fn expand(
    checked: &Checked,
    plan: &Plan,
    mistakes: &[Mistake],
    file: Option<Result<File, Mistake>>,
) -> TokenStream {
    let sound = mistakes.is_empty();
    let names = Names::new(checked, sound);
    let items = [
        open::items(checked, &names, mistakes),
        names.numbers.constants(),
        names.numbers.paths(),
        structs::structs(checked, plan, &names, sound),
        heads::structs(checked, &names),
        implementations(checked, plan, &names, sound, file.as_ref()),
        mistakes.iter().skip(1).map(Mistake::to_compile_error).collect(),
    ];
    items.into_iter().collect()
}

/// The names of the generated items.
struct Names<'a> {
    net: &'a Ident,
    net_struct: NetStruct,
    parameters: Ident,
    gradients: Ident,
    /// The structs of a net with named inputs or heads.
    input: Ident,
    output: Ident,
    loss: Ident,
    target: Ident,
    numbers: Numbers<'a>,
}

impl<'a> Names<'a> {
    fn new(checked: &'a Checked, sound: bool) -> Names<'a> {
        let net = &checked.name;
        // Where two nets or a net and another item meet, the error is at the net's name.
        let span = net.span().resolved_at(site());
        let numbers = Numbers::new(checked);
        Names {
            net,
            net_struct: NetStruct::new(checked, &numbers, sound),
            parameters: format_ident!("{net}Parameters", span = span),
            gradients: format_ident!("{net}Gradients", span = span),
            input: format_ident!("{net}Input", span = span),
            output: format_ident!("{net}Output", span = span),
            loss: format_ident!("{net}Loss", span = span),
            target: format_ident!("{net}Target", span = span),
            numbers,
        }
    }
}

fn implementations(
    checked: &Checked,
    plan: &Plan,
    names: &Names<'_>,
    sound: bool,
    file: Option<&Result<File, Mistake>>,
) -> TokenStream {
    let Names { parameters, net_struct, .. } = names;
    let NetStruct { declared, value, .. } = net_struct;
    let of_net = &net_struct.of();
    let (lints, cfg) = (&checked.attributes.lints, &checked.attributes.cfg);
    let used = names.numbers.generics.used();
    let constants = if sound { constants(checked, plan, names) } else { stand_ins(checked, names) };
    let network = network(checked, plan, names, sound);
    // After a mistake a net is whatever a loss asks for.
    let single =
        (checked.inputs.is_empty() || !sound).then(|| marker("SingleInput", declared, of_net));
    let last = checked.nodes.last().filter(|_| sound);
    let last = last.and_then(|node| names.numbers.part_type(node));
    let output = if checked.heads.is_empty() || !sound {
        output(declared, of_net, plan.outputs.first().filter(|_| sound), last)
    } else {
        // What such a net lacks for a loss is the one output.
        ends(declared, of_net, None)
    };
    let heads = heads::implementations(checked, plan, names, sound);
    let weights = file.map(|file| weights::pretrained(checked, names, sound, file));
    let editors = editors::for_editors(checked, plan, names);
    quote_spanned! {site()=>
        #(#cfg)*
        #(#lints)*
        const _: () = {
            use ::typenet::__private as __rt;

            #constants

            #network

            #single
            #output
            #heads

            #[automatically_derived]
            impl #declared ::core::ops::Deref for #of_net {
                type Target = #parameters #used;

                fn deref(&self) -> &#parameters #used {
                    self.__model.parameters()
                }
            }

            #[automatically_derived]
            impl #declared ::core::ops::DerefMut for #of_net {
                fn deref_mut(&mut self) -> &mut #parameters #used {
                    self.__model.parameters_mut()
                }
            }

            #[automatically_derived]
            impl #declared ::core::clone::Clone for #of_net {
                fn clone(&self) -> Self {
                    Self { __model: ::core::clone::Clone::clone(&self.__model) #value }
                }
            }

            #[automatically_derived]
            impl #declared ::core::cmp::PartialEq for #of_net {
                fn eq(&self, other: &Self) -> bool {
                    self.__model == other.__model
                }
            }

            #[automatically_derived]
            impl #declared ::core::fmt::Debug for #of_net {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::fmt::Display::fmt(&<Self as __rt::Network>::summary(), f)
                }
            }

            #weights

            #editors
        };
    }
}

/// `impl __rt::Logits for Net {}`
fn marker(name: &str, declared: &TokenStream, of: &TokenStream) -> TokenStream {
    let name = Ident::new(name, site());
    // Messages about one net do not list others.
    quote_spanned! {site()=>
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl #declared __rt::#name for #of {}
    }
}

/// What an output is, of a net with one or of a head. Where its last layer stands by a path, only the
/// compiler knows.
fn output(
    declared: &TokenStream,
    of: &TokenStream,
    what: Option<&Outputs>,
    last: Option<TokenStream>,
) -> TokenStream {
    let single = marker("SingleOutput", declared, of);
    let ends = match last {
        None => ends(declared, of, what),
        Some(last) => quote_spanned! {site()=>
            #[automatically_derived]
            impl #declared __rt::LogitsOfLast for #of {
                type Last = #last;
            }

            #[automatically_derived]
            impl #declared __rt::LogarithmsOfLast for #of {
                type Last = #last;
            }
        },
    };
    quote_spanned!(site()=> #single #ends)
}

/// What an output is by its last layer; where that is not known, whatever a loss asks for.
fn ends(declared: &TokenStream, of: &TokenStream, what: Option<&Outputs>) -> TokenStream {
    let is = |outputs| what.is_none_or(|what| *what == outputs);
    let logits = is(Outputs::Logits).then(|| marker("EndsInLogits", declared, of));
    let logarithms =
        is(Outputs::LogProbabilities).then(|| marker("EndsInLogProbabilities", declared, of));
    quote_spanned!(site()=> #logits #logarithms)
}

/// The graph and what is computed from it.
fn constants(checked: &Checked, plan: &Plan, names: &Names<'_>) -> TokenStream {
    let numbers = &names.numbers;
    let generics = &numbers.generics;
    let graph = graph(checked, plan, numbers);
    if !generics.are_none() {
        let steps: Steps = plan
            .calls
            .iter()
            .map(|call| (call.constant.clone(), Literal::usize_unsuffixed(call.node)))
            .collect();
        let calls: Vec<TokenStream> =
            checked.checks.iter().map(|check| numbers.check(check)).collect();
        let (constants, rules) =
            (generics.items(checked, &graph, &steps), generics.rules(checked, &calls));
        return quote_spanned!(site()=> #constants #rules);
    }
    let graph = if numbers.has_parts() {
        numbers.graph_of_parts(checked, plan)
    } else {
        let count = Literal::usize_unsuffixed(checked.nodes.len());
        quote_spanned! {site()=>
            const NODES: usize = #count;
            const GRAPH: __rt::Graph<'static> = #graph;
        }
    };
    let is_part = |call: &&Call| checked.nodes[call.node].part.is_some();
    let steps = plan.calls.iter().filter(|call| !is_part(call)).map(|call| {
        let (constant, node) = (&call.constant, numbers.node(call.node));
        quote_spanned!(site()=> const #constant: __rt::Step = PLAN.step(#node);)
    });
    let computed = if checked.checks.is_empty() {
        quote_spanned! {site()=>
            static SHAPES: [__rt::Shape; NODES] = GRAPH.shapes();
            static LAYERS: [__rt::LayerInfo; NODES] = GRAPH.layers(&SHAPES);
            static TENSORS: [__rt::Tensor; GRAPH.tensor_count()] = GRAPH.tensors::<NODES, _>();
            static PLAN: __rt::Plan<NODES> = __rt::Plan::new(&GRAPH);
        }
    } else {
        let net = names.net;
        let checks = numbers.checks(checked);
        let sizes = sizes(numbers);
        quote_spanned! {site()=>
            static CHECKED: __rt::Checked<NODES> = __rt::Checked::new(&GRAPH);
            static SHAPES: [__rt::Shape; NODES] = CHECKED.shapes();
            static LAYERS: [__rt::LayerInfo; NODES] = CHECKED.layers(&GRAPH);
            static TENSORS: [__rt::Tensor; GRAPH.tensor_count()] = CHECKED.tensors(&GRAPH);
            static PLAN: __rt::Plan<NODES> = __rt::Plan::of(&GRAPH, &CHECKED);
            #checks

            impl #net {
                #sizes
            }
        }
    };
    quote_spanned! {site()=>
        #graph
        #computed
        #(#steps)*
    }
}

/// The graph as an expression.
fn graph(checked: &Checked, plan: &Plan, numbers: &Numbers<'_>) -> TokenStream {
    let text = checked.name.to_string();
    let nodes = checked.nodes.iter().zip(&plan.names).filter_map(|(node, name)| {
        let op = numbers.op(node)?;
        let inputs = node.inputs.iter().map(|&index| numbers.node(index));
        Some(quote_spanned!(site()=> __rt::Node { name: #name, op: #op, inputs: &[#(#inputs),*] }))
    });
    let attributes = checked.nodes.iter().enumerate().filter_map(|(index, node)| {
        Some(marks::marks(&node.attributes(index)?, numbers.node(index)))
    });
    let heads = heads::of_graph(checked, numbers);
    quote_spanned! {site()=>
        __rt::Graph {
            name: #text,
            nodes: &[#(#nodes),*],
            marks: &[#(#attributes),*],
            heads: &[#(#heads),*],
        }
    }
}

/// How types ask for the dimensions of parameters.
fn sizes(numbers: &Numbers<'_>) -> TokenStream {
    if numbers.has_parts() {
        return quote_spanned! {site()=>
            /// A dimension of a layer's parameter.
            #[allow(dead_code)]
            const fn __size(layer: usize, tensor: usize, axis: usize) -> usize {
                __rt::shape_of(&TENSORS, AT[layer], tensor).padded(axis)
            }

            /// How many dimensions a layer's parameter has.
            #[allow(dead_code)]
            const fn __rank(layer: usize, tensor: usize) -> usize {
                __rt::shape_of(&TENSORS, AT[layer], tensor).rank()
            }
        };
    }
    quote_spanned! {site()=>
        /// A dimension of a parameter.
        #[allow(dead_code)]
        const fn __size(tensor: usize, axis: usize) -> usize {
            TENSORS[tensor].shape.dim(axis)
        }
    }
}

/// The same names after a mistake: constants that can be evaluated, of a net that does nothing.
fn stand_ins(checked: &Checked, names: &Names<'_>) -> TokenStream {
    let text = checked.name.to_string();
    let input = names.numbers.input(&[Number::from(1)]);
    quote_spanned! {site()=>
        const GRAPH: __rt::Graph<'static> = __rt::Graph {
            name: #text,
            nodes: &[__rt::Node { name: "input", op: #input, inputs: &[] }],
            marks: &[],
            heads: &[],
        };
        static SHAPES: [__rt::Shape; 1] = GRAPH.shapes();
        static LAYERS: [__rt::LayerInfo; 1] = GRAPH.layers(&SHAPES);
        static TENSORS: [__rt::Tensor; 0] = [];
        static PLAN: __rt::Plan<1> = __rt::Plan::new(&GRAPH);
    }
}

fn network(checked: &Checked, plan: &Plan, names: &Names<'_>, sound: bool) -> TokenStream {
    let Names { parameters, net_struct, .. } = names;
    let (declared, of_net, more) = (&net_struct.declared, net_struct.of(), &net_struct.value);
    let numbers = &names.numbers;
    let used = numbers.generics.used();
    let [inputs_open, heads_open] = checked.open_names;
    let input = match (checked.inputs.is_empty(), &names.input) {
        _ if inputs_open => numbers.open.kind(),
        (true, _) => numbers.numbers(checked.nodes.first().and_then(Node::dims).as_deref()),
        (false, input) => quote_spanned!(site()=> #input #used),
    };
    let (output, parts) = if heads_open {
        (numbers.open.kind(), vec![None])
    } else if checked.heads.is_empty() {
        (numbers.numbers(checked.output.as_deref()), vec![checked.output.as_deref()])
    } else {
        let output = &names.output;
        let output = quote_spanned!(site()=> #output #used);
        (output, checked.heads.iter().map(|head| head.dims.as_deref()).collect())
    };
    let value = match parts.into_iter().collect::<Option<Vec<_>>>() {
        Some(parts) => returned(numbers, &parts, &output),
        None => output.clone(),
    };
    let calls = if sound { plan.calls.as_slice() } else { &[] };
    let forward = calls.iter().map(|call| forward_call(numbers, checked, call, sound));
    let backward = calls
        .iter()
        .rev()
        .filter(|call| call.backward)
        .map(|call| backward_call(numbers, checked, call, sound));
    let constants = if numbers.generics.are_none() || !sound {
        quote_spanned! {site()=>
            const GRAPH: __rt::Graph<'static> = GRAPH;
            const SHAPES: &'static [__rt::Shape] = &SHAPES;
            const LAYERS: &'static [__rt::LayerInfo] = &LAYERS;
            const LAYOUT: __rt::Layout = __rt::Layout::new(&PLAN, &TENSORS);
        }
    } else {
        numbers.generics.in_trait(checked)
    };
    let parameters = quote_spanned!(site()=> #parameters #used);
    // Where something is trained before a net, its frozen layers pass gradients on.
    let whole = calls.iter().any(|call| !call.backward).then(|| {
        let backward = calls.iter().rev().map(|call| backward_call(numbers, checked, call, sound));
        quote_spanned! {site()=>
            #[allow(unused_variables)]
            fn backward_whole(
                net: &#parameters,
                gradients: &mut #parameters,
                run: &mut __rt::Backward<'_>,
            ) {
                #(#backward)*
            }
        }
    });
    quote_spanned! {site()=>
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl #declared __rt::Network for #of_net {
            type Input = #input;
            type Output = #output;
            type OutputValue = #value;
            type Parameters = #parameters;

            #constants

            fn from_model(model: __rt::Model<#parameters>) -> Self {
                Self { __model: model #more }
            }

            fn model(&self) -> &__rt::Model<#parameters> {
                &self.__model
            }

            fn model_mut(&mut self) -> &mut __rt::Model<#parameters> {
                &mut self.__model
            }

            #[allow(unused_variables)]
            fn forward_group(net: &#parameters, run: &mut __rt::Forward<'_>) {
                #(#forward)*
            }

            #[allow(unused_variables)]
            fn backward_group(
                net: &#parameters,
                gradients: &mut #parameters,
                run: &mut __rt::Backward<'_>,
            ) {
                #(#backward)*
            }

            #whole
        }
    }
}

/// The type of an output that is returned by value, from the dimensions of its parts.
fn returned(numbers: &Numbers<'_>, parts: &[&[Number]], output: &TokenStream) -> TokenStream {
    let elements = |dims: &[Number]| {
        dims.iter().try_fold(1, |product: usize, dim| Some(product.saturating_mul(dim.known()?)))
    };
    let all = |sum: usize, dims: &&[Number]| Some(sum.saturating_add(elements(dims)?));
    match parts.iter().try_fold(0, all) {
        Some(elements) if elements.saturating_mul(size_of::<f32>()) > BOXED => {
            quote_spanned!(site()=> ::std::boxed::Box<#output>)
        }
        Some(_) => output.clone(),
        // No type depends on what a generic is: only images may be large.
        None if !numbers.generics.are_none() => match parts.iter().all(|dims| dims.len() == 1) {
            true => output.clone(),
            false => quote_spanned!(site()=> ::std::boxed::Box<#output>),
        },
        None => {
            let bytes = parts.iter().map(|dims| {
                let four = quote_spanned!(site()=> 4);
                dims.iter().fold(four, |bytes, dim| {
                    let size = numbers.expression(dim);
                    quote_spanned!(site()=> #bytes * (#size))
                })
            });
            let bytes = quote_spanned!(site()=> #(#bytes)+*);
            let most = Literal::usize_unsuffixed(BOXED);
            quote_spanned! {site()=>
                <__rt::Boxed<{ #bytes > #most }> as __rt::Returned>::Value<#output>
            }
        }
    }
}

/// A call of the forward pass.
fn forward_call(numbers: &Numbers<'_>, checked: &Checked, call: &Call, sound: bool) -> TokenStream {
    let field = argument(call, quote_spanned!(site()=> & net)).into_iter();
    if let Some(kind) = numbers.part_type(&checked.nodes[call.node]) {
        let ([weight, bias], constant) = (numbers.part_tensors(call.node, sound), &call.constant);
        return quote_spanned! {site()=>
            <#kind as __rt::AsLayer>::forward::<#weight, #bias>(#(#field,)* #constant.first, run);
        };
    }
    let (constant, method) = (numbers.generics.reference(&call.constant), &call.method);
    quote_spanned!(site()=> run.#method(#constant #(, #field)*);)
}

/// A call of the backward pass.
fn backward_call(
    numbers: &Numbers<'_>,
    checked: &Checked,
    call: &Call,
    sound: bool,
) -> TokenStream {
    let field = argument(call, quote_spanned!(site()=> & net)).into_iter();
    let gradient = argument(call, quote_spanned!(site()=> &mut gradients)).into_iter();
    if let Some(kind) = numbers.part_type(&checked.nodes[call.node]) {
        let ([weight, bias], constant) = (numbers.part_tensors(call.node, sound), &call.constant);
        return quote_spanned! {site()=>
            <#kind as __rt::AsLayer>::backward::<#weight, #bias>(
                #(#field,)* #(#gradient,)* #constant.first, run,
            );
        };
    }
    let (constant, method) = (numbers.generics.reference(&call.constant), &call.method);
    quote_spanned!(site()=> run.#method(#constant #(, #field)* #(, #gradient)*);)
}

/// The argument with a layer's parameters among these, if the call takes one.
fn argument(call: &Call, all: TokenStream) -> Option<TokenStream> {
    call.takes_parameters.then(|| match &call.field {
        Some(path) => {
            let field = fields::access(path);
            quote_spanned!(site()=> #all #field)
        }
        None => quote_spanned!(site()=> &mut ()),
    })
}
