//! Times typenet for the comparison.

mod layers;
mod nets;

use std::hint::black_box;

use compare_driver::{Case, Pass, labels, locked, normal, sample, serve};
use nets::{LeNet5, Mlp, ResNet20, Separable, Vgg6};
use typenet::prelude::*;
use typenet::{Flat, Logits, zoo};

fn main() -> std::io::Result<()> {
    serve("typenet", locked("typenet"), &["default"], |case| match case.net.as_str() {
        "mlp" => net::<Mlp>(case),
        "lenet5" => net::<LeNet5>(case),
        "vgg6" => net::<Vgg6>(case),
        "resnet20" => net::<ResNet20>(case),
        "separable" => net::<Separable>(case),
        "resnet18" => net::<zoo::ResNet18>(case),
        "resnet50" => net::<zoo::ResNet50>(case),
        "mobilenet_v2" => net::<zoo::MobileNetV2>(case),
        "squeezenet" => net::<zoo::SqueezeNet>(case),
        "densenet121" => net::<zoo::DenseNet121>(case),
        "unet" => passes::<zoo::UNet>(case),
        other => layers::run(case).unwrap_or_else(|| Err(format!("no net `{other}`"))),
    })
}

/// A whole net, which can be trained.
fn net<N: Network + Logits>(case: &Case) -> Result<Vec<f64>, String> {
    if case.pass != Pass::Train {
        return passes::<N>(case);
    }
    let mut net = N::seeded(1);
    let numbers = normal(case.batch * N::Input::LEN);
    let images = N::Input::slice_from_flat(&numbers).ok_or("the inputs are none")?;
    let mut ws = N::workspace(case.batch);
    let labels = labels(case.batch);
    let loss = CrossEntropy::new();
    let mut sgd = Sgd::new(1e-3).momentum(0.9).weight_decay(5e-4).state(&net);
    Ok(sample(case.time, || {
        net.forward(images, &mut ws);
        black_box(loss.forward_backward(&labels, &mut ws).is_ok());
        net.backward(images, &mut ws);
        sgd.step(&mut net, ws.gradients());
    }))
}

/// The passes that need no loss.
fn passes<N: Network>(case: &Case) -> Result<Vec<f64>, String> {
    let mut net = N::seeded(1);
    let numbers = normal(case.batch * N::Input::LEN);
    let images = N::Input::slice_from_flat(&numbers).ok_or("the inputs are none")?;
    let mut ws = N::workspace(case.batch);
    match case.pass {
        Pass::Train => Err("a single layer has no loss".into()),
        Pass::Infer => {
            let mut outputs = vec![0.0; case.batch * N::Output::LEN];
            let outputs = N::Output::slice_from_flat_mut(&mut outputs).ok_or("no outputs")?;
            Ok(sample(case.time, || {
                let done = net.outputs_into(&mut ws, black_box(images), outputs);
                black_box((done.is_ok(), &outputs));
            }))
        }
        Pass::Jvp | Pass::JvpOfAll => {
            let [directions, moves] = [images.len() * N::Input::LEN, N::Parameters::LEN].map(normal);
            let along = N::Input::slice_from_flat(&directions).ok_or("the directions are none")?;
            let mut along = Direction::of_inputs(along);
            if case.pass == Pass::JvpOfAll {
                along = along.and_parameters(N::Parameters::from_flat(&moves).ok_or("no parameters")?);
            }
            let mut rows = [(); 2].map(|()| N::Output::zeroed_vec(images.len()));
            let [outputs, tangents] = &mut rows;
            Ok(sample(case.time, || {
                let images = black_box(images);
                let done = net.jvp_into(&mut ws, images, along, outputs, tangents);
                black_box((done.is_ok(), &outputs, &tangents));
            }))
        }
        Pass::Both => {
            let gradient = normal(case.batch * N::Output::LEN);
            Ok(sample(case.time, || {
                net.forward(black_box(images), &mut ws);
                // A backward pass may use up the gradient that it is given.
                ws.output_rows().1.copy_from_slice(&gradient);
                net.backward(images, &mut ws);
                black_box(ws.gradients());
            }))
        }
    }
}
