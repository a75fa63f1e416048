//! Nets with const generics. What is computed of such a net are associated constants of a generic
//! struct: each choice of the generics has its own, which the compiler evaluates where it is used.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote_spanned};

use super::site;
use crate::check::Checked;
use crate::mistake::Place;

/// The generics of a net; without any, all of these write nothing.
pub(super) struct Generics {
    pub(super) names: Vec<Ident>,
}

impl Generics {
    pub(super) fn new(checked: &Checked) -> Generics {
        let placed = |name: &Ident| {
            let mut name = name.clone();
            name.set_span(name.span().resolved_at(site()));
            name
        };
        Generics { names: checked.generics.iter().map(placed).collect() }
    }

    pub(super) fn are_none(&self) -> bool {
        self.names.is_empty()
    }

    /// `<const HIDDEN: usize>`
    pub(super) fn declared(&self) -> TokenStream {
        let names = &self.names;
        self.unless_none(quote_spanned!(site()=> <#(const #names: usize),*>))
    }

    /// `const HIDDEN: usize,` behind other generics.
    pub(super) fn further(&self) -> TokenStream {
        let names = &self.names;
        quote_spanned!(site()=> #(const #names: usize,)*)
    }

    /// `<HIDDEN>`
    pub(super) fn used(&self) -> TokenStream {
        let names = self.at(site());
        self.unless_none(quote_spanned!(site()=> <#(#names),*>))
    }

    /// `Constants::<HIDDEN>::`, the constants of a net with generics, at a place; these of a net
    /// without any are items.
    pub(super) fn constants(&self, span: Span) -> TokenStream {
        let names = self.at(span);
        self.unless_none(quote_spanned!(span=> Constants::<#(#names),*>::))
    }

    /// A reference to a constant that is computed of the net.
    pub(super) fn reference(&self, constant: &Ident) -> TokenStream {
        let of = self.constants(site());
        // Those of a net with generics are references already: no item can hold their value.
        let and = self.are_none().then(|| quote_spanned!(site()=> &));
        quote_spanned!(site()=> #and #of #constant)
    }

    fn at(&self, span: Span) -> Vec<Ident> {
        self.names.iter().map(|name| Ident::new(&name.to_string(), span)).collect()
    }

    fn unless_none(&self, tokens: TokenStream) -> TokenStream {
        if self.are_none() { TokenStream::new() } else { tokens }
    }

    /// The constants of a net with generics: `graph`, what is computed from it, and its `steps`.
    pub(super) fn items(
        &self,
        checked: &Checked,
        graph: &TokenStream,
        steps: &Steps,
    ) -> TokenStream {
        let (declared, used) = (self.declared(), self.used());
        let nodes = Literal::usize_unsuffixed(checked.nodes.len());
        let tensors = checked.nodes.iter().map(|node| node.tensors.len()).sum();
        let tensors = Literal::usize_unsuffixed(tensors);
        let steps = steps.iter().map(|(constant, node)| {
            quote_spanned!(site()=> const #constant: &'static __rt::Step = &Self::PLAN.step(#node);)
        });
        quote_spanned! {site()=>
            /// What is computed of the net for each choice of its generics.
            struct Constants #declared;

            impl #declared Constants #used {
                const GRAPH: __rt::Graph<'static> = #graph;
                const CHECKED: __rt::Checked<#nodes> = __rt::Checked::new(&Self::GRAPH);
                const SHAPES: &'static [__rt::Shape; #nodes] = &Self::CHECKED.shapes();
                const LAYERS: &'static [__rt::LayerInfo; #nodes] =
                    &Self::CHECKED.layers(&Self::GRAPH);
                const TENSORS: &'static [__rt::Tensor; #tensors] =
                    &Self::CHECKED.tensors(&Self::GRAPH);
                const PLAN: &'static __rt::Plan<#nodes> =
                    &__rt::Plan::of(&Self::GRAPH, &Self::CHECKED);
                #(#steps)*
            }
        }
    }

    /// A constant for each rule, which `calls` check and which fails to evaluate where a choice of the
    /// generics breaks it.
    pub(super) fn rules(&self, checked: &Checked, calls: &[TokenStream]) -> TokenStream {
        let (declared, used) = (self.declared(), self.used());
        let names: Vec<Ident> = (1..=checked.checks.len()).map(rule).collect();
        let all = self.evaluated(checked, |start| quote_spanned!(start=> Self::));
        quote_spanned! {site()=>
            /// The rules that a choice of the generics may break.
            struct Rules #declared;

            impl #declared Rules #used {
                #(const #names: () = #calls;)*
                const ALL: () = { #all };
            }
        }
    }

    /// Has each rule evaluated; what is `before` their names. The compiler points at these, too, so
    /// each has the place of its message.
    fn evaluated(&self, checked: &Checked, before: impl Fn(Span) -> TokenStream) -> TokenStream {
        let rules = (1..).zip(&checked.checks).map(|(number, check)| {
            let Place { start, end } = check.place;
            let (before, rule) = (before(start), Ident::new(&rule(number).to_string(), end));
            quote_spanned!(site()=> let () = #before #rule;)
        });
        rules.collect()
    }

    /// The constants of the trait. Mistakes are found where the net is used: all of them where it is
    /// made from a seed, and the first one elsewhere.
    pub(super) fn in_trait(&self, checked: &Checked) -> TokenStream {
        let of = self.constants(site());
        // The compiler points at the net where a rule is broken.
        let net = checked.name.span();
        let names = self.at(net);
        let all = quote_spanned!(net=> Rules::<#(#names),*>::ALL);
        let rules = self.evaluated(checked, |start| {
            let names = self.at(start);
            quote_spanned!(start=> Rules::<#(#names),*>::)
        });
        quote_spanned! {site()=>
            const GRAPH: __rt::Graph<'static> = #of GRAPH;
            const SHAPES: &'static [__rt::Shape] = #of SHAPES;
            const LAYERS: &'static [__rt::LayerInfo] = {
                let () = #all;
                #of LAYERS
            };
            const LAYOUT: __rt::Layout = __rt::Layout::new(#of PLAN, #of TENSORS);
            const RULES: () = #all;

            fn seeded(seed: u64) -> Self {
                #rules
                __rt::seeded(__rt::Scheme::default(), seed)
            }
        }
    }
}

/// The constants of the kernel calls, each with its node.
pub(super) type Steps = Vec<(Ident, Literal)>;

fn rule(number: usize) -> Ident {
    Ident::new(&format!("RULE_{number}"), site())
}

/// The type of `[T; a + b]`: one array behind another.
pub(super) fn joined(first: &impl ToTokens, second: &impl ToTokens) -> TokenStream {
    quote_spanned!(site()=> ::typenet::parameters::Joined<#first, #second>)
}
