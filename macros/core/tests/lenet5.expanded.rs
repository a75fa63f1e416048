#[allow(unexpected_cfgs, unused, non_camel_case_types)]
const _: () = {
    #[cfg(rust_analyzer)]
    const _: () = {
        const _: () = {};
        const _: () = {
            let _ = ::typenet::layers::arguments::dimensions::channels;
            let _ = ::typenet::layers::arguments::dimensions::height;
            let _ = ::typenet::layers::arguments::dimensions::width;
            let _ = ::typenet::layers::arguments::dimensions::features;
            let _ = __words::layers::__;
            let _ = __words::arguments_of_conv2d::kernel;
            let _ = __words::arguments_of_conv2d::padding;
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
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            mod __words {
                pub mod layers {
                    pub use ::typenet::layers::*;
                }
                pub mod numbers {}
                pub mod values_0 {}
                pub mod arguments_of_conv2d {
                    pub use super::numbers::*;
                    pub use ::typenet::layers::arguments::conv2d::*;
                }
            }
        };
    };
};
/// LeNet-5 for 28×28 grey images.
///
/// | name | layer | output | parameters | multiply-adds |
/// |---|---|---|---:|---:|
/// | `input` |  | `[1, 28, 28]` |  |  |
/// | `conv1` | `conv2d(6, kernel = 5, padding = 2)` | `[6, 28, 28]` | 156 | 117,600 |
/// | `relu_1` | `relu` | `[6, 28, 28]` |  |  |
/// | `max_pool2d_1` | `max_pool2d(2)` | `[6, 14, 14]` |  |  |
/// | `conv2` | `conv2d(16, kernel = 5)` | `[16, 10, 10]` | 2,416 | 240,000 |
/// | `relu_2` | `relu` | `[16, 10, 10]` |  |  |
/// | `max_pool2d_2` | `max_pool2d(2)` | `[16, 5, 5]` |  |  |
/// | `flatten_1` | `flatten` | `[400]` |  |  |
/// | `fc1` | `linear(120)` | `[120]` | 48,120 | 48,000 |
/// | `relu_3` | `relu` | `[120]` |  |  |
/// | `fc2` | `linear(84)` | `[84]` | 10,164 | 10,080 |
/// | `relu_4` | `relu` | `[84]` |  |  |
/// | `fc3` | `linear(10)` | `[10]` | 850 | 840 |
/// | | | | **61,706** | **416,520** |
pub struct LeNet5 {
    __model: ::typenet::__private::Model<LeNet5Parameters>,
}
/// The parameters of [`LeNet5`]: a field for each layer that has some.
pub struct LeNet5Parameters {
    /// `conv2d(6, kernel = 5, padding = 2)`, `[1, 28, 28]` → `[6, 28, 28]`, 156 parameters, 117,600 multiply-adds
    pub conv1: ::typenet::parameters::WeightBias<[[[[f32; 5]; 5]; 1]; 6], [f32; 6]>,
    /// `conv2d(16, kernel = 5)`, `[6, 14, 14]` → `[16, 10, 10]`, 2,416 parameters, 240,000 multiply-adds
    pub conv2: ::typenet::parameters::WeightBias<[[[[f32; 5]; 5]; 6]; 16], [f32; 16]>,
    /// `linear(120)`, `[400]` → `[120]`, 48,120 parameters, 48,000 multiply-adds
    pub fc1: ::typenet::parameters::WeightBias<[[f32; 400]; 120], [f32; 120]>,
    /// `linear(84)`, `[120]` → `[84]`, 10,164 parameters, 10,080 multiply-adds
    pub fc2: ::typenet::parameters::WeightBias<[[f32; 120]; 84], [f32; 84]>,
    /// `linear(10)`, `[84]` → `[10]`, 850 parameters, 840 multiply-adds
    pub fc3: ::typenet::parameters::WeightBias<[[f32; 84]; 10], [f32; 10]>,
}
/// Gradients of [`LeNet5`], in the shape of its parameters.
#[allow(dead_code)]
pub type LeNet5Gradients = LeNet5Parameters;
const _: () = {
    use ::typenet::__private as __rt;
    const NODES: usize = 13;
    const GRAPH: __rt::Graph<'static> = __rt::Graph {
        name: "LeNet5",
        nodes: &[
            __rt::Node {
                name: "input",
                op: __rt::Op::Input {
                    shape: __rt::Shape::new(&[1, 28, 28]),
                },
                inputs: &[],
            },
            __rt::Node {
                name: "conv1",
                op: __rt::Op::Conv2d {
                    out_channels: 6,
                    kernel: [5, 5],
                    stride: [1, 1],
                    padding: __rt::Padding::Zeros([2, 2]),
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
                name: "max_pool2d_1",
                op: __rt::Op::MaxPool2d {
                    kernel: [2, 2],
                    stride: [2, 2],
                    padding: [0, 0],
                    ceil_mode: false,
                },
                inputs: &[2],
            },
            __rt::Node {
                name: "conv2",
                op: __rt::Op::Conv2d {
                    out_channels: 16,
                    kernel: [5, 5],
                    stride: [1, 1],
                    padding: __rt::Padding::Zeros([0, 0]),
                    dilation: [1, 1],
                    groups: 1,
                    bias: true,
                },
                inputs: &[3],
            },
            __rt::Node {
                name: "relu_2",
                op: __rt::Op::Relu,
                inputs: &[4],
            },
            __rt::Node {
                name: "max_pool2d_2",
                op: __rt::Op::MaxPool2d {
                    kernel: [2, 2],
                    stride: [2, 2],
                    padding: [0, 0],
                    ceil_mode: false,
                },
                inputs: &[5],
            },
            __rt::Node {
                name: "flatten_1",
                op: __rt::Op::Flatten,
                inputs: &[6],
            },
            __rt::Node {
                name: "fc1",
                op: __rt::Op::Linear {
                    out_features: 120,
                    bias: true,
                },
                inputs: &[7],
            },
            __rt::Node {
                name: "relu_3",
                op: __rt::Op::Relu,
                inputs: &[8],
            },
            __rt::Node {
                name: "fc2",
                op: __rt::Op::Linear {
                    out_features: 84,
                    bias: true,
                },
                inputs: &[9],
            },
            __rt::Node {
                name: "relu_4",
                op: __rt::Op::Relu,
                inputs: &[10],
            },
            __rt::Node {
                name: "fc3",
                op: __rt::Op::Linear {
                    out_features: 10,
                    bias: true,
                },
                inputs: &[11],
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
    const MAX_POOL2D_1: __rt::Step = PLAN.step(3);
    const CONV2: __rt::Step = PLAN.step(4);
    const MAX_POOL2D_2: __rt::Step = PLAN.step(6);
    const FC1: __rt::Step = PLAN.step(8);
    const FC2: __rt::Step = PLAN.step(10);
    const FC3: __rt::Step = PLAN.step(12);
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::Network for LeNet5 {
        type Input = [[[f32; 28]; 28]; 1];
        type Output = [f32; 10];
        type OutputValue = [f32; 10];
        type Parameters = LeNet5Parameters;
        const GRAPH: __rt::Graph<'static> = GRAPH;
        const SHAPES: &'static [__rt::Shape] = &SHAPES;
        const LAYERS: &'static [__rt::LayerInfo] = &LAYERS;
        const LAYOUT: __rt::Layout = __rt::Layout::new(&PLAN, &TENSORS);
        fn from_model(model: __rt::Model<LeNet5Parameters>) -> Self {
            Self { __model: model }
        }
        fn model(&self) -> &__rt::Model<LeNet5Parameters> {
            &self.__model
        }
        fn model_mut(&mut self) -> &mut __rt::Model<LeNet5Parameters> {
            &mut self.__model
        }
        #[allow(unused_variables)]
        fn forward_group(net: &LeNet5Parameters, run: &mut __rt::Forward<'_>) {
            run.conv2d(&CONV1, &net.conv1);
            run.max_pool2d(&MAX_POOL2D_1);
            run.conv2d(&CONV2, &net.conv2);
            run.max_pool2d(&MAX_POOL2D_2);
            run.linear(&FC1, &net.fc1);
            run.linear(&FC2, &net.fc2);
            run.linear(&FC3, &net.fc3);
        }
        #[allow(unused_variables)]
        fn backward_group(
            net: &LeNet5Parameters,
            gradients: &mut LeNet5Parameters,
            run: &mut __rt::Backward<'_>,
        ) {
            run.linear(&FC3, &net.fc3, &mut gradients.fc3);
            run.linear(&FC2, &net.fc2, &mut gradients.fc2);
            run.linear(&FC1, &net.fc1, &mut gradients.fc1);
            run.max_pool2d(&MAX_POOL2D_2);
            run.conv2d(&CONV2, &net.conv2, &mut gradients.conv2);
            run.max_pool2d(&MAX_POOL2D_1);
            run.conv2d(&CONV1, &net.conv1, &mut gradients.conv1);
        }
    }
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::SingleInput for LeNet5 {}
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::SingleOutput for LeNet5 {}
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::EndsInLogits for LeNet5 {}
    #[automatically_derived]
    impl ::core::ops::Deref for LeNet5 {
        type Target = LeNet5Parameters;
        fn deref(&self) -> &LeNet5Parameters {
            self.__model.parameters()
        }
    }
    #[automatically_derived]
    impl ::core::ops::DerefMut for LeNet5 {
        fn deref_mut(&mut self) -> &mut LeNet5Parameters {
            self.__model.parameters_mut()
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for LeNet5 {
        fn clone(&self) -> Self {
            Self {
                __model: ::core::clone::Clone::clone(&self.__model),
            }
        }
    }
    #[automatically_derived]
    impl ::core::cmp::PartialEq for LeNet5 {
        fn eq(&self, other: &Self) -> bool {
            self.__model == other.__model
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for LeNet5 {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::core::fmt::Display::fmt(&<Self as __rt::Network>::summary(), f)
        }
    }
    const _: () = {
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::relu;
        let _ = ::typenet::layers::max_pool2d;
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::relu;
        let _ = ::typenet::layers::max_pool2d;
        let _ = ::typenet::layers::flatten;
        let _ = ::typenet::layers::linear;
        let _ = ::typenet::layers::relu;
        let _ = ::typenet::layers::linear;
        let _ = ::typenet::layers::relu;
        let _ = ::typenet::layers::linear;
    };
    #[allow(unexpected_cfgs, unused, non_camel_case_types)]
    const _: () = {
        #[cfg(rust_analyzer)]
        const _: () = {
            const _: () = {
                /// `conv2d(6, kernel = 5, padding = 2)`, `[1, 28, 28]` → `[6, 28, 28]`, 156 parameters, 117,600 multiply-adds
                mod conv2d {}
            };
            const _: () = {
                /// `relu`, `[6, 28, 28]` → `[6, 28, 28]`
                mod relu {}
            };
            const _: () = {
                /// `max_pool2d(2)`, `[6, 28, 28]` → `[6, 14, 14]`
                mod max_pool2d {}
            };
            const _: () = {
                /// `conv2d(16, kernel = 5)`, `[6, 14, 14]` → `[16, 10, 10]`, 2,416 parameters, 240,000 multiply-adds
                mod conv2d {}
            };
            const _: () = {
                /// `relu`, `[16, 10, 10]` → `[16, 10, 10]`
                mod relu {}
            };
            const _: () = {
                /// `max_pool2d(2)`, `[16, 10, 10]` → `[16, 5, 5]`
                mod max_pool2d {}
            };
            const _: () = {
                /// `flatten`, `[16, 5, 5]` → `[400]`
                mod flatten {}
            };
            const _: () = {
                /// `linear(120)`, `[400]` → `[120]`, 48,120 parameters, 48,000 multiply-adds
                mod linear {}
            };
            const _: () = {
                /// `relu`, `[120]` → `[120]`
                mod relu {}
            };
            const _: () = {
                /// `linear(84)`, `[120]` → `[84]`, 10,164 parameters, 10,080 multiply-adds
                mod linear {}
            };
            const _: () = {
                /// `relu`, `[84]` → `[84]`
                mod relu {}
            };
            const _: () = {
                /// `linear(10)`, `[84]` → `[10]`, 850 parameters, 840 multiply-adds
                mod linear {}
            };
        };
    };
};
