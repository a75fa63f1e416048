//! The rules that are left to the compiler: one call each, at the place to which its message belongs.

use proc_macro2::{Delimiter, Group, Ident, Literal, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use typenet_shape::{Argument, Join, Shortcut};

use super::numbers::Numbers;
use super::site;
use crate::check::{Check, Checked, Rule};
use crate::mistake::Place;
use crate::number::Number;

impl Numbers<'_> {
    /// A constant for each rule.
    pub(super) fn checks(&self, checked: &Checked) -> TokenStream {
        let calls = checked.checks.iter().map(|check| self.check(check));
        calls.map(|call| quote_spanned!(site()=> const _: () = #call;)).collect()
    }

    /// The call for a rule.
    pub(super) fn check(&self, check: &Check) -> TokenStream {
        let note = &check.note;
        let of = self.generics.constants(site());
        let graph = quote_spanned!(site()=> &#of GRAPH);
        let (function, arguments) = match &check.rule {
            Rule::Range(node, argument) => {
                let (node, argument) = (self.node(*node), self::argument(*argument));
                ("check_argument", quote_spanned!(site()=> #graph, #node, #argument, #note))
            }
            Rule::Fit(node, argument) => {
                let (node, argument) = (self.node(*node), self::argument(*argument));
                ("check_fit", quote_spanned!(site()=> #graph, #node, #argument, #note))
            }
            Rule::Layer(node, others) => {
                let others = others.iter().copied().map(self::argument);
                let node = self.node(*node);
                ("check_layer", quote_spanned!(site()=> #graph, #node, &[#(#others),*], #note))
            }
            Rule::Join(node, at, words) => {
                let (node, at) = (self.node(*node), index(*at));
                let join = words.borrowed(|words| self.join(words));
                ("check_join", quote_spanned!(site()=> #graph, #node, #at, &#join, #note))
            }
            Rule::Part(node) => {
                let (first, node) = (self.first_node(*node), self.node(*node));
                ("check_part", quote_spanned!(site()=> #graph, #first, #node, #note))
            }
            Rule::Arguments(node) => {
                let Some(node) = self.checked.nodes.get(*node) else { return TokenStream::new() };
                let (Some(kind), Some(part)) = (self.part_type(node), &node.part) else {
                    return TokenStream::new();
                };
                let (name, path, given) = (&node.name, &part.text, index(part.arguments.len()));
                let takes = quote_spanned!(site()=> <#kind as __rt::AsLayer>::ARGUMENTS);
                let arguments = quote_spanned!(site()=> #name, #path, #takes, #given, #note);
                ("check_arguments", arguments)
            }
            Rule::Net(node) => {
                let Some(node) = self.checked.nodes.get(*node) else { return TokenStream::new() };
                let (Some(kind), Some(part)) = (self.part_type(node), &node.part) else {
                    return TokenStream::new();
                };
                let (name, path) = (&node.name, &part.text);
                let net = quote_spanned!(site()=> <#kind as __rt::AsLayer>::NET);
                ("check_net", quote_spanned!(site()=> #name, #path, #net, #note))
            }
            Rule::Dimension(what, dims, axis) => {
                let (shape, axis) = (self.shape(dims), index(*axis));
                ("check_dimension", quote_spanned!(site()=> #what, #shape, #axis))
            }
            Rule::Header(what, dims) => {
                let shape = self.shape(dims);
                ("check_header", quote_spanned!(site()=> #what, #shape))
            }
            Rule::Output(node, dims) => {
                let (node, shape) = (self.node(*node), self.shape(dims));
                ("check_output", quote_spanned!(site()=> #graph, #node, #shape))
            }
            Rule::Difference(name, text, sides) => {
                let [left, right] = self.sides(sides);
                ("check_difference", quote_spanned!(site()=> #name, #text, #left, #right, #note))
            }
            Rule::Divisor(name, text, sides, operator) => {
                let [left, right] = self.sides(sides);
                let sign = format!(" {operator} ");
                let arguments =
                    quote_spanned!(site()=> #name, #text, [#left, #right], #sign, #note);
                ("check_divisor", arguments)
            }
        };
        self.call(check.place, function, arguments)
    }

    fn join(&self, join: Join<'_>) -> TokenStream {
        match join {
            Join::Named(names) => quote_spanned!(site()=> __rt::Join::Named(&[#(#names),*])),
            Join::Branches(names) => quote_spanned!(site()=> __rt::Join::Branches(&[#(#names),*])),
            Join::Residual { start, shortcut } => {
                let start = self.node(start);
                let shortcut = match shortcut {
                    Shortcut::Missing => quote!(Missing),
                    Shortcut::Empty => quote!(Empty),
                    Shortcut::Layers => quote!(Layers),
                };
                quote_spanned!(site()=> __rt::Join::Residual {
                    start: #start, shortcut: __rt::Shortcut::#shortcut,
                })
            }
        }
    }

    fn sides(&self, sides: &[Number; 2]) -> [TokenStream; 2] {
        sides.each_ref().map(|side| self.expression(side))
    }

    /// A call whose place is that of the mistake, so that the compiler points there.
    fn call(&self, place: Place, function: &str, arguments: TokenStream) -> TokenStream {
        let of_graph = matches!(
            function,
            "check_fit" | "check_layer" | "check_part" | "check_join" | "check_output"
        );
        let function = Ident::new(function, place.start);
        let mut parentheses = Group::new(Delimiter::Parenthesis, arguments);
        parentheses.set_span(place.end);
        let parentheses = TokenTree::from(parentheses);
        if of_graph {
            let of = self.generics.constants(place.start);
            quote_spanned!(place.start=> #of CHECKED.#function #parentheses)
        } else {
            quote_spanned!(place.start=> __rt::#function #parentheses)
        }
    }
}

fn argument(argument: Argument) -> TokenStream {
    let variant = Ident::new(&format!("{argument:?}"), site());
    quote_spanned!(site()=> __rt::Argument::#variant)
}

fn index(index: usize) -> Literal {
    Literal::usize_unsuffixed(index)
}
