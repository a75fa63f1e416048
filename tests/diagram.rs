//! Pictures of nets: what is in them, and that nothing lies upon anything else.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use roxmltree::{Document, Node};
use typenet::diagram::{Diagram, LayerGroup};
use typenet::prelude::*;

network! {
    /// A residual, a frozen layer, and a value that is multiplied by itself.
    struct Small: [1, 4, 4] -> [2] {
        #[frozen]
        stem: conv2d(3, kernel = 3, padding = 1, bias = false),
        residual { conv2d(3, kernel = (1, 3), padding = (0, 1)), batch_norm }
        act: relu,
        mul(act),
        global_avg_pool,
        fc: linear(2),
    }
}

network! {
    /// Branches of several lengths, and skips past them.
    struct Branches: [2, 8, 8] -> [3] {
        stem: conv2d(3, kernel = 3), act: tanh,
        concat {
            branch { conv2d(2, kernel = 1), sigmoid }
            branch { conv2d(2, kernel = 3, padding = 1), conv2d(3, kernel = 1) }
            branch { max_pool2d(3, stride = 1, padding = 1) }
            branch { }
        }
        conv2d(3, kernel = 1),
        add(stem, act),
        concat(act),
        flatten,
        fc: linear(3),
    }
}

network! {
    /// Shapes that are known where the net is used.
    struct Generic<const SIDE: usize, const WIDTH: usize>: [1, SIDE, SIDE] -> [WIDTH] {
        stem: conv2d(WIDTH, kernel = 3, padding = 1), relu,
        residual { conv2d(WIDTH, kernel = 3, padding = 1) }
        concat {
            branch { max_pool2d(2) }
            branch { conv2d(2 * WIDTH, kernel = 2, stride = 2) }
        }
        global_avg_pool,
        fc: linear(WIDTH),
    }
}

network! {
    /// Two inputs, two heads, of which one is read.
    struct Heads: (left: [3], right: [3]) -> (class: [4], size: [1]) {
        from(left), add(right), class: linear(4), tanh, size: linear(1),
    }
}

network! {
    /// A net with another in it, once as its last layer.
    struct Nested: [1, 4, 4] -> [2] {
        skip: tanh,
        residual { first: self::Gate }
        small: self::Small,
    }
}

network! { struct Gate: [1, 4, 4] -> [1, 4, 4] { gate: sigmoid, mul(input) } }

#[test]
fn other_nets_are_drawn_as_their_layers() {
    let text = Nested::diagram().to_mermaid();
    for name in ["first.gate", "first.mul_1", "small.stem", "small.fc"] {
        assert!(text.contains(name), "{name}: {text}");
    }
    // Where they begin and end there is no box: the arrows lead on.
    assert!(!text.contains("Gate") && !text.contains("first.input"), "{text}");
    let arrows = text.lines().filter(|line| line.contains("-->")).count();
    let own = Nested::LAYERS.iter().filter(|layer| !layer.kind.contains("self::")).count();
    // One to each layer but the input, one more to each of four that join, and one to the output.
    assert_eq!(arrows, own + 4, "{text}");
}

/// A rectangle's borders: left, top, right, bottom.
type Area = [f64; 4];

fn number(node: Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

fn apart(a: Area, b: Area) -> bool {
    a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1]
}

