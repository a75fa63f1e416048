//! A net written by hand in the form that `network!` gives it: the macro's expansion is this.
#![allow(dead_code, unreachable_pub)]

/// A small net for 8×8 images.
pub struct Tiny {
    model: ::typenet_runtime::Model<TinyParameters>,
}

::typenet_engine::__parameter_struct! {
    /// The parameters of [`Tiny`].
    pub struct TinyParameters {
        /// `conv1`: conv2d, [1, 8, 8] → [4, 6, 6]
        pub conv1: ::typenet_engine::parameters::WeightBias<[[[[f32; 3]; 3]; 1]; 4], [f32; 4]>,
        /// `fc`: linear, [36] → [10]
        pub fc: ::typenet_engine::parameters::WeightBias<[[f32; 36]; 10], [f32; 10]>,
    }
}

/// Gradients of [`Tiny`], in the shape of its parameters.
pub type TinyGradients = TinyParameters;

const _: () = {
    use ::typenet_engine::Layout;
    use ::typenet_engine::pass::{Backward, Forward};
    use ::typenet_runtime::Model;
    use ::typenet_shape::{Graph, LayerInfo, Node, Op, Padding, Plan, Shape, Step, Tensor};

    const NODES: usize = 6;
    const GRAPH: Graph<'static> = Graph::new(
        "Tiny",
        &[
            Node { name: "input", op: Op::Input { shape: Shape::new(&[1, 8, 8]) }, inputs: &[] },
            Node {
                name: "conv1",
                op: Op::Conv2d {
                    out_channels: 4,
                    kernel: [3, 3],
                    stride: [1, 1],
                    padding: Padding::Zeros([0, 0]),
                    dilation: [1, 1],
                    groups: 1,
                    bias: true,
                },
                inputs: &[0],
            },
            Node { name: "relu_1", op: Op::Relu, inputs: &[1] },
            Node {
                name: "max_pool2d_1",
                op: Op::MaxPool2d {
                    kernel: [2, 2],
                    stride: [2, 2],
                    padding: [0, 0],
                    ceil_mode: false,
                },
                inputs: &[2],
            },
            Node { name: "flatten_1", op: Op::Flatten, inputs: &[3] },
            Node { name: "fc", op: Op::Linear { out_features: 10, bias: true }, inputs: &[4] },
        ],
    );
    static SHAPES: [Shape; NODES] = GRAPH.shapes();
    static LAYERS: [LayerInfo; NODES] = GRAPH.layers(&SHAPES);
    static TENSORS: [Tensor; GRAPH.tensor_count()] = GRAPH.tensors::<NODES, _>();
    static PLAN: Plan<NODES> = Plan::new(&GRAPH);
    const CONV1: Step = PLAN.step(1);
    const MAX_POOL2D_1: Step = PLAN.step(3);
    const FC: Step = PLAN.step(5);

    impl ::typenet_runtime::Network for Tiny {
        type Input = [[[f32; 8]; 8]; 1];
        type Output = [f32; 10];
        type OutputValue = [f32; 10];
        type Parameters = TinyParameters;

        const GRAPH: Graph<'static> = GRAPH;
        const SHAPES: &'static [Shape] = &SHAPES;
        const LAYERS: &'static [LayerInfo] = &LAYERS;
        const LAYOUT: Layout = Layout::new(&PLAN, &TENSORS);

        fn from_model(model: Model<TinyParameters>) -> Self {
            Tiny { model }
        }
        fn model(&self) -> &Model<TinyParameters> {
            &self.model
        }
        fn model_mut(&mut self) -> &mut Model<TinyParameters> {
            &mut self.model
        }

        fn forward_group(net: &TinyParameters, run: &mut Forward<'_>) {
            run.conv2d(&CONV1, &net.conv1);
            run.max_pool2d(&MAX_POOL2D_1);
            run.linear(&FC, &net.fc);
        }

        fn backward_group(
            net: &TinyParameters,
            gradients: &mut TinyParameters,
            run: &mut Backward<'_>,
        ) {
            run.linear(&FC, &net.fc, &mut gradients.fc);
            run.max_pool2d(&MAX_POOL2D_1);
            run.conv2d(&CONV1, &net.conv1, &mut gradients.conv1);
        }
    }

    impl ::typenet_runtime::net::SingleInput for Tiny {}
    impl ::typenet_runtime::net::SingleOutput for Tiny {}
    impl ::typenet_runtime::net::EndsInLogits for Tiny {}

    impl ::core::ops::Deref for Tiny {
        type Target = TinyParameters;
        fn deref(&self) -> &TinyParameters {
            self.model.parameters()
        }
    }

    impl ::core::ops::DerefMut for Tiny {
        fn deref_mut(&mut self) -> &mut TinyParameters {
            self.model.parameters_mut()
        }
    }

    impl ::core::clone::Clone for Tiny {
        fn clone(&self) -> Self {
            Tiny { model: ::core::clone::Clone::clone(&self.model) }
        }
    }
};
