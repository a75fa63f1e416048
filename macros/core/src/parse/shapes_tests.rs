#![allow(clippy::unwrap_used)]

use super::parse;

const LAYERS: &str = "{ conv1: conv2d(4, kernel = 3), relu, flatten, fc: linear(10) }";

/// The messages of a net with this header, those of the checks too.
fn messages(header: &str, layers: &str) -> Vec<String> {
    let text = format!("struct N{header} {layers}");
    let (declaration, mut mistakes) = parse(text.parse().unwrap());
    mistakes.extend(crate::check::check(&declaration.unwrap()).1);
    mistakes.into_iter().map(|mistake| mistake.message).collect()
}

/// Each is one mistake, whose help shows the shape as it is written here.
#[test]
fn shapes_in_other_notations_are_one_mistake_that_shows_them() {
    let image = "[1, 8, 8]";
    for (input, wanted) in [
        ("(1, 8, 8)", image),
        ("{1, 8, 8}", image),
        ("<1, 8, 8>", image),
        ("1, 8, 8", image),
        ("1 8 8", image),
        ("1 x 8 x 8", image),
        ("1x8x8", image),
        ("1 x8 x8", image),
        ("1 by 8 by 8", image),
        ("1 * 8 * 8", image),
        ("[1x8x8]", image),
        ("[1 x 8 x 8]", image),
        ("[1 8 8]", image),
        ("[1; 8; 8]", image),
        ("[[1, 8, 8]]", image),
        ("[[[f32; 8]; 8]; 1]", image),
        ("[[[u8; 8]; 8]; 1]", image),
        ("&[1, 8, 8]", image),
        ("Tensor[1, 8, 8]", image),
        ("Tensor<1, 8, 8>", image),
        ("Shape(1, 8, 8)", image),
        ("tensor::Shape::new(1, 8, 8)", image),
        ("[c = 1, h = 8, w = 8]", image),
        ("[h: 8, w: 8, c: 1]", image),
        ("[height = 8, width = 8, channels = 1]", image),
        ("(h: 8, w: 8, c: 1)", ""),
        ("[1 channel, 8 px, 8 px]", image),
        ("[32, 1, 8, 8]", image),
        ("(32, 1, 8, 8)", image),
        ("[None, 1, 8, 8]", image),
        ("[N, 1, 8, 8]", image),
        ("[batch, 1, 8, 8]", image),
        ("[_, 1, 8, 8]", image),
        ("[?, 1, 8, 8]", image),
        ("[-1, 1, 8, 8]", image),
        ("[1.0, 8.0, 8.0]", image),
        ("[1u32, 8u32, 8u32]", image),
        ("[\"1\", \"8\", \"8\"]", image),
        ("[1, 8.0, 8]", image),
        ("[1, 8]", image),
        ("image: [1, 8, 8]", image),
        ("[1, 8, 8", ""),
        ("[1, -8, 8]", ""),
        ("[1, 8.5, 8]", ""),
        ("[1, 0, 8]", ""),
        ("[1, SIDE, SIDE]", ""),
        ("[1, SIDE, WIDTH]", ""),
        ("[C, H, W]", ""),
        ("[1, 2 * SIDE, 8]", ""),
        ("[1, side(), 8]", ""),
        ("[1, SIZES[0], 8]", ""),
        ("[1, image.height, 8]", ""),
        ("[1, SIDE as usize, 8]", ""),
        ("[1, (8, 8)]", ""),
        ("[1,, 8, 8]", ""),
        ("[]", ""),
        ("[1, 2, 3, 4, 5]", ""),
        ("[1, 99999999999, 99999999999]", ""),
        ("[1, 99999999999999999999999, 8]", ""),
        ("Vec<f32>", ""),
        ("f32", ""),
        ("usize", ""),
        ("image", ""),
        ("()", ""),
        ("(image)", ""),
        ("(image: 8)", ""),
    ] {
        let Ok(_) = format!(": {input} -> [10]").parse::<proc_macro2::TokenStream>() else {
            continue;
        };
        let found = messages(&format!(": {input} -> [10]"), LAYERS);
        assert_eq!(found.len(), 1, "{input}: {found:?}");
        if !wanted.is_empty() {
            let (_, help) = found[0].split_once("help: ").unwrap();
            assert!(help.contains(&format!("`{wanted}`")), "{input}: {help}");
        }
    }
    assert!(messages(": [1, 8, 8] -> [10]", LAYERS).is_empty());
}