/// Every layer is there once and every value that is read has its arrow and its shape; boxes and
/// letters lie within the picture and not upon one another.
fn check<N: Network>() {
    let diagram = N::diagram();
    let svg = diagram.to_svg();
    assert_eq!(svg, N::diagram().to_svg(), "{}: not the same twice", diagram.name);
    let document = Document::parse(&svg).expect(&svg);
    let root = document.root_element();
    assert_eq!(root.tag_name().namespace(), Some("http://www.w3.org/2000/svg"));

    // Layers, and the outputs.
    let last = N::LAYERS.len() - 1;
    let mut outputs: Vec<(&str, usize)> =
        N::GRAPH.heads.iter().map(|head| (head.name, head.node)).collect();
    if outputs.is_empty() {
        outputs.push(("output", last));
    }
    let names: Vec<&str> =
        groups(root, "data-layer").map(|node| node.attribute("data-layer").unwrap()).collect();
    let layers = N::LAYERS.iter().map(|layer| layer.name);
    let expected: Vec<&str> = layers.chain(outputs.iter().map(|(name, _)| *name)).collect();
    assert_eq!(names, expected, "{}", diagram.name);

    // The values that layers read, with their shapes.
    let mut expected: Vec<(&str, &str, String)> = Vec::new();
    for (node, layer) in N::GRAPH.nodes.iter().zip(N::LAYERS) {
        for &input in node.inputs {
            let from = &N::LAYERS[input];
            expected.push((from.name, layer.name, from.output.to_string()));
        }
    }
    for (name, node) in outputs {
        let from = &N::LAYERS[node];
        expected.push((from.name, name, from.output.to_string()));
    }
    let arrows: Vec<(&str, &str, String)> = groups(root, "data-from")
        .map(|node| {
            let [from, to] = ["data-from", "data-to"].map(|name| node.attribute(name).unwrap());
            (from, to, text(node))
        })
        .collect();
    assert_eq!(arrows, expected, "{}", diagram.name);
    lies_well(&diagram);
}

/// The groups of a picture that have this attribute.
fn groups<'a, 'i>(root: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    root.children().filter(move |node| node.is_element() && node.attribute(name).is_some())
}

