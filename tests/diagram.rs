//! Pictures of nets: what is in them, and that nothing lies upon anything else.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use roxmltree::{Document, Node};
use typenet::diagram::LayerGroup;
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
    let view = root.attribute("viewBox").unwrap().split(' ');
    let view: Vec<f64> = view.map(|number| number.parse().unwrap()).collect();

    // Layers, and the outputs.
    let last = N::LAYERS.len() - 1;
    let mut outputs: Vec<(&str, usize)> =
        N::GRAPH.heads.iter().map(|head| (head.name, head.node)).collect();
    if outputs.is_empty() {
        outputs.push(("output", last));
    }
    let groups = |name: &'static str| {
        root.children().filter(move |node| node.is_element() && node.attribute(name).is_some())
    };
    let names: Vec<&str> =
        groups("data-layer").map(|node| node.attribute("data-layer").unwrap()).collect();
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
    let text = |node: Node<'_, '_>| {
        let texts = node.children().filter(|child| child.has_tag_name("text"));
        texts.map(|text| text.text().unwrap().to_owned()).collect::<Vec<_>>().join("\n")
    };
    let arrows: Vec<(&str, &str, String)> = groups("data-from")
        .map(|node| {
            let [from, to] = ["data-from", "data-to"].map(|name| node.attribute(name).unwrap());
            (from, to, text(node))
        })
        .collect();
    assert_eq!(arrows, expected, "{}", diagram.name);

    let mut areas: Vec<(String, Area)> = Vec::new();
    for node in groups("data-layer") {
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
    for node in groups("data-from") {
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
    assert_eq!((stem.name, stem.parameters, stem.frozen), ("stem", 27, true));
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
