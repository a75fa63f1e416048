//! How a net's struct is written: as it is, or with a type left open after a mistake.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote_spanned};

use super::numbers::Numbers;
use super::site;
use crate::check::Checked;

/// How many generics a net has after a mistake, at least: it may be in them.
const GENERICS: usize = 8;

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
    /// The generics of the net's name and what it stands for, where it is not the struct's own.
    pub(super) alias: Option<[TokenStream; 2]>,
}

impl NetStruct {
    /// The struct. After a mistake the net is another name for that struct with an open argument: so
    /// nothing is an error that is said of the net's own type, such as a field of a layer that could
    /// not be read, or a trait implemented for the types of two open inputs, which the compiler takes
    /// for one. It may have any number of generics then.
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
        let mut all = generics.names.clone();
        all.extend((all.len()..GENERICS).map(|at| format_ident!("__{at}", span = site())));
        let name = format_ident!("__{net}", span = net.span().resolved_at(site()));
        let open = numbers.open.kind();
        let further = quote_spanned!(site()=> __Open: 'static, #(const #all: usize,)*);
        NetStruct {
            declared: quote_spanned!(site()=> <#further>),
            further,
            used: quote_spanned!(site()=> <__Open, #(#all,)*>),
            field: quote_spanned!(site()=> __open: ::core::marker::PhantomData<fn() -> __Open>,),
            value: quote_spanned!(site()=> , __open: ::core::marker::PhantomData),
            alias: Some([
                quote_spanned!(site()=> <#(const #all: usize = 0),*>),
                quote_spanned!(site()=> #name<#open, #(#all),*>),
            ]),
            name,
        }
    }

    /// It as a type of which traits are implemented.
    pub(super) fn of(&self) -> TokenStream {
        let (name, used) = (&self.name, &self.used);
        quote_spanned!(site()=> #name #used)
    }
}
