//! The graph of a net with other nets and layers of the user's own in it. Only the compiler knows how
//! many nodes those become, and a layer's output only from its input: so the graph is put together
//! from runs of nodes, each part between two of them. `AT` holds the last node of each layer of the
//! declaration.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote_spanned};

use super::numbers::Numbers;
use super::{marks, site};
use crate::check::{Checked, Node};
use crate::number::Number;
use crate::plan::Plan;

impl Numbers<'_> {
    /// Whether there are other nets or layers of the user's own.
    pub(super) fn has_parts(&self) -> bool {
        !self.checked.paths.is_empty()
    }

    /// The node of a layer of the declaration: its number, or an expression that gives it.
    pub(super) fn node(&self, index: usize) -> TokenStream {
        let index = Literal::usize_unsuffixed(index);
        if self.has_parts() {
            quote_spanned!(site()=> AT[#index])
        } else {
            quote_spanned!(site()=> #index)
        }
    }

    /// The first node of a layer of the declaration.
    pub(super) fn first_node(&self, index: usize) -> TokenStream {
        let before = self.node(index - 1);
        quote_spanned!(site()=> #before + 1)
    }

    /// The name of each type that stands there by its path. Each path is written once, so that a
    /// mistake in it is reported once.
    pub(super) fn paths(&self) -> TokenStream {
        let (lints, cfg) = (&self.checked.attributes.lints, &self.checked.attributes.cfg);
        let items = self.checked.paths.iter().enumerate().map(|(index, path)| {
            let (name, path) = (self.path(index), &path.path);
            quote_spanned! {site()=>
                #(#cfg)*
                #(#lints)*
                #[doc(hidden)]
                #[allow(non_camel_case_types)]
                type #name = #path;
            }
        });
        items.collect()
    }

    fn path(&self, index: usize) -> Ident {
        let word = self.checked.paths.get(index).map_or("", |path| &path.text);
        let word = word.rsplit(':').next().unwrap_or_default();
        let same = |other: &&crate::check::TypePath| other.text.rsplit(':').next() == Some(word);
        let number = match self.checked.paths[..index].iter().filter(same).count() {
            0 => String::new(),
            before => format!("_{}", before + 1),
        };
        format_ident!("__{}_{word}{number}", self.checked.name, span = site())
    }

    /// The type of a part, placed where the declaration has its path.
    pub(super) fn part_type(&self, node: &Node) -> Option<TokenStream> {
        let part = node.part.as_ref()?;
        let mut name = self.path(part.path);
        name.set_span(site().located_at(part.place.start));
        // So that a message points from the first word to the last.
        let end = quote_spanned!(site().located_at(part.place.end)=> <>);
        Some(quote_spanned!(site()=> #name #end))
    }

    /// The types of a part's weight and bias; only a layer has some.
    pub(super) fn part_tensors(&self, index: usize, sound: bool) -> [TokenStream; 2] {
        [0, 1].map(|tensor| self.array_of_any_rank(index, tensor, sound))
    }

    /// The type of a tensor of which only the compiler knows how many dimensions it has.
    pub(super) fn array_of_any_rank(
        &self,
        index: usize,
        tensor: usize,
        sound: bool,
    ) -> TokenStream {
        if !sound {
            return self.open.kind();
        }
        let (net, tensor) = (&self.checked.name, Literal::usize_unsuffixed(tensor));
        let index = Literal::usize_unsuffixed(index);
        let dims = (0..typenet_shape::MAX_RANK).map(|axis| {
            let axis = Literal::usize_unsuffixed(axis);
            quote_spanned!(site()=> { #net::__size(#index, #tensor, #axis) })
        });
        quote_spanned! {site()=>
            <::typenet::__private::Dims<{ #net::__rank(#index, #tensor) } #(, #dims)*>
                as ::typenet::__private::Array>::Numbers
        }
    }

    /// `AT`, the runs of nodes, the parts, and the graph of all of them.
    pub(super) fn graph_of_parts(&self, checked: &Checked, plan: &Plan) -> TokenStream {
        let text = checked.name.to_string();
        let counts = checked.nodes.iter().map(|node| match self.part_type(node) {
            Some(kind) => quote_spanned!(site()=> <#kind as __rt::AsLayer>::NODES),
            None => quote_spanned!(site()=> 1),
        });
        let layers = Literal::usize_unsuffixed(checked.nodes.len());
        let last = Literal::usize_unsuffixed(checked.nodes.len() - 1);
        let mut items = quote_spanned! {site()=>
            const AT: [usize; #layers] = __rt::places([#(#counts),*]);
            const NODES: usize = AT[#last] + 1;
        };
        // What stands before the next run, and the attributes so far.
        let mut before: Vec<TokenStream> = Vec::new();
        let mut run: Vec<TokenStream> = Vec::new();
        let (mut all_marks, mut own_marks): (Vec<TokenStream>, Vec<TokenStream>) =
            Default::default();
        for (index, node) in checked.nodes.iter().enumerate() {
            let Some(kind) = self.part_type(node) else {
                if let Some(op) = self.op(node) {
                    let name = &plan.names[index];
                    let inputs = node.inputs.iter().map(|&input| self.node(input));
                    run.push(quote_spanned! {site()=>
                        __rt::Node { name: #name, op: #op, inputs: &[#(#inputs),*] }
                    });
                }
                if let Some(attributes) = node.attributes(index) {
                    own_marks.push(marks::marks(&attributes, self.node(index)));
                }
                continue;
            };
            let Some(call) = plan.calls.iter().find(|call| call.node == index) else { continue };
            let name = &call.constant;
            let [so_far, input, text, inputs, nodes, marks] =
                ["BEFORE", "INPUT", "TEXT", "INPUTS", "NODES", "MARKS"]
                    .map(|what| format_ident!("{name}_{what}", span = site()));
            before.push(quote_spanned!(site()=> &[#(#run),*]));
            run.clear();
            let placement = self.placement(node, index, &kind, &input, &plan.names[index]);
            let (at, count) = (self.node(node.inputs[0]), self.first_node(index));
            items.extend(quote_spanned! {site()=>
                static #so_far: [__rt::Node<'static>; #count] = __rt::joined_nodes(&[#(#before),*]);
                const #input: __rt::Shape =
                    __rt::Checked::<{ #count }>::new(&__rt::Graph::new("", &#so_far)).shape(#at);
                const #name: __rt::Placement = #placement;
                static #text: [u8; #name.text_len()] = #name.text();
                static #inputs: [usize; #name.input_count()] = #name.inputs();
                static #nodes: [__rt::Node<'static>; #name.node_count()] =
                    #name.nodes(&#text, &#inputs);
                static #marks: [__rt::Marks<'static>; #name.node_count()] = #name.marks(&#text);
            });
            before = vec![quote_spanned!(site()=> &#so_far), quote_spanned!(site()=> &#nodes)];
            all_marks.push(quote_spanned!(site()=> &[#(#own_marks),*]));
            own_marks.clear();
            all_marks.push(quote_spanned!(site()=> &#marks));
        }
        let heads = super::heads::of_graph(checked, self);
        before.push(quote_spanned!(site()=> &[#(#run),*]));
        all_marks.push(quote_spanned!(site()=> &[#(#own_marks),*]));
        items.extend(quote_spanned! {site()=>
            static ALL_NODES: [__rt::Node<'static>; NODES] = __rt::joined_nodes(&[#(#before),*]);
            const MARK_RUNS: &[&[__rt::Marks<'static>]] = &[#(#all_marks),*];
            static ALL_MARKS: [__rt::Marks<'static>; __rt::count_marks(MARK_RUNS)] =
                __rt::joined_marks(MARK_RUNS);
            const GRAPH: __rt::Graph<'static> =
                __rt::Graph {
                    name: #text,
                    nodes: &ALL_NODES,
                    marks: &ALL_MARKS,
                    heads: &[#(#heads),*],
                };
        });
        items
    }

    fn placement(
        &self,
        node: &Node,
        index: usize,
        kind: &TokenStream,
        input: &Ident,
        name: &str,
    ) -> TokenStream {
        let (path, numbers) = match &node.part {
            Some(part) => (part.text.as_str(), part.arguments.as_slice()),
            None => ("", &[] as &[Number]),
        };
        let count = Literal::usize_unsuffixed(numbers.len());
        let numbers = numbers.iter().map(|number| {
            let number = self.expression(number);
            quote_spanned!(site()=> { #number })
        });
        let arguments = &node.arguments;
        let attributes = typenet_shape::Marks {
            node: 0,
            file_name: node.file_name.as_deref(),
            init: node.marks.init,
            frozen: node.marks.frozen,
            no_decay: node.marks.no_decay,
        };
        let attributes = marks::marks(&attributes, quote_spanned!(site()=> 0));
        let (source, first) = (self.node(node.inputs[0]), self.first_node(index));
        let axes = (0..typenet_shape::MAX_RANK).map(Literal::usize_unsuffixed);
        quote_spanned! {site()=>
            __rt::Placement {
                part: <<#kind as __rt::AsLayer>::At<
                    __rt::Arguments<#count #(, #numbers)*>,
                    __rt::Dims<{ #input.rank() } #(, { #input.padded(#axes) })*>,
                > as __rt::HasPart>::PART,
                name: #name,
                kind: #path,
                arguments: #arguments,
                marks: #attributes,
                source: #source,
                first: #first,
            }
        }
    }
}
