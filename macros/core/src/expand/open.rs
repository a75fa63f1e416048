//! What a mistake leaves open. The compiler takes any use of an erroneous type for right, so a program
//! around a declaration whose sizes could not be read shows no errors that follow from that one.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};

use super::numbers::Numbers;
use super::structs::generated;
use super::{Names, site};
use crate::Mistake;
use crate::check::Checked;

/// The type that fits any use.
pub(super) struct Open {
    name: Ident,
}

impl Open {
    pub(super) fn new(net: &Ident) -> Open {
        Open { name: format_ident!("__open_{net}", span = site()) }
    }

    /// The type.
    pub(super) fn kind(&self) -> TokenStream {
        let name = &self.name;
        quote_spanned!(site()=> #name)
    }

    /// The item that makes it the type of an array whose length is the first mistake: the compiler
    /// reports that as it reports any, and takes what follows from it for said.
    pub(super) fn item(&self, mistakes: &[Mistake]) -> TokenStream {
        let Some(mistake) = mistakes.first().map(Mistake::to_compile_error) else {
            return TokenStream::new();
        };
        let name = &self.name;
        quote_spanned! {site()=>
            #[doc(hidden)]
            #[allow(dead_code, non_camel_case_types)]
            type #name = <[(); #mistake] as ::core::iter::IntoIterator>::Item;
        }
    }
}

/// How a net's struct is written.
pub(super) struct NetStruct {
    /// Its name: the net's, unless that is another name for it.
    pub(super) name: Ident,
    /// Its generics.
    pub(super) declared: TokenStream,
    /// The same behind other generics.
    pub(super) further: TokenStream,
    /// The same as arguments.
    pub(super) used: TokenStream,
    /// Its field beside the model.
    pub(super) field: TokenStream,
    /// That field's value.
    pub(super) value: TokenStream,
    /// What the net's name stands for, where it is not the struct's own.
    pub(super) alias: Option<TokenStream>,
}

impl NetStruct {
    /// It as a type of which traits are implemented.
    pub(super) fn of(&self) -> TokenStream {
        let (name, used) = (&self.name, &self.used);
        quote_spanned!(site()=> #name #used)
    }

    /// The struct. After a mistake the net is another name for that struct with an open argument: so
    /// nothing is an error that is said of the net's own type, such as a field of a layer that could
    /// not be read, or a trait implemented for the types of two open inputs, which the compiler takes
    /// for one.
    pub(super) fn new(checked: &Checked, numbers: &Numbers<'_>, sound: bool) -> NetStruct {
        let generics = &numbers.generics;
        let net = &checked.name;
        if sound {
            return NetStruct {
                name: net.clone(),
                declared: generics.declared(),
                further: generics.further(),
                used: generics.used(),
                field: TokenStream::new(),
                value: TokenStream::new(),
                alias: None,
            };
        }
        let (further, arguments) = (generics.further(), generics.arguments());
        let name = format_ident!("__{net}", span = net.span().resolved_at(site()));
        let open = numbers.open.kind();
        let further = quote_spanned!(site()=> __Open: 'static, #further);
        NetStruct {
            declared: quote_spanned!(site()=> <#further>),
            further,
            used: quote_spanned!(site()=> <__Open, #arguments>),
            field: quote_spanned!(site()=> __open: ::core::marker::PhantomData<fn() -> __Open>,),
            value: quote_spanned!(site()=> , __open: ::core::marker::PhantomData),
            alias: Some(quote_spanned!(site()=> #name<#open, #arguments>)),
            name,
        }
    }
}

/// Other names for the open type, where the names of inputs or heads are open.
pub(super) fn aliases(checked: &Checked, names: &Names<'_>, all: &[&Ident]) -> TokenStream {
    let (lints, cfg) = (&checked.attributes.lints, &checked.attributes.cfg);
    let visibility = generated(checked.visibility.0.to_token_stream());
    let (declared, open) = (names.numbers.generics.declared(), names.numbers.open.kind());
    let one = |name: &&Ident| {
        quote_spanned! {site()=>
            #(#cfg)*
            #(#lints)*
            #[allow(dead_code)]
            #visibility type #name #declared = #open;
        }
    };
    all.iter().map(one).collect()
}
