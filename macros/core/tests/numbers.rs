//! Numbers at the ends of their range, in every place of a declaration, after any other mistake: none
//! of them makes the macro panic, and none of them is lost.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::hash::{DefaultHasher, Hash, Hasher};

use proc_macro2::{Group, Literal, TokenStream, TokenTree};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Where sums and products end, and what divides nothing.
const NUMBERS: [usize; 8] =
    [0, 1, 2, 1 << 24, 1 << 31, 1 << (usize::BITS / 2), 1 << (usize::BITS - 1), usize::MAX];

/// Every layer and form of the language with numbers in it.
const NETS: &[&str] = &[
    "struct Flat<const C: usize, const OUT: usize>: [C, 7, 6] -> [OUT] \
     { conv2d(4, kernel = 3), relu, flatten, fc: linear() }",
    "struct Depthwise: [5, 17, 8] -> [2] { depthwise_conv2d(1, multiplier = 3), batch_norm(eps = 1), \
     avg_pool2d(2, stride = 1, padding = 1), global_avg_pool, linear(2) }",
    "struct Lengths: [3, 9, 12] -> [2] { const A: usize = 4; const B: usize = (A - 1) * 3 + 2 / A % 5; \
     conv2d(A * 2, kernel = (3, 5), stride = 2, padding = (1, 2), dilation = (1, 1), groups = 1), \
     group_norm(2), flatten, linear(B), reshape([B, 1, 1]), flatten, linear(2) }",
    "struct Up: [4, 6, 5] -> [3, 11, 9] { conv_transpose2d(8, kernel = 3, stride = 2, padding = 1, \
     output_padding = 0, dilation = 1, groups = 2), relu, layer_norm, upsample(1, mode = bilinear), \
     scale(2), dropout(0), conv2d(3, kernel = 1) }",
    "struct Blocks: [3, 8, 8] -> [2] { block basic(out, stride = 1) { residual { \
     conv2d(out, kernel = 3, stride = stride, padding = 1), relu } shortcut { \
     conv2d(out, kernel = 1, stride = stride) } relu } \
     #[name(\"stage.{1}\")] stage1: repeat(2) { basic(4) } basic(8, stride = 2), \
     concat { branch { conv2d(4, kernel = 1) } branch {} } global_avg_pool, linear(2) }",
    "struct Symbolic: [3, crate::SIDE, 8] -> [crate::CLASSES] { const WIDE: usize = crate::WIDTH * 2 + 1; \
     conv1: conv2d(crate::WIDTH, kernel = 3, padding = 1, groups = 1), \
     residual { conv2d(WIDE, kernel = 3, padding = 1) } shortcut { conv2d(WIDE, kernel = 1) } \
     max_pool2d(crate::SIDE / 2 - 1, stride = 3, padding = 0), flatten, fc: linear(crate::CLASSES) }",
    "struct Heads: (image: [3, 8, 8], pose: [6]) -> (class: [10], bbox: [4]) { from(image), \
     conv1: conv2d(4, kernel = 3, stride = 2), relu, flatten, concat(pose), linear(16), trunk: tanh, \
     class: linear(10), from(trunk), linear(4), bbox: sigmoid }",
    "struct Generic<const C: usize, const HIDDEN: usize>: [1, 28, 28] -> [10] { conv2d(C, kernel = 5), \
     depthwise_conv2d(3, multiplier = 2), max_pool2d(2), concat { branch { conv2d(2 * C, kernel = 1) } \
     branch { conv2d(4, kernel = 3, padding = 1) } } conv_transpose2d(C, 2, stride = 2), flatten, \
     linear(HIDDEN), group_norm(1), linear(10) }",
    "struct Elsewhere: [3, 32, 32] -> [10] { Conv2d(3, 16, 3, 1, 1, 1, 1), MaxPool2D(2, strides = 2), \
     nn.Conv2d(16, 8, kernel_size = 3, padding = \"same\", groups = 2), AdaptiveAvgPool2d(4), \
     DepthwiseConv2D(3, depth_multiplier = 2), Upsample(size = 8), view(1, 4), Flatten(), Linear(128, 10) }",
];

fn number(random: &mut ChaCha8Rng) -> TokenTree {
    Literal::usize_unsuffixed(NUMBERS[random.random_range(0..NUMBERS.len())]).into()
}

