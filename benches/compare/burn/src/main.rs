//! Times burn for the comparison.

mod net;

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use compare_driver::{Case, Pass, labels, locked, nets, normal, sample, serve};
use net::Net;

fn main() -> std::io::Result<()> {
    let version = format!("{} (flex)", locked("burn"));
    serve("burn", &version, &["default"], |case| {
        let net = nets::parse(&case.net)?;
        if case.pass.is_forward_mode() {
            return Err("no forward mode".into());
        }
        // Burn panics where something cannot be done.
        catch_unwind(AssertUnwindSafe(|| match net.input.len() {
            1 => run::<2>(case, &net),
            _ => run::<4>(case, &net),
        }))
        .map_err(|_| "it panicked".to_string())
    })
}

/// `D` is the rank of a batch of inputs.
fn run<const D: usize>(case: &Case, data: &nets::Net) -> Vec<f64> {
    let device = match case.pass {
        Pass::Infer => Device::flex(),
        _ => Device::flex().autodiff(),
    };
    let mut shape = vec![case.batch];
    shape.extend(&data.input);
    let numbers = normal(shape.iter().product());
    let x = Tensor::<D>::from_data(TensorData::new(numbers, shape), &device);
    let mut net = Net::new(&data.layers, &device);
    match case.pass {
        Pass::Infer => sample(case.time, || {
            black_box(net.forward(x.clone()));
        }),
        // The gradient that is given is ones.
        Pass::Both | Pass::Jvp | Pass::JvpOfAll => sample(case.time, || {
            black_box(GradientsParams::from_grads(net.forward(x.clone()).backward(), &net));
        }),
        Pass::Train => {
            let labels = labels(case.batch).into_iter().map(|label| label as i64).collect();
            let labels = TensorData::new(labels, [case.batch]);
            let labels = Tensor::<1, Int>::from_data(labels, &device);
            let loss = CrossEntropyLossConfig::new().init(&device);
            let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
            let mut sgd = SgdConfig::new()
                .with_momentum(Some(momentum))
                .with_weight_decay(Some(WeightDecayConfig::new(5e-4)))
                .init();
            sample(case.time, || {
                let loss = loss.forward(net.logits(x.clone()), labels.clone());
                let gradients = GradientsParams::from_grads(loss.backward(), &net);
                net = sgd.step(1e-3, net.clone(), gradients);
            })
        }
    }
}
