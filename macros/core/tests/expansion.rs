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

/// A net with every form: constants, a block, a repeat, a residual with and without shortcut,
/// branches, and values that are read by name.
const RESIDUAL: &str = "
    /// A small residual net.
    pub struct Residual: [3, SIZE, SIZE] -> [10] {
        const SIZE: usize = 32;

        /// Two convolutions beside the value itself.
        block basic(out, stride = 1) {
            residual {
                conv2d(out, kernel = 3, stride = stride, padding = 1), relu,
                conv2d(out, kernel = 3, padding = 1),
            } shortcut {
                conv2d(out, kernel = 1, stride = stride, bias = false),
            }
            relu,
        }

        conv1: conv2d(8, kernel = 3, padding = 1), relu,
        stage1: repeat(2) { basic(8) }
        down: basic(16, stride = 2),
        concat {
            branch { conv2d(4, kernel = 1) }
            branch {}
        }
        gate: sigmoid,
        residual { conv2d(20, kernel = 1), tanh }
        mul(gate),
        global_avg_pool,
        fc: linear(10),
    }";

/// A net of which the compiler alone knows some numbers.
const SYMBOLIC: &str = "
    /// A small net of the user's sizes.
    pub struct Symbolic: [3, crate::SIDE, crate::SIDE] -> [crate::CLASSES] {
        const WIDE: usize = crate::WIDTH * 2;

        conv1: conv2d(crate::WIDTH, kernel = 3, padding = 1), relu,
        residual { conv2d(WIDE, kernel = 3, padding = 1) } shortcut { conv2d(WIDE, kernel = 1) }
        max_pool2d(crate::SIDE / 2 - 1),
        flatten,
        fc: linear(crate::CLASSES),
    }";

/// A net with two inputs and two heads.
const HEADS: &str = "
    /// What is in an image, and where, seen from somewhere.
    pub(crate) struct Heads: (image: [3, 8, 8], pose: [6]) -> (class: [10], bbox: [4]) {
        from(image),
        conv1: conv2d(4, kernel = 3, stride = 2), relu,
        flatten, concat(pose),
        linear(16), trunk: tanh,
        class: linear(10),
        from(trunk), linear(4), bbox: sigmoid,
    }";

/// A net with another net and a layer of the user's own in it.
const PARTS: &str = "
    /// A small net of other nets.
    pub struct Parts: [3, 32, 32] -> [10] {
        conv1: conv2d(3, kernel = 3, padding = 1), relu,
        #[frozen] features: super::Backbone,
        layer_norm,
        residual { conv2d(8, kernel = 3, padding = 1), my::Swirl(3, crate::TURNS) }
        relu,
        flatten,
        fc: linear(10),
    }";

/// A net of which the compiler knows some numbers where it is used.
const GENERIC: &str = "
    /// A small net of any width.
    pub struct Generic<const C: usize, const HIDDEN: usize>: [1, 28, 28] -> [10] {
        conv1: conv2d(C, kernel = 5), relu,
        max_pool2d(2),
        stage: concat {
            branch { conv2d(2 * C, kernel = 1) }
            branch { conv2d(4, kernel = 3, padding = 1) }
        }
        conv2: conv2d(C, kernel = 3), values: relu,
        flatten,
        fc1: linear(HIDDEN), relu,
        fc2: linear(10),
    }";

