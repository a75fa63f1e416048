/// LeNet-5 for 28×28 grey images.
/**

| layer | kind | output | parameters |
|---|---|---|---:|
| input |  | `[1, 28, 28]` |  |
| conv1 | `conv2d(6, kernel = 5, padding = 2)` | `[6, 28, 28]` | 156 |
|  | `relu` | `[6, 28, 28]` |  |
|  | `max_pool2d(2)` | `[6, 14, 14]` |  |
| conv2 | `conv2d(16, kernel = 5)` | `[16, 10, 10]` | 2,416 |
|  | `relu` | `[16, 10, 10]` |  |
|  | `max_pool2d(2)` | `[16, 5, 5]` |  |
|  | `flatten` | `[400]` |  |
| fc1 | `linear(120)` | `[120]` | 48,120 |
|  | `relu` | `[120]` |  |
| fc2 | `linear(84)` | `[84]` | 10,164 |
|  | `relu` | `[84]` |  |
| fc3 | `linear(10)` | `[10]` | 850 |
| | | | **61,706** |
*/
pub struct LeNet5 {
    __model: ::typenet::__private::Model<LeNet5Parameters>,
}
::typenet::__private::__parameter_struct! {
    #[doc = " The parameters of [`LeNet5`], a field for each layer that has some."] pub
    struct LeNet5Parameters { #[doc =
    " `conv2d(6, kernel = 5, padding = 2)`. From [1, 28, 28] to [6, 28, 28]."] pub conv1
    : ::typenet::parameters::WeightBias < [[[[f32; 5]; 5]; 1]; 6], [f32; 6] >, #[doc =
    " `conv2d(16, kernel = 5)`. From [6, 14, 14] to [16, 10, 10]."] pub conv2 :
    ::typenet::parameters::WeightBias < [[[[f32; 5]; 5]; 6]; 16], [f32; 16] >, #[doc =
    " `linear(120)`. From [400] to [120]."] pub fc1 : ::typenet::parameters::WeightBias <
    [[f32; 400]; 120], [f32; 120] >, #[doc = " `linear(84)`. From [120] to [84]."] pub
    fc2 : ::typenet::parameters::WeightBias < [[f32; 120]; 84], [f32; 84] >, #[doc =
    " `linear(10)`. From [84] to [10]."] pub fc3 : ::typenet::parameters::WeightBias <
    [[f32; 84]; 10], [f32; 10] >, }
}
/// Gradients of [`LeNet5`], in the shape of its parameters.
#[allow(dead_code)]
pub type LeNet5Gradients = LeNet5Parameters;
const _: () = {
    use ::typenet::__private as rt;
    const NODES: usize = 13;
    const GRAPH: rt::Graph<'static> = rt::Graph {
        name: "LeNet5",
        nodes: &[
            rt::Node {
                name: "input",
                op: rt::Op::Input {
                    shape: rt::Shape::new(&[1, 28, 28]),
                },
                inputs: &[],
            },
            rt::Node {
                name: "conv1",
                op: rt::Op::Conv2d {
                    out_channels: 6,
                    kernel: [5, 5],
                    stride: [1, 1],
                    padding: [2, 2],
                    dilation: [1, 1],
                    groups: 1,
                    bias: true,
                },
                inputs: &[0],
            },
            rt::Node {
                name: "relu",
                op: rt::Op::Relu,
                inputs: &[1],
            },
            rt::Node {
                name: "max_pool2d",
                op: rt::Op::MaxPool2d {
                    kernel: [2, 2],
                    stride: [2, 2],
                    padding: [0, 0],
                },
                inputs: &[2],
            },
            rt::Node {
                name: "conv2",
                op: rt::Op::Conv2d {
                    out_channels: 16,
                    kernel: [5, 5],
                    stride: [1, 1],
                    padding: [0, 0],
                    dilation: [1, 1],
                    groups: 1,
                    bias: true,
                },
                inputs: &[3],
            },
            rt::Node {
                name: "relu",
                op: rt::Op::Relu,
                inputs: &[4],
            },
            rt::Node {
                name: "max_pool2d",
                op: rt::Op::MaxPool2d {
                    kernel: [2, 2],
                    stride: [2, 2],
                    padding: [0, 0],
                },
                inputs: &[5],
            },
            rt::Node {
                name: "flatten",
                op: rt::Op::Flatten,
                inputs: &[6],
            },
            rt::Node {
                name: "fc1",
                op: rt::Op::Linear {
                    out_features: 120,
                    bias: true,
                },
                inputs: &[7],
            },
            rt::Node {
                name: "relu",
                op: rt::Op::Relu,
                inputs: &[8],
            },
            rt::Node {
                name: "fc2",
                op: rt::Op::Linear {
                    out_features: 84,
                    bias: true,
                },
                inputs: &[9],
            },
            rt::Node {
                name: "relu",
                op: rt::Op::Relu,
                inputs: &[10],
            },
            rt::Node {
                name: "fc3",
                op: rt::Op::Linear {
                    out_features: 10,
                    bias: true,
                },
                inputs: &[11],
            },
        ],
    };
    static SHAPES: [rt::Shape; NODES] = GRAPH.shapes();
    static TENSORS: [rt::Tensor; 10] = GRAPH.tensors::<NODES, 10>();
    const PLAN: rt::Plan<NODES> = rt::Plan::new(&GRAPH);
    const CONV1: rt::Step = PLAN.step(1);
    const MAX_POOL2D_1: rt::Step = PLAN.step(3);
    const CONV2: rt::Step = PLAN.step(4);
    const MAX_POOL2D_2: rt::Step = PLAN.step(6);
    const FC1: rt::Step = PLAN.step(8);
    const FC2: rt::Step = PLAN.step(10);
    const FC3: rt::Step = PLAN.step(12);
    #[automatically_derived]
    impl rt::Network for LeNet5 {
        type Input = [[[f32; 28]; 28]; 1];
        type Output = [f32; 10];
        type OutputValue = [f32; 10];
        type Parameters = LeNet5Parameters;
        const GRAPH: rt::Graph<'static> = GRAPH;
        const SHAPES: &'static [rt::Shape] = &SHAPES;
        const LAYOUT: rt::Layout = rt::Layout::new(&PLAN, &TENSORS);
        fn from_model(model: rt::Model<LeNet5Parameters>) -> Self {
            Self { __model: model }
        }
        fn model(&self) -> &rt::Model<LeNet5Parameters> {
            &self.__model
        }
        fn model_mut(&mut self) -> &mut rt::Model<LeNet5Parameters> {
            &mut self.__model
        }
        #[allow(unused_variables)]
        fn forward_group(net: &LeNet5Parameters, run: &mut rt::Forward<'_>) {
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
            run: &mut rt::Backward<'_>,
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
    impl rt::Logits for LeNet5 {}
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
            ::core::fmt::Display::fmt(&<Self as rt::Network>::summary(), f)
        }
    }
    #[allow(clippy::no_effect, path_statements)]
    const fn __keywords() {
        ::typenet::layers::conv2d;
        ::typenet::layers::relu;
        ::typenet::layers::max_pool2d;
        ::typenet::layers::conv2d;
        ::typenet::layers::relu;
        ::typenet::layers::max_pool2d;
        ::typenet::layers::flatten;
        ::typenet::layers::linear;
        ::typenet::layers::relu;
        ::typenet::layers::linear;
        ::typenet::layers::relu;
        ::typenet::layers::linear;
    }
    const _: () = __keywords();
};