fn is_number(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Literal(literal) if literal.to_string().parse::<usize>().is_ok())
}

fn count(stream: TokenStream) -> usize {
    let inner = |token: TokenTree| match token {
        TokenTree::Group(group) => count(group.stream()),
        token => usize::from(is_number(&token)),
    };
    stream.into_iter().map(inner).sum()
}

/// The stream with another number in the place of this one, counted from 0.
fn replaced(stream: TokenStream, at: &mut usize, number: &TokenTree) -> TokenStream {
    let each = |token: TokenTree| match token {
        TokenTree::Group(group) => {
            Group::new(group.delimiter(), replaced(group.stream(), at, number)).into()
        }
        token if is_number(&token) => {
            let hit = *at == 0;
            *at = at.wrapping_sub(1);
            if hit { number.clone() } else { token }
        }
        token => token,
    };
    stream.into_iter().map(each).collect()
}

/// Deletes, doubles or swaps tokens, or puts a number among them, also inside groups.
fn mutated(stream: TokenStream, random: &mut ChaCha8Rng) -> TokenStream {
    let mut tokens: Vec<TokenTree> = stream.into_iter().collect();
    if tokens.is_empty() {
        return number(random).into();
    }
    let at = random.random_range(0..tokens.len());
    if let TokenTree::Group(group) = &tokens[at]
        && random.random_bool(0.9)
    {
        tokens[at] = Group::new(group.delimiter(), mutated(group.stream(), random)).into();
        return tokens.into_iter().collect();
    }
    let other = random.random_range(0..tokens.len());
    match random.random_range(0..5) {
        0 => drop(tokens.remove(at)),
        1 => tokens.insert(other, tokens[at].clone()),
        2 => tokens.swap(at, other),
        3 => tokens.insert(at, number(random)),
        _ => tokens[at] = number(random),
    }
    tokens.into_iter().collect()
}

/// Prints a sum of all expansions, which is the same in a build without overflow checks. For more cases
/// set `TYPENET_FUZZ_CASES`, for others `TYPENET_FUZZ_SEED`.
#[test]
fn no_number_makes_it_panic() {
    let set = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let cases = set("TYPENET_FUZZ_CASES").unwrap_or(2000);
    let mut random = ChaCha8Rng::seed_from_u64(set("TYPENET_FUZZ_SEED").unwrap_or(1));
    let (mut sum, mut sound) = (DefaultHasher::new(), 0);
    for case in 0..cases {
        let mut tokens: TokenStream = NETS[case as usize % NETS.len()].parse().unwrap();
        for _ in 0..random.random_range(0..3) {
            tokens = mutated(tokens, &mut random);
        }
        for _ in 0..random.random_range(1..4) {
            let mut at = random.random_range(0..count(tokens.clone()).max(1));
            tokens = replaced(tokens, &mut at, &number(&mut random));
        }
        let text = tokens.to_string();
        let expansion = std::panic::catch_unwind(|| typenet_macros_core::network(tokens));
        let expansion = expansion.unwrap_or_else(|_| panic!("case {case}: {text}")).to_string();
        expansion.hash(&mut sum);
        sound += u64::from(!expansion.contains("compile_error"));
    }
    println!("{cases} cases, {sound} without mistakes: {:016x}", sum.finish());
    assert!(sound > 0 && sound < cases / 2, "{sound} of {cases}");
}

/// Each of these has overflown.
#[test]
fn numbers_near_the_end_are_refused() {
    for text in [
        "struct Flat<const C: usize, const OUT: usize>: [C, 7, 6] -> [OUT] \
         { conv2d(18446744073709551615, kernel = 3), relu, flatten, fc: linear() }",
        "struct N: [5, 17, 8] -> [2] \
         { depthwise_conv2d(1, multiplier = 18446744073709551615 3), flatten, linear(2) }",
        "struct N: [4294967296, 4294967296, 2] -> [2] { flatten, linear(2) }",
        "struct N: [2] -> [4294967296, 4294967296, 2] { linear(2) }",
        "struct N: (a: [2]) -> (b: [18446744073709551615], c: [2]) { b: linear(2), c: linear(2) }",
    ] {
        let expansion = typenet_macros_core::network(text.parse().unwrap()).to_string();
        assert!(expansion.contains("compile_error"), "{text}");
    }
}
