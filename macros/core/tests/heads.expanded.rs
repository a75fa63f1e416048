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
            let _ = ::typenet::layers::arguments::dimensions::features;
            let _ = ::typenet::layers::arguments::dimensions::features;
            let _ = __words::layers::__;
            let _ = __words::values_2::__;
            let _ = __words::layers::__;
            let _ = __words::arguments_of_conv2d::kernel;
            let _ = __words::arguments_of_conv2d::stride;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::values_3::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::values_5::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            let _ = __words::layers::__;
            mod __words {
                pub mod layers {
                    pub use ::typenet::layers::*;
                }
                pub mod numbers {}
                pub mod values_0 {}
                pub mod values_1 {
                    ///The input : [3 , 8 , 8]
                    pub struct image;
                    pub use super::values_0::*;
                }
                pub mod values_2 {
                    ///The input : [6]
                    pub struct pose;
                    pub use super::values_1::*;
                }
                pub mod values_3 {
                    ///`conv1: conv2d (4 , kernel = 3 , stride = 2)`
                    pub struct conv1;
                    pub use super::values_2::*;
                }
                pub mod values_4 {
                    ///`trunk: tanh`
                    pub struct trunk;
                    pub use super::values_3::*;
                }
                pub mod values_5 {
                    ///`class: linear (10)`
                    pub struct class;
                    pub use super::values_4::*;
                }
                pub mod values_6 {
                    ///`bbox: sigmoid`
                    pub struct bbox;
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
/// What is in an image, and where, seen from somewhere.
///
/// | name | layer | output | parameters | multiply-adds |
/// |---|---|---|---:|---:|
/// | `image` | input | `[3, 8, 8]` |  |  |
/// | `pose` | input | `[6]` |  |  |
/// | `conv1` | `conv2d(4, kernel = 3, stride = 2)` | `[4, 3, 3]` | 112 | 972 |
/// | `relu_1` | `relu` | `[4, 3, 3]` |  |  |
/// | `flatten_1` | `flatten` | `[36]` |  |  |
/// | `concat_1` | `concat(pose)` | `[42]` |  |  |
/// | `linear_1` | `linear(16)` | `[16]` | 688 | 672 |
/// | `trunk` | `tanh` | `[16]` |  |  |
/// | `class` | `linear(10)`, head | `[10]` | 170 | 160 |
/// | `linear_3` | `linear(4)` | `[4]` | 68 | 64 |
/// | `bbox` | `sigmoid`, head | `[4]` |  |  |
/// | | | | **1,038** | **1,868** |
pub(crate) struct Heads {
    __model: ::typenet::__private::Model<HeadsParameters>,
}
/// The parameters of [`Heads`]: a field for each layer that has some.
pub(crate) struct HeadsParameters {
    /// `conv2d(4, kernel = 3, stride = 2)`, `[3, 8, 8]` → `[4, 3, 3]`, 112 parameters, 972 multiply-adds
    pub conv1: ::typenet::parameters::WeightBias<[[[[f32; 3]; 3]; 3]; 4], [f32; 4]>,
    /// `linear(16)`, `[42]` → `[16]`, 688 parameters, 672 multiply-adds
    pub linear_1: ::typenet::parameters::WeightBias<[[f32; 42]; 16], [f32; 16]>,
    /// `linear(10)`, `[16]` → `[10]`, 170 parameters, 160 multiply-adds
    pub class: ::typenet::parameters::WeightBias<[[f32; 16]; 10], [f32; 10]>,
    /// `linear(4)`, `[16]` → `[4]`, 68 parameters, 64 multiply-adds
    pub linear_3: ::typenet::parameters::WeightBias<[[f32; 16]; 4], [f32; 4]>,
}
/// Gradients of [`Heads`], in the shape of its parameters.
#[allow(dead_code)]
pub(crate) type HeadsGradients = HeadsParameters;
/// The inputs of [`Heads`].
pub(crate) struct HeadsInput {
    /// `[3, 8, 8]`
    pub image: [[[f32; 8]; 8]; 3],
    /// `[6]`
    pub pose: [f32; 6],
}
/// The values of the heads of [`Heads`].
pub(crate) struct HeadsOutput {
    /// `[10]`
    pub class: [f32; 10],
    /// `[4]`
    pub bbox: [f32; 4],
}
/// A loss for each head of [`Heads`], which are added. `(0.5, loss)` is a loss times 0.5.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub(crate) struct HeadsLoss<Class, Bbox> {
    /// The loss of `class`, `[10]`.
    pub class: Class,
    /// The loss of `bbox`, `[4]`.
    pub bbox: Bbox,
}
/// What [`Heads`] is trained to give: a target for each head.
#[derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
    ::core::fmt::Debug,
)]
pub(crate) struct HeadsTarget<Class, Bbox> {
    /// The target of `class`, `[10]`.
    pub class: Class,
    /// The target of `bbox`, `[4]`.
    pub bbox: Bbox,
}
const _: () = {
    use ::typenet::__private as __rt;
    const NODES: usize = 11;
    const GRAPH: __rt::Graph<'static> = __rt::Graph {
        name: "Heads",
        nodes: &[
            __rt::Node {
                name: "image",
                op: __rt::Op::Input {
                    shape: __rt::Shape::new(&[3, 8, 8]),
                },
                inputs: &[],
            },
            __rt::Node {
                name: "pose",
                op: __rt::Op::Input {
                    shape: __rt::Shape::new(&[6]),
                },
                inputs: &[],
            },
            __rt::Node {
                name: "conv1",
                op: __rt::Op::Conv2d {
                    out_channels: 4,
                    kernel: [3, 3],
                    stride: [2, 2],
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
                inputs: &[2],
            },
            __rt::Node {
                name: "flatten_1",
                op: __rt::Op::Flatten,
                inputs: &[3],
            },
            __rt::Node {
                name: "concat_1",
                op: __rt::Op::Concat,
                inputs: &[4, 1],
            },
            __rt::Node {
                name: "linear_1",
                op: __rt::Op::Linear {
                    out_features: 16,
                    bias: true,
                },
                inputs: &[5],
            },
            __rt::Node {
                name: "trunk",
                op: __rt::Op::Tanh,
                inputs: &[6],
            },
            __rt::Node {
                name: "class",
                op: __rt::Op::Linear {
                    out_features: 10,
                    bias: true,
                },
                inputs: &[7],
            },
            __rt::Node {
                name: "linear_3",
                op: __rt::Op::Linear {
                    out_features: 4,
                    bias: true,
                },
                inputs: &[7],
            },
            __rt::Node {
                name: "bbox",
                op: __rt::Op::Sigmoid,
                inputs: &[9],
            },
        ],
        marks: &[],
        heads: &[
            __rt::Head {
                name: "class",
                node: 8,
            },
            __rt::Head {
                name: "bbox",
                node: 10,
            },
        ],
    };
    static SHAPES: [__rt::Shape; NODES] = GRAPH.shapes();
    static LAYERS: [__rt::LayerInfo; NODES] = GRAPH.layers(&SHAPES);
    static TENSORS: [__rt::Tensor; GRAPH.tensor_count()] = GRAPH.tensors::<NODES, _>();
    static PLAN: __rt::Plan<NODES> = __rt::Plan::new(&GRAPH);
    const CONV1: __rt::Step = PLAN.step(2);
    const CONCAT_1: __rt::Step = PLAN.step(5);
    const LINEAR_1: __rt::Step = PLAN.step(6);
    const CLASS: __rt::Step = PLAN.step(8);
    const LINEAR_3: __rt::Step = PLAN.step(9);
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::Network for Heads {
        type Input = HeadsInput;
        type Output = HeadsOutput;
        type OutputValue = HeadsOutput;
        type Parameters = HeadsParameters;
        const GRAPH: __rt::Graph<'static> = GRAPH;
        const SHAPES: &'static [__rt::Shape] = &SHAPES;
        const LAYERS: &'static [__rt::LayerInfo] = &LAYERS;
        const LAYOUT: __rt::Layout = __rt::Layout::new(&PLAN, &TENSORS);
        fn from_model(model: __rt::Model<HeadsParameters>) -> Self {
            Self { __model: model }
        }
        fn model(&self) -> &__rt::Model<HeadsParameters> {
            &self.__model
        }
        fn model_mut(&mut self) -> &mut __rt::Model<HeadsParameters> {
            &mut self.__model
        }
        #[allow(unused_variables)]
        fn forward_group(net: &HeadsParameters, run: &mut __rt::Forward<'_>) {
            run.conv2d(&CONV1, &net.conv1);
            run.concat(&CONCAT_1);
            run.linear(&LINEAR_1, &net.linear_1);
            run.linear(&CLASS, &net.class);
            run.linear(&LINEAR_3, &net.linear_3);
        }
        #[allow(unused_variables)]
        fn backward_group(
            net: &HeadsParameters,
            gradients: &mut HeadsParameters,
            run: &mut __rt::Backward<'_>,
        ) {
            run.linear(&LINEAR_3, &net.linear_3, &mut gradients.linear_3);
            run.linear(&CLASS, &net.class, &mut gradients.class);
            run.linear(&LINEAR_1, &net.linear_1, &mut gradients.linear_1);
            run.concat(&CONCAT_1);
            run.conv2d(&CONV1, &net.conv1, &mut gradients.conv1);
        }
    }
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::EndsInLogits for Heads {}
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::EndsInLogProbabilities for Heads {}
    impl HeadsInput {
        /// A data set whose examples have the inputs of one place each, and that target.
        ///
        /// # Errors
        /// When there are not as many of each input as targets.
        #[allow(dead_code)]
        pub fn dataset<__T>(
            image: &[[[[f32; 8]; 8]; 3]],
            pose: &[[f32; 6]],
            targets: ::std::vec::Vec<__T>,
        ) -> __rt::Result<__rt::Dataset<Self, __T>> {
            __rt::dataset_of(
                &[
                    ("image", __rt::Flat::flatten(image), image.len()),
                    ("pose", __rt::Flat::flatten(pose), pose.len()),
                ],
                targets,
            )
        }
    }
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl<__T> __rt::Matches<__T> for HeadsOutput {}
    #[automatically_derived]
    impl<
        Class: __rt::HeadCompares<[f32; 10], __Class>,
        Bbox: __rt::HeadCompares<[f32; 4], __Bbox>,
        __Class,
        __Bbox,
    > __rt::Compares<HeadsOutput, HeadsTarget<__Class, __Bbox>>
    for HeadsLoss<Class, Bbox> {
        const COMPARES: () = {
            let () = <Class as __rt::HeadCompares<[f32; 10], __Class>>::COMPARES;
            let () = <Bbox as __rt::HeadCompares<[f32; 4], __Bbox>>::COMPARES;
        };
    }
    #[allow(
        non_camel_case_types,
        unreachable_pub,
        missing_docs,
        missing_debug_implementations
    )]
    mod heads {
        #[derive(Clone, Copy)]
        pub(super) enum class {}
        #[derive(Clone, Copy)]
        pub(super) enum bbox {}
    }
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::SingleOutput for heads::class {}
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::EndsInLogits for heads::class {}
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::SingleOutput for heads::bbox {}
    impl<
        Class: __rt::Accepts<heads::class>,
        Bbox: __rt::Accepts<heads::bbox>,
    > __rt::Accepts<Heads> for HeadsLoss<Class, Bbox> {}
    #[automatically_derived]
    impl<Class, __Class, Bbox, __Bbox> __rt::Objective<HeadsTarget<__Class, __Bbox>>
    for HeadsLoss<Class, Bbox>
    where
        Class: __rt::Loss<__Class>,
        Bbox: __rt::Loss<__Bbox>,
    {
        const HEADS: usize = 2;
        fn each(
            &self,
            target: &HeadsTarget<__Class, __Bbox>,
            visit: &mut dyn ::core::ops::FnMut(&dyn __rt::HeadLoss),
        ) {
            visit(
                &__rt::OfHead {
                    loss: &self.class,
                    target: &target.class,
                },
            );
            visit(
                &__rt::OfHead {
                    loss: &self.bbox,
                    target: &target.bbox,
                },
            );
        }
    }
    impl<Class, Bbox> HeadsLoss<Class, Bbox> {
        /// The loss of the outputs in `ws`, whose gradient is written there for `backward`.
        ///
        /// # Errors
        /// When there are not as many targets as outputs, or a target does not belong to its head.
        #[allow(dead_code)]
        pub fn forward_backward<__Class, __Bbox>(
            &self,
            targets: &[HeadsTarget<__Class, __Bbox>],
            ws: &mut __rt::Workspace<Heads>,
        ) -> __rt::Result<f64>
        where
            Self: __rt::Compares<HeadsOutput, HeadsTarget<__Class, __Bbox>>,
            Self: __rt::Accepts<Heads>,
        {
            __rt::forward_backward(self, targets, ws)
        }
    }
    #[automatically_derived]
    impl<Class: __rt::Target, Bbox: __rt::Target> __rt::Target
    for HeadsTarget<Class, Bbox> {
        fn class(&self) -> ::core::option::Option<usize> {
            ::core::option::Option::None
        }
        fn class_of(&self, head: usize) -> ::core::option::Option<usize> {
            match head {
                0 => self.class.class(),
                1 => self.bbox.class(),
                _ => ::core::option::Option::None,
            }
        }
    }
    impl<
        Class: ::core::clone::Clone,
        Bbox: ::core::clone::Clone,
    > HeadsTarget<Class, Bbox> {
        /// The targets of each head, put together place by place.
        ///
        /// # Errors
        /// When there are not as many of each.
        #[allow(dead_code)]
        pub fn zip(
            class: &[Class],
            bbox: &[Bbox],
        ) -> __rt::Result<::std::vec::Vec<Self>> {
            let count = __rt::same_counts(
                &[("class", class.len()), ("bbox", bbox.len())],
            )?;
            ::core::result::Result::Ok(
                (0..count)
                    .map(|at| Self {
                        class: ::core::clone::Clone::clone(&class[at]),
                        bbox: ::core::clone::Clone::clone(&bbox[at]),
                    })
                    .collect(),
            )
        }
    }
    #[automatically_derived]
    impl ::core::ops::Deref for Heads {
        type Target = HeadsParameters;
        fn deref(&self) -> &HeadsParameters {
            self.__model.parameters()
        }
    }
    #[automatically_derived]
    impl ::core::ops::DerefMut for Heads {
        fn deref_mut(&mut self) -> &mut HeadsParameters {
            self.__model.parameters_mut()
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for Heads {
        fn clone(&self) -> Self {
            Self {
                __model: ::core::clone::Clone::clone(&self.__model),
            }
        }
    }
    #[automatically_derived]
    impl ::core::cmp::PartialEq for Heads {
        fn eq(&self, other: &Self) -> bool {
            self.__model == other.__model
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for Heads {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::core::fmt::Display::fmt(&<Self as __rt::Network>::summary(), f)
        }
    }
    const _: () = {
        let _ = ::typenet::layers::from;
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::relu;
        let _ = ::typenet::layers::flatten;
        let _ = ::typenet::layers::concat;
        let _ = ::typenet::layers::linear;
        let _ = ::typenet::layers::tanh;
        let _ = ::typenet::layers::linear;
        let _ = ::typenet::layers::from;
        let _ = ::typenet::layers::linear;
        let _ = ::typenet::layers::sigmoid;
    };
    #[allow(dead_code)]
    const _: () = {
        struct __Value {
            /// `tanh`, `[16]` → `[16]`
            trunk: [f32; 16],
        }
        fn __uses(value: &__Value) {
            let _ = &value.trunk;
        }
    };
    #[allow(dead_code)]
    const _: () = {
        struct __Value {
            /// `sigmoid`, `[4]` → `[4]`
            bbox: [f32; 4],
        }
    };
    #[allow(unexpected_cfgs, unused, non_camel_case_types)]
    const _: () = {
        #[cfg(rust_analyzer)]
        const _: () = {
            const _: () = {
                /// `conv2d(4, kernel = 3, stride = 2)`, `[3, 8, 8]` → `[4, 3, 3]`, 112 parameters, 972 multiply-adds
                mod conv2d {}
            };
            const _: () = {
                /// `relu`, `[4, 3, 3]` → `[4, 3, 3]`
                mod relu {}
            };
            const _: () = {
                /// `flatten`, `[4, 3, 3]` → `[36]`
                mod flatten {}
            };
            const _: () = {
                /// `concat(pose)`, `[36]` → `[42]`
                mod concat {}
            };
            const _: () = {
                /// `linear(16)`, `[42]` → `[16]`, 688 parameters, 672 multiply-adds
                mod linear {}
            };
            const _: () = {
                /// `tanh`, `[16]` → `[16]`
                mod tanh {}
            };
            const _: () = {
                /// `linear(10)`, `[16]` → `[10]`, 170 parameters, 160 multiply-adds
                mod linear {}
            };
            const _: () = {
                /// `linear(4)`, `[16]` → `[4]`, 68 parameters, 64 multiply-adds
                mod linear {}
            };
            const _: () = {
                /// `sigmoid`, `[4]` → `[4]`
                mod sigmoid {}
            };
        };
    };
};
