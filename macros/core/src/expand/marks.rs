//! Attributes of layers as expressions.

use proc_macro2::{Literal, TokenStream};
use quote::quote_spanned;
use typenet_shape::{Init, Marks, Scheme};

use super::site;

/// `__rt::Marks::of(3).named("features.0").frozen()`
pub(super) fn marks(marks: &Marks<'_>, node: TokenStream) -> TokenStream {
    let Marks { file_name, init, frozen, no_decay, .. } = *marks;
    let file_name = file_name.map(|name| quote_spanned!(site()=> .named(#name)));
    let init = (init != Init::NONE).then(|| {
        let init = of_init(&init);
        quote_spanned!(site()=> .init(#init))
    });
    let frozen = frozen.then(|| quote_spanned!(site()=> .frozen()));
    let no_decay = (no_decay != [false, false]).then(|| {
        let [weight, bias] = no_decay;
        quote_spanned!(site()=> .no_decay(#weight, #bias))
    });
    quote_spanned!(site()=> __rt::Marks::of(#node) #file_name #init #frozen #no_decay)
}

fn of_init(init: &Init) -> TokenStream {
    let start = match init.weight {
        Some(weight) => {
            let weight = scheme(weight);
            quote_spanned!(site()=> __rt::Init::new(#weight))
        }
        None => quote_spanned!(site()=> __rt::Init::NONE),
    };
    let gain = (init.gain != 1.0).then(|| {
        let gain = Literal::f32_unsuffixed(init.gain);
        quote_spanned!(site()=> .gain(#gain))
    });
    let bias = init.bias.map(|bias| {
        let bias = scheme(bias);
        quote_spanned!(site()=> .bias(#bias))
    });
    quote_spanned!(site()=> #start #gain #bias)
}

fn scheme(scheme: Scheme) -> TokenStream {
    let f32 = Literal::f32_unsuffixed;
    match scheme {
        Scheme::Normal { mean, std } => {
            let [mean, std] = [mean, std].map(f32);
            quote_spanned!(site()=> __rt::Scheme::Normal { mean: #mean, std: #std })
        }
        Scheme::TruncNormal { mean, std, a, b } => {
            let [mean, std, a, b] = [mean, std, a, b].map(f32);
            quote_spanned!(site()=> __rt::Scheme::TruncNormal {
                mean: #mean, std: #std, a: #a, b: #b,
            })
        }
        Scheme::Uniform { a, b } => {
            let [a, b] = [a, b].map(f32);
            quote_spanned!(site()=> __rt::Scheme::Uniform { a: #a, b: #b })
        }
        Scheme::Constant { val } => {
            let val = f32(val);
            quote_spanned!(site()=> __rt::Scheme::Constant { val: #val })
        }
        Scheme::Whitening { eps } => {
            let eps = f32(eps);
            quote_spanned!(site()=> __rt::Scheme::Whitening { eps: #eps })
        }
        Scheme::KaimingUniform => quote_spanned!(site()=> __rt::Scheme::KaimingUniform),
        Scheme::KaimingNormal => quote_spanned!(site()=> __rt::Scheme::KaimingNormal),
        Scheme::KaimingUniformFanOut => {
            quote_spanned!(site()=> __rt::Scheme::KaimingUniformFanOut)
        }
        Scheme::KaimingNormalFanOut => quote_spanned!(site()=> __rt::Scheme::KaimingNormalFanOut),
        Scheme::XavierUniform => quote_spanned!(site()=> __rt::Scheme::XavierUniform),
        Scheme::XavierNormal => quote_spanned!(site()=> __rt::Scheme::XavierNormal),
        Scheme::PyTorchDefault => quote_spanned!(site()=> __rt::Scheme::PyTorchDefault),
        Scheme::Orthogonal => quote_spanned!(site()=> __rt::Scheme::Orthogonal),
        Scheme::Dirac => quote_spanned!(site()=> __rt::Scheme::Dirac),
        _ => unreachable!("every scheme that `schemes` makes is above"),
    }
}