#[test]
fn outputs_in_other_notations_are_one_mistake_that_shows_them() {
    for (output, shown) in [
        ("10", true),
        ("(10)", true),
        ("{10}", true),
        ("10 classes", true),
        ("[10 classes]", true),
        ("[f32; 10]", true),
        ("&[10]", true),
        ("[10.0]", true),
        ("[10usize.pow(1)]", false),
        ("[1, 10]", true),
        ("[N, 10]", true),
        ("f32", true),
        ("usize", true),
        ("class: [10]", true),
        ("[[10]]", true),
        ("[0]", false),
        ("[5]", true),
        ("[CLASSES]", false),
        ("[]", true),
        ("()", false),
        ("", true),
        ("[10] softmax", false),
        ("[10]?", false),
        ("[4, 6, 6] -> [10]", false),
    ] {
        let found = messages(&format!(": [1, 8, 8] -> {output}"), LAYERS);
        assert_eq!(found.len(), 1, "{output}: {found:?}");
        assert!(!shown || found[0].contains("[10]"), "{output}: {found:?}");
    }
}

/// Where both shapes are written alike, that is one mistake too.
#[test]
fn what_is_wrong_with_both_shapes_is_said_once() {
    for header in [
        ": (1, 8, 8) -> (10)",
        ": 1, 8, 8 -> 10",
        ": {1, 8, 8} -> {10}",
        ": [[[f32; 8]; 8]; 1] -> [f32; 10]",
        ": Vec<f32> -> Vec<f32>",
        ": [N, 1, 8, 8] -> [N, 10]",
        ": [None, 1, 8, 8] -> [None, 10]",
        ": [1, SIDE, SIDE] -> [CLASSES]",
        "",
        ": ",
    ] {
        let found = messages(header, LAYERS);
        assert_eq!(found.len(), 1, "{header}: {found:?}");
    }
    let found = messages(": (1, 8, 8) -> (10)", LAYERS);
    assert!(found[0].ends_with("help: write `[1, 8, 8] -> [10]`"), "{found:?}");
    // These are two.
    assert_eq!(messages(": (1, 8, 8) -> [0]", LAYERS).len(), 2);
}

#[test]
fn signs_of_the_header_are_one_mistake_each() {
    for header in [
        " [1, 8, 8] -> [10]",
        "(image: [1, 8, 8]) -> [10]",
        ":: [1, 8, 8] -> [10]",
        " = [1, 8, 8] -> [10]",
        ": [1, 8, 8] => [10]",
        ": [1, 8, 8] <- [10]",
        ": [1, 8, 8] > [10]",
        ": [1, 8, 8] >> [10]",
        ": [1, 8, 8] - [10]",
        ": [1, 8, 8] -- [10]",
        ": [1, 8, 8] ~> [10]",
        ": [1, 8, 8] |> [10]",
        ": [1, 8, 8] => (class: [10])",
        ": [1, 8, 8] to [10]",
        ": [1, 8, 8], [10]",
        ": [1, 8, 8]: [10]",
        ": [1, 8, 8]; [10]",
        ": [1, 8, 8] [10]",
        ": [1, 8, 8]",
        ": -> [10]",
        " -> [10]",
        ": [1, 8, 8] -> [10] where Self: Sized",
        "::<const SIDE: usize>: [1, SIDE, SIDE] -> [10]",
        "[const SIDE: usize]: [1, SIDE, SIDE] -> [10]",
        "(const SIDE: usize): [1, SIDE, SIDE] -> [10]",
        "<SIDE>: [1, SIDE, SIDE] -> [10]",
        "<H, W>: [1, H, W] -> [10]",
        "<SIDE: usize>: [1, SIDE, SIDE] -> [10]",
        "<const H: usize; const W: usize>: [1, H, W] -> [10]",
        "<const H: usize, const H: usize>: [1, H, W] -> [10]",
        "<const side: usize>: [1, SIDE, SIDE] -> [10]",
        "<const SIDE: usize> where [f32; SIDE]: Copy: [1, SIDE, SIDE] -> [10]",
    ] {
        let layers = "{ class: reshape(10) }";
        let found = messages(header, layers);
        let found: Vec<String> =
            found.into_iter().filter(|message| !message.contains("reshape")).collect();
        assert_eq!(found.len(), 1, "{header}: {found:?}");
    }
}

