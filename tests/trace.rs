//! Looking inside a net: its layers as constants, and each layer's value for one image.
#![allow(clippy::unwrap_used, clippy::panic)]

use typenet::prelude::*;
use typenet::{Error, Flat, OutputValue};

/// Nets that go on from each other's layers, with the same names.
macro_rules! nets {
    ($($net:ident -> $output:tt { $($more:tt)* })*) => {$(
        network! {
            struct $net: [2, 8, 8] -> $output {
                block basic(out, stride = 1) {
                    residual {
                        conv1: conv2d(out, kernel = 3, stride = stride, padding = 1, bias = false),
                        bn1: batch_norm, relu,
                        conv2: conv2d(out, kernel = 3, padding = 1, bias = false), bn2: batch_norm,
                    } shortcut {
                        down: conv2d(out, kernel = 1, stride = stride), batch_norm,
                    }
                    relu,
                }

                conv1: conv2d(4, kernel = 3, padding = 1), batch_norm, relu,
                $($more)*
            }
        }
    )*};
}

network! {
    struct Stem: [2, 8, 8] -> [4, 8, 8] {
        conv1: conv2d(4, kernel = 3, padding = 1), batch_norm, relu,
    }
}

nets! {
    Stage -> [6, 4, 4] { stage: basic(6, stride = 2), }
    Summed -> [6, 4, 4] {
        stage: basic(6, stride = 2),
        repeat(2) { residual { conv2d(6, kernel = 3, padding = 1), batch_norm } tanh }
    }
    Whole -> [3] {
        stage: basic(6, stride = 2),
        repeat(2) { residual { conv2d(6, kernel = 3, padding = 1), batch_norm } tanh }
        dropout,
        max_pool2d(2), max_pool2d(2),
        flatten,
        fc: linear(3), sigmoid,
    }
}

fn image(from: usize) -> Input<Whole> {
    let number = |n: usize| (n * 7919 % 1009) as f32 / 504.5 - 1.0;
    let at = |c: usize, y: usize, x: usize| number(from + (c * 8 + y) * 8 + x);
    std::array::from_fn(|c| std::array::from_fn(|y| std::array::from_fn(|x| at(c, y, x))))
}

/// A net with weights and running statistics that are not those it starts with.
fn whole() -> Whole {
    let images: Vec<Input<Whole>> = (0..40).map(|i| image(1000 * i)).collect();
    let labels: Vec<[f32; 3]> = (0..40).map(|i| [1.0, (i % 2) as f32, 0.0]).collect();
    let mut net = Whole::seeded(5);
    let data = Dataset::from_inputs(&images, labels).unwrap();
    let trainer = Trainer::new(Sgd::new(0.05)).loss(MeanSquaredError::new());
    trainer.batch(10).epochs(2).fit(&mut net, &data, None).unwrap();
    net
}

/// What the fused passes compute for this net, given the parameters of a longer one.
fn fused<N: Network>(net: &Whole, image: &N::Input) -> Vec<f32> {
    let mut part = N::seeded(0);
    let count = part.parameters_flat().len();
    part.parameters_flat_mut().copy_from_slice(&net.parameters_flat()[..count]);
    part.output(image).get_mut().as_flat().to_vec()
}

fn assert_near(name: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (&found, &expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 1e-5 * expected.abs().max(1.0),
            "{name}: {found} for {expected}"
        );
    }
}

#[test]
fn values_are_those_of_the_fused_passes() {
    let net = whole();
    let image = image(77);
    let trace = net.trace(&image);
    let value = |name: &str| trace.get(name).unwrap().numbers.as_slice();
    assert_eq!(value("input"), image.as_flat());
    assert_near("relu_1", value("relu_1"), &fused::<Stem>(&net, &image));
    assert_near("stage.relu_2", value("stage.relu_2"), &fused::<Stage>(&net, &image));
    assert_near("repeat_1.1.tanh_1", value("repeat_1.1.tanh_1"), &fused::<Summed>(&net, &image));
    assert_near("sigmoid_1", value("sigmoid_1"), net.output(&image).as_flat());
}

