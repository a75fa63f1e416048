//! `#[typenet::layer]`: takes what the compiler must know of a layer of the user's own from its `impl`.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};

use crate::Mistake;
use crate::mistake::Place;

/// The most arguments that a layer takes.
pub(crate) const MOST_ARGUMENTS: usize = 8;

const OUTPUT: &str = "pub const fn output(self, input: Shape) -> Result<Shape, ShapeError>";

/// Expands `#[typenet::layer]`: the item, with what makes its type a layer. After a mistake that is a stand-in,
/// which causes no further errors.
pub fn layer(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Vec::new();
    if let Some(token) = attribute.into_iter().next() {
        mistakes.push(
            Mistake::new(token.span(), "`#[typenet::layer]` takes no values")
                .help("its arguments are those of `const fn new`"),
        );
    }
    let tokens: Vec<TokenTree> = item.clone().into_iter().collect();
    let implementation = match header(&tokens) {
        Ok((name, body)) => {
            let own = Own::read(name, body, &mut mistakes);
            own.implementation(mistakes.is_empty())
        }
        Err(mistake) => {
            mistakes.push(mistake);
            TokenStream::new()
        }
    };
    let mistakes = mistakes.iter().map(Mistake::to_compile_error);
    quote!(#item #implementation #(#mistakes)*)
}

/// The type and the braces of `impl Swirl { … }`.
fn header(tokens: &[TokenTree]) -> Result<(&[TokenTree], &Group), Mistake> {
    let start = tokens.iter().position(|token| !is_attribute(token)).unwrap_or_default();
    let place = |token: Option<&TokenTree>| token.map_or_else(Span::call_site, TokenTree::span);
    let is_impl = matches!(tokens.get(start), Some(TokenTree::Ident(word)) if word == "impl");
    let Some((TokenTree::Group(body), before)) = tokens[start..].split_last().filter(|_| is_impl)
    else {
        let name = tokens.windows(2).find_map(|pair| match pair {
            [TokenTree::Ident(word), TokenTree::Ident(name)]
                if word == "struct" || word == "enum" =>
            {
                Some(name.to_string())
            }
            _ => None,
        });
        let name = name.unwrap_or_else(|| "Swirl".into());
        let help = format!("put it on `impl {name} {{ {OUTPUT} {{ … }} }}`");
        return Err(Mistake::new(
            place(tokens.get(start)),
            "`#[typenet::layer]` stands on the `impl` that has the layer's `output`",
        )
        .help(help));
    };
    let name = &before[1..];
    if let Some(of) =
        name.iter().find(|token| matches!(token, TokenTree::Ident(word) if word == "for"))
    {
        let message = "`#[typenet::layer]` stands on the type's own `impl`, not on that of a trait";
        let help = format!("`impl Layer for …` needs none; put it where `{OUTPUT}` is");
        return Err(Mistake::new(of.span(), message).help(help));
    }
    if let Some(TokenTree::Punct(open)) = name.first()
        && open.as_char() == '<'
    {
        let message =
            "a layer of your own has no generics: it is called by its path and whole numbers";
        return Err(Mistake::new(open.span(), message)
            .help("let `new` take the number: `pub const fn new(turns: usize) -> Self`"));
    }
    Ok((name, body))
}

/// `#` and the brackets behind it.
fn is_attribute(token: &TokenTree) -> bool {
    match token {
        TokenTree::Punct(punct) => punct.as_char() == '#',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Bracket,
        _ => false,
    }
}

/// A function of the `impl`.
struct Method {
    name: Ident,
    is_const: bool,
    /// What stands between the commas of its parentheses.
    parameters: Vec<Vec<TokenTree>>,
}

/// What the `impl` says of the layer.
struct Own {
    name: TokenStream,
    /// The names of the arguments; `None` without `new`.
    arguments: Option<Vec<String>>,
    output: Option<Ident>,
    weight: Option<Ident>,
    bias: Option<Ident>,
}

impl Own {
    fn read(name: &[TokenTree], body: &Group, mistakes: &mut Vec<Mistake>) -> Own {
        let methods = methods(body);
        let text: String = name.iter().map(ToString::to_string).collect();
        let place = Place::of(name, body.span());
        let find = |name: &str| methods.iter().find(|method| method.name == name);
        let mut constant = |name: &str, why: &str| {
            let method = find(name)?;
            if !method.is_const {
                let message = format!("`{name}` must be a `const fn`: {why}");
                mistakes.push(
                    Mistake::new(method.name.span(), message)
                        .help(format!("write `const fn {name}`")),
                );
            }
            Some(method)
        };
        let new = constant("new", "a declaration makes the layer when it is compiled");
        let [output, weight, bias] = [
            constant("output", "shapes are checked when a declaration is compiled"),
            constant("weight", "a net's memory is laid out when it is compiled"),
            constant("bias", "a net's memory is laid out when it is compiled"),
        ];
        if output.is_none() {
            let message = format!(
                "`{text}` has no `output`, which gives the shape of its output, or says what is wrong with its input"
            );
            mistakes.push(Mistake::new(place, message).help(format!("add `{OUTPUT}`")));
        }
        if let (Some(bias), None) = (bias, weight) {
            let message = "a `bias` stands beside a `weight`, and there is none";
            mistakes.push(Mistake::new(bias.name.span(), message).help("call it `weight`"));
        }
        for (method, gives) in
            [(output, "Result<Shape, ShapeError>"), (weight, "Shape"), (bias, "Shape")]
        {
            let Some(method) = method else { continue };
            let takes_self = method.parameters.first().is_some_and(
                |first| matches!(first.last(), Some(TokenTree::Ident(word)) if word == "self"),
            );
            if !takes_self || method.parameters.len() != 2 {
                let name = &method.name;
                let message = format!("`{name}` takes the layer and the shape of its input");
                let help = format!("write `pub const fn {name}(self, input: Shape) -> {gives}`");
                mistakes.push(Mistake::new(name.span(), message).help(help));
            }
        }
        let arguments = new.map(|new| arguments(new, mistakes));
        let ident = |method: Option<&Method>| method.map(|method| method.name.clone());
        Own {
            name: name.iter().cloned().collect(),
            arguments,
            output: ident(output),
            weight: ident(weight),
            bias: ident(bias),
        }
    }

    fn implementation(&self, sound: bool) -> TokenStream {
        let Own { name, arguments, .. } = self;
        let site = Span::mixed_site();
        let names = arguments.as_deref().unwrap_or_default();
        let count = names.len();
        let value = match arguments {
            Some(names) => {
                let numbers = (0..names.len())
                    .map(|index| quote_spanned!(site=> __rt::number_of(__A::ALL, #index)));
                quote_spanned!(site=> <#name>::new(#(#numbers),*))
            }
            None => quote_spanned!(site=> #name),
        };
        let parameters = match (&self.weight, &self.bias) {
            (Some(_), Some(_)) => {
                quote_spanned!(site=> ::typenet::parameters::WeightBias<__W, __B>)
            }
            (Some(_), None) => quote_spanned!(site=> ::typenet::parameters::Weight<__W>),
            _ => quote_spanned!(site=> [f32; 0]),
        };
        let part = if sound {
            let tensor = |method: &Option<Ident>| match method {
                Some(method) => quote_spanned! {site=>
                    ::core::option::Option::Some(__Placed::<__A, __I>::LAYER.#method(__I::SHAPE))
                },
                None => quote_spanned!(site=> ::core::option::Option::None),
            };
            let (weight, bias) = (tensor(&self.weight), tensor(&self.bias));
            let output = &self.output;
            // Where the trait is missing, the message points at the type.
            let place = self.name.clone().into_iter().next().map_or(site, |token| token.span());
            let reference = quote_spanned! {site.located_at(place)=>
                __Placed::<__A, __I>::REFERENCE
            };
            quote_spanned! {site=>
                if __A::ALL.len() != #count {
                    __rt::unknown_part()
                } else {
                    match __Placed::<__A, __I>::LAYER.#output(__I::SHAPE) {
                        ::core::result::Result::Ok(output) => __rt::own_part(
                            #reference,
                            __I::SHAPE,
                            output,
                            #weight,
                            #bias,
                        ),
                        ::core::result::Result::Err(error) => __rt::unfit_part(error),
                    }
                }
            }
        } else {
            quote_spanned!(site=> __rt::unknown_part())
        };
        let placed = sound.then(|| {
            quote_spanned! {site=>
                impl<__A: __rt::Numbers, __I: __rt::Extent> __Placed<__A, __I> {
                    const LAYER: #name = #value;
                    const REFERENCE: &'static #name = &Self::LAYER;
                }
            }
        });
        quote_spanned! {site=>
            const _: () = {
                use ::typenet::__private as __rt;

                #placed

                #[automatically_derived]
                impl __rt::AsLayer for #name {
                    const ARGUMENTS: ::core::option::Option<&'static [&'static str]> =
                        ::core::option::Option::Some(&[#(#names),*]);
                    const NODES: usize = 1;
                    type At<__A: __rt::Numbers, __I: __rt::Extent> = __Placed<__A, __I>;
                    type Parameters<__W: __rt::Values, __B: __rt::Values> = #parameters;

                    fn forward<__W: __rt::Values, __B: __rt::Values>(
                        parameters: &Self::Parameters<__W, __B>,
                        first: usize,
                        run: &mut __rt::Forward<'_>,
                    ) {
                        run.own(first, __rt::OwnParameters::both(parameters));
                    }

                    fn backward<__W: __rt::Values, __B: __rt::Values>(
                        parameters: &Self::Parameters<__W, __B>,
                        gradients: &mut Self::Parameters<__W, __B>,
                        first: usize,
                        run: &mut __rt::Backward<'_>,
                    ) {
                        let gradients = __rt::OwnParameters::both_mut(gradients);
                        run.own(first, __rt::OwnParameters::both(parameters), gradients);
                    }
                }

                pub struct __Placed<__A, __I>(::core::marker::PhantomData<(__A, __I)>);

                #[automatically_derived]
                impl<__A: __rt::Numbers, __I: __rt::Extent> __rt::HasPart for __Placed<__A, __I> {
                    const PART: __rt::Part = #part;
                }

                #[automatically_derived]
                impl __rt::EndsInLogits for #name {}
            };
        }
    }
}

/// The functions of an `impl`.
fn methods(body: &Group) -> Vec<Method> {
    let tokens: Vec<TokenTree> = body.stream().into_iter().collect();
    let mut methods = Vec::new();
    let mut is_const = false;
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(word) if word == "const" => is_const = true,
            TokenTree::Ident(word) if word == "fn" => {
                let Some(TokenTree::Ident(name)) = tokens.get(index + 1) else { continue };
                let group = tokens[index..].iter().find_map(|token| match token {
                    TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
                        Some(group)
                    }
                    _ => None,
                });
                let parameters = group.map_or_else(Vec::new, |group| pieces(group.stream()));
                methods.push(Method { name: name.clone(), is_const, parameters });
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => is_const = false,
            TokenTree::Punct(end) if end.as_char() == ';' => is_const = false,
            _ => {}
        }
    }
    methods
}

/// What stands between commas.
fn pieces(stream: TokenStream) -> Vec<Vec<TokenTree>> {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let is_comma =
        |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    let parts = tokens.split(is_comma).filter(|part| !part.is_empty());
    parts.map(<[TokenTree]>::to_vec).collect()
}

/// The names of what `new` takes.
fn arguments(new: &Method, mistakes: &mut Vec<Mistake>) -> Vec<String> {
    if new.parameters.len() > MOST_ARGUMENTS {
        let message = format!("`new` takes at most {MOST_ARGUMENTS} numbers");
        mistakes.push(Mistake::new(new.name.span(), message));
    }
    let name = |parameter: &Vec<TokenTree>| {
        let is_colon =
            |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
        let mut sides = parameter.splitn(2, is_colon);
        let (name, kind) = (sides.next().unwrap_or_default(), sides.next().unwrap_or_default());
        let text: String = kind.iter().map(ToString::to_string).collect();
        if text != "usize" {
            let message =
                "`new` takes whole numbers, each a `usize`: they are what a declaration can give";
            let place = Place::of(kind, new.name.span());
            mistakes.push(Mistake::new(place, message));
        }
        name.last().map(ToString::to_string).unwrap_or_default()
    };
    new.parameters.iter().map(name).collect()
}
