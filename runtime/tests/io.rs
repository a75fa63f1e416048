//! Saving and loading a net of one layer, written in the form that `network!` gives it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use typenet_engine::Layout;
use typenet_engine::parameters::WeightBias;
use typenet_engine::pass::{Backward, Forward};
use typenet_runtime::{Error, Model, Network, Normalization};
use typenet_shape::{Graph, LayerInfo, Node, Op, Plan, Shape, Step, Tensor};

typenet_engine::__parameter_struct! {
    struct LineParameters {
        pub fc: WeightBias<[[f32; 3]; 2], [f32; 2]>,
    }
}

/// A net whose layer has another name is another net to a weight file.
#[derive(Clone)]
struct Line<const OTHER: bool> {
    model: Model<LineParameters>,
}

static SHAPES: [Shape; 2] = Line::<false>::GRAPH.shapes();
static TENSORS: [Tensor; 2] = Line::<false>::GRAPH.tensors::<2, 2>();
static PLAN: Plan<2> = Plan::new(&Line::<false>::GRAPH);
const FC: Step = PLAN.step(1);

impl<const OTHER: bool> Network for Line<OTHER> {
    type Input = [f32; 3];
    type Output = [f32; 2];
    type OutputValue = [f32; 2];
    type Parameters = LineParameters;

    const GRAPH: Graph<'static> = Graph {
        name: "Line",
        nodes: &[
            Node { name: "input", op: Op::Input { shape: Shape::new(&[3]) }, inputs: &[] },
            Node {
                name: if OTHER { "linear_1" } else { "fc" },
                op: Op::Linear { out_features: 2, bias: true },
                inputs: &[0],
            },
        ],
        marks: &[],
        heads: &[],
    };
    const SHAPES: &'static [Shape] = &SHAPES;
    const LAYERS: &'static [LayerInfo] = &Self::GRAPH.layers::<2>(&SHAPES);
    const LAYOUT: Layout = Layout::new(&PLAN, &TENSORS);

    fn from_model(model: Model<LineParameters>) -> Self {
        Line { model }
    }
    fn model(&self) -> &Model<LineParameters> {
        &self.model
    }
    fn model_mut(&mut self) -> &mut Model<LineParameters> {
        &mut self.model
    }
    fn forward_group(net: &LineParameters, run: &mut Forward<'_>) {
        run.linear(&FC, &net.fc);
    }
    fn backward_group(
        net: &LineParameters,
        gradients: &mut LineParameters,
        run: &mut Backward<'_>,
    ) {
        run.linear(&FC, &net.fc, &mut gradients.fc);
    }
}

#[test]
fn a_net_comes_back_with_its_weights_names_and_normalization() {
    let mut net = Line::<false>::from_model(Model::zeroed());
    let numbers = [1.0, -2.0, 0.1, f32::MIN_POSITIVE, 5.0, 6.5, -7.0, 8.0];
    net.parameters_flat_mut().copy_from_slice(&numbers);
    net.metadata_mut().class_names = vec!["left".into(), "right".into()];
    net.metadata_mut().normalization =
        Some(Normalization { mean: vec![0.1, 0.2, 0.3], std: vec![1.0, 0.7, 0.5] });

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("line.safetensors");
    net.save(&path).unwrap();
    let loaded = Line::<false>::load(&path).unwrap();
    assert_eq!(loaded.parameters_flat(), numbers);
    assert_eq!(loaded.metadata(), net.metadata());

    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(net.to_bytes().unwrap(), bytes);
    assert_eq!(Line::<false>::from_bytes(&bytes).unwrap().parameters_flat(), numbers);
    let error = Line::<false>::from_bytes(&bytes[..50]).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("the bytes"), "{error}");

    match Line::<true>::load(&path) {
        Err(Error::Weights { missing, extra, .. }) => {
            assert_eq!(missing, ["linear_1.weight [2, 3]", "linear_1.bias [2]"]);
            assert_eq!(extra, ["fc.bias", "fc.weight"]);
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("the weights of another net were loaded"),
    }
}
