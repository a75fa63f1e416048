#[allow(unexpected_cfgs, unused, non_camel_case_types)]
const _: () = {
    #[cfg(rust_analyzer)]
    const _: () = {
        const _: () = {
            let _ = super::Backbone;
            let _ = my::Swirl;
            let _ = crate::TURNS;
        };
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
#[doc(hidden)]
#[allow(non_upper_case_globals)]
const __Parts_TURNS: usize = crate::TURNS;
#[doc(hidden)]
#[allow(non_camel_case_types)]
type __Parts_Backbone = super::Backbone;
#[doc(hidden)]
#[allow(non_camel_case_types)]
type __Parts_Swirl = my::Swirl;
/// A small net of other nets.
///
/// | name | layer | output | parameters | multiply-adds |
/// |---|---|---|---:|---:|
/// | `input` |  | `[3, 32, 32]` |  |  |
/// | `conv1` | `conv2d(3, kernel = 3, padding = 1)` | `[3, 32, 32]` | 84 | 82,944 |
/// | `relu_1` | `relu` | `[3, 32, 32]` |  |  |
/// | `features` | `super::Backbone`, frozen | `…` | … | … |
/// | `layer_norm_1` | `layer_norm` | `…` | … |  |
/// | `conv2d_2` | `conv2d(8, kernel = 3, padding = 1)` | `[8, ?, ?]` | … | … |
/// | `swirl_1` | `my::Swirl(3, crate::TURNS)` | `…` | … | … |
/// | `residual_1` | `add` | `…` |  |  |
/// | `relu_2` | `relu` | `…` |  |  |
/// | `flatten_1` | `flatten` | `[?]` |  |  |
/// | `fc` | `linear(10)` | `[10]` | … | … |
/// | | | | **…** | **…** |
pub struct Parts {
    __model: ::typenet::__private::Model<PartsParameters>,
}
/// The parameters of [`Parts`]: a field for each layer that has some.
pub struct PartsParameters {
    /// `conv2d(3, kernel = 3, padding = 1)`, `[3, 32, 32]` → `[3, 32, 32]`, 84 parameters, 82,944 multiply-adds
    pub conv1: ::typenet::parameters::WeightBias<[[[[f32; 3]; 3]; 3]; 3], [f32; 3]>,
    /// `super::Backbone`, frozen
    pub features: <__Parts_Backbone as ::typenet::__private::AsLayer>::Parameters<
        <::typenet::__private::Dims<
            { Parts::__rank(3, 0) },
            { Parts::__size(3, 0, 0) },
            { Parts::__size(3, 0, 1) },
            { Parts::__size(3, 0, 2) },
            { Parts::__size(3, 0, 3) },
        > as ::typenet::__private::Array>::Numbers,
        <::typenet::__private::Dims<
            { Parts::__rank(3, 1) },
            { Parts::__size(3, 1, 0) },
            { Parts::__size(3, 1, 1) },
            { Parts::__size(3, 1, 2) },
            { Parts::__size(3, 1, 3) },
        > as ::typenet::__private::Array>::Numbers,
    >,
    /// `layer_norm`
    pub layer_norm_1: ::typenet::parameters::WeightBias<
        <::typenet::__private::Dims<
            { Parts::__rank(4, 0) },
            { Parts::__size(4, 0, 0) },
            { Parts::__size(4, 0, 1) },
            { Parts::__size(4, 0, 2) },
            { Parts::__size(4, 0, 3) },
        > as ::typenet::__private::Array>::Numbers,
        <::typenet::__private::Dims<
            { Parts::__rank(4, 1) },
            { Parts::__size(4, 1, 0) },
            { Parts::__size(4, 1, 1) },
            { Parts::__size(4, 1, 2) },
            { Parts::__size(4, 1, 3) },
        > as ::typenet::__private::Array>::Numbers,
    >,
    /// `conv2d(8, kernel = 3, padding = 1)`
    pub conv2d_2: ::typenet::parameters::WeightBias<
        [[[[f32; 3]; 3]; Parts::__size(5, 0, 1)]; 8],
        [f32; 8],
    >,
    /// `my::Swirl(3, crate::TURNS)`
    pub swirl_1: <__Parts_Swirl as ::typenet::__private::AsLayer>::Parameters<
        <::typenet::__private::Dims<
            { Parts::__rank(6, 0) },
            { Parts::__size(6, 0, 0) },
            { Parts::__size(6, 0, 1) },
            { Parts::__size(6, 0, 2) },
            { Parts::__size(6, 0, 3) },
        > as ::typenet::__private::Array>::Numbers,
        <::typenet::__private::Dims<
            { Parts::__rank(6, 1) },
            { Parts::__size(6, 1, 0) },
            { Parts::__size(6, 1, 1) },
            { Parts::__size(6, 1, 2) },
            { Parts::__size(6, 1, 3) },
        > as ::typenet::__private::Array>::Numbers,
    >,
    /// `linear(10)`, `[?]` → `[10]`
    pub fc: ::typenet::parameters::WeightBias<
        [[f32; Parts::__size(10, 0, 1)]; 10],
        [f32; 10],
    >,
}
/// Gradients of [`Parts`], in the shape of its parameters.
#[allow(dead_code)]
pub type PartsGradients = PartsParameters;
const _: () = {
    use ::typenet::__private as __rt;
    const AT: [usize; 11] = __rt::places([
        1,
        1,
        1,
        <__Parts_Backbone as __rt::AsLayer>::NODES,
        1,
        1,
        <__Parts_Swirl as __rt::AsLayer>::NODES,
        1,
        1,
        1,
        1,
    ]);
    const NODES: usize = AT[10] + 1;
    static FEATURES_BEFORE: [__rt::Node<'static>; AT[2] + 1] = __rt::joined_nodes(
        &[
            &[
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
                        out_channels: 3,
                        kernel: [3, 3],
                        stride: [1, 1],
                        padding: __rt::Padding::Zeros([1, 1]),
                        dilation: [1, 1],
                        groups: 1,
                        bias: true,
                    },
                    inputs: &[AT[0]],
                },
                __rt::Node {
                    name: "relu_1",
                    op: __rt::Op::Relu,
                    inputs: &[AT[1]],
                },
            ],
        ],
    );
    const FEATURES_INPUT: __rt::Shape = __rt::Checked::<
        { AT[2] + 1 },
    >::new(&__rt::Graph::new("", &FEATURES_BEFORE))
        .shape(AT[2]);
    const FEATURES: __rt::Placement = __rt::Placement {
        part: <<__Parts_Backbone as __rt::AsLayer>::At<
            __rt::Arguments<0>,
            __rt::Dims<
                { FEATURES_INPUT.rank() },
                { FEATURES_INPUT.padded(0) },
                { FEATURES_INPUT.padded(1) },
                { FEATURES_INPUT.padded(2) },
                { FEATURES_INPUT.padded(3) },
            >,
        > as __rt::HasPart>::PART,
        name: "features",
        kind: "super::Backbone",
        arguments: "",
        marks: __rt::Marks::of(0).frozen(),
        source: AT[2],
        first: AT[2] + 1,
    };
    static FEATURES_TEXT: [u8; FEATURES.text_len()] = FEATURES.text();
    static FEATURES_INPUTS: [usize; FEATURES.input_count()] = FEATURES.inputs();
    static FEATURES_NODES: [__rt::Node<'static>; FEATURES.node_count()] = FEATURES
        .nodes(&FEATURES_TEXT, &FEATURES_INPUTS);
    static FEATURES_MARKS: [__rt::Marks<'static>; FEATURES.node_count()] = FEATURES
        .marks(&FEATURES_TEXT);
    static SWIRL_1_BEFORE: [__rt::Node<'static>; AT[5] + 1] = __rt::joined_nodes(
        &[
            &FEATURES_BEFORE,
            &FEATURES_NODES,
            &[
                __rt::Node {
                    name: "layer_norm_1",
                    op: __rt::Op::LayerNorm {
                        affine: true,
                        eps: 0.00001,
                    },
                    inputs: &[AT[3]],
                },
                __rt::Node {
                    name: "conv2d_2",
                    op: __rt::Op::Conv2d {
                        out_channels: 8,
                        kernel: [3, 3],
                        stride: [1, 1],
                        padding: __rt::Padding::Zeros([1, 1]),
                        dilation: [1, 1],
                        groups: 1,
                        bias: true,
                    },
                    inputs: &[AT[4]],
                },
            ],
        ],
    );
    const SWIRL_1_INPUT: __rt::Shape = __rt::Checked::<
        { AT[5] + 1 },
    >::new(&__rt::Graph::new("", &SWIRL_1_BEFORE))
        .shape(AT[5]);
    const SWIRL_1: __rt::Placement = __rt::Placement {
        part: <<__Parts_Swirl as __rt::AsLayer>::At<
            __rt::Arguments<2, { 3 }, { __Parts_TURNS }>,
            __rt::Dims<
                { SWIRL_1_INPUT.rank() },
                { SWIRL_1_INPUT.padded(0) },
                { SWIRL_1_INPUT.padded(1) },
                { SWIRL_1_INPUT.padded(2) },
                { SWIRL_1_INPUT.padded(3) },
            >,
        > as __rt::HasPart>::PART,
        name: "swirl_1",
        kind: "my::Swirl",
        arguments: "3, crate::TURNS",
        marks: __rt::Marks::of(0),
        source: AT[5],
        first: AT[5] + 1,
    };
    static SWIRL_1_TEXT: [u8; SWIRL_1.text_len()] = SWIRL_1.text();
    static SWIRL_1_INPUTS: [usize; SWIRL_1.input_count()] = SWIRL_1.inputs();
    static SWIRL_1_NODES: [__rt::Node<'static>; SWIRL_1.node_count()] = SWIRL_1
        .nodes(&SWIRL_1_TEXT, &SWIRL_1_INPUTS);
    static SWIRL_1_MARKS: [__rt::Marks<'static>; SWIRL_1.node_count()] = SWIRL_1
        .marks(&SWIRL_1_TEXT);
    static ALL_NODES: [__rt::Node<'static>; NODES] = __rt::joined_nodes(
        &[
            &SWIRL_1_BEFORE,
            &SWIRL_1_NODES,
            &[
                __rt::Node {
                    name: "residual_1",
                    op: __rt::Op::Add,
                    inputs: &[AT[6], AT[4]],
                },
                __rt::Node {
                    name: "relu_2",
                    op: __rt::Op::Relu,
                    inputs: &[AT[7]],
                },
                __rt::Node {
                    name: "flatten_1",
                    op: __rt::Op::Flatten,
                    inputs: &[AT[8]],
                },
                __rt::Node {
                    name: "fc",
                    op: __rt::Op::Linear {
                        out_features: 10,
                        bias: true,
                    },
                    inputs: &[AT[9]],
                },
            ],
        ],
    );
    const MARK_RUNS: &[&[__rt::Marks<'static>]] = &[
        &[],
        &FEATURES_MARKS,
        &[],
        &SWIRL_1_MARKS,
        &[],
    ];
    static ALL_MARKS: [__rt::Marks<'static>; __rt::count_marks(MARK_RUNS)] = __rt::joined_marks(
        MARK_RUNS,
    );
    const GRAPH: __rt::Graph<'static> = __rt::Graph {
        name: "Parts",
        nodes: &ALL_NODES,
        marks: &ALL_MARKS,
        heads: &[],
    };
    static CHECKED: __rt::Checked<NODES> = __rt::Checked::new(&GRAPH);
    static SHAPES: [__rt::Shape; NODES] = CHECKED.shapes();
    static LAYERS: [__rt::LayerInfo; NODES] = CHECKED.layers(&GRAPH);
    static TENSORS: [__rt::Tensor; GRAPH.tensor_count()] = CHECKED.tensors(&GRAPH);
    static PLAN: __rt::Plan<NODES> = __rt::Plan::of(&GRAPH, &CHECKED);
    const _: () = __rt::check_arguments(
        "features",
        "super::Backbone",
        <__Parts_Backbone as __rt::AsLayer>::ARGUMENTS,
        0,
        "",
    );
    const _: () = __rt::check_net(
        "features",
        "super::Backbone",
        <__Parts_Backbone as __rt::AsLayer>::NET,
        "",
    );
    const _: () = CHECKED.check_part(&GRAPH, AT[2] + 1, AT[3], "");
    const _: () = CHECKED.check_layer(&GRAPH, AT[4], &[], "");
    const _: () = CHECKED.check_fit(&GRAPH, AT[5], __rt::Argument::OutChannels, "");
    const _: () = CHECKED.check_fit(&GRAPH, AT[5], __rt::Argument::Kernel, "");
    const _: () = CHECKED
        .check_layer(
            &GRAPH,
            AT[5],
            &[__rt::Argument::OutChannels, __rt::Argument::Kernel],
            "",
        );
    const _: () = __rt::check_arguments(
        "swirl_1",
        "my::Swirl",
        <__Parts_Swirl as __rt::AsLayer>::ARGUMENTS,
        2,
        "",
    );
    const _: () = __rt::check_net(
        "swirl_1",
        "my::Swirl",
        <__Parts_Swirl as __rt::AsLayer>::NET,
        "",
    );
    const _: () = CHECKED.check_part(&GRAPH, AT[5] + 1, AT[6], "");
    const _: () = CHECKED
        .check_join(
            &GRAPH,
            AT[7],
            1,
            &__rt::Join::Residual {
                start: AT[4],
                shortcut: __rt::Shortcut::Missing,
            },
            "",
        );
    const _: () = CHECKED.check_layer(&GRAPH, AT[8], &[], "");
    const _: () = CHECKED.check_layer(&GRAPH, AT[9], &[], "");
    const _: () = CHECKED.check_fit(&GRAPH, AT[10], __rt::Argument::OutFeatures, "");
    const _: () = CHECKED
        .check_layer(&GRAPH, AT[10], &[__rt::Argument::OutFeatures], "");
    impl Parts {
        /// A dimension of a layer's parameter.
        #[allow(dead_code)]
        const fn __size(layer: usize, tensor: usize, axis: usize) -> usize {
            __rt::shape_of(&TENSORS, AT[layer], tensor).padded(axis)
        }
        /// How many dimensions a layer's parameter has.
        #[allow(dead_code)]
        const fn __rank(layer: usize, tensor: usize) -> usize {
            __rt::shape_of(&TENSORS, AT[layer], tensor).rank()
        }
    }
    const CONV1: __rt::Step = PLAN.step(AT[1]);
    const LAYER_NORM_1: __rt::Step = PLAN.step(AT[4]);
    const CONV2D_2: __rt::Step = PLAN.step(AT[5]);
    const RESIDUAL_1: __rt::Step = PLAN.step(AT[7]);
    const FC: __rt::Step = PLAN.step(AT[10]);
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::Network for Parts {
        type Input = [[[f32; 32]; 32]; 3];
        type Output = [f32; 10];
        type OutputValue = [f32; 10];
        type Parameters = PartsParameters;
        const GRAPH: __rt::Graph<'static> = GRAPH;
        const SHAPES: &'static [__rt::Shape] = &SHAPES;
        const LAYERS: &'static [__rt::LayerInfo] = &LAYERS;
        const LAYOUT: __rt::Layout = __rt::Layout::new(&PLAN, &TENSORS);
        fn from_model(model: __rt::Model<PartsParameters>) -> Self {
            Self { __model: model }
        }
        fn model(&self) -> &__rt::Model<PartsParameters> {
            &self.__model
        }
        fn model_mut(&mut self) -> &mut __rt::Model<PartsParameters> {
            &mut self.__model
        }
        #[allow(unused_variables)]
        fn forward_group(net: &PartsParameters, run: &mut __rt::Forward<'_>) {
            run.conv2d(&CONV1, &net.conv1);
            <__Parts_Backbone as __rt::AsLayer>::forward::<
                <::typenet::__private::Dims<
                    { Parts::__rank(3, 0) },
                    { Parts::__size(3, 0, 0) },
                    { Parts::__size(3, 0, 1) },
                    { Parts::__size(3, 0, 2) },
                    { Parts::__size(3, 0, 3) },
                > as ::typenet::__private::Array>::Numbers,
                <::typenet::__private::Dims<
                    { Parts::__rank(3, 1) },
                    { Parts::__size(3, 1, 0) },
                    { Parts::__size(3, 1, 1) },
                    { Parts::__size(3, 1, 2) },
                    { Parts::__size(3, 1, 3) },
                > as ::typenet::__private::Array>::Numbers,
            >(&net.features, FEATURES.first, run);
            run.group_norm(&LAYER_NORM_1, &net.layer_norm_1);
            run.conv2d(&CONV2D_2, &net.conv2d_2);
            <__Parts_Swirl as __rt::AsLayer>::forward::<
                <::typenet::__private::Dims<
                    { Parts::__rank(6, 0) },
                    { Parts::__size(6, 0, 0) },
                    { Parts::__size(6, 0, 1) },
                    { Parts::__size(6, 0, 2) },
                    { Parts::__size(6, 0, 3) },
                > as ::typenet::__private::Array>::Numbers,
                <::typenet::__private::Dims<
                    { Parts::__rank(6, 1) },
                    { Parts::__size(6, 1, 0) },
                    { Parts::__size(6, 1, 1) },
                    { Parts::__size(6, 1, 2) },
                    { Parts::__size(6, 1, 3) },
                > as ::typenet::__private::Array>::Numbers,
            >(&net.swirl_1, SWIRL_1.first, run);
            run.add(&RESIDUAL_1);
            run.linear(&FC, &net.fc);
        }
        #[allow(unused_variables)]
        fn backward_group(
            net: &PartsParameters,
            gradients: &mut PartsParameters,
            run: &mut __rt::Backward<'_>,
        ) {
            run.linear(&FC, &net.fc, &mut gradients.fc);
            run.add(&RESIDUAL_1);
            <__Parts_Swirl as __rt::AsLayer>::backward::<
                <::typenet::__private::Dims<
                    { Parts::__rank(6, 0) },
                    { Parts::__size(6, 0, 0) },
                    { Parts::__size(6, 0, 1) },
                    { Parts::__size(6, 0, 2) },
                    { Parts::__size(6, 0, 3) },
                > as ::typenet::__private::Array>::Numbers,
                <::typenet::__private::Dims<
                    { Parts::__rank(6, 1) },
                    { Parts::__size(6, 1, 0) },
                    { Parts::__size(6, 1, 1) },
                    { Parts::__size(6, 1, 2) },
                    { Parts::__size(6, 1, 3) },
                > as ::typenet::__private::Array>::Numbers,
            >(&net.swirl_1, &mut gradients.swirl_1, SWIRL_1.first, run);
            run.conv2d(&CONV2D_2, &net.conv2d_2, &mut gradients.conv2d_2);
            run.group_norm(
                &LAYER_NORM_1,
                &net.layer_norm_1,
                &mut gradients.layer_norm_1,
            );
            <__Parts_Backbone as __rt::AsLayer>::backward::<
                <::typenet::__private::Dims<
                    { Parts::__rank(3, 0) },
                    { Parts::__size(3, 0, 0) },
                    { Parts::__size(3, 0, 1) },
                    { Parts::__size(3, 0, 2) },
                    { Parts::__size(3, 0, 3) },
                > as ::typenet::__private::Array>::Numbers,
                <::typenet::__private::Dims<
                    { Parts::__rank(3, 1) },
                    { Parts::__size(3, 1, 0) },
                    { Parts::__size(3, 1, 1) },
                    { Parts::__size(3, 1, 2) },
                    { Parts::__size(3, 1, 3) },
                > as ::typenet::__private::Array>::Numbers,
            >(&net.features, &mut gradients.features, FEATURES.first, run);
            run.conv2d(&CONV1, &net.conv1, &mut gradients.conv1);
        }
    }
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::SingleInput for Parts {}
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::SingleOutput for Parts {}
    #[automatically_derived]
    #[diagnostic::do_not_recommend]
    impl __rt::EndsInLogits for Parts {}
    #[automatically_derived]
    impl ::core::ops::Deref for Parts {
        type Target = PartsParameters;
        fn deref(&self) -> &PartsParameters {
            self.__model.parameters()
        }
    }
    #[automatically_derived]
    impl ::core::ops::DerefMut for Parts {
        fn deref_mut(&mut self) -> &mut PartsParameters {
            self.__model.parameters_mut()
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for Parts {
        fn clone(&self) -> Self {
            Self {
                __model: ::core::clone::Clone::clone(&self.__model),
            }
        }
    }
    #[automatically_derived]
    impl ::core::cmp::PartialEq for Parts {
        fn eq(&self, other: &Self) -> bool {
            self.__model == other.__model
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for Parts {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::core::fmt::Display::fmt(&<Self as __rt::Network>::summary(), f)
        }
    }
    const _: () = {
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::relu;
        let _ = ::typenet::layers::layer_norm;
        let _ = ::typenet::layers::residual;
        let _ = ::typenet::layers::conv2d;
        let _ = ::typenet::layers::relu;
        let _ = ::typenet::layers::flatten;
        let _ = ::typenet::layers::linear;
    };
    #[allow(unexpected_cfgs, unused, non_camel_case_types)]
    const _: () = {
        #[cfg(rust_analyzer)]
        const _: () = {
            const _: () = {
                /// `conv2d(3, kernel = 3, padding = 1)`, `[3, 32, 32]` → `[3, 32, 32]`, 84 parameters, 82,944 multiply-adds
                mod conv2d {}
            };
            const _: () = {
                /// `relu`, `[3, 32, 32]` → `[3, 32, 32]`
                mod relu {}
            };
            const _: () = {
                /// `conv2d(8, kernel = 3, padding = 1)`
                mod conv2d {}
            };
            const _: () = {
                /// `flatten`
                mod flatten {}
            };
            const _: () = {
                /// `linear(10)`, `[?]` → `[10]`
                mod linear {}
            };
        };
    };
};
