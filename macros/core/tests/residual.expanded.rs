#[allow(unexpected_cfgs, unused, non_camel_case_types)]
const _: () = {
    #[cfg(rust_analyzer)]
    const _: () = {
        const _: () = {
            let _: bool = __;
        };
        const _: () = {
            let _ = ::typenet::layers::arguments::dimensions::channels;
            let _ = __words::numbers::__;
            let _ = __words::numbers::__;
            let _ = ::typenet::layers::arguments::dimensions::features;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::arguments_of_conv2d::__;
            let _ = __words::arguments_of_conv2d::kernel;
            let _ = __words::arguments_of_conv2d::__;
            let _ = __words::numbers::__;
            let _ = __words::arguments_of_conv2d::padding;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::arguments_of_conv2d::__;
            let _ = __words::arguments_of_conv2d::kernel;
            let _ = __words::arguments_of_conv2d::padding;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::arguments_of_conv2d::__;
            let _ = __words::arguments_of_conv2d::kernel;
            let _ = __words::arguments_of_conv2d::__;
            let _ = __words::numbers::__;
            let _ = __words::arguments_of_conv2d::bias;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::arguments_of_conv2d::kernel;
            let _ = __words::arguments_of_conv2d::padding;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::arguments_of_conv2d::kernel;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::arguments_of_conv2d::kernel;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::values_5::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            mod __words {
                pub mod layers {
                    ///`block basic(out , stride = 1)`
                    pub struct basic;
                    pub use ::typenet::layers::*;
                }
                pub mod numbers {
                    ///`const SIZE: usize = 32`
                    pub struct SIZE;
                    ///`out`, a parameter of a block.
                    pub struct out;
                    ///`stride = 1`, a parameter of a block.
                    pub struct stride;
                }
                pub mod values_0 {}
                pub mod values_1 {
                    ///The net's input.
                    pub struct input;
                    pub use super::values_0::*;
                }
                pub mod values_2 {
                    ///`conv1: conv2d (8 , kernel = 3 , padding = 1)`
                    pub struct conv1;
                    pub use super::values_1::*;
                }
                pub mod values_3 {
                    ///`stage1: repeat (2) { basic (8) }`
                    pub struct stage1;
                    pub use super::values_2::*;
                }
                pub mod values_4 {
                    ///`down: basic (16 , stride = 2)`
                    pub struct down;
                    pub use super::values_3::*;
                }
                pub mod values_5 {
                    ///`gate: sigmoid`
                    pub struct gate;
                    pub use super::values_4::*;
                }
                pub mod values_6 {
                    ///`fc: linear (10)`
                    pub struct fc;
                    pub use super::values_5::*;
                }
                pub mod arguments_of_conv2d {
                    pub use super::numbers::*;
                    pub use ::typenet::layers::arguments::conv2d::*;
                }
            }
        };
    };
};
/// A small residual net.
///
/// | name | layer | output | parameters | multiply-adds |
/// |---|---|---|---:|---:|
/// | `input` |  | `[3, 32, 32]` |  |  |
/// | `conv1` | `conv2d(8, kernel = 3, padding = 1)` | `[8, 32, 32]` | 224 | 221,184 |
/// | `relu_1` | `relu` | `[8, 32, 32]` |  |  |
/// | `stage1.0.basic_1.conv2d_1` | `conv2d(8, kernel = 3, padding = 1)` | `[8, 32, 32]` | 584 | 589,824 |
/// | `stage1.0.basic_1.relu_1` | `relu` | `[8, 32, 32]` |  |  |
/// | `stage1.0.basic_1.conv2d_2` | `conv2d(8, kernel = 3, padding = 1)` | `[8, 32, 32]` | 584 | 589,824 |
/// | `stage1.0.basic_1.conv2d_3` | `conv2d(8, kernel = 1, bias = false)` | `[8, 32, 32]` | 64 | 65,536 |
/// | `stage1.0.basic_1.residual_1` | `add` | `[8, 32, 32]` |  |  |
/// | `stage1.0.basic_1.relu_2` | `relu` | `[8, 32, 32]` |  |  |
/// | `stage1.1.basic_1.conv2d_1` | `conv2d(8, kernel = 3, padding = 1)` | `[8, 32, 32]` | 584 | 589,824 |
/// | `stage1.1.basic_1.relu_1` | `relu` | `[8, 32, 32]` |  |  |
/// | `stage1.1.basic_1.conv2d_2` | `conv2d(8, kernel = 3, padding = 1)` | `[8, 32, 32]` | 584 | 589,824 |
/// | `stage1.1.basic_1.conv2d_3` | `conv2d(8, kernel = 1, bias = false)` | `[8, 32, 32]` | 64 | 65,536 |
/// | `stage1.1.basic_1.residual_1` | `add` | `[8, 32, 32]` |  |  |
/// | `stage1.1.basic_1.relu_2` | `relu` | `[8, 32, 32]` |  |  |
/// | `down.conv2d_1` | `conv2d(16, kernel = 3, stride = 2, padding = 1)` | `[16, 16, 16]` | 1,168 | 294,912 |
/// | `down.relu_1` | `relu` | `[16, 16, 16]` |  |  |
/// | `down.conv2d_2` | `conv2d(16, kernel = 3, padding = 1)` | `[16, 16, 16]` | 2,320 | 589,824 |
/// | `down.conv2d_3` | `conv2d(16, kernel = 1, stride = 2, bias = false)` | `[16, 16, 16]` | 128 | 32,768 |
/// | `down.residual_1` | `add` | `[16, 16, 16]` |  |  |
/// | `down.relu_2` | `relu` | `[16, 16, 16]` |  |  |
/// | `conv2d_2` | `conv2d(4, kernel = 1)` | `[4, 16, 16]` | 68 | 16,384 |
/// | `concat_1` | `concat` | `[20, 16, 16]` |  |  |
/// | `gate` | `sigmoid` | `[20, 16, 16]` |  |  |
/// | `conv2d_3` | `conv2d(20, kernel = 1)` | `[20, 16, 16]` | 420 | 102,400 |
/// | `tanh_1` | `tanh` | `[20, 16, 16]` |  |  |
/// | `residual_1` | `add` | `[20, 16, 16]` |  |  |
/// | `mul_1` | `mul(gate)` | `[20, 16, 16]` |  |  |
/// | `global_avg_pool_1` | `global_avg_pool` | `[20]` |  |  |
/// | `fc` | `linear(10)` | `[10]` | 210 | 200 |
/// | | | | **7,002** | **3,748,040** |
pub struct Residual {
    __model: ::typenet::__private::Model<ResidualParameters>,
}
/// The parameters of [`Residual`]: a field for each layer that has some.
pub struct ResidualParameters {
    /// `conv2d(8, kernel = 3, padding = 1)`, `[3, 32, 32]` → `[8, 32, 32]`, 224 parameters, 221,184 multiply-adds
    pub conv1: ::typenet::parameters::WeightBias<[[[[f32; 3]; 3]; 3]; 8], [f32; 8]>,
    /// `repeat(2)`, `[8, 32, 32]` → `[8, 32, 32]`
    pub stage1: ResidualStage1Parameters,
    /// `basic(16, stride = 2)`, `[8, 32, 32]` → `[16, 16, 16]`
    ///
    /// Two convolutions beside the value itself.
    pub down: ResidualDownParameters,
    /// `conv2d(4, kernel = 1)`, `[16, 16, 16]` → `[4, 16, 16]`, 68 parameters, 16,384 multiply-adds
    pub conv2d_2: ::typenet::parameters::WeightBias<[[[[f32; 1]; 1]; 16]; 4], [f32; 4]>,
    /// `conv2d(20, kernel = 1)`, `[20, 16, 16]` → `[20, 16, 16]`, 420 parameters, 102,400 multiply-adds
    pub conv2d_3: ::typenet::parameters::WeightBias<
        [[[[f32; 1]; 1]; 20]; 20],
        [f32; 20],
    >,
    /// `linear(10)`, `[20]` → `[10]`, 210 parameters, 200 multiply-adds
    pub fc: ::typenet::parameters::WeightBias<[[f32; 20]; 10], [f32; 10]>,
}
/// The parameters of `stage1` in [`Residual`].
pub struct ResidualStage1Parameters(
    /// Round 0.
    pub ResidualStage1_0Parameters,
    /// Round 1.
    pub ResidualStage1_1Parameters,
);
/// The parameters of `stage1.0` in [`Residual`].
pub struct ResidualStage1_0Parameters {
    /// `basic(8)`, `[8, 32, 32]` → `[8, 32, 32]`
    ///
    /// Two convolutions beside the value itself.
    pub basic_1: ResidualStage1_0Basic1Parameters,
}
/// The parameters of `stage1.0.basic_1` in [`Residual`].
pub struct ResidualStage1_0Basic1Parameters {
    /// `conv2d(8, kernel = 3, padding = 1)`, `[8, 32, 32]` → `[8, 32, 32]`, 584 parameters, 589,824 multiply-adds
    pub conv2d_1: ::typenet::parameters::WeightBias<[[[[f32; 3]; 3]; 8]; 8], [f32; 8]>,
    /// `conv2d(8, kernel = 3, padding = 1)`, `[8, 32, 32]` → `[8, 32, 32]`, 584 parameters, 589,824 multiply-adds
    pub conv2d_2: ::typenet::parameters::WeightBias<[[[[f32; 3]; 3]; 8]; 8], [f32; 8]>,
    /// `conv2d(8, kernel = 1, bias = false)`, `[8, 32, 32]` → `[8, 32, 32]`, 64 parameters, 65,536 multiply-adds
    pub conv2d_3: ::typenet::parameters::Weight<[[[[f32; 1]; 1]; 8]; 8]>,
}
/// The parameters of `stage1.1` in [`Residual`].
pub struct ResidualStage1_1Parameters {
    /// `basic(8)`, `[8, 32, 32]` → `[8, 32, 32]`
    ///
    /// Two convolutions beside the value itself.
    pub basic_1: ResidualStage1_1Basic1Parameters,
}
/// The parameters of `stage1.1.basic_1` in [`Residual`].
pub struct ResidualStage1_1Basic1Parameters {
    /// `conv2d(8, kernel = 3, padding = 1)`, `[8, 32, 32]` → `[8, 32, 32]`, 584 parameters, 589,824 multiply-adds
    pub conv2d_1: ::typenet::parameters::WeightBias<[[[[f32; 3]; 3]; 8]; 8], [f32; 8]>,
    /// `conv2d(8, kernel = 3, padding = 1)`, `[8, 32, 32]` → `[8, 32, 32]`, 584 parameters, 589,824 multiply-adds
    pub conv2d_2: ::typenet::parameters::WeightBias<[[[[f32; 3]; 3]; 8]; 8], [f32; 8]>,
    /// `conv2d(8, kernel = 1, bias = false)`, `[8, 32, 32]` → `[8, 32, 32]`, 64 parameters, 65,536 multiply-adds
    pub conv2d_3: ::typenet::parameters::Weight<[[[[f32; 1]; 1]; 8]; 8]>,
}
/// The parameters of `down` in [`Residual`].
pub struct ResidualDownParameters {
    /// `conv2d(16, kernel = 3, stride = 2, padding = 1)`, `[8, 32, 32]` → `[16, 16, 16]`, 1,168 parameters, 294,912 multiply-adds
    pub conv2d_1: ::typenet::parameters::WeightBias<[[[[f32; 3]; 3]; 8]; 16], [f32; 16]>,
    /// `conv2d(16, kernel = 3, padding = 1)`, `[16, 16, 16]` → `[16, 16, 16]`, 2,320 parameters, 589,824 multiply-adds
    pub conv2d_2: ::typenet::parameters::WeightBias<
        [[[[f32; 3]; 3]; 16]; 16],
        [f32; 16],
    >,
    /// `conv2d(16, kernel = 1, stride = 2, bias = false)`, `[8, 32, 32]` → `[16, 16, 16]`, 128 parameters, 32,768 multiply-adds
    pub conv2d_3: ::typenet::parameters::Weight<[[[[f32; 1]; 1]; 8]; 16]>,
}
/// Gradients of [`Residual`], in the shape of its parameters.
#[allow(dead_code)]
pub type ResidualGradients = ResidualParameters;
const _: () = {
    use ::typenet::__private as __rt;
    const NODES: usize = 30;
    const GRAPH: __rt::Graph<'static> = __rt::Graph {
        name: "Residual",
        nodes: &[
            __rt::Node {
                name: "input",
                op: __rt::Op::Input {
                    shape: __rt::Shape::new(&[3, 32, 32]),
                },
                inputs: &[],
            },
            __rt::Node {
                name: "conv1",
                op: __rt::Op::Conv2d {
                    out_channels: 8,
                    kernel: [3, 3],
                    stride: [1, 1],
                    padding: __rt::Padding::Zeros([1, 1]),
                    dilation: [1, 1],
                    groups: 1,
                    bias: true,
                },
                inputs: &[0],
            },
            __rt::Node {
                name: "relu_1",
                op: __rt::Op::Relu,
                inputs: &[1],
            },
            __rt::Node {
                name: "stage1.0.basic_1.conv2d_1",
                op: __rt::Op::Conv2d {
                    out_channels: 8,
                    kernel: [3, 3],
                    stride: [1, 1],
                    padding: __rt::Padding::Zeros([1, 1]),
                    dilation: [1, 1],
                    groups: 1,
                    bias: true,
                },
                inputs: &[2],
            },
            __rt::Node {
                name: "stage1.0.basic_1.relu_1",
                op: __rt::Op::Relu,
                inputs: &[3],
            },
            __rt::Node {
                name: "stage1.0.basic_1.conv2d_2",
                op: __rt::Op::Conv2d {
                    out_channels: 8,
                    kernel: [3, 3],
                    stride: [1, 1],
                    padding: __rt::Padding::Zeros([1, 1]),
                    dilation: [1, 1],
                    groups: 1,
                    bias: true,
                },
                inputs: &[4],
            },
            __rt::Node {
                name: "stage1.0.basic_1.conv2d_3",
                op: __rt::Op::Conv2d {
                    out_channels: 8,
                    kernel: [1, 1],
                    stride: [1, 1],
                    padding: __rt::Padding::Zeros([0, 0]),
                    dilation: [1, 1],
                    groups: 1,
                    bias: false,
                },
                inputs: &[2],
            },
            __rt::Node {
                name: "stage1.0.basic_1.residual_1",
                op: __rt::Op::Add,
                inputs: &[5, 6],
            },
            __rt::Node {
                name: "stage1.0.basic_1.relu_2",
                op: __rt::Op::Relu,
                inputs: &[7],
            },
            __rt::Node {
                name: "stage1.1.basic_1.conv2d_1",
                op: __rt::Op::Conv2d {
                    out_channels: 8,
                    kernel: [3, 3],
                    stride: [1, 1],
                    padding: __rt::Padding::Zeros([1, 1]),
                    dilation: [1, 1],
                    groups: 1,
                    bias: true,
                },
                inputs: &[8],
            },
            __rt::Node {
                name: "stage1.1.basic_1.relu_1",
                op: __rt::Op::Relu,
                inputs: &[9],
            },
            __rt::Node {
                name: "stage1.1.basic_1.conv2d_2",
                op: __rt::Op::Conv2d {
                    out_channels: 8,
                    kernel: [3, 3],
                    stride: [1, 1],
                    padding: __rt::Padding::Zeros([1, 1]),
                    dilation: [1, 1],
                    groups: 1,
                    bias: true,
                },
                inputs: &[10],
            },
            __rt::Node {
                name: "stage1.1.basic_1.conv2d_3",
                op: __rt::Op::Conv2d {
                    out_channels: 8,
                    kernel: [1, 1],
                    stride: [1, 1],
                    padding: __rt::Padding::Zeros([0, 0]),
                    dilation: [1, 1],
                    groups: 1,
                    bias: false,
                },
                inputs: &[8],
            },
            __rt::Node {
                name: "stage1.1.basic_1.residual_1",
                op: __rt::Op::Add,
                inputs: &[11, 12],
            },
            __rt::Node {
                name: "stage1.1.basic_1.relu_2",
                op: __rt::Op::Relu,
                inputs: &[13],
            },
            __rt::Node {
                name: "down.conv2d_1",
                op: __rt::Op::Conv2d {
                    out_channels: 16,
                    kernel: [3, 3],
                    stride: [2, 2],
                    padding: __rt::Padding::Zeros([1, 1]),
                    dilation: [1, 1],
                    groups: 1,
                    bias: true,
                },
                inputs: &[14],
            },
            __rt::Node {
                name: "down.relu_1",
                op: __rt::Op::Relu,
                inputs: &[15],
            },
            __rt::Node {
                name: "down.conv2d_2",
                op: __rt::Op::Conv2d {
                    out_channels: 16,
                    kernel: [3, 3],
                    stride: [1, 1],
                    padding: __rt::Padding::Zeros([1, 1]),
                    dilation: [1, 1],
                    groups: 1,
                    bias: true,
                },
                inputs: &[16],
            },
            __rt::Node {
                name: "down.conv2d_3",
                op: __rt::Op::Conv2d {
                    out_channels: 16,
                    kernel: [1, 1],
                    stride: [2, 2],
                    padding: __rt::Padding::Zeros([0, 0]),
                    dilation: [1, 1],
                    groups: 1,
                    bias: false,
                },
                inputs: &[14],
            },
            __rt::Node {
                name: "down.residual_1",
                op: __rt::Op::Add,
                inputs: &[17, 18],
            },
            __rt::Node {
                name: "down.relu_2",
                op: __rt::Op::Relu,
                inputs: &[19],
            },
            __rt::Node {
                name: "conv2d_2",
                op: __rt::Op::Conv2d {
                    out_channels: 4,
                    kernel: [1, 1],
                    stride: [1, 1],
                    padding: __rt::Padding::Zeros([0, 0]),
                    dilation: [1, 1],
                    groups: 1,
                    bias: true,
                },
                inputs: &[20],
            },
            __rt::Node {
                name: "concat_1",
                op: __rt::Op::Concat,
                inputs: &[21, 20],
            },
            __rt::Node {
                name: "gate",
                op: __rt::Op::Sigmoid,
                inputs: &[22],
            },
            __rt::Node {
                name: "conv2d_3",
                op: __rt::Op::Conv2d {
                    out_channels: 20,
                    kernel: [1, 1],
                    stride: [1, 1],
                    padding: __rt::Padding::Zeros([0, 0]),
                    dilation: [1, 1],
                    groups: 1,
                    bias: true,
                },
                inputs: &[23],
            },
            __rt::Node {
                name: "tanh_1",
                op: __rt::Op::Tanh,
                inputs: &[24],
            },
            __rt::Node {
                name: "residual_1",
                op: __rt::Op::Add,
                inputs: &[25, 23],
            },
            __rt::Node {
                name: "mul_1",
                op: __rt::Op::Mul,
                inputs: &[26, 23],
            },
            __rt::Node {
                name: "global_avg_pool_1",
                op: __rt::Op::GlobalAvgPool,
                inputs: &[27],
            },
            __rt::Node {
                name: "fc",
                op: __rt::Op::Linear {
                    out_features: 10,
                    bias: true,
                },
                inputs: &[28],
            },
        ],
        marks: &[],
        heads: &[],
    };
    static SHAPES: [__rt::Shape; NODES] = GRAPH.shapes();
    static LAYERS: [__rt::LayerInfo; NODES] = GRAPH.layers(&SHAPES);
    static TENSORS: [__rt::Tensor; GRAPH.tensor_count()] = GRAPH.tensors::<NODES, _>();
    static PLAN: __rt::Plan<NODES> = __rt::Plan::new(&GRAPH);
    const CONV1: __rt::Step = PLAN.step(1);
    const STAGE1_0_BASIC_1_CONV2D_1: __rt::Step = PLAN.step(3);
    const STAGE1_0_BASIC_1_CONV2D_2: __rt::Step = PLAN.step(5);
    const STAGE1_0_BASIC_1_CONV2D_3: __rt::Step = PLAN.step(6);
    const STAGE1_1_BASIC_1_CONV2D_1: __rt::Step = PLAN.step(9);
    const STAGE1_1_BASIC_1_CONV2D_2: __rt::Step = PLAN.step(11);
    const STAGE1_1_BASIC_1_CONV2D_3: __rt::Step = PLAN.step(12);
    const DOWN_CONV2D_1: __rt::Step = PLAN.step(15);
    const DOWN_CONV2D_2: __rt::Step = PLAN.step(17);
    const DOWN_CONV2D_3: __rt::Step = PLAN.step(18);
    const CONV2D_2: __rt::Step = PLAN.step(21);
    const CONCAT_1: __rt::Step = PLAN.step(22);
    const GATE: __rt::Step = PLAN.step(23);
    const CONV2D_3: __rt::Step = PLAN.step(24);
    const RESIDUAL_1: __rt::Step = PLAN.step(26);
    const MUL_1: __rt::Step = PLAN.step(27);
    const GLOBAL_AVG_POOL_1: __rt::Step = PLAN.step(28);
    const FC: __rt::Step = PLAN.step(29);
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::Network for Residual {
        type Input = [[[f32; 32]; 32]; 3];
        type Output = [f32; 10];
        type OutputValue = [f32; 10];
        type Parameters = ResidualParameters;
        const GRAPH: __rt::Graph<'static> = GRAPH;
        const SHAPES: &'static [__rt::Shape] = &SHAPES;
        const LAYERS: &'static [__rt::LayerInfo] = &LAYERS;
        const LAYOUT: __rt::Layout = __rt::Layout::new(&PLAN, &TENSORS);
        fn from_model(model: __rt::Model<ResidualParameters>) -> Self {
            Self { __model: model }
        }
        fn model(&self) -> &__rt::Model<ResidualParameters> {
            &self.__model
        }
        fn model_mut(&mut self) -> &mut __rt::Model<ResidualParameters> {
            &mut self.__model
        }
        #[allow(unused_variables)]
        fn forward_group(net: &ResidualParameters, run: &mut __rt::Forward<'_>) {
            run.conv2d(&CONV1, &net.conv1);
            run.conv2d(&STAGE1_0_BASIC_1_CONV2D_1, &net.stage1.0.basic_1.conv2d_1);
            run.conv2d(&STAGE1_0_BASIC_1_CONV2D_2, &net.stage1.0.basic_1.conv2d_2);
            run.conv2d(&STAGE1_0_BASIC_1_CONV2D_3, &net.stage1.0.basic_1.conv2d_3);
            run.conv2d(&STAGE1_1_BASIC_1_CONV2D_1, &net.stage1.1.basic_1.conv2d_1);
            run.conv2d(&STAGE1_1_BASIC_1_CONV2D_2, &net.stage1.1.basic_1.conv2d_2);
            run.conv2d(&STAGE1_1_BASIC_1_CONV2D_3, &net.stage1.1.basic_1.conv2d_3);
            run.conv2d(&DOWN_CONV2D_1, &net.down.conv2d_1);
            run.conv2d(&DOWN_CONV2D_2, &net.down.conv2d_2);
            run.conv2d(&DOWN_CONV2D_3, &net.down.conv2d_3);
            run.conv2d(&CONV2D_2, &net.conv2d_2);
            run.concat(&CONCAT_1);
            run.activation(&GATE);
            run.conv2d(&CONV2D_3, &net.conv2d_3);
            run.add(&RESIDUAL_1);
            run.mul(&MUL_1);
            run.global_avg_pool(&GLOBAL_AVG_POOL_1);
            run.linear(&FC, &net.fc);
        }
        #[allow(unused_variables)]
        fn backward_group(
            net: &ResidualParameters,
            gradients: &mut ResidualParameters,
            run: &mut __rt::Backward<'_>,
        ) {
            run.linear(&FC, &net.fc, &mut gradients.fc);
            run.global_avg_pool(&GLOBAL_AVG_POOL_1);
            run.mul(&MUL_1);
            run.add(&RESIDUAL_1);
            run.conv2d(&CONV2D_3, &net.conv2d_3, &mut gradients.conv2d_3);
            run.activation(&GATE);
            run.concat(&CONCAT_1);
            run.conv2d(&CONV2D_2, &net.conv2d_2, &mut gradients.conv2d_2);
            run.conv2d(&DOWN_CONV2D_3, &net.down.conv2d_3, &mut gradients.down.conv2d_3);
            run.conv2d(&DOWN_CONV2D_2, &net.down.conv2d_2, &mut gradients.down.conv2d_2);
            run.conv2d(&DOWN_CONV2D_1, &net.down.conv2d_1, &mut gradients.down.conv2d_1);
            run.conv2d(
                &STAGE1_1_BASIC_1_CONV2D_3,
                &net.stage1.1.basic_1.conv2d_3,
                &mut gradients.stage1.1.basic_1.conv2d_3,
            );
            run.conv2d(
                &STAGE1_1_BASIC_1_CONV2D_2,
                &net.stage1.1.basic_1.conv2d_2,
                &mut gradients.stage1.1.basic_1.conv2d_2,
            );
            run.conv2d(
                &STAGE1_1_BASIC_1_CONV2D_1,
                &net.stage1.1.basic_1.conv2d_1,
                &mut gradients.stage1.1.basic_1.conv2d_1,
            );
            run.conv2d(
                &STAGE1_0_BASIC_1_CONV2D_3,
                &net.stage1.0.basic_1.conv2d_3,
                &mut gradients.stage1.0.basic_1.conv2d_3,
            );
            run.conv2d(
                &STAGE1_0_BASIC_1_CONV2D_2,
                &net.stage1.0.basic_1.conv2d_2,
                &mut gradients.stage1.0.basic_1.conv2d_2,
            );
            run.conv2d(
                &STAGE1_0_BASIC_1_CONV2D_1,
                &net.stage1.0.basic_1.conv2d_1,
                &mut gradients.stage1.0.basic_1.conv2d_1,
            );
            run.conv2d(&CONV1, &net.conv1, &mut gradients.conv1);
        }
    }
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::SingleInput for Residual {}
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::SingleOutput for Residual {}
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::EndsInLogits for Residual {}
    #[automatically_derived]
    impl ::core::ops::Deref for Residual {
        type Target = ResidualParameters;
        fn deref(&self) -> &ResidualParameters {
            self.__model.parameters()
        }
    }
    #[automatically_derived]
    impl ::core::ops::DerefMut for Residual {
        fn deref_mut(&mut self) -> &mut ResidualParameters {
            self.__model.parameters_mut()
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for Residual {
        fn clone(&self) -> Self {
            Self {
                __model: ::core::clone::Clone::clone(&self.__model),
            }
        }
    }
    #[automatically_derived]
    impl ::core::cmp::PartialEq for Residual {
        fn eq(&self, other: &Self) -> bool {
            self.__model == other.__model
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for Residual {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::core::fmt::Display::fmt(&<Self as __rt::Network>::summary(), f)
        }
    }
    const _: () = {
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::relu;
        let _ = ::typenet::layers::repeat;
        let _ = ::typenet::layers::residual;
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::relu;
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::shortcut;
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::relu;
        let _ = ::typenet::layers::concat;
        let _ = ::typenet::layers::branch;
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::branch;
        let _ = ::typenet::layers::sigmoid;
        let _ = ::typenet::layers::residual;
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::tanh;
        let _ = ::typenet::layers::mul;
        let _ = ::typenet::layers::global_avg_pool;
        let _ = ::typenet::layers::linear;
    };
    const _: () = {
        #[allow(dead_code, non_upper_case_globals)]
        const SIZE: usize = 32;
        let _ = SIZE;
        let _ = SIZE;
    };
    const _: () = {
        /// `block basic(out, stride = 1)`
        ///
        /// Two convolutions beside the value itself.
        #[allow(dead_code, non_camel_case_types)]
        struct basic;
        let _ = basic;
        let _ = basic;
    };
    #[allow(dead_code)]
    const _: () = {
        struct __Value {
            /// `sigmoid`, `[20, 16, 16]` → `[20, 16, 16]`
            gate: [[[f32; 16]; 16]; 20],
        }
        fn __uses(value: &__Value) {
            let _ = &value.gate;
        }
    };
    #[allow(unexpected_cfgs, unused, non_camel_case_types)]
    const _: () = {
        #[cfg(rust_analyzer)]
        const _: () = {
            const _: () = {
                /// `conv2d(8, kernel = 3, padding = 1)`, `[3, 32, 32]` → `[8, 32, 32]`, 224 parameters, 221,184 multiply-adds
                mod conv2d {}
            };
            const _: () = {
                /// `relu`, `[8, 32, 32]` → `[8, 32, 32]`
                mod relu {}
            };
            const _: () = {
                /// `conv2d(8, kernel = 3, padding = 1)`, `[8, 32, 32]` → `[8, 32, 32]`, 584 parameters, 589,824 multiply-adds
                mod conv2d {}
            };
            const _: () = {
                /// `relu`, `[8, 32, 32]` → `[8, 32, 32]`
                mod relu {}
            };
            const _: () = {
                /// `conv2d(8, kernel = 3, padding = 1)`, `[8, 32, 32]` → `[8, 32, 32]`, 584 parameters, 589,824 multiply-adds
                mod conv2d {}
            };
            const _: () = {
                /// `conv2d(8, kernel = 1, bias = false)`, `[8, 32, 32]` → `[8, 32, 32]`, 64 parameters, 65,536 multiply-adds
                mod conv2d {}
            };
            const _: () = {
                /// `add`, `[8, 32, 32]` → `[8, 32, 32]`
                mod residual {}
            };
            const _: () = {
                /// `relu`, `[8, 32, 32]` → `[8, 32, 32]`
                mod relu {}
            };
            const _: () = {
                /// `conv2d(4, kernel = 1)`, `[16, 16, 16]` → `[4, 16, 16]`, 68 parameters, 16,384 multiply-adds
                mod conv2d {}
            };
            const _: () = {
                /// `concat`, `[4, 16, 16]` → `[20, 16, 16]`
                mod concat {}
            };
            const _: () = {
                /// `sigmoid`, `[20, 16, 16]` → `[20, 16, 16]`
                mod sigmoid {}
            };
            const _: () = {
                /// `conv2d(20, kernel = 1)`, `[20, 16, 16]` → `[20, 16, 16]`, 420 parameters, 102,400 multiply-adds
                mod conv2d {}
            };
            const _: () = {
                /// `tanh`, `[20, 16, 16]` → `[20, 16, 16]`
                mod tanh {}
            };
            const _: () = {
                /// `add`, `[20, 16, 16]` → `[20, 16, 16]`
                mod residual {}
            };
            const _: () = {
                /// `mul(gate)`, `[20, 16, 16]` → `[20, 16, 16]`
                mod mul {}
            };
            const _: () = {
                /// `global_avg_pool`, `[20, 16, 16]` → `[20]`
                mod global_avg_pool {}
            };
            const _: () = {
                /// `linear(10)`, `[20]` → `[10]`, 210 parameters, 200 multiply-adds
                mod linear {}
            };
        };
    };
};
