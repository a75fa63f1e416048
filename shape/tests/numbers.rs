//! Numbers at the ends of their range in every place of a graph: the functions that generated code
//! calls in constants neither panic nor lose a digit, whatever the user's constants are.

use typenet_shape::{
    Argument, Checked, Graph, Interpolation, Node, Op, Padding, Plan, Shape, ShapeError, TensorKind,
};

/// The largest power of two, and the one that half of the bits hold.
const TOP: usize = 1 << (usize::BITS - 1);
const HALF: usize = 1 << (usize::BITS / 2);
const NUMBERS: [usize; 9] = [0, 1, 2, 3, 1 << 24, 1 << 31, HALF, TOP, usize::MAX];

/// Numbers that follow from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed ^ (mixed >> 27)) >> 33) as usize % end
    }

    /// Mostly one that fits.
    fn number(&mut self) -> usize {
        if self.below(4) > 0 { 1 + self.below(3) } else { NUMBERS[self.below(NUMBERS.len())] }
    }

    fn pair(&mut self) -> [usize; 2] {
        [self.number(), self.number()]
    }

    fn shape(&mut self) -> Shape {
        let rank = [1, 3, 3, 3][self.below(4)];
        let dims: Vec<usize> =
            (0..rank).map(|_| 8 * (self.below(2)) + self.number() % TOP).collect();
        Shape::new(&dims)
    }

    fn op(&mut self) -> Op {
        let (n, bias) = (self.number(), true);
        let [kernel, stride, padding, dilation] =
            [self.pair(), self.pair(), self.pair(), self.pair()];
        let zeros = if self.below(3) > 0 { Padding::Zeros(padding) } else { Padding::Same };
        let groups = self.number();
        match self.below(10) {
            0 | 1 => Op::Conv2d {
                out_channels: n,
                kernel,
                stride,
                padding: zeros,
                dilation,
                groups,
                bias,
            },
            2 => Op::DepthwiseConv2d {
                kernel,
                multiplier: n,
                stride,
                padding: zeros,
                dilation,
                bias,
            },
            3 => {
                let output_padding = self.pair();
                Op::ConvTranspose2d {
                    out_channels: n,
                    kernel,
                    stride,
                    padding,
                    output_padding,
                    groups,
                    bias,
                    dilation,
                }
            }
            4 => Op::Linear { out_features: n, bias },
            5 => Op::MaxPool2d { kernel, stride, padding, ceil_mode: bias },
            6 => Op::Upsample {
                scale_factor: kernel,
                mode: Interpolation::Bilinear,
                align_corners: false,
            },
            7 => Op::Reshape { shape: self.shape() },
            8 => Op::GroupNorm { num_groups: n, affine: true, eps: 1e-5 },
            _ => [
                Op::Flatten,
                Op::GlobalAvgPool,
                Op::BatchNorm { affine: true, momentum: 0.1, eps: 1e-5 },
            ][self.below(3)],
        }
    }
}

fn said(error: &ShapeError) -> usize {
    error.message().as_str().len() + error.help().as_str().len()
}

#[test]
fn no_number_makes_a_rule_a_cost_or_a_plan_panic() {
    let mut random = Random(1);
    let (mut sound, mut wrong) = (0, 0);
    for _ in 0..20_000 {
        let input = random.shape();
        let [one, two] = [random.op(), random.op()];
        let nodes = [
            Node { name: "input", op: Op::Input { shape: input }, inputs: &[] },
            Node { name: "one", op: one, inputs: &[0] },
            Node { name: "two", op: two, inputs: &[1] },
        ];
        let graph = Graph::new("N", &nodes);
        let checked = Checked::<3>::new(&graph);
        let plan = Plan::<3>::of(&graph, &checked);
        if checked.is_sound() {
            sound += 1;
            // What a plan has room for is no less than what it holds.
            let held = checked.shapes().iter().map(Shape::elements).max();
            assert!(Some(plan.training_len) >= held, "{nodes:?}");
        }
        for argument in Argument::ALL {
            if let Err(error) = one.check(argument) {
                wrong += 1;
                assert!(said(&error) > 0);
            }
        }
        match one.output(input) {
            Err(error) => assert!(said(&error) > 0, "{error:?}"),
            Ok(output) => {
                let exact =
                    |shape: Shape| shape.dims().iter().map(|&n| n as u128).product::<u128>();
                let parts = one.tensors().iter().filter(|kind| kind.is_parameter());
                let all: u128 = parts.filter_map(|&kind| one.tensor(kind, input)).map(exact).sum();
                assert_eq!(one.parameters(input) as u128, all.min(usize::MAX as u128), "{one:?}");
                let _ = one.multiply_adds(input, output);
            }
        }
        for kind in TensorKind::ALL {
            let outline = one.outline(typenet_shape::Outline::of(input));
            let _ = two.tensor_of_outline(kind, outline);
        }
    }
    assert!(sound > 500 && wrong > 500, "{sound} {wrong}");
}

/// The costs of kernels are compared: a cost beyond all numbers must not come out as a small one.
/// With lengths of 32 bits no cost is beyond them.
#[cfg(target_pointer_width = "64")]
#[test]
fn costs_beyond_all_numbers_are_the_largest() {
    use typenet_shape::{Conv2d, Conv2dKernel, Conv2dPass};

    let side = 1 << 15;
    let shape = Shape::new(&[1 << 33, side, side]);
    let g = Conv2d { padding: [1, 1], ..Conv2d::new(shape, 1 << 30, [3, 3]) };
    for pass in [Conv2dPass::Forward, Conv2dPass::BackwardData, Conv2dPass::BackwardWeight] {
        for kernel in [Conv2dKernel::Direct, Conv2dKernel::Winograd2, Conv2dKernel::Winograd4] {
            let cost = kernel.cost(&Conv2d { out_channels: 1, ..g }, pass);
            assert!(cost >= 1 << 60, "{kernel:?} {pass:?} {cost}");
            let _ = (
                kernel.scratch_len(&g, pass),
                kernel.transformed_len(&g),
                kernel.weight_sums_len(&g),
            );
        }
        let _ = Conv2dKernel::positions(&g, pass);
    }
}
