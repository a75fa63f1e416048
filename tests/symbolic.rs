//! Nets whose sizes are constants of the program.
#![allow(clippy::unwrap_used)]

use typenet::Flat;
use typenet::prelude::*;

/// How many classes there are.
pub const CLASSES: usize = 3;

/// Height and width of an image.
const SIDE: usize = 12;

mod sizes {
    pub(super) const WIDTH: usize = 4;
    pub(super) const KERNEL: usize = 3;
}

network! {
    /// A net of which the macro knows few numbers.
    pub struct Symbolic: [1, self::SIDE, self::SIDE] -> [crate::CLASSES] {
        const DOUBLE: usize = sizes::WIDTH * 2;

        block stage(out, kernel = sizes::KERNEL) {
            conv2d(out, kernel = kernel, padding = kernel / 2), batch_norm, relu,
        }

        conv1: conv2d(sizes::WIDTH, kernel = (sizes::KERNEL, 5), padding = (1, 2)), relu,
        max_pool2d(2),
        stage(DOUBLE),
        skip: stage(DOUBLE, kernel = 1),
        residual { conv2d(DOUBLE, kernel = 1) }
        add(skip),
        concat {
            branch { conv2d(sizes::WIDTH, kernel = 1) }
            branch { depthwise_conv2d(3, padding = 1) }
        }
        down: max_pool2d(2, stride = sizes::KERNEL - 1),
        flatten,
        fc1: linear(crate::CLASSES * 10), relu,
        fc2: linear(crate::CLASSES),
    }
}

network! {
    /// The same with numbers.
    pub struct Numbers: [1, 12, 12] -> [3] {
        block stage(out, kernel = 3) {
            conv2d(out, kernel = kernel, padding = kernel / 2), batch_norm, relu,
        }

        conv1: conv2d(4, kernel = (3, 5), padding = (1, 2)), relu,
        max_pool2d(2),
        stage(8),
        skip: stage(8, kernel = 1),
        residual { conv2d(8, kernel = 1) }
        add(skip),
        concat {
            branch { conv2d(4, kernel = 1) }
            branch { depthwise_conv2d(3, padding = 1) }
        }
        down: max_pool2d(2, stride = 2),
        flatten,
        fc1: linear(30), relu,
        fc2: linear(3),
    }
}

#[test]
fn a_constant_is_as_good_as_its_number() {
    assert_eq!(Symbolic::GRAPH.nodes, Numbers::GRAPH.nodes);
    assert_eq!(Symbolic::SHAPES, Numbers::SHAPES);
    assert_eq!(Symbolic::LAYERS, Numbers::LAYERS);
    assert_eq!(Symbolic::LAYOUT.tensors, Numbers::LAYOUT.tensors);
    assert_eq!(Symbolic::LAYOUT.training_len, Numbers::LAYOUT.training_len);
    let (symbolic, numbers) = (Symbolic::seeded(3), Numbers::seeded(3));
    assert_eq!(symbolic.parameters_flat(), numbers.parameters_flat());
    let image: Input<Symbolic> = [[[0.5; SIDE]; SIDE]];
    assert_eq!(symbolic.output(&image), numbers.output(&image));
}

#[test]
fn fields_have_shapes_of_constants() {
    let mut net = Symbolic::seeded(1);
    let conv1: &mut [[[[f32; 5]; sizes::KERNEL]; 1]; sizes::WIDTH] = &mut net.conv1.weight;
    conv1[3][0][2][4] = 7.0;
    let norm: &[f32; 2 * sizes::WIDTH] = &net.stage_1.batch_norm_1.running_var;
    assert_eq!(norm, &[1.0; 8]);
    // What the compiler computes from the graph: 12 channels of 3×3.
    let fc1: &[[f32; 108]; CLASSES * 10] = &net.fc1.weight;
    assert_eq!(fc1.as_flat().len(), 3240);
    assert_eq!(size_of_val(&*net), 4 * net.parameters_flat().len());
    assert_eq!(net.parameters_flat()[59], 7.0);
}

#[test]
fn gradients_are_those_of_the_reference() {
    let net = Symbolic::seeded(5);
    let image = |i: usize| {
        let mut image = [[[0.0; SIDE]; SIDE]];
        for (k, x) in image.as_flat_mut().iter_mut().enumerate() {
            *x = ((k * 7 + i * 31) % 17) as f32 / 8.0 - 1.0;
        }
        image
    };
    let images: Vec<Input<Symbolic>> = (0..5).map(image).collect();
    let check = gradcheck(&net, &CrossEntropy::new(), &images, &[0, 1, 2, 1, 0]).unwrap();
    assert!(check.worst() <= 1e-3, "{check}");
}

#[test]
fn weights_are_saved_under_the_same_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("net.safetensors");
    let net = Symbolic::seeded(7);
    net.save(&file).unwrap();
    assert_eq!(Numbers::load(&file).unwrap().parameters_flat(), net.parameters_flat());
}

network! {
    /// An output that is as large as a constant says.
    struct Small: [2, self::SIDE, self::SIDE] -> [2, self::SIDE, self::SIDE] {
        conv2d(2, kernel = sizes::KERNEL, padding = same),
    }
}

/// Height and width of a large image.
const LARGE: usize = 100;

network! {
    /// As [`Small`], but over 64 kB.
    struct Large: [2, self::LARGE, self::LARGE] -> [2, self::LARGE, self::LARGE] {
        conv2d(2, kernel = sizes::KERNEL, padding = same),
    }
}

#[test]
fn large_outputs_are_boxed() {
    let small: [[[f32; SIDE]; SIDE]; 2] = Small::seeded(1).output(&[[[1.0; SIDE]; SIDE]; 2]);
    let large: Box<[[[f32; LARGE]; LARGE]; 2]> =
        Large::seeded(1).output(&[[[1.0; LARGE]; LARGE]; 2]);
    assert_eq!(small[1][5][5], large[1][5][5]);
}

#[test]
fn nets_in_functions_reach_the_constants_of_their_module() {
    network! {
        struct Local: [self::SIDE] -> [sizes::WIDTH] {
            fc: linear(sizes::WIDTH),
        }
    }
    assert_eq!(Local::seeded(1).fc.weight.len(), 4);
}
