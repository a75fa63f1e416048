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
            let _ = __words::arguments_of_conv2d::__;
            let _ = __words::arguments_of_conv2d::kernel;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::numbers::__;
            let _ = __words::arguments_of_conv2d::kernel;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
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
            let _ = __words::arguments_of_linear::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            mod __words {
                pub mod layers {
                    pub use ::typenet::layers::*;
                }
                pub mod numbers {
                    ///A const generic of the net.
                    pub struct C;
                    ///A const generic of the net.
                    pub struct HIDDEN;
                }
                pub mod values_0 {}
                pub mod arguments_of_conv2d {
                    pub use super::numbers::*;
                    pub use ::typenet::layers::arguments::conv2d::*;
                }
                pub mod arguments_of_linear {
                    pub use super::numbers::*;
                    pub use ::typenet::layers::arguments::linear::*;
                }
            }
        };
    };
};
/// A small net of any width.
///
/// | name | layer | output | parameters | multiply-adds |
/// |---|---|---|---:|---:|
/// | `input` |  | `[1, 28, 28]` |  |  |
/// | `conv1` | `conv2d(C, kernel = 5)` | `[C, 24, 24]` | `26 * C` | `14400 * C` |
/// | `relu_1` | `relu` | `[C, 24, 24]` |  |  |
/// | `max_pool2d_1` | `max_pool2d(2)` | `[C, 12, 12]` |  |  |
/// | `stage.conv2d_1` | `conv2d(2 * C, kernel = 1)` | `[2 * C, 12, 12]` | `2 * C + 2 * C * C` | `288 * C * C` |
/// | `stage.conv2d_2` | `conv2d(4, kernel = 3, padding = 1)` | `[4, 12, 12]` | `36 * C + 4` | `5184 * C` |
/// | `stage` | `concat` | `[2 * C + 4, 12, 12]` |  |  |
/// | `conv2` | `conv2d(C, kernel = 3)` | `[C, 10, 10]` | `37 * C + 18 * C * C` | `3600 * C + 1800 * C * C` |
/// | `values` | `relu` | `[C, 10, 10]` |  |  |
/// | `flatten_1` | `flatten` | `[100 * C]` |  |  |
/// | `fc1` | `linear(HIDDEN)` | `[HIDDEN]` | `100 * C * HIDDEN + HIDDEN` | `100 * C * HIDDEN` |
/// | `relu_3` | `relu` | `[HIDDEN]` |  |  |
/// | `fc2` | `linear(10)` | `[10]` | `10 * HIDDEN + 10` | `10 * HIDDEN` |
/// | | | | **`101 * C + 20 * C * C + 100 * C * HIDDEN + 11 * HIDDEN + 14`** | **`23184 * C + 2088 * C * C + 100 * C * HIDDEN + 10 * HIDDEN`** |
pub struct Generic<const C: usize, const HIDDEN: usize> {
    __model: ::typenet::__private::Model<GenericParameters<C, HIDDEN>>,
}
/// The parameters of [`Generic`]: a field for each layer that has some.
pub struct GenericParameters<const C: usize, const HIDDEN: usize> {
    /// `conv2d(C, kernel = 5)`, `[1, 28, 28]` → `[C, 24, 24]`
    pub conv1: ::typenet::parameters::WeightBias<[[[[f32; 5]; 5]; 1]; C], [f32; C]>,
    /// `concat`, `[C, 12, 12]` → `[2 * C + 4, 12, 12]`
    pub stage: GenericStageParameters<C, HIDDEN>,
    /// `conv2d(C, kernel = 3)`, `[2 * C + 4, 12, 12]` → `[C, 10, 10]`
    pub conv2: ::typenet::parameters::WeightBias<
        [::typenet::parameters::Joined<[[[[f32; 3]; 3]; C]; 2], [[[f32; 3]; 3]; 4]>; C],
        [f32; C],
    >,
    /// `linear(HIDDEN)`, `[100 * C]` → `[HIDDEN]`
    pub fc1: ::typenet::parameters::WeightBias<
        [[[[f32; 10]; 10]; C]; HIDDEN],
        [f32; HIDDEN],
    >,
    /// `linear(10)`, `[HIDDEN]` → `[10]`
    pub fc2: ::typenet::parameters::WeightBias<[[f32; HIDDEN]; 10], [f32; 10]>,
}
/// The parameters of `stage` in [`Generic`].
pub struct GenericStageParameters<const C: usize, const HIDDEN: usize> {
    /// `conv2d(2 * C, kernel = 1)`, `[C, 12, 12]` → `[2 * C, 12, 12]`
    pub conv2d_1: ::typenet::parameters::WeightBias<
        [[[[[f32; 1]; 1]; C]; C]; 2],
        [[f32; C]; 2],
    >,
    /// `conv2d(4, kernel = 3, padding = 1)`, `[C, 12, 12]` → `[4, 12, 12]`
    pub conv2d_2: ::typenet::parameters::WeightBias<[[[[f32; 3]; 3]; C]; 4], [f32; 4]>,
}
/// Gradients of [`Generic`], in the shape of its parameters.
#[allow(dead_code)]
pub type GenericGradients<const C: usize, const HIDDEN: usize> = GenericParameters<
    C,
    HIDDEN,