fn pretty(declaration: &str) -> String {
    let tokens = typenet_macros_core::network(declaration.parse().unwrap());
    let mut file: syn::File = syn::parse2(tokens).unwrap();
    // The printer leaves macro calls alone: show a parameter struct as the struct that it holds.
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
fn expands_to(declaration: &str, file: &str) {
    let path = format!("{}/tests/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = pretty(declaration);
    if std::env::var_os("UPDATE_EXPANSION").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap());
    assert_eq!(text, pretty(declaration));
}

#[test]
fn lenet5_expands_to_the_text_in_the_repository() {
    expands_to(LENET5, "lenet5.expanded.rs");
}

#[test]
fn a_residual_net_expands_to_the_text_in_the_repository() {
    expands_to(RESIDUAL, "residual.expanded.rs");
}

#[test]
fn a_net_of_the_users_sizes_expands_to_the_text_in_the_repository() {
    expands_to(SYMBOLIC, "symbolic.expanded.rs");
}

#[test]
fn a_net_with_heads_expands_to_the_text_in_the_repository() {
    expands_to(HEADS, "heads.expanded.rs");
}

#[test]
fn a_net_of_other_nets_expands_to_the_text_in_the_repository() {
    expands_to(PARTS, "parts.expanded.rs");
}

#[test]
fn a_net_with_generics_expands_to_the_text_in_the_repository() {
    expands_to(GENERIC, "generic.expanded.rs");
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

/// Lines and calls of other languages and libraries.
const FOREIGN: &str = "
    pub struct Foreign: [3, 32, 32] -> [10] {
        self.conv1 = nn.Conv2d(3, 6, 5)
        let pool: MaxPool2d = nn::MaxPool2d::new(2, 2);
        x = F.relu(self.conv1(x)),
        layers.Conv2D(8, (3, 3), padding = \"same\", activation = \"relu\")(x),
        nn.Sequential(OrderedDict([(\"a\", nn.BatchNorm2d(8, 0.001)), (\"b\", nn.Upsample(size = 56))])),
        skip: depthwise_conv2d(8, 16, 3) -> AdaptiveAvgPool2d((2, 2)) | dropout(keep_prob = 0.5),
        conv_transpose2d(in_channels = 16, out_channels = 8, kernel_size = 3, strides = 2, padding = same),
        x += skip; conv2d { in_channels: 8, out_channels: 4, kernel: 1 };
        torch.cat([x, skip], dim = 1), x.view(-1, 4, 8, 8), Reshape((8, 8, 4)), conv2d<4, 3>,
        for i in 0..3 { relu } return x.relu().flatten(1)
        linear(64 -> 10), global_avg_pool(2), layer_norm(4, 8, 8), relu(max_value = 6),
    }";

const NETS: &[&str] = &[
    LENET5,
    PARTS,
    "#[derive(Clone, Debug)] #[allow(dead_code)] pub(crate) struct N: [8] -> [3] { linear(4, bias = false), tanh, softmax }",
    "struct P: [2, 9, 9] -> [2] { conv2d(2, kernel = (3, 5), stride = 2, padding = (1, 2), groups = 2), \
     leaky_relu(0.1), avg_pool2d(2, count_include_pad = false), dropout(p = 0.25), global_avg_pool }",
    RESIDUAL,
    SYMBOLIC,
    HEADS,
    "struct G<const C: usize>: (a: [C, 4, 4], b: [3]) -> (c: [C], d: [2]) { from(a), c: global_avg_pool, \
     concat(b), linear(2), d: residual { linear(2) } }",
    GENERIC,
    "struct Q: [4, 9, 9] -> [A + 2 * B] { const A: usize = 4; const B: usize = (A - 1) / 3 + 2; \
     block inner(n, k = (1, 1)) { repeat(n) { conv2d(4, kernel = k), relu } } \
     block outer(n) { a: inner(n), b: relu, inner(n - 1, k = 1), mul(b) } \
     s: repeat(2) { r: residual { outer(2) } } from(input), t: tanh, add(s), flatten, \
     u: linear(A * B - 2), left: concat { l: branch { linear(4) }, branch { relu }, branch {} } linear(A + 2 * B) }",
    FOREIGN,
];

#[test]
fn no_input_makes_it_panic() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut with_mistakes = 0;
    for round in 0..8000 {
        let mut tokens: TokenStream = NETS[round % NETS.len()].parse().unwrap();
        for _ in 0..random.random_range(1..5) {
            tokens = mutate(tokens, &mut random);
        }
        let text = typenet_macros_core::network(tokens).to_string();
        with_mistakes += usize::from(text.contains("compile_error"));
    }
    assert!((4000..8000).contains(&with_mistakes), "{with_mistakes}");
}

/// Half-typed declarations: the text ends anywhere, with its brackets closed.
#[test]
fn truncated_declarations_expand_to_items() {
    for net in NETS {
        for end in (0..net.len()).filter(|&end| net.is_char_boundary(end)) {
            let Ok(tokens) = closed(&net[..end]).parse::<TokenStream>() else { continue };
            let expansion = typenet_macros_core::network(tokens);
            let file: Result<syn::File, _> = syn::parse2(expansion.clone());
            assert!(file.is_ok(), "{}\n{expansion}", &net[..end]);
        }
    }
}

/// The text with the brackets that are open at its end.
fn closed(text: &str) -> String {
    let mut open = Vec::new();
    for letter in text.chars() {
        match letter {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' => drop(open.pop()),
            _ => {}
        }
    }
    text.chars().chain(['\n']).chain(open.into_iter().rev()).collect()
}

/// What comes after a mistake must still be items that the compiler can read.
#[test]
fn mutated_declarations_expand_to_items() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    for round in 0..1000 {
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

/// The names and shapes of the parameters, one layer a line, of a net without mistakes.
fn parameters(declaration: &str) -> Vec<String> {
    let (parsed, mistakes) = typenet_macros_core::parse::parse(declaration.parse().unwrap());
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let (checked, mistakes) = typenet_macros_core::check::check(&parsed.unwrap());
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let expansion = typenet_macros_core::network(declaration.parse().unwrap());
    assert!(!expansion.to_string().contains("compile_error"), "{expansion}");
    assert!(syn::parse2::<syn::File>(expansion.clone()).is_ok());
    let again = typenet_macros_core::network(declaration.parse().unwrap());
    assert_eq!(expansion.to_string(), again.to_string());
    let with_weight = checked.nodes.iter().filter_map(|node| Some((node, node.tensors.first()?)));
    with_weight.map(|(node, (_, weight))| format!("{} {weight}", node.name)).collect()
}

/// He et al., 2015: 20 layers with weights for 32×32 images (without batch norm).
#[test]
fn resnet20() {
    let parameters = parameters(
        "pub struct ResNet20: [3, 32, 32] -> [10] {
            block basic(out) {
                residual {
                    conv2d(out, kernel = 3, padding = 1), relu, conv2d(out, kernel = 3, padding = 1),
                }
                relu,
            }
            block down(out) {
                residual {
                    conv2d(out, kernel = 3, stride = 2, padding = 1), relu,
                    conv2d(out, kernel = 3, padding = 1),
                } shortcut {
                    conv2d(out, kernel = 1, stride = 2),
                }
                relu
            }
            const WIDTH: usize = 16;

            conv1: conv2d(WIDTH, kernel = 3, padding = 1), relu,
            stage1: repeat(3) { basic(WIDTH) }
            stage2: residual { down(2 * WIDTH), repeat(2) { basic(2 * WIDTH) } } shortcut { conv2d(32, 1, stride = 2) }
            stage3_1: down(4 * WIDTH), stage3: repeat(2) { basic(4 * WIDTH) }
            global_avg_pool, fc: linear(10),
        }",
    );
    assert_eq!(parameters.len(), 1 + 6 + 3 + 4 + 1 + 3 + 4 + 1);
    assert_eq!(parameters[0], "conv1 [16, 3, 3, 3]");
    assert_eq!(parameters[6], "stage1.2.basic_1.conv2d_2 [16, 16, 3, 3]");
    assert_eq!(parameters[7], "stage2.down_1.conv2d_1 [32, 16, 3, 3]");
    assert_eq!(parameters[9], "stage2.down_1.conv2d_3 [32, 16, 1, 1]");
    assert_eq!(parameters[10], "stage2.repeat_1.0.basic_1.conv2d_1 [32, 32, 3, 3]");
    assert_eq!(parameters[14], "stage2.conv2d_1 [32, 16, 1, 1]");
    assert_eq!(parameters[21], "stage3.1.basic_1.conv2d_2 [64, 64, 3, 3]");
    assert_eq!(parameters[22], "fc [10, 64]");
}

/// Iandola et al., 2016: a fire module squeezes the channels, then widens them in two ways.
#[test]
fn squeezenet() {
    let parameters = parameters(
        "pub struct Squeeze: [3, 64, 64] -> [1000] {
            block fire(squeeze, expand) {
                squeeze: conv2d(squeeze, kernel = 1), relu,
                concat {
                    branch { expand1: conv2d(expand, kernel = 1), relu }
                    branch { expand3: conv2d(expand, kernel = 3, padding = 1), relu }
                }
            }
            conv1: conv2d(64, kernel = 3, stride = 2), relu, max_pool2d(3, stride = 2),
            fire2: fire(16, 64), residual { fire3: fire(16, 64) } max_pool2d(3, stride = 2),
            fire4: fire(32, expand = 128),
            dropout, conv10: conv2d(1000, kernel = 1), relu, global_avg_pool,
        }",
    );
    assert_eq!(
        parameters,
        [
            "conv1 [64, 3, 3, 3]",
            "fire2.squeeze [16, 64, 1, 1]",
            "fire2.expand1 [64, 16, 1, 1]",
            "fire2.expand3 [64, 16, 3, 3]",
            "fire3.squeeze [16, 128, 1, 1]",
            "fire3.expand1 [64, 16, 1, 1]",
            "fire3.expand3 [64, 16, 3, 3]",
            "fire4.squeeze [32, 128, 1, 1]",
            "fire4.expand1 [128, 32, 1, 1]",
            "fire4.expand3 [128, 32, 3, 3]",
            "conv10 [1000, 256, 1, 1]",
        ]
    );
}

/// Ronneberger et al., 2015: what comes up is joined with what went down; here without scaling.
#[test]
fn unet_skips() {
    let parameters = parameters(
        "pub struct UNet: [1, 16, 16] -> [2, 16, 16] {
            const BASE: usize = 8;
            block double(out) { repeat(2) { conv2d(out, kernel = 3, padding = 1), relu } }
            skip1: double(BASE), skip2: double(BASE * 2), double(BASE * 4),
            concat(skip2), double(BASE * 2), concat(skip1), double(BASE), conv2d(2, kernel = 1)
        }",
    );
    assert_eq!(parameters[3], "skip2.repeat_1.1.conv2d_1 [16, 16, 3, 3]");
    assert_eq!(parameters[6], "double_4.repeat_1.0.conv2d_1 [16, 48, 3, 3]");
    assert_eq!(parameters[8], "double_5.repeat_1.0.conv2d_1 [8, 24, 3, 3]");
    assert_eq!(parameters[10], "conv2d_1 [2, 8, 1, 1]");
}

/// Szegedy et al., 2014: four branches joined.
#[test]
fn inception() {
    let parameters = parameters(
        "pub struct Inception: [192, 28, 28] -> [480, 28, 28] {
            block inception(one, reduce3, three, reduce5, five, pool) {
                concat {
                    branch { conv2d(one, 1), relu }
                    branch { conv2d(reduce3, 1), relu, conv2d(three, 3, padding = 1), relu }
                    branch { conv2d(reduce5, 1), relu, conv2d(five, 5, padding = 2), relu }
                    branch { max_pool2d(3, stride = 1, padding = 1), conv2d(pool, 1), relu }
                }
            }
            a: inception(64, 96, 128, 16, 32, 32), b: inception(128, 128, 192, 32, 96, pool = 64)
        }",
    );
    assert_eq!(parameters.len(), 12);
    assert_eq!(parameters[6], "b.conv2d_1 [128, 256, 1, 1]");
}

/// What is frozen, and all before which nothing is trained, has no gradient code.
#[test]
fn frozen_layers_are_not_in_the_backward_pass() {
    let text = pretty(
        "struct N: [1, 8, 8] -> [2] {
            #[frozen] #[name(\"features.0\")] conv1: conv2d(4, kernel = 3), relu,
            max_pool2d(2),
            #[init(orthogonal(gain = 2), bias = constant(-1))] conv2: conv2d(4, kernel = 1),
            #[frozen] #[no_decay(bias)] bn: batch_norm,
            flatten, fc: linear(2)
        }",
    );
    let start = text.find("fn backward_group").unwrap();
    let backward = &text[start..text[start..].find("\n        }").unwrap() + start];
    assert!(!backward.contains("CONV1") && !backward.contains("MAX_POOL2D"), "{backward}");
    for call in ["run.linear(&FC", "run.batch_norm(&BN", "run.conv2d(&CONV2"] {
        assert!(backward.contains(call), "{backward}");
    }
    for mark in [
        "__rt::Marks::of(1).named(\"features.0\").frozen()",
        ".no_decay(false, true)",
        "__rt::Init::new(__rt::Scheme::Orthogonal)",
        "val: -1.0",
    ] {
        assert!(text.contains(mark), "{mark}\n{text}");
    }
}
