//! The whole macro in process: what it writes, that it writes the same each time, and that no input
//! makes it panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const LENET5: &str = "
    /// LeNet-5 for 28×28 grey images.
    pub struct LeNet5: [1, 28, 28] -> [10] {
        conv1: conv2d(6, kernel = 5, padding = 2), relu,
        max_pool2d(2),
        conv2: conv2d(16, kernel = 5), relu,
        max_pool2d(2),
        flatten,
        fc1: linear(120), relu,
        fc2: linear(84), relu,
        fc3: linear(10),
    }";

fn pretty(declaration: &str) -> String {
    let tokens = typenet_macros_core::network(declaration.parse().unwrap());
    let mut file: syn::File = syn::parse2(tokens).unwrap();
    // The printer leaves macro calls alone: show the parameter struct as the struct that it holds.
    for item in &mut file.items {
        if let syn::Item::Macro(call) = item
            && let Ok(parameters) = syn::parse2::<syn::ItemStruct>(call.mac.tokens.clone())
        {
            *item = syn::Item::Struct(parameters);
        }
    }
    prettyplease::unparse(&file)
}

/// The text is committed so that a change of it is seen in review. To write it anew, run with
/// `UPDATE_EXPANSION=1`.
#[test]
fn lenet5_expands_to_the_text_in_the_repository() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lenet5.expanded.rs");
    let text = pretty(LENET5);
    if std::env::var_os("UPDATE_EXPANSION").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(path).unwrap());
    assert_eq!(text, pretty(LENET5));
}

/// Deletes, doubles, swaps or exchanges tokens, also inside groups.
fn mutate(stream: TokenStream, random: &mut ChaCha8Rng) -> TokenStream {
    let mut tokens: Vec<TokenTree> = stream.into_iter().collect();
    if tokens.is_empty() {
        return TokenStream::new();
    }
    let at = random.random_range(0..tokens.len());
    if let TokenTree::Group(group) = &tokens[at]
        && random.random_bool(0.8)
    {
        let delimiter =
            if random.random_bool(0.1) { Delimiter::Bracket } else { group.delimiter() };
        tokens[at] = Group::new(delimiter, mutate(group.stream(), random)).into();
        return tokens.into_iter().collect();
    }
    let other = random.random_range(0..tokens.len());
    match random.random_range(0..4) {
        0 => drop(tokens.remove(at)),
        1 => tokens.insert(other, tokens[at].clone()),
        2 => tokens.swap(at, other),
        _ => {
            tokens[at] =
                "99999999999999999999".parse::<TokenStream>().unwrap().into_iter().next().unwrap()
        }
    }
    tokens.into_iter().collect()
}

const NETS: &[&str] = &[
    LENET5,
    "#[derive(Clone, Debug)] #[allow(dead_code)] pub(crate) struct N: [8] -> [3] { linear(4, bias = false), tanh, softmax }",
    "struct P: [2, 9, 9] -> [2] { conv2d(2, kernel = (3, 5), stride = 2, padding = (1, 2), groups = 2), \
     leaky_relu(0.1), avg_pool2d(2, count_include_pad = false), dropout(p = 0.25), global_avg_pool }",
    "struct R: [2, 9, 9] -> [2] { residual { conv2d(2, 3) } shortcut { relu }, const W: usize = 3; relu; flatten }",
];

#[test]
fn no_input_makes_it_panic() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut with_mistakes = 0;
    for round in 0..4000 {
        let mut tokens: TokenStream = NETS[round % NETS.len()].parse().unwrap();
        for _ in 0..random.random_range(1..5) {
            tokens = mutate(tokens, &mut random);
        }
        let text = typenet_macros_core::network(tokens).to_string();
        with_mistakes += usize::from(text.contains("compile_error"));
    }
    assert!((2000..4000).contains(&with_mistakes), "{with_mistakes}");
}

/// What comes after a mistake must still be items that the compiler can read.
#[test]
fn mutated_declarations_expand_to_items() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    for round in 0..500 {
        let declared = NETS[round % NETS.len()].parse().unwrap();
        let tokens = mutate(declared, &mut random);
        let expansion = typenet_macros_core::network(tokens.clone());
        let file: Result<syn::File, _> = syn::parse2(expansion.clone());
        assert!(file.is_ok(), "{tokens}\n{expansion}");
    }
}

/// One declaration of each stage's printed result.
#[test]
fn stages_can_be_read_by_themselves() {
    let (declaration, mistakes) = typenet_macros_core::parse::parse(LENET5.parse().unwrap());
    assert!(mistakes.is_empty());
    let declaration = declaration.unwrap();
    assert_eq!(
        declaration.to_string(),
        "struct LeNet5: [1, 28, 28] -> [10]
  conv1: conv2d(6, kernel = 5, padding = 2)
  relu
  max_pool2d(2)
  conv2: conv2d(16, kernel = 5)
  relu
  max_pool2d(2)
  flatten
  fc1: linear(120)
  relu
  fc2: linear(84)
  relu
  fc3: linear(10)
"
    );
    let (checked, mistakes) = typenet_macros_core::check::check(&declaration);
    assert!(mistakes.is_empty());
    assert_eq!(
        checked.to_string(),
        "input: the input → [1, 28, 28]
conv1: conv2d(6, kernel = 5, padding = 2) → [6, 28, 28]
relu: relu → [6, 28, 28]
max_pool2d: max_pool2d(2) → [6, 14, 14]
conv2: conv2d(16, kernel = 5) → [16, 10, 10]
relu: relu → [16, 10, 10]
max_pool2d: max_pool2d(2) → [16, 5, 5]
flatten: flatten → [400]
fc1: linear(120) → [120]
relu: relu → [120]
fc2: linear(84) → [84]
relu: relu → [84]
fc3: linear(10) → [10]
"
    );
    let plan = typenet_macros_core::plan::plan(&checked);
    assert_eq!(
        plan.to_string(),
        "CONV1: conv2d + relu\nMAX_POOL2D_1: max_pool2d\nCONV2: conv2d + relu\n\
         MAX_POOL2D_2: max_pool2d\nFC1: linear + relu\nFC2: linear + relu\nFC3: linear\n"
    );
}
