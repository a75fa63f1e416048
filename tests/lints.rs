//! A program with strict lints of its own gets no warning from what `network!` writes.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, missing_debug_implementations, missing_copy_implementations)]
#![deny(unused, unreachable_pub, clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

/// Where the net is declared.
pub mod net {
    use typenet::prelude::*;

    network! {
        /// A net with every kind of layer.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Strict: [2, 16, 16] -> [4] {
            /// The first.
            conv1: conv2d(4, kernel = (3, 5), padding = 1, stride = 1), relu,
            conv2d(4, kernel = 3, groups = 2, dilation = 2, bias = false), leaky_relu(0.1),
            max_pool2d(2), sigmoid,
            avg_pool2d(2, stride = 1), tanh,
            dropout(0.25),
            conv2d(6, 1),
            global_avg_pool,
            linear(8), flatten, relu,
            out: linear(4, bias = false),
            softmax,
        }
    }

    /// Twice as much.
    #[derive(Clone, Copy, Debug)]
    pub struct Double;

    #[typenet::layer]
    impl Double {
        /// The shape of the input.
        ///
        /// # Errors
        /// None.
        pub const fn output(
            self,
            input: typenet::own::Shape,
        ) -> Result<typenet::own::Shape, typenet::own::ShapeError> {
            Ok(input)
        }
    }

    impl typenet::own::Layer for Double {
        fn forward(
            &self,
            _: typenet::own::Shape,
            _: typenet::own::Parameters<'_>,
            x: &[f32],
            y: &mut [f32],
        ) {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = 2.0 * x);
        }

        fn backward(
            &self,
            _: typenet::own::Shape,
            _: typenet::own::Parameters<'_>,
            _: &[f32],
            dy: &[f32],
            dx: &mut [f32],
            _: typenet::own::Gradients<'_>,
        ) {
            dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx = 2.0 * dy);
        }

        fn reference(
            &self,
            _: typenet::own::Shape,
            _: typenet::own::Parameters<'_, f64>,
            x: &[f64],
            y: &mut [f64],
        ) {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = 2.0 * x);
        }
    }

    network! {
        /// A net of another one and of a layer of the program's own.
        pub struct Parts: [2, 16, 16] -> [2] {
            /// The other one.
            #[frozen]
            inner: self::Strict,
            /// The layer.
            self::Double,
            layer_norm,
            linear(2),
        }
    }

    /// How many classes there are.
    pub const CLASSES: usize = 4;

    network! {
        /// A net with sizes of the program.
        pub struct Sized: [2, 16, 16] -> [self::CLASSES] {
            const SAME: usize = 1;
            block twice(kernel, padding = 0) {
                conv2d(self::CLASSES - 2, kernel = kernel, padding = padding),
                conv2d(self::CLASSES - 2, kernel = SAME),
            }
            conv1: conv2d(self::CLASSES - 2, kernel = 3, padding = 1), relu,
            residual { conv2d(self::CLASSES / 2, kernel = 1), inner: tanh }
            skip: sigmoid,
            add(conv1, skip),
            twice(3, padding = SAME),
            max_pool2d(self::CLASSES),
            flatten,
            out: linear(self::CLASSES),
        }
    }

    network! {
        /// A net with inputs and heads with names.
        pub struct Heads: (image: [1, 4, 4], pose: [self::CLASSES]) -> (class: [self::CLASSES], r#type: [2]) {
            from(image), flatten, concat(pose),
            linear(6), trunk: tanh,
            class: linear(4),
            from(trunk), linear(2), r#type: log_softmax,
        }
    }

    network! {
        /// A net with generics.
        pub struct Generic<const C: usize, const SIDE: usize>: [2, SIDE, SIDE] -> [self::CLASSES] {
            conv1: conv2d(C, kernel = 3, padding = 1), relu,
            residual { conv2d(C, kernel = 1), skip: tanh }
            rounds: repeat(2) { conv2d(2 * C + 1, kernel = 1), batch_norm }
            max_pool2d(SIDE / 2),
            global_avg_pool,
            out: linear(self::CLASSES),
        }
    }

    network! {
        /// A private one of that kind, of which nothing is used.
        struct UnusedHeads: (a: [2], b: [3]) -> (c: [1], d: [1]) {
            from(a), concat(b), c: linear(1), d: tanh,
        }
    }

    network! {
        /// A net with generics and without parameters.
        pub struct Bare<const WIDTH: usize>: [WIDTH] -> [WIDTH] {
            relu,
        }
    }

    network! {
        /// A private one, of which nothing is used.
        struct UnusedGeneric<const WIDTH: usize>: [WIDTH] -> [2] {
            out: linear(2),
        }
    }

    network! {
        /// A private one, of which nothing is used.
        struct Unused: [3] -> [2] {
            out: linear(2),
        }
    }
}

/// The test, which a lint wants documented.
#[test]
fn strict_programs_can_use_a_net() {
    use typenet::prelude::*;

    let generic = net::Generic::<2, 8>::seeded(1);
    assert!(generic.predict(&[[[0.5; 8]; 8]; 2]) < 4);
    assert_eq!(net::Bare::<3>::seeded(1).predict(&[1.0, -1.0, 2.0]), 2);
    let net = net::Strict::seeded(1);
    let image = [[[0.5; 16]; 16]; 2];
    let sum: f32 = net.probabilities(&image).iter().sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");

    let input = net::HeadsInput { image: [[[0.5; 4]; 4]; 1], pose: [0.1; net::CLASSES] };
    let output = net::Heads::seeded(1).output(&input);
    assert!(output.class.largest() < net::CLASSES && output.r#type.iter().all(|x| *x < 0.0));
    let loss = net::HeadsLoss { class: CrossEntropy::new(), r#type: NllLoss::new() };
    let targets = vec![net::HeadsTarget { class: 1, r#type: 0 }];
    let data = Dataset::from_inputs(&[input], targets);
    assert!(data.is_ok_and(|data| evaluate(&net::Heads::seeded(1), &loss, &data).is_ok()));
}
