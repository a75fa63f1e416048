//! Regularisers: values and gradients by hand, and which tensors they take.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/tiny.rs"]
mod tiny;

use tiny::{Tiny, TinyParameters};
use typenet_engine::Flat;
use typenet_runtime::Network;
use typenet_runtime::optim::Regularizer;
use typenet_shape::{Graph, Node, Op, Shape, Tensor};

const GRAPH: Graph<'static> = Graph::new(
    "Names",
    &[
        Node { name: "input", op: Op::Input { shape: Shape::new(&[1]) }, inputs: &[] },
        Node { name: "a", op: Op::Linear { out_features: 1, bias: true }, inputs: &[0] },
        Node { name: "a.b", op: Op::Linear { out_features: 1, bias: true }, inputs: &[1] },
        Node { name: "ab", op: Op::Linear { out_features: 1, bias: true }, inputs: &[2] },
    ],
);
const TENSORS: [Tensor; 6] = GRAPH.tensors::<4, 6>();

/// Powers of two, so that a sum says which weights are in it: a, a.b and ab, weight before bias.
const WEIGHTS: [f32; 6] = [1.0, -2.0, -4.0, 8.0, 16.0, -32.0];

fn value(regularizer: &Regularizer) -> f64 {
    regularizer.check_against(&GRAPH, &TENSORS).unwrap();
    regularizer.value(&GRAPH, &TENSORS, &WEIGHTS)
}

fn gradient(regularizer: &Regularizer) -> [f32; 6] {
    let mut gradients = [100.0; 6];
    regularizer.add_gradient(&GRAPH, &TENSORS, &WEIGHTS, &mut gradients);
    gradients.map(|g| g - 100.0)
}

#[test]
fn l2_is_the_sum_of_squares() {
    let l2 = Regularizer::l2(0.5);
    assert_eq!(value(&l2), 0.5 * (1.0 + 16.0 + 256.0));
    assert_eq!(gradient(&l2), [1.0, 0.0, -4.0, 0.0, 16.0, 0.0]);
    let all = l2.biases(true);
    assert_eq!(value(&all), 0.5 * (1.0 + 4.0 + 16.0 + 64.0 + 256.0 + 1024.0));
    assert_eq!(gradient(&all), WEIGHTS);
}

#[test]
fn l1_is_the_sum_of_sizes_and_flat_at_zero() {
    let l1 = Regularizer::l1(0.5);
    assert_eq!(value(&l1), 0.5 * 21.0);
    assert_eq!(gradient(&l1.clone().biases(true)), [0.5, -0.5, -0.5, 0.5, 0.5, -0.5]);
    let mut gradients = [0.0; 6];
    l1.add_gradient(&GRAPH, &TENSORS, &[0.0, 1.0, -0.0, 1.0, 1e-30, 1.0], &mut gradients);
    assert_eq!(gradients, [0.0, 0.0, 0.0, 0.0, 0.5, 0.0]);
}

#[test]
fn paths_are_whole_steps_of_a_name() {
    let only = |paths: &[&str]| value(&Regularizer::l1(1.0).biases(true).only(paths));
    assert_eq!(only(&["a"]), 1.0 + 2.0 + 4.0 + 8.0);
    assert_eq!(only(&["a.b"]), 4.0 + 8.0);
    assert_eq!(only(&["ab"]), 16.0 + 32.0);
    assert_eq!(only(&["a.bias"]), 2.0);
    assert_eq!(only(&["a.b.weight", "ab.bias"]), 4.0 + 32.0);
    assert_eq!(only(&["a", "a.b"]), 15.0);
    assert_eq!(value(&Regularizer::l1(1.0).only(&["ab"])), 16.0);
    assert_eq!(value(&Regularizer::l1(1.0).only(&[])), 0.0);
    for path in ["", "b", "a.", "a.b.", "a.weigh", "abc", "input"] {
        let error = Regularizer::l1(1.0).only(&[path]).check_against(&GRAPH, &TENSORS).unwrap_err();
        let start = format!("`Names` has no layer `{path}`: ");
        assert!(error.to_string().starts_with(&start), "{error}");
    }
}

#[test]
fn terms_add_up() {
    let sum = Regularizer::l2(0.5).only(&["a"]).and(Regularizer::l1(2.0).biases(true));
    assert_eq!(value(&sum), 0.5 * 17.0 + 2.0 * 63.0);
    assert_eq!(gradient(&sum), [3.0, -2.0, -6.0, 2.0, 2.0, -2.0]);
}

#[test]
fn a_net_is_regularised_by_its_own_names() {
    let mut net = Tiny::seeded(0);
    net.parameters_flat_mut().fill(0.5);
    let l2 = Regularizer::l2(2.0);
    assert_eq!(l2.value_of(&net), 2.0 * 0.25 * (36.0 + 360.0));
    let mut gradients = TinyParameters::zeroed();
    l2.only(&["fc"]).add_gradient_of(&net, &mut gradients);
    assert_eq!(gradients.fc.weight, [[2.0; 36]; 10]);
    assert_eq!(gradients.as_flat().iter().sum::<f32>(), 720.0);
}

#[test]
fn large_tensors_are_summed_as_small_ones() {
    const WIDE: Graph<'static> = Graph::new(
        "Wide",
        &[
            Node { name: "input", op: Op::Input { shape: Shape::new(&[500]) }, inputs: &[] },
            Node { name: "fc", op: Op::Linear { out_features: 401, bias: false }, inputs: &[0] },
        ],
    );
    let tensors = WIDE.tensors::<2, 1>();
    let w: Vec<f32> = (0..500 * 401).map(|i| (i % 7) as f32 - 3.0).collect();
    let squares: f64 = w.iter().map(|&w| f64::from(w * w)).sum();
    assert_eq!(Regularizer::l2(1.0).value(&WIDE, &tensors, &w), squares);
    let mut gradients = vec![1.0; w.len()];
    Regularizer::l2(0.5).add_gradient(&WIDE, &tensors, &w, &mut gradients);
    assert!(gradients.iter().zip(&w).all(|(g, w)| *g == 1.0 + w));
}

#[test]
fn wrong_arguments_are_refused() {
    for lambda in [-0.1, f64::NAN, f64::INFINITY] {
        let message = format!("`lambda` = {lambda}: a finite number, 0 or more, is needed");
        let sum = Regularizer::l1(0.1).and(Regularizer::l2(lambda));
        assert_eq!(sum.check().unwrap_err().to_string(), message);
        assert!(sum.check_against(&GRAPH, &TENSORS).is_err());
    }
}