#[test]
fn values_have_no_layer_fused_into_them() {
    let trace = whole().trace(&image(3));
    let value = |name: &str| trace.get(name).unwrap().numbers.as_slice();
    let relu: Vec<f32> = value("stage.residual_1").iter().map(|x| x.max(0.0)).collect();
    assert_eq!(value("stage.relu_2"), relu);
    assert!(value("stage.residual_1").iter().any(|&x| x < 0.0));
    let sum: Vec<f32> =
        value("stage.bn2").iter().zip(value("stage.batch_norm_3")).map(|(a, b)| a + b).collect();
    assert_eq!(value("stage.residual_1"), sum);
    assert!(value("stage.bn1") != value("stage.conv1"));
    assert_eq!(value("dropout_1"), value("repeat_1.1.tanh_1"));
}

#[test]
fn values_are_those_of_the_reference() {
    let (net, image) = (whole(), image(12));
    let wide = |numbers: &[f32]| numbers.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
    let reference =
        typenet::reference::evaluate::<Whole>(&wide(net.parameters_flat()), &wide(image.as_flat()));
    for (value, expected) in net.trace(&image).layers().iter().zip(&reference.values) {
        let expected: Vec<f32> = expected.iter().map(|&x| x as f32).collect();
        assert_near(value.layer.name, &value.numbers, &expected);
    }
}

#[test]
fn every_layer_is_found_by_its_name_in_the_summary() {
    let trace = whole().trace(&image(0));
    let summary = Whole::summary();
    assert_eq!(summary.rows.len(), trace.layers().len());
    for (row, layer) in summary.rows.iter().zip(Whole::LAYERS) {
        let value = trace.get(row.name).unwrap();
        assert_eq!(value.layer, *layer);
        assert_eq!(value.numbers.len(), row.output.elements(), "{}", row.name);
    }
    let names: std::collections::HashSet<&str> =
        Whole::LAYERS.iter().map(|layer| layer.name).collect();
    assert_eq!(names.len(), Whole::LAYERS.len());
}

#[test]
fn layers_are_constants() {
    const LAST: typenet::shape::LayerInfo = Whole::LAYERS[Whole::LAYERS.len() - 2];
    assert_eq!(
        (LAST.name, LAST.kind, LAST.parameters, LAST.multiply_adds),
        ("fc", "linear", 21, 18)
    );
    let of = |name: &str| *Whole::LAYERS.iter().find(|layer| layer.name == name).unwrap();
    assert_eq!(of("stage.down").output.dims(), [6, 4, 4]);
    assert_eq!((of("stage.down").parameters, of("stage.down").multiply_adds), (30, 24 * 16));
    // Running statistics are no parameters.
    assert_eq!((of("stage.bn1").kind, of("stage.bn1").parameters), ("batch_norm", 12));
    assert_eq!((of("input").kind, of("input").output.dims()), ("input", [2, 8, 8].as_slice()));
    assert_eq!(of("max_pool2d_2").output.dims(), [6, 1, 1]);
}

#[test]
fn unknown_names_get_the_nearest_one() {
    let trace = whole().trace(&image(0));
    let nearest = |name: &str| match trace.get(name).unwrap_err() {
        Error::UnknownLayer { net, nearest, .. } if net == "Whole" => nearest,
        other => panic!("{other}"),
    };
    assert_eq!(nearest("conv_1").as_deref(), Some("conv1"));
    assert_eq!(nearest("relu").as_deref(), Some("relu_1"));
    assert_eq!(nearest("stage.conv3").as_deref(), Some("stage.conv1"));
    assert_eq!(nearest("attention"), None);
    let text = trace.get("attention").unwrap_err().to_string();
    assert_eq!(text, "`Whole` has no layer `attention`");
}

#[test]
fn traces_are_shown_as_tables() {
    let text = whole().trace(&image(0)).to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), Whole::LAYERS.len() + 1);
    assert!(lines[0].starts_with("layer"), "{text}");
    assert!(lines[1].starts_with("input"), "{text}");
    assert!(lines.iter().all(|line| line.chars().count() == lines[0].chars().count()), "{text}");
}
