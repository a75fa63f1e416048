//! Layers of the user's own.
#![allow(clippy::unwrap_used, unreachable_pub)]

use typenet::own::{Gradients, Layer, Parameters, Shape, ShapeError};
use typenet::prelude::*;

mod my {
    use super::*;

    /// Each channel is shifted by a number of columns, round and round, and multiplied by a factor of
    /// its own; a bias is added.
    pub struct Swirl {
        turns: usize,
    }

    #[typenet::layer]
    impl Swirl {
        /// So many columns.
        pub const fn new(turns: usize) -> Swirl {
            Swirl { turns }
        }

        pub const fn output(self, input: Shape) -> Result<Shape, ShapeError> {
            if input.rank() != 3 {
                return Err(ShapeError::new("needs an image").with_help("move it before `flatten`"));
            }
            Ok(input)
        }

        pub const fn weight(self, input: Shape) -> Shape {
            Shape::new(&[input.dim(0), 1])
        }

        pub const fn bias(self, input: Shape) -> Shape {
            Shape::new(&[input.dim(0)])
        }

        /// Where the number at `at` comes from, and its channel.
        fn source(&self, input: Shape, at: usize) -> (usize, usize) {
            let width = input.dim(2);
            let (row, column) = (at / width, at % width);
            (row * width + (column + self.turns) % width, row / input.dim(1))
        }
    }

    impl Layer for Swirl {
        fn forward(&self, input: Shape, parameters: Parameters<'_>, x: &[f32], y: &mut [f32]) {
            for (at, y) in y.iter_mut().enumerate() {
                let (from, channel) = self.source(input, at);
                *y = parameters.weight[channel] * x[from] + parameters.bias[channel];
            }
        }

        fn backward(
            &self,
            input: Shape,
            parameters: Parameters<'_>,
            x: &[f32],
            dy: &[f32],
            dx: &mut [f32],
            gradients: Gradients<'_>,
        ) {
            for (at, dy) in dy.iter().enumerate() {
                let (from, channel) = self.source(input, at);
                dx[from] += parameters.weight[channel] * dy;
                gradients.weight[channel] += x[from] * dy;
                gradients.bias[channel] += dy;
            }
        }

        fn reference(
            &self,
            input: Shape,
            parameters: Parameters<'_, f64>,
            x: &[f64],
            y: &mut [f64],
        ) {
            for (at, y) in y.iter_mut().enumerate() {
                let (from, channel) = self.source(input, at);
                *y = parameters.weight[channel] * x[from] + parameters.bias[channel];
            }
        }

        fn init(
            &self,
            _: Shape,
            weight: &mut [f32],
            _: &mut [f32],
            uniform: &mut dyn FnMut() -> f32,
        ) {
            weight.iter_mut().for_each(|weight| *weight = 1.0 + 0.1 * uniform());
        }
    }

    /// `x²`, without parameters or arguments, on any shape.
    pub struct Square;

    #[typenet::layer]
    impl Square {
        pub const fn output(self, input: Shape) -> Result<Shape, ShapeError> {
            Ok(input)
        }
    }

    impl Layer for Square {
        fn forward(&self, _: Shape, _: Parameters<'_>, x: &[f32], y: &mut [f32]) {
            // Waits in a call of rayon, on a thread that works on the net.
            let (first, second) = y.split_at_mut(x.len() / 2);
            let square =
                |y: &mut [f32], x: &[f32]| y.iter_mut().zip(x).for_each(|(y, x)| *y = x * x);
            rayon::join(|| square(first, x), || square(second, &x[x.len() / 2..]));
        }

        fn backward(
            &self,
            _: Shape,
            _: Parameters<'_>,
            x: &[f32],
            dy: &[f32],
            dx: &mut [f32],
            _: Gradients<'_>,
        ) {
            dx.iter_mut().zip(x.iter().zip(dy)).for_each(|(dx, (x, dy))| *dx = 2.0 * x * dy);
        }

        fn reference(&self, _: Shape, _: Parameters<'_, f64>, x: &[f64], y: &mut [f64]) {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = x * x);
        }
    }

    /// Every `by`-th row and `by_columns`-th column.
    #[derive(Clone, Copy)]
    pub struct Thin(usize, usize);

    #[typenet::layer]
    impl Thin {
        pub const fn new(by: usize, by_columns: usize) -> Thin {
            Thin(by, by_columns)
        }

        pub const fn output(self, input: Shape) -> Result<Shape, ShapeError> {
            match *input.dims() {
                [channels, height, width] if height % self.0 == 0 && width % self.1 == 0 => {
                    Ok(Shape::new(&[channels, height / self.0, width / self.1]))
                }
                _ => Err(ShapeError::new("does not divide height and width")),
            }
        }

