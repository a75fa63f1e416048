//! The weight file that a program holds: its header as constants, the compiler's check, and `pretrained`.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};

use super::{Names, site};
use crate::Mistake;
use crate::check::Checked;
use crate::weights::{File, Tensor};

/// `pretrained` and what it needs. Where the file or the declaration is wrong, one that can be called all the
/// same, so that the program around it shows no further errors.
pub(super) fn pretrained(
    checked: &Checked,
    names: &Names<'_>,
    sound: bool,
    file: &Result<File, Mistake>,
) -> TokenStream {
    let Some(attribute) = &checked.attributes.weights else { return TokenStream::new() };
    let cfg = attribute.condition.as_ref().map(|condition| quote!(#[cfg(#condition)]));
    let path = &attribute.path;
    let docs = [
        format!("The net with the parameters in `{path}`, which are part of the program."),
        String::new(),
        "Nothing is read, and nothing copied if the file is one of `save`; a net that is trained further copies \
         them first."
            .to_owned(),
    ];
    let net = &names.net_struct;
    let (declared, of_net, visibility) = (&net.declared, net.of(), &checked.visibility.0);
    let function = |body: TokenStream| {
        quote_spanned! {site()=>
            #cfg
            impl #declared #of_net {
                #(#[doc = #docs])*
                #[must_use]
                #visibility fn pretrained() -> Self {
                    #body
                }
            }
        }
    };
    let file = match file {
        Ok(file) if sound => file,
        Ok(_) => return function(quote!(loop {})),
        Err(mistake) => {
            let (error, function) = (mistake.to_compile_error(), function(quote!(loop {})));
            return quote_spanned!(site()=> #cfg const _: () = #error; #function);
        }
    };
    let place = &file.place;
    let (length, start) =
        (Literal::usize_unsuffixed(file.length), Literal::usize_unsuffixed(file.header.start));
    let hash = Literal::u64_unsuffixed(file.hash);
    let tensors = file.header.tensors.iter().map(tensor);
    let metadata = metadata(file);
    let span = attribute.span;
    let checks = quote_spanned! {span=>
        __rt::check_unchanged(#path, &BYTES.0, #start, #hash);
        __rt::check_weights(&GRAPH, &TENSORS, &FILE);
    };
    let function = function(quote_spanned!(site()=> __rt::pretrained(&EMBEDDED)));
    quote_spanned! {site()=>
        #cfg
        static BYTES: __rt::Aligned<[u8; #length]> =
            __rt::Aligned(*::core::include_bytes!(#place));
        #cfg
        const FILE: __rt::WeightFile<'static> =
            __rt::WeightFile { path: #path, tensors: &[#(#tensors),*] };
        #cfg
        const _: () = { #checks };
        #cfg
        static EMBEDDED: __rt::Embedded = __rt::Embedded {
            file: FILE,
            is_in_order: FILE.is_in_order(&GRAPH, &TENSORS),
            numbers: BYTES.0.split_at(#start).1,
            #metadata
        };

        #function
    }
}

fn tensor(tensor: &Tensor) -> TokenStream {
    let Tensor { name, dtype, shape, range: [start, _] } = tensor;
    let shape = shape.iter().map(|&dim| Literal::usize_unsuffixed(dim));
    let start = Literal::usize_unsuffixed(*start);
    quote_spanned! {site()=>
        __rt::FileTensor { name: #name, dtype: #dtype, shape: &[#(#shape),*], start: #start }
    }
}

fn metadata(file: &File) -> TokenStream {
    let names = &file.header.class_names;
    let numbers = |numbers: &[f32]| {
        let numbers = numbers.iter().map(|&number| Literal::f32_suffixed(number));
        quote_spanned!(site()=> &[#(#numbers),*])
    };
    let normalization = match &file.header.normalization {
        Some(normalization) => {
            let (mean, std) = (numbers(&normalization.mean), numbers(&normalization.std));
            quote_spanned!(site()=> ::core::option::Option::Some((#mean, #std)))
        }
        None => quote_spanned!(site()=> ::core::option::Option::None),
    };
    quote_spanned!(site()=> class_names: &[#(#names),*], normalization: #normalization,)
}