/// Names that the header does not tell are not missed in the layers.
#[test]
fn inputs_and_heads_in_other_notations_are_one_mistake_that_shows_them() {
    let layers = "{ from(image), flatten, concat(pose), trunk: linear(8), class: linear(10), \
                  from(trunk), bbox: linear(4) }";
    let (inputs, heads) = ("(image: [3, 8, 8], pose: [6])", "(class: [10], bbox: [4])");
    for (input, shown) in [
        ("(image [3, 8, 8], pose [6])", true),
        ("(image = [3, 8, 8], pose = [6])", true),
        ("(image: (3, 8, 8), pose: (6))", true),
        ("(image: 3 x 8 x 8, pose: 6)", true),
        ("image: [3, 8, 8], pose: [6]", true),
        ("[image: [3, 8, 8], pose: [6]]", true),
        ("{image: [3, 8, 8], pose: [6]}", true),
        ("([3, 8, 8], [6])", false),
        ("[3, 8, 8], [6]", false),
        ("(image: [3, 8, 8], [6])", false),
        ("(image, pose)", false),
        ("(\"image\": [3, 8, 8], \"pose\": [6])", false),
        ("(image: [[[f32; 8]; 8]; 3], pose: [f32; 6])", false),
        ("(image: [3, 8, 8]; pose: [6])", false),
        ("(image: [3, 8, 8] pose: [6])", false),
        ("(image: [3, 8, 8], pose: [0])", false),
        ("(image: [3, 8, 8])", false),
        ("(imge: [3, 8, 8], pose: [6])", false),
        ("[3, 8, 8]", false),
        ("", false),
    ] {
        let found = messages(&format!(": {input} -> {heads}"), layers);
        assert_eq!(found.len(), 1, "{input}: {found:?}");
        assert!(!shown || found[0].contains(&format!("`{inputs}`")), "{input}: {found:?}");
    }
    for (output, shown) in [
        ("(class [10], bbox [4])", true),
        ("(class = [10], bbox = [4])", true),
        ("(class: 10, bbox: 4)", true),
        ("class: [10], bbox: [4]", true),
        ("[class: [10], bbox: [4]]", true),
        ("{class: [10], bbox: [4]}", true),
        ("([10], [4])", false),
        ("[10], [4]", false),
        ("(class, bbox)", false),
        ("(class: [10])", false),
        ("(class: [10], class: [4])", false),
        ("(class: [10], bbx: [4])", false),
        ("(class: [10], bbox: [5])", false),
        ("[10]", true),
        ("", false),
    ] {
        let found = messages(&format!(": {inputs} -> {output}"), layers);
        assert_eq!(found.len(), 1, "{output}: {found:?}");
        assert!(
            !shown || found[0].contains(&format!("`{heads}`")) || found[0].contains("-> (class"),
            "{output}: {found:?}"
        );
    }
    assert!(messages(&format!(": {inputs} -> {heads}"), layers).is_empty());
}

/// A mistake in the header hides none in the layers that does not follow from it.
#[test]
fn independent_mistakes_in_the_layers_are_found_beside_one_in_the_header() {
    let layers = "{ conv1: conv2d(4, kernal = 3), flatten, rleu, fc: linear(0) }";
    for header in [": (1, 8, 8) -> [10]", ": [1, 0, 8] -> [10]", ": 1 x 8 x 8 -> [10]"] {
        let found = messages(header, layers);
        assert_eq!(found.len(), 4, "{header}: {found:?}");
    }
}