/// The lines in a group.
fn text(node: Node<'_, '_>) -> String {
    let texts = node.children().filter(|child| child.has_tag_name("text"));
    texts.map(|text| text.text().unwrap().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Boxes and letters lie within the picture and not upon one another.
fn lies_well(diagram: &Diagram) {
    let svg = diagram.to_svg();
    let document = Document::parse(&svg).expect(&svg);
    let root = document.root_element();
    let view = root.attribute("viewBox").unwrap().split(' ');
    let view: Vec<f64> = view.map(|number| number.parse().unwrap()).collect();
    let mut areas: Vec<(String, Area)> = Vec::new();
    for node in groups(root, "data-layer") {
        let rect = node.children().find(|child| child.has_tag_name("rect")).unwrap();
        let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| number(rect, name));
        areas.push((text(node), [x, y, x + width, y + height]));
        // What is written in a box fits it, in letters 0.6 times as wide as high.
        for line in node.children().filter(|child| child.has_tag_name("text")) {
            let size = line.attribute("font-size").map_or(11.0, |size| size.parse().unwrap());
            let letters = line.text().unwrap().chars().count() as f64 * 0.6 * size;
            assert!(letters + 8.0 <= width, "{}: {}", diagram.name, text(node));
            let foot = number(line, "y");
            assert!(foot - size >= y && foot + 2.0 <= y + height, "{}", text(node));
        }
    }
    for node in groups(root, "data-from") {
        let label = node.children().find(|child| child.has_tag_name("text")).unwrap();
        let (x, y) = (number(label, "x"), number(label, "y"));
        let half = label.text().unwrap().len() as f64 * 0.3 * 11.0;
        areas.push((text(node), [x - half, y - 9.0, x + half, y + 2.0]));
    }
    for (i, (name, area)) in areas.iter().enumerate() {
        assert!(area[0] >= view[0] && area[2] <= view[0] + view[2], "{}: {name}", diagram.name);
        assert!(area[1] >= view[1] && area[3] <= view[1] + view[3], "{}: {name}", diagram.name);
        for (other, at) in &areas[..i] {
            assert!(apart(*area, *at), "{}: `{name}` is upon `{other}`", diagram.name);
        }
    }
}

#[test]
fn pictures_have_every_layer_and_value() {
    check::<Small>();
    check::<Branches>();
    check::<Heads>();
}

#[test]
fn pictures_of_generic_nets_show_the_numbers_of_their_use() {
    check::<Generic<8, 3>>();
    check::<Generic<10, 4>>();
    let arrow = |text: &str, diagram: typenet::diagram::Diagram| {
        let found = diagram.to_mermaid().contains(text);
        assert!(found, "no {text} in\n{}", diagram.to_mermaid());
    };
    arrow("[9, 4, 4]", Generic::<8, 3>::diagram());
    arrow("[12, 5, 5]", Generic::<10, 4>::diagram());
}

#[test]
fn pictures_of_known_nets_have_every_layer_and_value() {
    check::<typenet::zoo::LeNet5>();
    check::<typenet::zoo::ResNet20>();
    check::<typenet::zoo::Inception>();
    check::<typenet::zoo::UNet>();
    check::<typenet::zoo::DenseNet121>();
}

#[test]
fn boxes_say_what_the_layers_are() {
    let diagram = Small::diagram();
    let stem = &diagram.boxes[1];
    assert_eq!((stem.name.as_str(), stem.parameters, stem.frozen), ("stem", 27, true));
    assert_eq!(stem.layer, "conv2d(3, kernel = 3, padding = 1, bias = false)");
    let mut groups: BTreeMap<&str, LayerGroup> = BTreeMap::new();
    for layer in diagram.boxes.iter().chain(&Branches::diagram().boxes) {
        let kind = layer.layer.split('(').next().unwrap().to_owned();
        let kind = ["conv2d", "linear", "batch_norm", "relu", "max_pool2d", "add", "flatten"]
            .into_iter()
            .find(|&known| known == kind);
        groups.extend(kind.map(|kind| (kind, layer.group)));
    }
    let expected = [
        ("add", LayerGroup::Join),
        ("batch_norm", LayerGroup::Norm),
        ("conv2d", LayerGroup::Convolution),
        ("flatten", LayerGroup::Other),
        ("linear", LayerGroup::Linear),
        ("max_pool2d", LayerGroup::Pool),
        ("relu", LayerGroup::Activation),
    ];
    assert_eq!(groups, BTreeMap::from(expected));
}

#[test]
fn mermaid_text_is_this() {
    let expected = r##"flowchart TD
    n0(["input"])
    n1["stem<br/>conv2d(3, kernel = 3, padding = 1, bias = false)<br/>27 parameters, frozen"]
    n2["conv2d_2<br/>conv2d(3, kernel = (1, 3), padding = (0, 1))<br/>30 parameters"]
    n3["batch_norm_1<br/>6 parameters"]
    n4["residual_1<br/>add"]
    n5["act<br/>relu"]
    n6["mul_1"]
    n7["global_avg_pool_1"]
    n8["fc<br/>linear(2)<br/>8 parameters"]
    n9(["output"])
    n0 -->|"[1, 4, 4]"| n1
    n1 -->|"[3, 4, 4]"| n2
    n2 -->|"[3, 4, 4]"| n3
    n3 -->|"[3, 4, 4]"| n4
    n1 -->|"[3, 4, 4]"| n4
    n4 -->|"[3, 4, 4]"| n5
    n5 -->|"[3, 4, 4]"| n6
    n5 -->|"[3, 4, 4]"| n6
    n6 -->|"[3, 4, 4]"| n7
    n7 -->|"[3]"| n8
    n8 -->|"[2]"| n9
    classDef convolution fill:#cfe3fb,stroke:#4a86c8,color:#1f2328
    class n1,n2 convolution
    classDef linear fill:#e4d9f7,stroke:#8a66c6,color:#1f2328
    class n8 linear
    classDef norm fill:#d8f0df,stroke:#4f9d6b,color:#1f2328
    class n3 norm
    classDef activation fill:#fde7c9,stroke:#cc8a30,color:#1f2328
    class n5 activation
    classDef pool fill:#f9d8dc,stroke:#c6616d,color:#1f2328
    class n7 pool
    classDef join fill:#cdeeee,stroke:#3f989e,color:#1f2328
    class n4,n6 join
    classDef other fill:#e9ecef,stroke:#868e96,color:#1f2328
    class n0,n9 other
"##;
    assert_eq!(Small::diagram().to_mermaid(), expected);
}

#[test]
fn inputs_and_heads_have_their_names() {
    let text = Heads::diagram().to_mermaid();
    for line in [
        "n0([\"left<br/>input\"])",
        "n1([\"right<br/>input\"])",
        "n6([\"class<br/>output\"])",
        "n7([\"size<br/>output\"])",
        "n3 -->|\"[4]\"| n6",
        "n5 -->|\"[1]\"| n7",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

network! {
    /// Braces of every kind, with names and without.
    struct Braced: [2, 8, 8] -> [4] {
        block unit(out) { conv2d(out, kernel = 3, padding = 1), relu }
        block pair(out) { first: unit(out), second: unit(out) }

        stem: conv2d(4, kernel = 1),
        residual { conv2d(4, kernel = 1), tanh }
        residual { conv2d(4, kernel = 1), tanh } shortcut { conv2d(4, kernel = 1), batch_norm }
        sum: residual { unit(4) }
        scale(2),
        concat { branch { conv2d(2, kernel = 1), tanh } branch {} }
        joint: concat { branch {} branch { residual { unit(6), pair(6) } } }
        act: relu,
        conv2d(12, kernel = 1), sigmoid,
        concat(act),
        stage: repeat(3) { pair(24) }
        pair(24), pair(24),
        #[frozen] frozen: repeat(2) { repeat(2) { unit(24) } }
        unit(24),
        part: self::Gate24,
        global_avg_pool,
        fc: linear(4),
    }
}

network! { struct Gate24: [24, 8, 8] -> [24, 8, 8] { gate: sigmoid, mul(input) } }

/// The titles of the boxes: the first line of each.
fn titles(diagram: &Diagram) -> Vec<String> {
    let svg = diagram.to_svg();
    let document = Document::parse(&svg).expect(&svg);
    let boxes = groups(document.root_element(), "data-layer");
    boxes.map(|node| text(node).lines().next().unwrap().to_owned()).collect()
}

#[test]
fn braces_are_folded_to_one_box_each() {
    let outermost = Braced::diagram().folded(0);
    assert_eq!(
        titles(&outermost),
        [
            "input",
            "stem",
            "residual_1",
            "residual_2",
            "sum",
            "scale_1",
            "concat_1",
            "joint",
            "act",
            "conv2d_6",
            "sigmoid_1",
            // What reads a value by its name are no braces.
            "concat_3",
            "stage ×3",
            "pair_1, pair_2 ×2",
            "frozen ×2",
            "unit_1",
            "part",
            "global_avg_pool_1",
            "fc",
            "output",
        ]
    );
}

/// Folded to any depth, a picture has the parameters of the net, its values where they are read, and its
/// ends; to a large depth it is the picture that it was.
fn check_folded<N: Network>() {
    let whole = N::diagram();
    assert_eq!(N::diagram().folded(usize::MAX), whole);
    let ends = |diagram: &Diagram| {
        let ends = diagram.boxes.iter().filter(|one| matches!(&*one.layer, "input" | "output"));
        ends.map(|end| end.name.clone()).collect::<Vec<_>>()
    };
    let mut boxes = 0;
    for depth in 0..4 {
        let diagram = N::diagram().folded(depth);
        let what = format!("{} folded to {depth}", diagram.name);
        let parameters: usize = diagram.boxes.iter().map(|one| one.parameters).sum();
        assert_eq!(parameters, N::summary().parameters, "{what}");
        assert_eq!(ends(&diagram), ends(&whole), "{what}");
        assert!(diagram.boxes.len() >= boxes, "{what}");
        boxes = diagram.boxes.len();
        for (i, one) in diagram.boxes.iter().enumerate() {
            let into = diagram.arrows.iter().filter(|arrow| arrow.to == i);
            let out = diagram.arrows.iter().filter(|arrow| arrow.from == i);
            assert!(into.clone().all(|arrow| arrow.from < i), "{what}: {}", one.name);
            assert_eq!(into.clone().count() == 0, one.layer == "input", "{what}: {}", one.name);
            assert_eq!(out.clone().count() == 0, one.layer == "output", "{what}: {}", one.name);
            assert_eq!(one.shapes.is_some(), one.group == LayerGroup::Braces, "{what}");
            if let Some([from, to]) = one.shapes {
                assert_eq!(into.clone().next().unwrap().shape, from, "{what}: {}", one.name);
                assert!(out.clone().all(|arrow| arrow.shape == to), "{what}: {}", one.name);
            }
        }
        if boxes < 100 {
            lies_well(&diagram);
        }
    }
}

#[test]
fn folded_pictures_have_all_that_the_net_has() {
    use typenet::zoo;
    check_folded::<Small>();
    check_folded::<Branches>();
    check_folded::<Generic<8, 3>>();
    check_folded::<Heads>();
    check_folded::<Nested>();
    check_folded::<Braced>();
    check_folded::<zoo::LeNet5>();
    check_folded::<zoo::ResNet18>();
    check_folded::<zoo::Inception>();
    check_folded::<zoo::UNet>();
    check_folded::<zoo::SqueezeNet>();
    check_folded::<zoo::MobileNetV2>();
    check_folded::<zoo::DenseNet121>();
}

#[test]
fn equal_braces_in_a_row_are_one_box() {
    let diagram = zoo_titles::<typenet::zoo::ResNet50>();
    let stages: Vec<&str> =
        diagram.iter().filter(|title| title.starts_with("layer")).map(String::as_str).collect();
    let expected = [
        "layer1_0",
        "layer1_1, layer1_2 ×2",
        "layer2_0",
        "layer2_1 … layer2_3 ×3",
        "layer3_0",
        "layer3_1 … layer3_5 ×5",
        "layer4_0",
        "layer4_1, layer4_2 ×2",
    ];
    assert_eq!(stages, expected);
    let net = typenet::zoo::ResNet50::diagram().folded(0);
    let three = net.boxes.iter().find(|one| one.times == 3).unwrap();
    assert_eq!(three.layer, "3 conv2d, 3 batch_norm, 3 relu, add");
    assert_eq!(three.parameters, 3 * 280_064);
}

fn zoo_titles<N: Network>() -> Vec<String> {
    titles(&N::diagram().folded(0))
}

#[test]
fn one_level_deeper_shows_what_is_in_the_braces() {
    let diagram = Braced::diagram().folded(1);
    let all = titles(&diagram);
    let expected = [
        "input",
        "stem",
        "conv2d_2",
        "tanh_1",
        "residual_1",
        "conv2d_3",
        "tanh_2",
        "conv2d_4",
        "batch_norm_1",
        "residual_2",
    ];
    assert_eq!(all[..10], expected);
    // Those of one pair of braces, not of neighbours.
    for title in ["stage.0 … stage.2 ×3", "pair_1.first, pair_1.second ×2", "unit_1.relu_1"] {
        assert!(all.iter().any(|one| one == title), "no {title} in {all:?}");
    }
    let frozen = diagram.boxes.iter().find(|one| one.name.starts_with("frozen.")).unwrap();
    assert!(frozen.frozen && frozen.times == 2 && frozen.parameters == 4 * (24 * 24 * 9 + 24));
}

#[test]
fn mermaid_text_of_a_folded_net_is_this() {
    let text = Nested::diagram().folded(0).to_mermaid();
    for line in [
        "n2[[\"residual_1<br/>sigmoid, mul, add<br/>[1, 4, 4] → [1, 4, 4]\"]]",
        "n1 -->|\"[1, 4, 4]\"| n2",
        "classDef braces fill:#f1f3f9,stroke:#56637f,color:#1f2328",
        "class n2,n3 braces",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}
