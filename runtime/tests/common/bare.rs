//! Nets whose passes do nothing, for tests of what stands around the passes. A net without layers
//! gives its inputs back as its outputs.

/// Declares a net with these types, and the nodes of its graph.
macro_rules! bare_net {
    ($name:ident, $input:ty, $output:ty, $parameters:ty, $count:literal, $nodes:expr) => {
        #[derive(Clone, Debug)]
        pub(crate) struct $name {
            model: ::typenet_runtime::Model<$parameters>,
        }

        const _: () = {
            use ::typenet_engine::Layout;
            use ::typenet_engine::pass::{Backward, Forward};
            use ::typenet_runtime::{Model, Network};
            use ::typenet_shape::{Graph, Plan, Tensor};

            const GRAPH: Graph<'static> = Graph::new(stringify!($name), $nodes);
            static SHAPES: [::typenet_shape::Shape; $count] = GRAPH.shapes();
            static LAYERS: [::typenet_shape::LayerInfo; $count] = GRAPH.layers(&SHAPES);
            static TENSORS: [Tensor; GRAPH.tensor_count()] = GRAPH.tensors::<$count, _>();
            static PLAN: Plan<$count> = Plan::new(&GRAPH);

            impl Network for $name {
                type Input = $input;
                type Output = $output;
                type OutputValue = $output;
                type Parameters = $parameters;
                const GRAPH: Graph<'static> = GRAPH;
                const SHAPES: &'static [::typenet_shape::Shape] = &SHAPES;
                const LAYERS: &'static [::typenet_shape::LayerInfo] = &LAYERS;
                const LAYOUT: Layout = Layout::new(&PLAN, &TENSORS);
                fn from_model(model: Model<$parameters>) -> Self {
                    $name { model }
                }
                fn model(&self) -> &Model<$parameters> {
                    &self.model
                }
                fn model_mut(&mut self) -> &mut Model<$parameters> {
                    &mut self.model
                }
                fn forward_group(_: &$parameters, _: &mut Forward<'_>) {}
                fn backward_group(_: &$parameters, _: &mut $parameters, _: &mut Backward<'_>) {}
            }

            impl ::typenet_runtime::net::SingleInput for $name {}
            impl ::typenet_runtime::net::SingleOutput for $name {}
            impl ::typenet_runtime::net::EndsInLogits for $name {}
        };
    };
}
pub(crate) use bare_net;
