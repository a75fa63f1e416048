//! A convolution that normalises while it reads has the bits of one that reads a norm's value, on every instruction
//! set and with any number of threads.

use crate::crew::{bits_of, by_crew};
use crate::support::*;
use proptest::prelude::*;
use typenet_kernels::batch_norm::{self, BatchNorm, Input, Spread};
use typenet_kernels::team::Crew;
use typenet_kernels::{Epilogue, Isa, Lanes, Statistics, conv2d, pointwise};
use typenet_shape::{Activation, Conv2d, Shape};

/// Forward pass and weight gradient of a convolution that reads this.
fn passes(isa: Isa, g: &Conv2d, input: Input<'_>, of: &Case, crew: &mut Crew<'_>) -> Vec<u32> {
    let Case { weight, bias, dy, images, .. } = of;
    let mut y = poison(dy.len());
    let mut numbers = vec![f32::NAN; 2 * g.out_channels];
    let (mut dw, mut db) = (vec![0.5; weight.len()], vec![0.25; g.out_channels]);
    let statistics = Some(Statistics { images: *images, numbers: &mut numbers });
    let epilogue = Epilogue { bias: Some(bias), statistics, ..Epilogue::default() };
    if g.kernel == [1, 1] {
        pointwise::forward_by(isa, crew, g, input, weight, epilogue, &mut y);
        pointwise::backward_weight_by(isa, crew, g, input, dy, &mut dw, Some(&mut db));
    } else {
        conv2d::forward_by(isa, crew, g, input, weight, epilogue, &mut y);
        conv2d::backward_weight_by(isa, crew, g, input, dy, &mut dw, Some(&mut db));
    }
    bits_of(&y, &[&numbers, &dw, &db])
}

struct Case {
    x: Vec<Lanes>,
    dy: Vec<Lanes>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    images: usize,
}

fn check(g: &Conv2d, f: Activation, seed: u64) {
    let output = g.output().unwrap();
    let channels = g.input.dim(0);
    let mut random = Random::new(seed);
    let of = Case {
        x: random.lanes(g.input.elements()),
        dy: random.lanes(output.elements()),
        weight: random.numbers(g.weight().elements()),
        bias: random.numbers(g.out_channels),
        images: 1 + seed as usize % 16,
    };
    let [mean, weight, bias] = [(); 3].map(|()| random.numbers(channels));
    let rstd: Vec<f32> = random.numbers(channels).iter().map(|n| 0.5 + n.abs()).collect();
    // All of them, or such as are left out.
    let has = |bit: u64| seed >> bit & 1 == 0;
    let norm = BatchNorm {
        mean: &mean,
        spread: Spread::Rstd(&rstd),
        weight: has(4).then_some(&weight[..]),
        bias: has(5).then_some(&bias[..]),
        f,
    };
    let pixels = g.input.dim(1) * g.input.dim(2);
    // Enough for either kernel; the products of matrices pack at most 32 positions.
    let scratch = pixels + 34 * (channels.next_multiple_of(16) + g.out_channels);
    for isa in Isa::available() {
        let mut value = poison(of.x.len());
        batch_norm::apply(isa, &norm, &of.x, None, &mut value);
        let mut room = poison(scratch);
        let expected = passes(isa, g, value[..].into(), &of, &mut Crew::alone(&mut room));
        let input = Input { x: &of.x, norm: Some(norm) };
        let found = passes(isa, g, input, &of, &mut Crew::alone(&mut poison(scratch)));
        assert!(found == expected, "{isa} alone: {f:?} {g:?}");
        for crew in [(2, false), (5, false), (2, true)] {
            let found = by_crew(crew, scratch, |crew| passes(isa, g, input, &of, crew));
            assert!(found == expected, "{isa} {crew:?}: {f:?} {g:?}");
        }
    }
}

fn depthwise() -> impl Strategy<Value = Conv2d> {
    let numbers = (2usize..22, 1usize..3, prop_oneof![Just(3), Just(5)], 1usize..3, 0usize..3);
    (numbers, 5usize..12, 5usize..12).prop_map(
        |((channels, multiplier, kernel, stride, padding), height, width)| Conv2d {
            groups: channels,
            stride: [stride; 2],
            padding: [padding; 2],
            ..Conv2d::new(
                Shape::new(&[channels, height, width]),
                channels * multiplier,
                [kernel; 2],
            )
        },
    )
}

fn pointwise() -> impl Strategy<Value = Conv2d> {
    (1usize..70, 1usize..40, 1usize..9, 1usize..9, [1usize..3, 1usize..3]).prop_map(
        |(channels, outs, height, width, stride)| Conv2d {
            stride,
            ..Conv2d::new(Shape::new(&[channels, height, width]), outs, [1, 1])
        },
    )
}

fn activation() -> impl Strategy<Value = Activation> {
    prop_oneof![
        Just(Activation::Identity),
        Just(Activation::Relu),
        Just(Activation::Relu6),
        Just(Activation::LeakyRelu { negative_slope: 0.1 }),
    ]
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn depthwise_convolutions(g in depthwise(), f in activation(), seed in 0u64..1 << 20) {
        check(&g, f, seed);
    }

    #[test]
    fn convolutions_of_one_position(g in pointwise(), f in activation(), seed in 0u64..1 << 20) {
        check(&g, f, seed);
    }
}

#[test]
#[should_panic(expected = "a norm is applied to depthwise input alone")]
fn others_cannot() {
    let g = Conv2d::new(Shape::new(&[2, 4, 4]), 3, [3, 3]);
    let numbers = [0.5; 2];
    let spread = Spread::Rstd(&numbers);
    let norm =
        BatchNorm { mean: &numbers, spread, weight: None, bias: None, f: Activation::Identity };
    let (x, mut y) = (poison(32), poison(12));
    let input = Input { x: &x, norm: Some(norm) };
    let crew = &mut Crew::alone(&mut []);
    conv2d::forward_by(Isa::Portable, crew, &g, input, &[0.0; 54], Epilogue::default(), &mut y);
}
