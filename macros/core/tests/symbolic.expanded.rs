#[allow(unexpected_cfgs, unused, non_camel_case_types)]
const _: () = {
    #[cfg(rust_analyzer)]
    const _: () = {
        const _: () = {
            let _ = crate::SIDE;
            let _ = crate::SIDE;
            let _ = crate::CLASSES;
            let _ = crate::WIDTH;
            let _ = crate::WIDTH;
            let _ = crate::SIDE;
            let _ = crate::CLASSES;
        };
        const _: () = {
            let _ = ::typenet::layers::arguments::dimensions::channels;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::arguments_of_conv2d::kernel;
            let _ = __words::arguments_of_conv2d::padding;
            let _ = __words::layers::__;
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
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            mod __words {
                pub mod layers {
                    pub use ::typenet::layers::*;
                }
                pub mod numbers {
                    ///`const WIDE: usize = crate :: WIDTH * 2`
                    pub struct WIDE;
                }
                pub mod values_0 {}
                pub mod arguments_of_conv2d {
                    pub use super::numbers::*;
                    pub use ::typenet::layers::arguments::conv2d::*;
                }
            }
        };
    };
};
#[doc(hidden)]
#[allow(non_upper_case_globals)]
const __Symbolic_WIDTH: usize = crate::WIDTH;
#[doc(hidden)]
#[allow(non_upper_case_globals)]
const __Symbolic_SIDE: usize = crate::SIDE;
#[doc(hidden)]
#[allow(non_upper_case_globals)]
const __Symbolic_CLASSES: usize = crate::CLASSES;
/// A small net of the user's sizes.
///
/// | name | layer | output | parameters | multiply-adds |
/// |---|---|---|---:|---:|
/// | `input` |  | `[3, crate::SIDE, crate::SIDE]` |  |  |
/// | `conv1` | `conv2d(crate::WIDTH, kernel = 3, padding = 1)` | `[crate::WIDTH, crate::SIDE, crate::SIDE]` | `28 * crate::WIDTH` | `27 * crate::WIDTH * crate::SIDE * crate::SIDE` |
/// | `relu_1` | `relu` | `[crate::WIDTH, crate::SIDE, crate::SIDE]` |  |  |
/// | `conv2d_2` | `conv2d(2 * crate::WIDTH, kernel = 3, padding = 1)` | `[2 * crate::WIDTH, crate::SIDE, crate::SIDE]` | `2 * crate::WIDTH + 18 * crate::WIDTH * crate::WIDTH` | `18 * crate::WIDTH * crate::WIDTH * crate::SIDE * crate::SIDE` |
/// | `conv2d_3` | `conv2d(2 * crate::WIDTH, kernel = 1)` | `[2 * crate::WIDTH, crate::SIDE, crate::SIDE]` | `2 * crate::WIDTH + 2 * crate::WIDTH * crate::WIDTH` | `2 * crate::WIDTH * crate::WIDTH * crate::SIDE * crate::SIDE` |
/// | `residual_1` | `add` | `[2 * crate::WIDTH, crate::SIDE, crate::SIDE]` |  |  |
/// | `max_pool2d_1` | `max_pool2d(crate::SIDE / 2 - 1)` | `[2 * crate::WIDTH, crate::SIDE / (crate::SIDE / 2 - 1), crate::SIDE / (crate::SIDE / 2 - 1)]` |  |  |
/// | `flatten_1` | `flatten` | `[2 * crate::WIDTH * (crate::SIDE / (crate::SIDE / 2 - 1)) * (crate::SIDE / (crate::SIDE / 2 - 1))]` |  |  |
/// | `fc` | `linear(crate::CLASSES)` | `[crate::CLASSES]` | … | … |
/// | | | | **…** | **…** |
pub struct Symbolic {
    __model: ::typenet::__private::Model<SymbolicParameters>,
}
/// The parameters of [`Symbolic`]: a field for each layer that has some.
pub struct SymbolicParameters {
    /// `conv2d(crate::WIDTH, kernel = 3, padding = 1)`, `[3, crate::SIDE, crate::SIDE]` → `[crate::WIDTH, crate::SIDE, crate::SIDE]`
    pub conv1: ::typenet::parameters::WeightBias<
        [[[[f32; 3]; 3]; 3]; __Symbolic_WIDTH],
        [f32; __Symbolic_WIDTH],
    >,
    /// `conv2d(2 * crate::WIDTH, kernel = 3, padding = 1)`, `[crate::WIDTH, crate::SIDE, crate::SIDE]` → `[2 * crate::WIDTH, crate::SIDE, crate::SIDE]`
    pub conv2d_2: ::typenet::parameters::WeightBias<
        [[[[f32; 3]; 3]; __Symbolic_WIDTH]; 2 * __Symbolic_WIDTH],
        [f32; 2 * __Symbolic_WIDTH],
    >,
    /// `conv2d(2 * crate::WIDTH, kernel = 1)`, `[crate::WIDTH, crate::SIDE, crate::SIDE]` → `[2 * crate::WIDTH, crate::SIDE, crate::SIDE]`
    pub conv2d_3: ::typenet::parameters::WeightBias<
        [[[[f32; 1]; 1]; __Symbolic_WIDTH]; 2 * __Symbolic_WIDTH],
        [f32; 2 * __Symbolic_WIDTH],
    >,
    /// `linear(crate::CLASSES)`, `[2 * crate::WIDTH * (crate::SIDE / (crate::SIDE / 2 - 1)) * (crate::SIDE / (crate::SIDE / 2 - 1))]` → `[crate::CLASSES]`
    pub fc: ::typenet::parameters::WeightBias<
        [[f32; Symbolic::__size(6, 1)]; __Symbolic_CLASSES],
        [f32; __Symbolic_CLASSES],
    >,
}
/// Gradients of [`Symbolic`], in the shape of its parameters.
#[allow(dead_code)]
pub type SymbolicGradients = SymbolicParameters;
const _: () = {
    use ::typenet::__private as __rt;
    const NODES: usize = 9;
    const GRAPH: __rt::Graph<'static> = __rt::Graph {
        name: "Symbolic",
        nodes: &[
            __rt::Node {
                name: "input",
                op: __rt::Op::Input {
                    shape: __rt::Shape::new(&[3, __Symbolic_SIDE, __Symbolic_SIDE]),
                },
                inputs: &[],
            },
            __rt::Node {
                name: "conv1",
                op: __rt::Op::Conv2d {
                    out_channels: __Symbolic_WIDTH,
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
                name: "conv2d_2",
                op: __rt::Op::Conv2d {
                    out_channels: 2 * __Symbolic_WIDTH,
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
                name: "conv2d_3",
                op: __rt::Op::Conv2d {
                    out_channels: 2 * __Symbolic_WIDTH,
                    kernel: [1, 1],
                    stride: [1, 1],
                    padding: __rt::Padding::Zeros([0, 0]),
                    dilation: [1, 1],
                    groups: 1,
                    bias: true,
                },
                inputs: &[2],
            },
            __rt::Node {
                name: "residual_1",
                op: __rt::Op::Add,
                inputs: &[3, 4],
            },
            __rt::Node {
                name: "max_pool2d_1",
                op: __rt::Op::MaxPool2d {
                    kernel: [
                        ::typenet::__private::difference(((__Symbolic_SIDE) / 2), 1),
                        ::typenet::__private::difference(((__Symbolic_SIDE) / 2), 1),
                    ],
                    stride: [
                        ::typenet::__private::difference(((__Symbolic_SIDE) / 2), 1),
                        ::typenet::__private::difference(((__Symbolic_SIDE) / 2), 1),
                    ],
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
                name: "fc",
                op: __rt::Op::Linear {
                    out_features: __Symbolic_CLASSES,
                    bias: true,
                },
                inputs: &[7],
            },
        ],
        marks: &[],
        heads: &[],
    };
    static CHECKED: __rt::Checked<NODES> = __rt::Checked::new(&GRAPH);
    static SHAPES: [__rt::Shape; NODES] = CHECKED.shapes();
    static LAYERS: [__rt::LayerInfo; NODES] = CHECKED.layers(&GRAPH);
    static TENSORS: [__rt::Tensor; GRAPH.tensor_count()] = CHECKED.tensors(&GRAPH);
    static PLAN: __rt::Plan<NODES> = __rt::Plan::of(&GRAPH, &CHECKED);
    const _: () = __rt::check_dimension(
        "input",
        __rt::Shape::new(&[3, __Symbolic_SIDE, __Symbolic_SIDE]),
        1,
    );
    const _: () = __rt::check_dimension(
        "input",
        __rt::Shape::new(&[3, __Symbolic_SIDE, __Symbolic_SIDE]),
        2,
    );
    const _: () = __rt::check_header(
        "input",
        __rt::Shape::new(&[3, __Symbolic_SIDE, __Symbolic_SIDE]),
    );
    const _: () = __rt::check_argument(&GRAPH, 1, __rt::Argument::OutChannels, "");
    const _: () = CHECKED.check_fit(&GRAPH, 1, __rt::Argument::OutChannels, "");
    const _: () = CHECKED.check_fit(&GRAPH, 1, __rt::Argument::Kernel, "");
    const _: () = CHECKED
        .check_layer(
            &GRAPH,
            1,
            &[__rt::Argument::OutChannels, __rt::Argument::Kernel],
            "",
        );
    const _: () = __rt::check_argument(&GRAPH, 3, __rt::Argument::OutChannels, "");
    const _: () = CHECKED.check_fit(&GRAPH, 3, __rt::Argument::OutChannels, "");
    const _: () = CHECKED.check_fit(&GRAPH, 3, __rt::Argument::Kernel, "");
    const _: () = CHECKED
        .check_layer(
            &GRAPH,
            3,
            &[__rt::Argument::OutChannels, __rt::Argument::Kernel],
            "",
        );
    const _: () = __rt::check_argument(&GRAPH, 4, __rt::Argument::OutChannels, "");
    const _: () = CHECKED.check_fit(&GRAPH, 4, __rt::Argument::OutChannels, "");
    const _: () = CHECKED.check_fit(&GRAPH, 4, __rt::Argument::Kernel, "");
    const _: () = CHECKED
        .check_layer(
            &GRAPH,
            4,
            &[__rt::Argument::OutChannels, __rt::Argument::Kernel],
            "",
        );
    const _: () = CHECKED
        .check_join(
            &GRAPH,
            5,
            1,
            &__rt::Join::Residual {
                start: 2,
                shortcut: __rt::Shortcut::Layers,
            },
            "",
        );
    const _: () = __rt::check_difference(
        "",
        "crate::SIDE / 2 - 1",
        ((__Symbolic_SIDE) / 2),
        1,
        "",
    );
    const _: () = __rt::check_argument(&GRAPH, 6, __rt::Argument::Kernel, "");
    const _: () = CHECKED.check_fit(&GRAPH, 6, __rt::Argument::Kernel, "");
    const _: () = CHECKED.check_layer(&GRAPH, 6, &[__rt::Argument::Kernel], "");
    const _: () = __rt::check_argument(&GRAPH, 8, __rt::Argument::OutFeatures, "");
    const _: () = CHECKED.check_fit(&GRAPH, 8, __rt::Argument::OutFeatures, "");
    const _: () = CHECKED.check_layer(&GRAPH, 8, &[__rt::Argument::OutFeatures], "");
    const _: () = __rt::check_dimension(
        "output",
        __rt::Shape::new(&[__Symbolic_CLASSES]),
        0,
    );
    const _: () = __rt::check_header("output", __rt::Shape::new(&[__Symbolic_CLASSES]));
    const _: () = CHECKED
        .check_output(&GRAPH, 8, __rt::Shape::new(&[__Symbolic_CLASSES]));
    impl Symbolic {
        /// A dimension of a parameter.
        #[allow(dead_code)]
        const fn __size(tensor: usize, axis: usize) -> usize {
            TENSORS[tensor].shape.dim(axis)
        }
    }
    const CONV1: __rt::Step = PLAN.step(1);
    const CONV2D_2: __rt::Step = PLAN.step(3);
    const CONV2D_3: __rt::Step = PLAN.step(4);
    const MAX_POOL2D_1: __rt::Step = PLAN.step(6);
    const FC: __rt::Step = PLAN.step(8);
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::Network for Symbolic {
        type Input = [[[f32; __Symbolic_SIDE]; __Symbolic_SIDE]; 3];
        type Output = [f32; __Symbolic_CLASSES];
        type OutputValue = <__rt::Boxed<
            { 4 * (__Symbolic_CLASSES) > 65536 },
        > as __rt::Returned>::Value<[f32; __Symbolic_CLASSES]>;
        type Parameters = SymbolicParameters;
        const GRAPH: __rt::Graph<'static> = GRAPH;
        const SHAPES: &'static [__rt::Shape] = &SHAPES;
        const LAYERS: &'static [__rt::LayerInfo] = &LAYERS;
        const LAYOUT: __rt::Layout = __rt::Layout::new(&PLAN, &TENSORS);
        fn from_model(model: __rt::Model<SymbolicParameters>) -> Self {
            Self { __model: model }
        }
        fn model(&self) -> &__rt::Model<SymbolicParameters> {
            &self.__model
        }
        fn model_mut(&mut self) -> &mut __rt::Model<SymbolicParameters> {
            &mut self.__model
        }
        #[allow(unused_variables)]
        fn forward_group(net: &SymbolicParameters, run: &mut __rt::Forward<'_>) {
            run.conv2d(&CONV1, &net.conv1);
            run.conv2d(&CONV2D_2, &net.conv2d_2);
            run.conv2d(&CONV2D_3, &net.conv2d_3);
            run.max_pool2d(&MAX_POOL2D_1);
            run.linear(&FC, &net.fc);
        }
        #[allow(unused_variables)]
        fn backward_group(
            net: &SymbolicParameters,
            gradients: &mut SymbolicParameters,
            run: &mut __rt::Backward<'_>,
        ) {
            run.linear(&FC, &net.fc, &mut gradients.fc);
            run.max_pool2d(&MAX_POOL2D_1);
            run.conv2d(&CONV2D_3, &net.conv2d_3, &mut gradients.conv2d_3);
            run.conv2d(&CONV2D_2, &net.conv2d_2, &mut gradients.conv2d_2);
            run.conv2d(&CONV1, &net.conv1, &mut gradients.conv1);
        }
    }
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::SingleInput for Symbolic {}
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::SingleOutput for Symbolic {}
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::EndsInLogits for Symbolic {}
    #[automatically_derived]
    impl ::core::ops::Deref for Symbolic {
        type Target = SymbolicParameters;
        fn deref(&self) -> &SymbolicParameters {
            self.__model.parameters()
        }
    }
    #[automatically_derived]
    impl ::core::ops::DerefMut for Symbolic {
        fn deref_mut(&mut self) -> &mut SymbolicParameters {
            self.__model.parameters_mut()
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for Symbolic {
        fn clone(&self) -> Self {
            Self {
                __model: ::core::clone::Clone::clone(&self.__model),
            }
        }
    }
    #[automatically_derived]
    impl ::core::cmp::PartialEq for Symbolic {
        fn eq(&self, other: &Self) -> bool {
            self.__model == other.__model
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for Symbolic {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::core::fmt::Display::fmt(&<Self as __rt::Network>::summary(), f)
        }
    }
    const _: () = {
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::relu;
        let _ = ::typenet::layers::residual;
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::shortcut;
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::max_pool2d;
        let _ = ::typenet::layers::flatten;
        let _ = ::typenet::layers::linear;
    };
    #[allow(unexpected_cfgs, unused, non_camel_case_types)]
    const _: () = {
        #[cfg(rust_analyzer)]
        const _: () = {
            const _: () = {
                /// `conv2d(crate::WIDTH, kernel = 3, padding = 1)`, `[3, crate::SIDE, crate::SIDE]` → `[crate::WIDTH, crate::SIDE, crate::SIDE]`
                mod conv2d {}
            };
            const _: () = {
                /// `relu`, `[crate::WIDTH, crate::SIDE, crate::SIDE]` → `[crate::WIDTH, crate::SIDE, crate::SIDE]`
                mod relu {}
            };
            const _: () = {
                /// `conv2d(2 * crate::WIDTH, kernel = 3, padding = 1)`, `[crate::WIDTH, crate::SIDE, crate::SIDE]` → `[2 * crate::WIDTH, crate::SIDE, crate::SIDE]`
                mod conv2d {}
            };
            const _: () = {
                /// `conv2d(2 * crate::WIDTH, kernel = 1)`, `[crate::WIDTH, crate::SIDE, crate::SIDE]` → `[2 * crate::WIDTH, crate::SIDE, crate::SIDE]`
                mod conv2d {}
            };
            const _: () = {
                /// `add`, `[2 * crate::WIDTH, crate::SIDE, crate::SIDE]` → `[2 * crate::WIDTH, crate::SIDE, crate::SIDE]`
                mod residual {}
            };
            const _: () = {
                /// `max_pool2d(crate::SIDE / 2 - 1)`, `[2 * crate::WIDTH, crate::SIDE, crate::SIDE]` → `[2 * crate::WIDTH, crate::SIDE / (crate::SIDE / 2 - 1), crate::SIDE / (crate::SIDE / 2 - 1)]`
                mod max_pool2d {}
            };
            const _: () = {
                /// `flatten`, `[2 * crate::WIDTH, crate::SIDE / (crate::SIDE / 2 - 1), crate::SIDE / (crate::SIDE / 2 - 1)]` → `[2 * crate::WIDTH * (crate::SIDE / (crate::SIDE / 2 - 1)) * (crate::SIDE / (crate::SIDE / 2 - 1))]`
                mod flatten {}
            };
            const _: () = {
                /// `linear(crate::CLASSES)`, `[2 * crate::WIDTH * (crate::SIDE / (crate::SIDE / 2 - 1)) * (crate::SIDE / (crate::SIDE / 2 - 1))]` → `[crate::CLASSES]`
                mod linear {}
            };
        };
    };
};