>;
const _: () = {
    use ::typenet::__private as __rt;
    /// What is computed of the net for each choice of its generics.
    struct Constants<const C: usize, const HIDDEN: usize>;
    impl<const C: usize, const HIDDEN: usize> Constants<C, HIDDEN> {
        const GRAPH: __rt::Graph<'static> = __rt::Graph {
            name: "Generic",
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
                        out_channels: C,
                        kernel: [5, 5],
                        stride: [1, 1],
                        padding: __rt::Padding::Zeros([0, 0]),
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
                    name: "stage.conv2d_1",
                    op: __rt::Op::Conv2d {
                        out_channels: 2 * C,
                        kernel: [1, 1],
                        stride: [1, 1],
                        padding: __rt::Padding::Zeros([0, 0]),
                        dilation: [1, 1],
                        groups: 1,
                        bias: true,
                    },
                    inputs: &[3],
                },
                __rt::Node {
                    name: "stage.conv2d_2",
                    op: __rt::Op::Conv2d {
                        out_channels: 4,
                        kernel: [3, 3],
                        stride: [1, 1],
                        padding: __rt::Padding::Zeros([1, 1]),
                        dilation: [1, 1],
                        groups: 1,
                        bias: true,
                    },
                    inputs: &[3],
                },
                __rt::Node {
                    name: "stage",
                    op: __rt::Op::Concat,
                    inputs: &[4, 5],
                },
                __rt::Node {
                    name: "conv2",
                    op: __rt::Op::Conv2d {
                        out_channels: C,
                        kernel: [3, 3],
                        stride: [1, 1],
                        padding: __rt::Padding::Zeros([0, 0]),
                        dilation: [1, 1],
                        groups: 1,
                        bias: true,
                    },
                    inputs: &[6],
                },
                __rt::Node {
                    name: "values",
                    op: __rt::Op::Relu,
                    inputs: &[7],
                },
                __rt::Node {
                    name: "flatten_1",
                    op: __rt::Op::Flatten,
                    inputs: &[8],
                },
                __rt::Node {
                    name: "fc1",
                    op: __rt::Op::Linear {
                        out_features: HIDDEN,
                        bias: true,
                    },
                    inputs: &[9],
                },
                __rt::Node {
                    name: "relu_3",
                    op: __rt::Op::Relu,
                    inputs: &[10],
                },
                __rt::Node {
                    name: "fc2",
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
        const CHECKED: __rt::Checked<13> = __rt::Checked::new(&Self::GRAPH);
        const SHAPES: &'static [__rt::Shape; 13] = &Self::CHECKED.shapes();
        const LAYERS: &'static [__rt::LayerInfo; 13] = &Self::CHECKED
            .layers(&Self::GRAPH);
        const TENSORS: &'static [__rt::Tensor; 12] = &Self::CHECKED
            .tensors(&Self::GRAPH);
        const PLAN: &'static __rt::Plan<13> = &__rt::Plan::of(
            &Self::GRAPH,
            &Self::CHECKED,
        );
        const CONV1: &'static __rt::Step = &Self::PLAN.step(1);
        const MAX_POOL2D_1: &'static __rt::Step = &Self::PLAN.step(3);
        const STAGE_CONV2D_1: &'static __rt::Step = &Self::PLAN.step(4);
        const STAGE_CONV2D_2: &'static __rt::Step = &Self::PLAN.step(5);
        const STAGE: &'static __rt::Step = &Self::PLAN.step(6);
        const CONV2: &'static __rt::Step = &Self::PLAN.step(7);
        const FC1: &'static __rt::Step = &Self::PLAN.step(10);
        const FC2: &'static __rt::Step = &Self::PLAN.step(12);
    }
    /// The rules that a choice of the generics may break.
    struct Rules<const C: usize, const HIDDEN: usize>;
    impl<const C: usize, const HIDDEN: usize> Rules<C, HIDDEN> {
        const RULE_1: () = __rt::check_argument(
            &Constants::<C, HIDDEN>::GRAPH,
            1,
            __rt::Argument::OutChannels,
            "",
        );
        const RULE_2: () = Constants::<C, HIDDEN>::CHECKED
            .check_fit(
                &Constants::<C, HIDDEN>::GRAPH,
                1,
                __rt::Argument::OutChannels,
                "",
            );
        const RULE_3: () = Constants::<C, HIDDEN>::CHECKED
            .check_fit(&Constants::<C, HIDDEN>::GRAPH, 1, __rt::Argument::Kernel, "");
        const RULE_4: () = Constants::<C, HIDDEN>::CHECKED
            .check_layer(
                &Constants::<C, HIDDEN>::GRAPH,
                1,
                &[__rt::Argument::OutChannels, __rt::Argument::Kernel],
                "",
            );
        const RULE_5: () = Constants::<C, HIDDEN>::CHECKED
            .check_fit(&Constants::<C, HIDDEN>::GRAPH, 3, __rt::Argument::Kernel, "");
        const RULE_6: () = Constants::<C, HIDDEN>::CHECKED
            .check_layer(
                &Constants::<C, HIDDEN>::GRAPH,
                3,
                &[__rt::Argument::Kernel],
                "",
            );
        const RULE_7: () = __rt::check_argument(
            &Constants::<C, HIDDEN>::GRAPH,
            4,
            __rt::Argument::OutChannels,
            "",
        );
        const RULE_8: () = Constants::<C, HIDDEN>::CHECKED
            .check_fit(
                &Constants::<C, HIDDEN>::GRAPH,
                4,
                __rt::Argument::OutChannels,
                "",
            );
        const RULE_9: () = Constants::<C, HIDDEN>::CHECKED
            .check_fit(&Constants::<C, HIDDEN>::GRAPH, 4, __rt::Argument::Kernel, "");
        const RULE_10: () = Constants::<C, HIDDEN>::CHECKED
            .check_layer(
                &Constants::<C, HIDDEN>::GRAPH,
                4,
                &[__rt::Argument::OutChannels, __rt::Argument::Kernel],
                "",
            );
        const RULE_11: () = Constants::<C, HIDDEN>::CHECKED
            .check_fit(
                &Constants::<C, HIDDEN>::GRAPH,
                5,
                __rt::Argument::OutChannels,
                "",
            );
        const RULE_12: () = Constants::<C, HIDDEN>::CHECKED
            .check_fit(&Constants::<C, HIDDEN>::GRAPH, 5, __rt::Argument::Kernel, "");
        const RULE_13: () = Constants::<C, HIDDEN>::CHECKED
            .check_layer(
                &Constants::<C, HIDDEN>::GRAPH,
                5,
                &[__rt::Argument::OutChannels, __rt::Argument::Kernel],
                "",
            );
        const RULE_14: () = Constants::<C, HIDDEN>::CHECKED
            .check_join(
                &Constants::<C, HIDDEN>::GRAPH,
                6,
                0,
                &__rt::Join::Branches(&["", ""]),
                "",
            );
        const RULE_15: () = Constants::<C, HIDDEN>::CHECKED
            .check_join(
                &Constants::<C, HIDDEN>::GRAPH,
                6,
                1,
                &__rt::Join::Branches(&["", ""]),
                "",
            );
        const RULE_16: () = __rt::check_argument(
            &Constants::<C, HIDDEN>::GRAPH,
            7,
            __rt::Argument::OutChannels,
            "",
        );
        const RULE_17: () = Constants::<C, HIDDEN>::CHECKED
            .check_fit(
                &Constants::<C, HIDDEN>::GRAPH,
                7,
                __rt::Argument::OutChannels,
                "",
            );
        const RULE_18: () = Constants::<C, HIDDEN>::CHECKED
            .check_fit(&Constants::<C, HIDDEN>::GRAPH, 7, __rt::Argument::Kernel, "");
        const RULE_19: () = Constants::<C, HIDDEN>::CHECKED
            .check_layer(
                &Constants::<C, HIDDEN>::GRAPH,
                7,
                &[__rt::Argument::OutChannels, __rt::Argument::Kernel],
                "",
            );
        const RULE_20: () = __rt::check_argument(
            &Constants::<C, HIDDEN>::GRAPH,
            10,
            __rt::Argument::OutFeatures,
            "",
        );
        const RULE_21: () = Constants::<C, HIDDEN>::CHECKED
            .check_fit(
                &Constants::<C, HIDDEN>::GRAPH,
                10,
                __rt::Argument::OutFeatures,
                "",
            );
        const RULE_22: () = Constants::<C, HIDDEN>::CHECKED
            .check_layer(
                &Constants::<C, HIDDEN>::GRAPH,
                10,
                &[__rt::Argument::OutFeatures],
                "",
            );
        const RULE_23: () = Constants::<C, HIDDEN>::CHECKED
            .check_fit(
                &Constants::<C, HIDDEN>::GRAPH,
                12,
                __rt::Argument::OutFeatures,
                "",
            );
        const RULE_24: () = Constants::<C, HIDDEN>::CHECKED
            .check_layer(
                &Constants::<C, HIDDEN>::GRAPH,
                12,
                &[__rt::Argument::OutFeatures],
                "",
            );
        const ALL: () = {
            let () = Self::RULE_1;
            let () = Self::RULE_2;
            let () = Self::RULE_3;
            let () = Self::RULE_4;
            let () = Self::RULE_5;
            let () = Self::RULE_6;
            let () = Self::RULE_7;
            let () = Self::RULE_8;
            let () = Self::RULE_9;
            let () = Self::RULE_10;
            let () = Self::RULE_11;
            let () = Self::RULE_12;
            let () = Self::RULE_13;
            let () = Self::RULE_14;
            let () = Self::RULE_15;
            let () = Self::RULE_16;
            let () = Self::RULE_17;
            let () = Self::RULE_18;
            let () = Self::RULE_19;
            let () = Self::RULE_20;
            let () = Self::RULE_21;
            let () = Self::RULE_22;
            let () = Self::RULE_23;
            let () = Self::RULE_24;
        };
    }
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl<const C: usize, const HIDDEN: usize> __rt::Network for Generic<C, HIDDEN> {
        type Input = [[[f32; 28]; 28]; 1];
        type Output = [f32; 10];
        type OutputValue = [f32; 10];
        type Parameters = GenericParameters<C, HIDDEN>;
        const GRAPH: __rt::Graph<'static> = Constants::<C, HIDDEN>::GRAPH;
        const SHAPES: &'static [__rt::Shape] = Constants::<C, HIDDEN>::SHAPES;
        const LAYERS: &'static [__rt::LayerInfo] = {
            let () = Rules::<C, HIDDEN>::ALL;
            Constants::<C, HIDDEN>::LAYERS
        };
        const LAYOUT: __rt::Layout = __rt::Layout::new(
            Constants::<C, HIDDEN>::PLAN,
            Constants::<C, HIDDEN>::TENSORS,
        );
        const RULES: () = Rules::<C, HIDDEN>::ALL;
        fn seeded(seed: u64) -> Self {
            let () = Rules::<C, HIDDEN>::RULE_1;
            let () = Rules::<C, HIDDEN>::RULE_2;
            let () = Rules::<C, HIDDEN>::RULE_3;
            let () = Rules::<C, HIDDEN>::RULE_4;
            let () = Rules::<C, HIDDEN>::RULE_5;
            let () = Rules::<C, HIDDEN>::RULE_6;
            let () = Rules::<C, HIDDEN>::RULE_7;
            let () = Rules::<C, HIDDEN>::RULE_8;
            let () = Rules::<C, HIDDEN>::RULE_9;
            let () = Rules::<C, HIDDEN>::RULE_10;
            let () = Rules::<C, HIDDEN>::RULE_11;
            let () = Rules::<C, HIDDEN>::RULE_12;
            let () = Rules::<C, HIDDEN>::RULE_13;
            let () = Rules::<C, HIDDEN>::RULE_14;
            let () = Rules::<C, HIDDEN>::RULE_15;
            let () = Rules::<C, HIDDEN>::RULE_16;
            let () = Rules::<C, HIDDEN>::RULE_17;
            let () = Rules::<C, HIDDEN>::RULE_18;
            let () = Rules::<C, HIDDEN>::RULE_19;
            let () = Rules::<C, HIDDEN>::RULE_20;
            let () = Rules::<C, HIDDEN>::RULE_21;
            let () = Rules::<C, HIDDEN>::RULE_22;
            let () = Rules::<C, HIDDEN>::RULE_23;
            let () = Rules::<C, HIDDEN>::RULE_24;
            __rt::seeded(__rt::Scheme::default(), seed)
        }
        fn from_model(model: __rt::Model<GenericParameters<C, HIDDEN>>) -> Self {
            Self { __model: model }
        }
        fn model(&self) -> &__rt::Model<GenericParameters<C, HIDDEN>> {
            &self.__model
        }
        fn model_mut(&mut self) -> &mut __rt::Model<GenericParameters<C, HIDDEN>> {
            &mut self.__model
        }
        #[allow(unused_variables)]
        fn forward_group(
            net: &GenericParameters<C, HIDDEN>,
            run: &mut __rt::Forward<'_>,
        ) {
            run.conv2d(Constants::<C, HIDDEN>::CONV1, &net.conv1);
            run.max_pool2d(Constants::<C, HIDDEN>::MAX_POOL2D_1);
            run.conv2d(Constants::<C, HIDDEN>::STAGE_CONV2D_1, &net.stage.conv2d_1);
            run.conv2d(Constants::<C, HIDDEN>::STAGE_CONV2D_2, &net.stage.conv2d_2);
            run.concat(Constants::<C, HIDDEN>::STAGE);
            run.conv2d(Constants::<C, HIDDEN>::CONV2, &net.conv2);
            run.linear(Constants::<C, HIDDEN>::FC1, &net.fc1);
            run.linear(Constants::<C, HIDDEN>::FC2, &net.fc2);
        }
        #[allow(unused_variables)]
        fn backward_group(
            net: &GenericParameters<C, HIDDEN>,
            gradients: &mut GenericParameters<C, HIDDEN>,
            run: &mut __rt::Backward<'_>,
        ) {
            run.linear(Constants::<C, HIDDEN>::FC2, &net.fc2, &mut gradients.fc2);
            run.linear(Constants::<C, HIDDEN>::FC1, &net.fc1, &mut gradients.fc1);
            run.conv2d(Constants::<C, HIDDEN>::CONV2, &net.conv2, &mut gradients.conv2);
            run.concat(Constants::<C, HIDDEN>::STAGE);
            run.conv2d(
                Constants::<C, HIDDEN>::STAGE_CONV2D_2,
                &net.stage.conv2d_2,
                &mut gradients.stage.conv2d_2,
            );
            run.conv2d(
                Constants::<C, HIDDEN>::STAGE_CONV2D_1,
                &net.stage.conv2d_1,
                &mut gradients.stage.conv2d_1,
            );
            run.max_pool2d(Constants::<C, HIDDEN>::MAX_POOL2D_1);
            run.conv2d(Constants::<C, HIDDEN>::CONV1, &net.conv1, &mut gradients.conv1);
        }
    }
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl<const C: usize, const HIDDEN: usize> __rt::SingleInput for Generic<C, HIDDEN> {}
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl<const C: usize, const HIDDEN: usize> __rt::SingleOutput for Generic<C, HIDDEN> {}
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl<const C: usize, const HIDDEN: usize> __rt::EndsInLogits for Generic<C, HIDDEN> {}
    #[automatically_derived]
    impl<const C: usize, const HIDDEN: usize> ::core::ops::Deref for Generic<C, HIDDEN> {
        type Target = GenericParameters<C, HIDDEN>;
        fn deref(&self) -> &GenericParameters<C, HIDDEN> {
            self.__model.parameters()
        }
    }
    #[automatically_derived]
    impl<const C: usize, const HIDDEN: usize> ::core::ops::DerefMut
    for Generic<C, HIDDEN> {
        fn deref_mut(&mut self) -> &mut GenericParameters<C, HIDDEN> {
            self.__model.parameters_mut()
        }
    }
    #[automatically_derived]
    impl<const C: usize, const HIDDEN: usize> ::core::clone::Clone
    for Generic<C, HIDDEN> {
        fn clone(&self) -> Self {
            Self {
                __model: ::core::clone::Clone::clone(&self.__model),
            }
        }
    }
    #[automatically_derived]
    impl<const C: usize, const HIDDEN: usize> ::core::cmp::PartialEq
    for Generic<C, HIDDEN> {
        fn eq(&self, other: &Self) -> bool {
            self.__model == other.__model
        }
    }
    #[automatically_derived]
    impl<const C: usize, const HIDDEN: usize> ::core::fmt::Debug for Generic<C, HIDDEN> {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::core::fmt::Display::fmt(&<Self as __rt::Network>::summary(), f)
        }
    }
    const _: () = {
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::relu;
        let _ = ::typenet::layers::max_pool2d;
        let _ = ::typenet::layers::concat;
        let _ = ::typenet::layers::branch;
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::branch;
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::relu;
        let _ = ::typenet::layers::flatten;
        let _ = ::typenet::layers::linear;
        let _ = ::typenet::layers::relu;
        let _ = ::typenet::layers::linear;
    };
    #[allow(dead_code)]
    const _: () = {
        struct __Value<const C: usize, const HIDDEN: usize> {
            /// `concat`, `[2 * C, 12, 12]` → `[2 * C + 4, 12, 12]`
            stage: ::typenet::parameters::Joined<
                [[[[f32; 12]; 12]; C]; 2],
                [[[f32; 12]; 12]; 4],
            >,
        }
    };
    #[allow(dead_code)]
    const _: () = {
        struct __Value<const C: usize, const HIDDEN: usize> {
            /// `relu`, `[C, 10, 10]` → `[C, 10, 10]`
            values: [[[f32; 10]; 10]; C],
        }
    };
    #[allow(unexpected_cfgs, unused, non_camel_case_types)]
    const _: () = {
        #[cfg(rust_analyzer)]
        const _: () = {
            const _: () = {
                /// `conv2d(C, kernel = 5)`, `[1, 28, 28]` → `[C, 24, 24]`
                mod conv2d {}
            };
            const _: () = {
                /// `relu`, `[C, 24, 24]` → `[C, 24, 24]`
                mod relu {}
            };
            const _: () = {
                /// `max_pool2d(2)`, `[C, 24, 24]` → `[C, 12, 12]`
                mod max_pool2d {}
            };
            const _: () = {
                /// `conv2d(2 * C, kernel = 1)`, `[C, 12, 12]` → `[2 * C, 12, 12]`
                mod conv2d {}
            };
            const _: () = {
                /// `conv2d(4, kernel = 3, padding = 1)`, `[C, 12, 12]` → `[4, 12, 12]`
                mod conv2d {}
            };
            const _: () = {
                /// `concat`, `[2 * C, 12, 12]` → `[2 * C + 4, 12, 12]`
                mod concat {}
            };
            const _: () = {
                /// `conv2d(C, kernel = 3)`, `[2 * C + 4, 12, 12]` → `[C, 10, 10]`
                mod conv2d {}
            };
            const _: () = {
                /// `relu`, `[C, 10, 10]` → `[C, 10, 10]`
                mod relu {}
            };
            const _: () = {
                /// `flatten`, `[C, 10, 10]` → `[100 * C]`
                mod flatten {}
            };
            const _: () = {
                /// `linear(HIDDEN)`, `[100 * C]` → `[HIDDEN]`
                mod linear {}
            };
            const _: () = {
                /// `relu`, `[HIDDEN]` → `[HIDDEN]`
                mod relu {}
            };
            const _: () = {
                /// `linear(10)`, `[HIDDEN]` → `[10]`
                mod linear {}
            };
        };
    };
};