        fn positions(self, input: Shape) -> impl Iterator<Item = usize> {
            let (rows, width) = (input.dim(0) * input.dim(1), input.dim(2));
            let of_row =
                move |row: usize| (0..width).step_by(self.1).map(move |at| row * width + at);
            (0..rows).step_by(self.0).flat_map(of_row)
        }
    }

    impl Layer for Thin {
        fn forward(&self, input: Shape, _: Parameters<'_>, x: &[f32], y: &mut [f32]) {
            y.iter_mut().zip(self.positions(input)).for_each(|(y, from)| *y = x[from]);
        }

        fn backward(
            &self,
            input: Shape,
            _: Parameters<'_>,
            _: &[f32],
            dy: &[f32],
            dx: &mut [f32],
            _: Gradients<'_>,
        ) {
            dy.iter().zip(self.positions(input)).for_each(|(dy, from)| dx[from] = *dy);
        }

        fn reference(&self, input: Shape, _: Parameters<'_, f64>, x: &[f64], y: &mut [f64]) {
            y.iter_mut().zip(self.positions(input)).for_each(|(y, from)| *y = x[from]);
        }
    }
}

const TURNS: usize = 2;

network! {
    /// Own layers first, between, twice, behind one another, read twice, and last.
    struct Net: [2, 6, 6] -> [3] {
        twist: my::Swirl(1),
        conv1: conv2d(4, kernel = 3, padding = 1), relu,
        my::Swirl(crate::TURNS + 1),
        skip: my::Square,
        residual { conv2d(4, kernel = 3, padding = 1), my::Swirl(2) }
        mul(skip),
        my::Thin(3, 2),
        layer_norm,
        scale(0.5),
        batch_norm,
        flatten,
        fc: linear(3),
        my::Square,
    }
}

network! {
    /// Every layer behind one of which only the compiler knows the shape.
    struct Behind: [2, 6, 6] -> [3] {
        block stage(out) { self::my::Thin(1, 1), conv2d(out, kernel = 3, padding = 1) }

        my::Thin(1, 1), group_norm(1), my::Thin(1, 1), dropout(0.1), my::Thin(1, 1), softmax,
        repeat(2) { my::Thin(1, 1), depthwise_conv2d(kernel = 3, padding = 1, multiplier = 2) }
        concat {
            branch { my::Thin(1, 1) }
            left: branch { stage(3), batch_norm(affine = false) }
        }
        my::Thin(1, 1), avg_pool2d(2), upsample(2),
        my::Thin(1, 1), conv_transpose2d(3, kernel = 2), gelu,
        my::Thin(1, 1), reshape([21, 7, 1]),
        a: my::Thin(7, 1),
        b: my::Thin(1, 1),
        mul(a),
        concat(b, a),
        my::Thin(1, 1), max_pool2d(1), layer_norm(affine = false),
        my::Thin(1, 1), global_avg_pool, my::Square, layer_norm, my::Square, linear(3), log_softmax,
    }
}

fn images(count: usize) -> Vec<[[[f32; 6]; 6]; 2]> {
    let number = |i: usize| (i as f32 * 0.7311).sin();
    (0..count)
        .map(|k| {
            let row =
                |c: usize, i: usize| std::array::from_fn(|j| number(k * 91 + c * 37 + i * 6 + j));
            std::array::from_fn(|c| std::array::from_fn(|i| row(c, i)))
        })
        .collect()
}

#[test]
fn shapes_names_and_parameters_are_those_of_the_layer() {
    let names: Vec<&str> = Net::LAYERS.iter().map(|layer| layer.name).collect();
    assert_eq!(
        names,
        [
            "input",
            "twist",
            "conv1",
            "relu_1",
            "swirl_2",
            "skip",
            "conv2d_2",
            "swirl_3",
            "residual_1",
            "mul_1",
            "thin_1",
            "layer_norm_1",
            "scale_1",
            "batch_norm_1",
            "flatten_1",
            "fc",
            "square_2",
        ]
    );
    let mut net = Net::seeded(1);
    let weight: &[[f32; 1]; 4] = &net.swirl_2.weight;
    assert!(weight.iter().all(|[w]| (0.9..=1.1).contains(w)) && net.swirl_2.bias == [0.0; 4]);
    net.twist.weight = [[0.5], [2.0]];
    assert_eq!(Net::LAYERS[10].output.dims(), [4, 2, 3]);
    assert_eq!(Net::LAYERS[1].parameters, 4);
    let summary = Net::summary().to_string();
    assert!(
        summary.contains("twist: my::Swirl(1)") && summary.contains("my::Thin(3, 2)"),
        "{summary}"
    );
    // An argument that the compiler alone knows is shown as it was written.
    assert!(summary.contains("my::Swirl(crate::TURNS + 1)"), "{summary}");
}

