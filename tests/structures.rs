//! Nets with blocks, repeats and constants: their fields, the names in their files, and training.
#![allow(clippy::unwrap_used)]

use typenet::prelude::*;

network! {
    /// Rows against columns.
    pub struct Stages: [1, SIZE, SIZE] -> [2] {
        const SIZE: usize = 8;
        const WIDTH: usize = SIZE / 2;

        /// A convolution that keeps height and width.
        block keep(out, kernel = 3, biased = true) {
            conv2d(out, kernel = kernel, padding = kernel / 2, bias = biased), relu,
        }

        /// The first stage.
        stage1: repeat(2) { keep(WIDTH) }
        max_pool2d(2),
        stage2: repeat(1 + 1) {
            keep(WIDTH * 2, kernel = 1, biased = false),
            last: conv2d(WIDTH, kernel = 1), tanh,
        }
        named: keep(3),
        keep(2),
        flatten,
        fc: linear(2),
    }
}

fn names() -> Vec<String> {
    let graph = &Stages::GRAPH;
    let name = |tensor: &typenet::shape::Tensor| {
        format!("{}.{}", graph.nodes[tensor.node].name, tensor.kind.name())
    };
    Stages::LAYOUT.tensors.iter().map(name).collect()
}

#[test]
fn fields_are_where_the_graph_says() {
    let mut net = Stages::seeded(1);
    let a = &net.stage1.0.keep_1.conv2d_1;
    let b = &net.stage1.1.keep_1.conv2d_1;
    assert_eq!((a.weight[0].len(), b.weight[0].len()), (1, 4));
    let flat: Vec<f32> = net.parameters_flat().to_vec();
    let at = |name: &str| {
        let index = names().iter().position(|other| other == name).unwrap();
        flat[Stages::LAYOUT.tensors[index].offset]
    };
    assert_eq!(a.weight[0][0][0][0], at("stage1.0.keep_1.conv2d_1.weight"));
    assert_eq!(b.weight[0][0][0][0], at("stage1.1.keep_1.conv2d_1.weight"));
    assert_eq!(
        net.stage2.0.keep_1.conv2d_1.weight[0][0][0][0],
        at("stage2.0.keep_1.conv2d_1.weight")
    );
    assert_eq!(net.stage2.1.last.weight[0][0][0][0], at("stage2.1.last.weight"));
    assert_eq!(net.named.conv2d_1.weight[0][0][0][0], at("named.conv2d_1.weight"));
    assert_eq!(net.keep_2.conv2d_1.weight[0][0][0][0], at("keep_2.conv2d_1.weight"));
    assert_eq!(net.fc.weight[0][0], at("fc.weight"));
    net.stage2.1.last.bias[3] = 5.0;
    let index = names().iter().position(|name| name == "stage2.1.last.bias").unwrap();
    assert_eq!(net.parameters_flat()[Stages::LAYOUT.tensors[index].offset + 3], 5.0);
}

#[test]
fn files_have_the_names_of_the_fields() {
    let net = Stages::seeded(3);
    let bytes = net.to_bytes().unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    for name in names() {
        assert!(file.tensor(&name).is_ok(), "{name}");
    }
    assert_eq!(Stages::from_bytes(&bytes).unwrap(), net);
}

#[test]
fn structures_train() {
    let images: Vec<Input<Stages>> = (0..64)
        .map(|i| {
            let mut image = [[[0.0; 8]; 8]; 1];
            for k in 0..8 {
                if i % 2 == 0 { image[0][i / 2 % 8][k] = 1.0 } else { image[0][k][i / 2 % 8] = 1.0 }
            }
            image
        })
        .collect();
    let labels: Vec<usize> = (0..64).map(|i| i % 2).collect();
    let mut net = Stages::seeded(42);
    train(&mut net, &images, &labels).unwrap();
    assert_eq!(net.predict_batch(&images), labels);
    // Other images than those of zeros and ones, which lie on the corners of relu.
    let pixel = |i: usize| (i * 37 % 101) as f32 / 101.0 - 0.4;
    let image = |from| [std::array::from_fn(|y| std::array::from_fn(|x| pixel(from + 8 * y + x)))];
    let images: [Input<Stages>; 2] = [image(0), image(50)];
    let check = gradcheck(&net, &CrossEntropy::new(), &images, &[0, 1]).unwrap();
    assert!(check.worst() <= 1e-3, "{check}");
}