#[test]
fn gradients_are_right() {
    let mut net = Net::seeded(3);
    for (i, number) in net.parameters_flat_mut().iter_mut().enumerate() {
        *number += 0.2 * (i as f32).cos();
    }
    let targets: Vec<usize> = (0..19).map(|i| i % 3).collect();
    let check = gradcheck(&net, &CrossEntropy::new(), &images(19), &targets).unwrap();
    assert!(check.worst() <= 1e-4, "{check}");
    assert!(check.tensors.iter().any(|tensor| tensor.name == "twist.weight"), "{check}");
}

#[test]
fn every_layer_goes_behind_one_whose_shape_the_compiler_alone_knows() {
    let net = Behind::seeded(4);
    let targets: Vec<usize> = (0..5).map(|i| i % 3).collect();
    let check = gradcheck(&net, &NllLoss::new(), &images(5), &targets).unwrap();
    assert!(check.worst() <= 1e-3, "{check}");
    let _: &[f32; 63] = &net.layer_norm_2.weight;
    assert_eq!(net.group_norm_1.bias, [0.0; 2]);
}

#[test]
fn inference_is_what_trace_says_for_any_number_of_images() {
    let net = Net::seeded(5);
    let images = images(21);
    let outputs = net.outputs(&images);
    for (image, output) in images.iter().zip(&outputs) {
        let trace = net.trace(image);
        let expected = trace.get("square_2").unwrap();
        let alone = net.output(image);
        for (i, expected) in expected.numbers.iter().enumerate() {
            assert!((output[i] - expected).abs() <= 1e-4 * expected.abs().max(1.0));
            assert!((alone[i] - expected).abs() <= 1e-4 * expected.abs().max(1.0));
        }
    }
}

#[test]
fn a_frozen_layer_passes_gradients_on_and_has_none() {
    let mut net = Net::seeded(7);
    let (images, targets) = (images(5), [0, 1, 2, 0, 1]);
    let run = |net: &mut Net| {
        let mut ws = Net::workspace(5);
        net.forward(&images, &mut ws);
        CrossEntropy::new().forward_backward(&targets, &mut ws).unwrap();
        net.backward(&images, &mut ws);
        (ws.gradients().conv1.bias, ws.gradients().swirl_2.bias)
    };
    let (conv1, swirl) = run(&mut net);
    net.set_trainable("swirl_2", false).unwrap();
    assert_eq!(run(&mut net), (conv1, [0.0; 4]));
    assert!(swirl.iter().all(|number| *number != 0.0));
}

#[test]
fn the_same_seed_gives_the_same_bits_with_any_number_of_threads() {
    let train = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (images, mut net) = (images(70), Net::seeded(11));
            let labels: Vec<usize> = (0..70).map(|i| i % 3).collect();
            let mut ws = Net::workspace(70);
            let mut sgd = Sgd::new(0.01).momentum(0.9).state(&net);
            for _ in 0..3 {
                net.forward(&images, &mut ws);
                CrossEntropy::new().forward_backward(&labels, &mut ws).unwrap();
                net.backward(&images, &mut ws);
                sgd.step(&mut net, ws.gradients());
            }
            net
        })
    };
    assert!(train(1) == train(3));
}

#[test]
fn weight_files_have_their_parameters() {
    let net = Net::seeded(2);
    let again = Net::from_bytes(&net.to_bytes().unwrap()).unwrap();
    assert!(net == again);
}

network! {
    /// A layer of one's own on the second input.
    struct Second: (left: [3], right: [2, 3, 4]) -> [4] {
        from(right), my::Swirl(1), flatten, of_right: linear(4),
        from(left), linear(4), add(of_right),
    }
}

#[test]
fn one_image_of_several_inputs_reads_its_own() {
    let net = Second::seeded(3);
    let number = |at: usize| (at as f32 * 0.7).sin();
    let right = [0, 1].map(|c| [0, 1, 2].map(|i| [0, 1, 2, 3].map(|j| number(c * 12 + i * 4 + j))));
    let input = SecondInput { left: [40, 41, 42].map(number), right };
    let one = net.output(&input);
    let many = net.outputs(&[input, input]);
    for (one, many) in one.iter().zip(many[0]) {
        assert!((one - many).abs() <= 1e-5, "{one} alone, {many} among others");
    }
}
